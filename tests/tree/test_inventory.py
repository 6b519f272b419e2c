"""Browsing and searching leaves."""

import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import CannotWrite, UnknownProduct
from armillary.model import Interval, Product
from armillary.tree import Inventory, match, refresh


def leaf(path: str, title: str = "", units: str = "") -> Product:
    return Product(path=path, title=title or path, kind="series", units=units, coverage=Interval(0, 10**9))


LEAVES = [
    leaf("local/mms1/dis/numberdensity", "MMS1 ion number density", "cm^-3"),
    leaf("local/mms1/dis/bulkv", "MMS1 ion bulk velocity", "km/s"),
    leaf("local/mms1", "All of MMS1"),
    leaf("local/mms1-old/n", "Density of old"),
    leaf("local/ace/n_p", 'Proton "density" 100%'),
]


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    made = Inventory(tmp_path / "inventory.sqlite", {"folder:/a": "a", "folder:/b": "b"})
    made.replace("folder:/a", "1", LEAVES)
    return made


def paths(products: list[Product]) -> list[str]:
    return [product.path for product in products]


def test_words_may_stand_anywhere_and_all_must_occur(inventory: Inventory) -> None:
    assert paths(inventory.search("density MMS1 ion")) == ["local/mms1/dis/numberdensity"]
    assert paths(inventory.search("DENS n_p")) == ["local/ace/n_p"]
    assert paths(inventory.search("nothing like this")) == []
    assert len(inventory.search("density")) == 3
    assert paths(inventory.search("density", limit=1)) == [
        "local/mms1/dis/numberdensity"
    ]  # the one with it in the path


def test_short_and_odd_words(inventory: Inventory) -> None:
    assert paths(inventory.search("n_")) == ["local/ace/n_p"]
    assert paths(inventory.search('"density" 100%')) == ["local/ace/n_p"]
    assert paths(inventory.search("* OR NOT (")) == []
    assert inventory.search("ti vo") == []  # no word of the file's own structure is searched
    assert paths(inventory.search("b v")) == ["local/mms1/dis/bulkv"]
    assert len(inventory.search("")) == len(LEAVES)


def test_a_place_limits_the_search(inventory: Inventory) -> None:
    assert paths(inventory.search("density", "local/mms1/")) == ["local/mms1/dis/numberdensity"]
    assert paths(inventory.leaves("local/mms1")) == [
        "local/mms1",
        "local/mms1/dis/bulkv",
        "local/mms1/dis/numberdensity",
    ]
    assert paths(inventory.leaves("local/mms")) == []


def test_children(inventory: Inventory) -> None:
    assert [(one.path, one.leaf is not None, one.has_children) for one in inventory.children("local/")] == [
        ("local/ace", False, True),
        ("local/mms1", True, True),
        ("local/mms1-old", False, True),
    ]
    assert [one.path for one in inventory.children()] == ["local"]
    assert inventory.children("nowhere") == []


def test_an_unknown_path_names_the_nearest(inventory: Inventory) -> None:
    with pytest.raises(UnknownProduct, match="did you mean local/mms1/dis/numberdensity"):
        inventory.product("local/mms1/dis/numberdens")
    with pytest.raises(UnknownProduct, match="local/mms1/dis/bulkv"):
        inventory.product("local/mms1/dis/bulk_v")


def test_a_branch_is_no_product(inventory: Inventory) -> None:
    with pytest.raises(UnknownProduct, match=r"'local/ace' is a branch, not a product.*armillary tree local/ace"):
        inventory.product("local/ace")


def test_one_path_in_two_archives(inventory: Inventory) -> None:
    inventory.replace("folder:/b", "1", [leaf("local/ace/n_p", "another")])
    assert [one.path for one in inventory.leaves("local/ace")] == ["local/ace/n_p", "local/ace/n_p@b"]
    assert inventory.product("local/ace/n_p").title == 'Proton "density" 100%'
    assert inventory.product("local/ace/n_p@b").title == "another"
    assert inventory.product("local/ace/n_p@b").source == "b"
    assert [one.path for one in inventory.children("local/ace")] == ["local/ace/n_p", "local/ace/n_p@b"]
    only_b = Inventory(inventory.file, {"folder:/b": "b"})
    assert paths(only_b.leaves()) == ["local/ace/n_p"]
    assert only_b.count() == 1


def test_leaves_are_listed_again_when_the_stamp_changes(inventory: Inventory) -> None:
    assert not refresh(inventory, "folder:/a", lambda: "1", list)
    assert refresh(inventory, "folder:/a", lambda: "2", lambda: LEAVES[:1])
    assert paths(inventory.search("density")) == ["local/mms1/dis/numberdensity"]
    assert inventory.search("bulk") == []


def test_a_shape_stands_for_many(inventory: Inventory) -> None:
    assert match(inventory, "local/mms1/*/b*") == ["local/mms1/dis/bulkv"]


def test_a_file_that_is_no_database_is_made_again(tmp_path: Path) -> None:
    file = tmp_path / "inventory.sqlite"
    file.write_bytes(b"garbage" * 1000)
    made = Inventory(file, {"k": "a"})
    assert made.leaves() == []
    made.replace("k", "1", LEAVES)
    assert len(made.leaves()) == len(LEAVES)


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotWrite, match="Next step"):
        Inventory(tmp_path / "file" / "inventory.sqlite", {"k": "a"}).leaves()


def _relist(file: str, number: int) -> None:
    inventory = Inventory(Path(file), {f"k{number}": f"a{number}"})
    for stamp in range(5):
        inventory.replace(f"k{number}", str(stamp), [leaf(f"x/{number}/{n}") for n in range(20)])


def test_several_processes_list_at_once(tmp_path: Path) -> None:
    file = tmp_path / "inventory.sqlite"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_relist, args=(str(file), number)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    whole = Inventory(file, {f"k{number}": f"a{number}" for number in range(3)})
    assert whole.count() == 60
    assert len(whole.search("x/1", limit=0)) == 20


SEGMENT = st.text("ab-.0/", min_size=1, max_size=6)


@given(st.sets(SEGMENT.map(lambda text: "r/" + text.strip("/").replace("//", "/")).filter(lambda p: "//" not in p and not p.endswith("/")), max_size=12))  # fmt: skip  # noqa: E501
def test_children_are_exactly_the_next_segments(tmp_path_factory: pytest.TempPathFactory, all_paths: set[str]) -> None:
    inventory = Inventory(tmp_path_factory.mktemp("i") / "i.sqlite", {"k": "a"})
    inventory.replace("k", "1", [leaf(path) for path in all_paths])
    for place in {"r", *(path.rpartition("/")[0] for path in all_paths)}:
        below = [path[len(place) + 1 :] for path in all_paths if path.startswith(f"{place}/")]
        assert [one.path for one in inventory.children(place)] == [
            f"{place}/{name}" for name in sorted({rest.partition("/")[0] for rest in below})
        ]
