"""The contracts find what they promise to find: each defect here fails the test that is named for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from armillary.errors import BadData, BrokenPlugin
from armillary.model import Archive, EventClass, Mission
from armillary.testing import MissionContract, SourceContract

#: A good source with a place for one defect each.
TOY = """
import socket, itertools, os
import numpy as np
from armillary.model import Interval, Product

SPAN = Interval(0, 1000 * 10**9)
COUNT = itertools.count()

class Toy:
    def __init__(self, archive, state):
        self.name, self.defect = archive.name, archive.address

    def stamp(self):
        if self.defect == "network":
            socket.create_connection(("127.0.0.1", 9))
        return str(next(COUNT)) if self.defect == "stamp" else "1"

    def inventory(self, progress):
        leaf = Product(path="toy/b", title="" if self.defect == "title" else "b", kind="series", source=self.name,
                       coverage=SPAN, cadence=1.0, version=str(next(COUNT)) if self.defect == "inventory" else "1")
        return [leaf, leaf] if self.defect == "path" else [leaf]

    def fetch(self, product, request, progress):
        import xarray as xr
        try:
            if self.defect != "deaf":
                progress(0.5 if self.defect != "far" else 2.0, "toy")
        except Exception:
            if self.defect != "stubborn":
                raise
        span = request.extent.time or SPAN
        seconds = np.arange(max(-(-span.start // 10**9), 0), min(-(-span.stop // 10**9), 1000))
        if self.defect == "edge":
            seconds = seconds[1:]
        if self.defect == "outside":
            seconds = seconds if seconds.size else np.array([span.start // 10**9])
        values = seconds.astype(float)
        if self.defect == "moody":
            values = values + next(COUNT)
        if self.defect == "pieces":
            values = values - values.mean() if values.size else values
        if self.defect == "process":
            values = values + os.getpid()
        attrs = {} if self.defect == "units" else {"units": "nT"}
        return xr.Dataset({"b": ("time", values, attrs)}, {"time": (seconds * 10**9).astype("datetime64[ns]")})
"""
DEFECTS = {
    "network": "test_the_stamp_is_quiet_and_stable",
    "stamp": "test_the_stamp_is_quiet_and_stable",
    "title": "test_every_leaf_is_well_formed",
    "path": "test_every_leaf_is_well_formed",
    "inventory": "test_the_inventory_is_the_same_twice",
    "units": "test_every_answer_keeps_the_promise_of_its_kind",
    "moody": "test_the_same_question_has_the_same_answer",
    "edge": "test_time_is_half_open_and_nothing_is_left_out",
    "pieces": "test_consecutive_pieces_join_to_the_whole",
    "outside": "test_outside_of_the_coverage_is_an_empty_answer",
    "deaf": "test_a_stop_passes_through",
    "stubborn": "test_a_stop_passes_through",
    "far": "test_a_stop_passes_through",
    "process": "test_another_process_gets_the_same",
}


@pytest.fixture(autouse=True)
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "armillary_toy.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("armillary_toy", None)


def contract_of(defect: str, **more: object) -> type[SourceContract]:
    archive = Archive(name="toy", protocol="armillary_toy:Toy", address=defect)
    return type("Contract", (SourceContract,), {"archive": archive, "lacks": frozenset({"rows"}), **more})


def test_a_good_source_passes() -> None:
    contract = contract_of("")
    contract.setup_class()
    contract().test_the_contract_is_kept_in_full()
    assert len(contract.ran) == contract.promises == 12
    contract.teardown_class()


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_fails_its_test(defect: str) -> None:
    contract = contract_of(defect)
    contract.setup_class()
    try:
        with pytest.raises((AssertionError, BadData)) as caught:
            getattr(contract(), DEFECTS[defect])()
        assert "armillary_toy" not in str(caught.traceback[-1].path), "the toy itself broke"
        assert DEFECTS[defect] not in contract.ran
    finally:
        contract.teardown_class()


def test_a_skipped_replaced_or_idle_test_is_not_green() -> None:
    def skipped(self: SourceContract) -> None:
        pytest.skip("no time today")

    skipped.promise = ""  # type: ignore[attr-defined]
    name = "test_threads_may_share_it"
    for replaced, reason in ((skipped, "was skipped: no time today"), (print, "has 11 of 12 tests")):
        contract = contract_of("", **{name: replaced})
        contract.setup_class()
        with pytest.raises(AssertionError, match=reason):
            contract().test_the_contract_is_kept_in_full()
        contract.teardown_class()
    idle = contract_of("", lacks=frozenset())
    idle.setup_class()
    with pytest.raises(AssertionError, match="put 'rows' into `lacks`"):
        idle().test_rows_join_to_the_whole()
    boastful = contract_of("", lacks=frozenset({"rows", "time"}))
    boastful.setup_class()
    with pytest.raises(AssertionError, match="there is no 'time', but there is"):
        boastful().test_consecutive_pieces_join_to_the_whole()
    for one in (idle, boastful):
        one.teardown_class()


MISSION = """
{first}
import numpy as np
from armillary.errors import BadData, BrokenPlugin
from armillary.model import Archive, EventClass, Mission, Parameter, recipe

@recipe("toy/mean", inputs={{"b": "toy/b"}}, title="Mean", kind="series", units="nT", block="time", pad={pad},
        parameters=(Parameter(name="window", type="int", default=3, low=1, high=21),))
def mean(b, window):
    assert window < {most}
    values = np.convolve(b["b"].to_numpy(), np.ones(window) / window, "same") if b.sizes["time"] else b["b"].to_numpy()
    return b.assign(b=b["b"].copy(data=values + {more}))

@recipe("toy/none", inputs={{"b": "toy/{named}"}}, title="None", kind="{kind}", units="nT")
def none(b):
    return b

MISSION = Mission(
    name="toy", title="Toy", description="A toy", citations={cite}, recipes=(mean, none),
    archives=(Archive(name="toy", protocol="armillary_toy:Toy"),),
    event_classes=(EventClass(name="a", title="A", colour="{colour}"),),
)
"""
GOOD = {
    "first": "", "pad": "30.0", "most": "22", "more": "0", "named": "b", "kind": "series", "cite": '("Toy 2026",)',
    "colour": "#102030",
}  # fmt: skip
FAULTS = {
    "test_it_is_imported_lightly": {"first": "import pandas"},
    "test_it_comes_through_the_door": {},
    "test_it_says_what_to_cite": {"cite": "()"},
    "test_event_classes_are_told_apart": {"colour": "red"},
    "test_every_recipe_finds_its_inputs": {"named": "c"},
    "test_every_derived_product_keeps_its_kind": {"kind": "spectrogram"},
    "test_in_blocks_is_the_same_as_at_once": {"more": "100 * values.size"},
    "test_every_knob_can_be_turned": {"most": "20"},
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_a_mission_fails_its_test(name: str, tmp_path: Path) -> None:
    (tmp_path / "armillary_toy_mission.py").write_text(MISSION.format(**GOOD | FAULTS[name]))
    sys.modules.pop("armillary_toy_mission", None)
    contract = type("Contract", (MissionContract,), {"door": "armillary_toy_mission:MISSION"})
    contract.setup_class()
    try:
        with pytest.raises((AssertionError, BadData, BrokenPlugin)):
            getattr(contract(), name)()
        for other in FAULTS:
            if not FAULTS[name] and other != name:
                getattr(contract(), other)()
    finally:
        contract.teardown_class()


def test_the_contracts_need_no_pytest() -> None:
    code = (
        "import sys, armillary.testing.source_contract, armillary.testing.mission_contract;"
        "print([one for one in ('pytest', 'xarray', 'pyarrow') if one in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert out.strip() == "[]"


def test_event_classes_are_counted() -> None:
    contract = type("Contract", (MissionContract,), {"door": "x:X"})
    contract.mission = Mission(name="m", title="m", event_classes=(EventClass(name="a", title="A"),) * 2)
    with pytest.raises(AssertionError, match="two event classes have one name"):
        contract().test_event_classes_are_told_apart()
