"""The energy flux of a wave in files of EDP and SCM, asked for as users do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import armillary as arm
from armillary.errors import BadData, BadParameter
from armillary.science.plasma import MU_0
from armillary.services.desk import Desk
from armillary.testing.plasma_archives import BEGIN, times, write_file

E = "mms/mms1/edp/fast/e_gse"
B = "mms/mms1/fgm/srvy/b_gse"
RATE, SECONDS, HERTZ = 16, 300, 1.0
MEAN_FIELD = np.array([0.0, 0.0, 40.0])
AMPLITUDE_E, AMPLITUDE_B = 5.0, 2.0
#: uW/m^2 of a circular wave along the field: both fields turn together, a quarter of a turn apart.
FLUX = AMPLITUDE_E * AMPLITUDE_B * 1e-6 / MU_0


def circular(phase: np.ndarray, size: float) -> np.ndarray:
    return size * np.stack([np.cos(phase), np.sin(phase), 0 * phase], 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("wave")
    for name, rate, size, lag in (("e", RATE, AMPLITUDE_E, 0.0), ("b", 2 * RATE, AMPLITUDE_B, np.pi / 2)):
        time = times(SECONDS * rate, 1 / rate)
        field = circular(2 * np.pi * HERTZ * np.arange(len(time)) / rate + lag, size)
        if name == "e":
            found = {
                f"mms1_edp_dce_{frame}_fast_l2": (("time", "r"), field, {"units": "mV/m"}) for frame in ("gse", "dsl")
            }
            write_file(made, "mms1_edp_fast_l2_dce", time, found, version="3.0.0")
        else:
            field = field + MEAN_FIELD
            four = np.concatenate([field, np.linalg.norm(field, axis=1, keepdims=True)], 1)
            found = {"mms1_fgm_b_gse_srvy_l2": (("time", "xyzt"), four, {"units": "nT"})}
            write_file(made, "mms1_fgm_srvy_l2", time, found, version="5.103.0")
    return made


@pytest.fixture(scope="module")
def desk(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return arm.open(folder, home=tmp_path_factory.mktemp("home"))


def ask(desk: Desk, path: str, first: int = 60, last: int = 240, **params: Any) -> Any:
    begin, end = (str(BEGIN + np.timedelta64(one, "s")) for one in (first, last))
    return desk.get(path, begin, end, params=params)


def test_the_recipes_hang_under_the_electric_field_and_not_under_the_magnetic_one(desk: Desk) -> None:
    under = {path: {one.path.rpartition("/")[2] for one in desk.inventory.children(path)} for path in (E, B)}
    assert {"poynting_flux", "poynting_spectrum"} <= under[E]
    assert not {"poynting_flux", "poynting_spectrum"} & under[B]


def test_the_waves_carry_their_energy_along_the_field(desk: Desk) -> None:
    """The field is sampled twice as often as the electric one and lies in another file."""
    found = ask(desk, f"{E}/poynting_flux", magnetic_field=B, low=0.5, high=2.0, context=20.0)
    flux = found["poynting_flux"]
    assert flux.sizes["time"] == 180 * RATE
    assert flux.attrs["units"] == "uW/m^2"
    assert flux.attrs["COORDINATE_SYSTEM"] == "GSE"
    assert not found["edge"].to_numpy().any()
    assert flux.to_numpy() == pytest.approx(np.tile([0, 0, FLUX], (flux.sizes["time"], 1)), abs=0.01 * FLUX)


def test_the_whole_fields_have_the_flux_of_the_mean_field_too(desk: Desk) -> None:
    data = ask(desk, f"{E}/poynting_flux", magnetic_field=B)
    electric = ask(desk, E)["e_gse"].to_numpy()
    magnetic = ask(desk, B)["b_gse"].to_numpy()[::2]
    expected = np.cross(electric, magnetic) * 1e-6 / MU_0
    assert data["poynting_flux"].to_numpy() == pytest.approx(expected, abs=1e-6 * np.abs(expected).max())


def test_by_frequency_the_flux_is_where_the_wave_is(desk: Desk) -> None:
    data = ask(desk, f"{E}/poynting_spectrum", magnetic_field=B, window=16.0)
    density = data["poynting_spectrum"]
    assert density.attrs["units"] == "uW/m^2/Hz"
    step = float(np.diff(data["frequency"].to_numpy())[0])
    middle = density.to_numpy()[2:-2]
    assert middle.sum(1) * step == pytest.approx(np.full(len(middle), FLUX), rel=0.01)
    assert data["frequency"].to_numpy()[middle.argmax(1)] == pytest.approx(np.full(len(middle), HERTZ))


def test_pieces_agree_with_the_whole(desk: Desk, folder: Path, tmp_path: Path) -> None:
    knobs: dict[str, Any] = {"magnetic_field": B, "low": 0.5, "high": 2.0, "context": 20.0}
    whole = ask(desk, f"{E}/poynting_flux", 80, 120, **knobs)["poynting_flux"].to_numpy()
    other = arm.open(folder, home=tmp_path)
    parts = [ask(other, f"{E}/poynting_flux", first, first + 10, **knobs) for first in (110, 80, 100, 90)]
    parts.sort(key=lambda one: one["time"].to_numpy()[0])
    joined = np.concatenate([one["poynting_flux"].to_numpy() for one in parts])
    assert joined == pytest.approx(whole, abs=1e-3 * FLUX)


def test_without_a_field_or_with_one_of_another_frame_nothing_is_computed(desk: Desk) -> None:
    with pytest.raises(BadParameter, match="magnetic_field"):
        ask(desk, f"{E}/poynting_flux")
    for name in ("poynting_flux", "poynting_spectrum"):
        with pytest.raises(BadData, match="magnetic_field is in GSE, which cannot be turned into DSL of MMS1"):
            ask(desk, f"mms/mms1/edp/fast/e_dsl/{name}", magnetic_field=B)
