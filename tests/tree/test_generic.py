"""Recipes that fit leaves by kind, shape, units and axes, and templates that fit at any place."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from armillary.errors import UnknownProduct
from armillary.model import Fits, Interval, Parameter, Product, recipe
from armillary.model.recipe import canonical
from armillary.tree import Inventory, Recipes, derive


@recipe("{input}/magnitude", inputs={"v": Fits(kinds=("series",), shapes=((3,),))}, title="{title}: magnitude",
        units="{units}", kind="series", shape=(), block="time")  # fmt: skip
def magnitude(v: Any) -> Any:
    """Length."""
    return v


@recipe("{input}/smooth", inputs={"v": Fits(kinds=("series",), shapes=((), (3,)), units=("nT", "n T"))},
        title="{title}, smooth", kind="series", parameters=(Parameter(name="window", type="float", default=5.0),),
        block="time", pad="window")  # fmt: skip
def smooth(v: Any, window: float) -> Any:
    """Smooth."""
    return v


@recipe("mms/mms{n}/{mode}/skymap", inputs={"dist": "**/mms{n}/fpi/{mode}/l2/dis-dist/mms{n}_dis_dist_{mode}",
        "b": "**/MMS{n}_FGM_{mode}_L2/mms{n}_fgm_b_{mode}"}, optional=("b",), title="M", kind="series")  # fmt: skip
def skymap(dist: Any, b: Any) -> Any:
    """Distribution."""
    return dist


def leaf(path: str, **others: Any) -> Product:
    given = {"kind": "series", "units": "nT", "shape": (3,), "version": "1", "source": "a", **others}
    return Product(path=path, title=path.rpartition("/")[2], coverage=Interval(0, 10**12), **given)


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    made = Inventory(tmp_path / "i.sqlite", {"folder:/a": "a"}, (magnitude, smooth))
    made.replace("folder:/a", "1", [leaf("a/b"), leaf("a/n", shape=(), units="cm^-3"), leaf("a/e", units="mV/m")])
    return made


def test_a_leaf_has_what_fits_it(inventory: Inventory) -> None:
    assert [one.path for one in inventory.children("a/b")] == ["a/b/magnitude", "a/b/smooth"]
    assert [one.path for one in inventory.children("a/e")] == ["a/e/magnitude"]
    assert inventory.children("a/n") == []
    assert {one.path: one.has_children for one in inventory.children("a")} == {"a/b": True, "a/e": True, "a/n": False}


def test_a_leaf_fits_by_the_axes_it_tells(tmp_path: Path) -> None:
    def same(v: Any) -> Any:
        return v

    fits = Fits(kinds=("plane",), axes=("energy", "pitch"))
    common: dict[str, Any] = {"inputs": {"v": fits}, "kind": "plane", "title": "T"}
    omni, other = (recipe(f"{{input}}/{name}", **common)(same) for name in ("omni", "other"))
    kept = recipe("{input}/kept", units="{units}", **common)(same)
    turned = recipe("{input}/turned", axes=("Pitch angle", "Energy"), **common)(same)
    made = Inventory(tmp_path / "i.sqlite", {"folder:/a": "a"}, (omni, other, kept, turned))
    told = {
        "hope": ("PITCH_ANGLE", "HOPE_Energy eV"),
        "slice": ("v1", "v2"),
        "one": ("energy of pitch", "bin"),
        "no": (),
    }
    made.replace("folder:/a", "1", [leaf(f"a/{name}", kind="plane", axes=axes) for name, axes in told.items()])
    has = {one.path: one.has_children for one in made.children("a")}
    assert has == {"a/hope": True, "a/no": False, "a/one": False, "a/slice": False}
    # What keeps kind and units keeps the axes; what says nothing of its own has none.
    assert made.product("a/hope/kept").axes == told["hope"]
    assert made.product("a/hope/turned").axes == ("Pitch angle", "Energy")
    assert made.product("a/hope/turned/kept/omni").axes == ()
    with pytest.raises(UnknownProduct):
        made.product("a/hope/omni/other")


def test_what_is_made_of_a_leaf_is_a_leaf(inventory: Inventory) -> None:
    found = inventory.product("a/b/magnitude")
    assert (found.title, found.units, found.shape, found.inputs) == ("b: magnitude", "nT", (), ("a/b",))
    assert found.source == "a"
    chained = inventory.product("a/b/magnitude/smooth")
    assert chained.title == "b: magnitude, smooth"
    assert [one.name for one in chained.parameters] == ["window"]
    with pytest.raises(UnknownProduct):
        inventory.product("a/n/magnitude")
    with pytest.raises(UnknownProduct):
        inventory.product("nothing/magnitude")


def test_what_keeps_kind_and_units_keeps_the_shape(tmp_path: Path) -> None:
    filtered = replace(smooth, output="{input}/filtered", units="{units}")
    made = Inventory(tmp_path / "i.sqlite", {"folder:/a": "a"}, (magnitude, smooth, filtered))
    made.replace("folder:/a", "1", [leaf("a/b"), leaf("a/n", shape=(), units="nT")])
    assert [made.product(f"a/{name}/filtered").shape for name in "bn"] == [(3,), ()]
    assert made.product("a/b/filtered/magnitude").shape == ()
    assert made.product("a/b/smooth").shape is None


def test_what_is_made_of_leaves_is_found(inventory: Inventory) -> None:
    assert [one.path for one in inventory.search("b magnitude")] == ["a/b/magnitude"]
    assert [one.path for one in inventory.search("nt smooth", "a")] == ["a/b/smooth"]
    assert inventory.search("magnitude") == []
    assert [one.path for one in inventory.search("b magnitude", limit=1)] == ["a/b/magnitude"]


def test_a_new_version_of_the_leaf_is_a_new_version_of_what_is_made_of_it(inventory: Inventory) -> None:
    before = inventory.product("a/b/magnitude").version
    inventory.replace("folder:/a", "2", [leaf("a/b", version="2")])
    assert inventory.product("a/b/magnitude").version != before


def test_a_template_fits_at_any_place_in_any_spelling() -> None:
    recipes = Recipes({skymap.output: skymap})
    for dist, field in (
        ("my/mms1/fpi/brst/l2/dis-dist/mms1_dis_dist_brst", "my/mms1/fgm/brst/l2/mms1_fgm_b_brst"),
        ("cdaweb/MMS1_FPI_BRST_L2_DIS-DIST/mms1_dis_dist_brst", "cdaweb/MMS1_FGM_BRST_L2@0/mms1_fgm_b_brst"),
    ):
        (made,) = derive([leaf(dist), leaf(field)], recipes)
        assert (made.path, made.inputs) == ("mms/mms1/brst/skymap", (dist, field))
        assert made.whole
    assert derive([leaf("x/mms1/fpi/brst/l2/dis-dist/mms2_dis_dist_brst")], recipes) == []


def test_an_optional_input_may_be_absent() -> None:
    (made,) = derive([leaf("x/mms1/fpi/fast/l2/dis-dist/mms1_dis_dist_fast")], Recipes({skymap.output: skymap}))
    assert made.inputs[1] == ""


def test_a_generic_recipe_has_one_input_and_hangs_under_it() -> None:
    with pytest.raises(TypeError, match="generic"):
        recipe("x/magnitude", inputs={"v": Fits(kinds=("series",))}, title="", kind="series")(lambda v: v)
    with pytest.raises(TypeError, match="which it does not have"):
        recipe("{input}/m", inputs={"v": Fits(kinds=("series",))}, title="", kind="series", pad="w")(lambda v: v)


def test_canonical_keeps_the_name_of_the_leaf() -> None:
    assert canonical("A/WI_H0_MFI@1/B_GSE") == "a/wi/h0/mfi/b_gse"


def test_an_input_that_is_made_itself_is_waited_for_wherever_it_comes() -> None:
    """An optional or later input that another recipe makes must not be missed because it was made too late."""
    made = [
        recipe("m/late", inputs={"a": "x/a", "c": "m/c"}, title="L", kind="series")(lambda a, c: a or c),
        recipe("m/map", inputs={"a": "x/a", "c": "m/c"}, optional=("c",), title="M", kind="series")(
            lambda a, c: a or c
        ),
        recipe("m/c", inputs={"b": "m/b"}, title="C", kind="series")(lambda b: b),
        recipe("m/b", inputs={"a": "x/a"}, title="B", kind="series")(lambda a: a),
        recipe("m/bare", inputs={"a": "x/a", "no": "m/no"}, optional=("no",), title="N", kind="series")(
            lambda a, no: a or no
        ),
    ]
    leaves = [Product(path="x/a", title="A", kind="series")]
    found = {one.path: one for one in derive(leaves, Recipes({one.output: one for one in made}))}
    assert found["m/late"].inputs == ("x/a", "m/c")
    assert found["m/map"].inputs == ("x/a", "m/c")
    assert found["m/bare"].inputs == ("x/a", "")
