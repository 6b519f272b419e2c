"""The recipes of frames: what tells a frame, units, what is refused, and that cut pieces agree."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadData, BadParameter
from armillary.missions.plasma.generic import frames as recipes
from armillary.model import Fits, Product
from armillary.model.kinds import check
from armillary.science.coordinates.frames import transform
from armillary.science.coordinates.igrf import EARTH_RADIUS

TIME = np.arange("2007-03-23", "2007-03-24", np.timedelta64(600, "s"), dtype="datetime64[s]").astype("datetime64[ns]")
WIND: dict[str, Any] = {"position": None, "pressure": 2.0, "bz": 0.0, "largest_gap": 1e4}


def vectors(values: Any, name: str = "b", **attrs: Any) -> xr.Dataset:
    told = {"units": "nT", "long_name": "Field", **attrs}
    return xr.Dataset({name: (("time", "component"), np.broadcast_to(np.asarray(values, float), (len(TIME), 3)), told)},
                      {"time": TIME})  # fmt: skip


def orbit(scale: float = 1.0, **attrs: Any) -> xr.Dataset:
    angle = np.linspace(0, 2 * np.pi, len(TIME))
    place = np.stack([6 * np.cos(angle), 6 * np.sin(angle), np.sin(2 * angle)], 1)
    return vectors(place * scale, "xyz_gse", **{"units": "Re", **attrs})


def in_frame(data: xr.Dataset, to: str, frame: str = "", **knobs: Any) -> xr.Dataset:
    made = recipes.in_frame.function(data, to=to, frame=frame, **{**WIND, "matrix": None, **knobs})
    assert isinstance(made, xr.Dataset)
    return check("series", made)


def foot(data: xr.Dataset, **knobs: Any) -> xr.Dataset:
    asked = {
        "every": 3600.0,
        "model": "igrf+t89",
        "kp": 2.0,
        "frame": "",
        "outer": 60.0,
        "pressure": 2.0,
        "bz": 0.0,
        **knobs,
    }
    made = recipes.footpoint.function(data, **asked)
    assert isinstance(made, xr.Dataset)
    return check("series", made)


@pytest.mark.parametrize(
    ("name", "attrs", "frame"),
    [
        ("b", {"COORDINATE_SYSTEM": "GSE>Geocentric Solar Ecliptic"}, "GSE"), ("b", {"FRAME": "gsm"}, "GSM"),
        ("mms1_fgm_b_gsm_srvy_l2", {}, "GSM"), ("BGSEc", {}, "GSE"), ("XYZ_GEO", {}, "GEO"),
        ("thc_state_pos_sm", {}, "SM"),
        ("b_gse", {"COORDINATE_SYSTEM": "GSM"}, "GSM"),
        ("Position_Ion", {"FIELDNAM": "Satellite position (GEO)"}, "GEO"),
        ("ela_pos_gei", {"COORDINATE_SYSTEM": "GEI", "CATDESC": "Spacecraft Position XYZ in GEI-J2000"}, "J2000"),
    ],
)  # fmt: skip
def test_the_frame_is_told_by_metadata_or_name(name: str, attrs: dict[str, str], frame: str) -> None:
    assert recipes.told_frame(vectors([1, 2, 3], name, **attrs), "") == frame
    assert recipes.told_frame(vectors([1, 2, 3], name, **attrs), "GEI") == "GEI"


@pytest.mark.parametrize(
    ("name", "attrs"),
    [("b", {}), ("b", {"CATDESC": "GSE or GSM"}), ("b_dbcs", {}), ("fgs_mag", {}), ("b_gse", {"FRAME": "DSL"})],
)
def test_a_frame_that_is_not_told_is_asked_for(name: str, attrs: dict[str, str]) -> None:
    with pytest.raises(BadData, match="frame=") as raised:
        in_frame(vectors([1, 2, 3], name, **attrs), "GSM")
    assert name in str(raised.value)


def test_vectors_are_turned_and_say_so() -> None:
    given = vectors([1.0, -2.0, 3.0], "b_gse")
    made = in_frame(given, "GSM")
    assert made["vector"].to_numpy() == pytest.approx(transform(given["b_gse"].to_numpy(), TIME, "GSE", "GSM"))
    assert made["vector"].attrs["COORDINATE_SYSTEM"] == "GSM"
    assert made["vector"].attrs["units"] == "nT"
    back = in_frame(made, "GSE")
    assert back["vector"].to_numpy() == pytest.approx(given["b_gse"].to_numpy(), abs=1e-12)
    assert np.array_equal(in_frame(given, "GSE")["vector"], given["b_gse"])


def test_rtn_and_lmn_need_to_know_where() -> None:
    b = vectors([5.0, -3.0, 1.0], "b_gse")
    for to in ("RTN", "LMN"):
        with pytest.raises(BadParameter, match="position"):
            in_frame(b, to)
    l1 = vectors([1.5e6, 2e5, 1e5], "r_gse", units="km")
    rtn = in_frame(b, "RTN", position=l1)
    assert rtn["component"].to_numpy().tolist() == ["R", "T", "N"]
    radial, *across = rtn["vector"].to_numpy().T
    assert radial == pytest.approx(-5.0, abs=0.02)
    assert np.hypot(*across) == pytest.approx(np.sqrt(10), abs=0.02)
    assert in_frame(rtn, "GSE", position=l1)["vector"].to_numpy() == pytest.approx(b["b_gse"].to_numpy(), abs=1e-9)
    lmn = in_frame(vectors([0.0, 0.0, 30.0], "b_gsm"), "LMN", position=vectors([10.0, 0, 0], "r_gsm", units="Re"))
    assert lmn["vector"].to_numpy() == pytest.approx(np.tile([30.0, 0, 0], (len(TIME), 1)), abs=1e-9)
    with pytest.raises(BadData, match="LMN cannot be turned into GSE"):
        in_frame(lmn, "GSE", position=l1)
    with pytest.raises(BadData, match="'nT'"):
        in_frame(b, "RTN", position=b)


def test_the_model_field_knows_units_and_the_magnetopause() -> None:
    asked = {"model": "igrf+t89", "kp": 2.0, "frame": "", "pressure": 2.0, "bz": 0.0}
    by_radii = recipes.geomagnetic_field.function(orbit(), **asked)
    by_km = recipes.geomagnetic_field.function(orbit(EARTH_RADIUS, units="km"), **asked)
    check("series", by_radii)
    assert by_radii["geomagnetic_field"].to_numpy() == pytest.approx(by_km["geomagnetic_field"].to_numpy())
    assert by_radii["geomagnetic_field"].attrs["COORDINATE_SYSTEM"] == "GSE"
    assert 50 < np.linalg.norm(by_radii["geomagnetic_field"], axis=1).min() < 300
    assert by_radii["inside_magnetopause"].to_numpy().all()
    far = recipes.geomagnetic_field.function(orbit(2.5), **asked)["inside_magnetopause"].to_numpy()
    assert far[0] == 0
    assert far[len(far) // 2] == 1
    with pytest.raises(BadData, match="'nT'"):
        recipes.geomagnetic_field.function(orbit(units="nT"), **asked)


def test_feet_lie_in_both_hemispheres_and_agree_with_the_dipole() -> None:
    made = foot(orbit(), model="dipole")
    assert made.sizes["time"] == 24
    assert (made["line"] == 0).all()
    assert (made["north_foot"][:, 0] > 40).all()
    assert (made["south_foot"][:, 0] < -40).all()
    shell = made["equator_distance"].to_numpy()
    assert ((shell > 5.9) & (shell < 9)).all()
    assert made["north_foot"].attrs["units"] == "deg"
    noon = foot(orbit(), model="igrf+t89")["equator_local_time"][0]
    assert float(noon) == pytest.approx(12, abs=1)


def test_open_lines_and_missing_positions_are_flagged() -> None:
    data = orbit().isel(time=slice(0, 3)).copy(deep=True)
    data["xyz_gse"].to_numpy()[:] = [[-15.0, 0, 14], [np.nan, 1, 1], [5, 0, 0]]
    made = foot(data, every=600.0)
    assert made["line"].to_numpy().tolist()[1:] == [4, 0]
    assert made["line"].to_numpy()[0] in {1, 2}
    assert made["inside_magnetopause"].to_numpy().tolist() == [1, 0, 1]
    assert np.isnan(made["south_foot"].to_numpy()[:2]).all()
    assert np.isnan(made["equator_distance"].to_numpy()[:2]).all()


def test_no_times_give_no_times() -> None:
    nothing = orbit().isel(time=slice(0, 0))
    asked = {"model": "igrf+t89", "kp": 2.0, "frame": "", "pressure": 2.0, "bz": 0.0}
    for made in (in_frame(nothing, "SM"), foot(nothing), recipes.geomagnetic_field.function(nothing, **asked)):
        assert made.sizes["time"] == 0


def test_pieces_cut_in_time_agree_with_the_whole() -> None:
    whole = foot(orbit())
    # A piece is asked with one window of context before it, which is cut off again.
    begin = TIME[51]
    padded = orbit().sel(time=slice(begin - np.timedelta64(3600, "s"), None))
    piece = foot(padded).sel(time=slice(begin, None))
    assert piece.equals(whole.sel(time=slice(begin, None)))


def test_the_recipes_appear_where_they_fit() -> None:
    field = Product(path="x/b_gse", title="B", kind="series", units="nT", shape=(3,))
    place = Product(path="x/r", title="R", kind="series", units="RE", shape=(3,))
    fits = {one.output: one.generic for one in recipes.RECIPES}
    assert [bool(one and one.match(field)) for one in fits.values()] == [True, False, False]
    assert [bool(one and one.match(place)) for one in fits.values()] == [True, True, True]


def test_a_tensor_is_turned_at_both_of_its_axes() -> None:
    along = vectors([3.0, 4.0, 12.0], "v_gse")
    outer = np.einsum("ti,tj->tij", *(along["v_gse"].to_numpy(),) * 2)
    attrs = {"units": "nPa", "long_name": "Pressure tensor"}
    pressure = xr.Dataset({"pressure_gse": (("time", "row", "column"), outer, attrs)}, {"time": TIME})
    place = vectors([1.5e6, 2e5, -1e5], "r_gse", units="km")
    for to in ("GSM", "GEO", "RTN", "GSE"):
        found = check("series", in_frame(pressure, to, position=place), "x")["tensor"]
        one = in_frame(along, to, position=place)["vector"].to_numpy()
        assert found.to_numpy() == pytest.approx(np.einsum("ti,tj->tij", one, one))
        assert np.trace(found.to_numpy(), axis1=1, axis2=2) == pytest.approx(169.0)
        assert (found.attrs["COORDINATE_SYSTEM"], found.attrs["units"]) == (to, "nPa")
    turn = pressure.assign(pressure_gse=pressure["pressure_gse"].assign_attrs(units=""))
    with pytest.raises(BadData, match="no tensor"):
        in_frame(turn, "GSM")


def test_tensors_and_vectors_have_the_recipe() -> None:
    fits = recipes.in_frame.inputs["vector"]
    assert isinstance(fits, Fits)
    shapes: list[tuple[int, ...]] = [(3,), (3, 3), (4,), ()]
    leaves = [Product(path="a/b", title="B", kind="series", units="nPa", shape=shape) for shape in shapes]
    assert [fits.match(leaf) for leaf in leaves] == [True, True, False, False]


def test_frames_of_a_spacecrafts_own_are_turned_by_its_attitude() -> None:
    angle = np.radians(30)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    told = {"COORDINATE_SYSTEM": "GSE"}
    attitude = xr.Dataset({"r": (("time", "gse", "xyz"), np.tile(turn, (len(TIME), 1, 1)), told)}, {"time": TIME})
    own = vectors([3.0, 4.0, 12.0], "b_dmpa")
    found = in_frame(own, "GSE", matrix=attitude)["vector"]
    assert found.to_numpy() == pytest.approx(np.tile(turn @ [3.0, 4.0, 12.0], (len(TIME), 1)))
    gsm = in_frame(own, "GSM", matrix=attitude)["vector"].to_numpy()
    assert gsm == pytest.approx(transform(found.to_numpy(), TIME, "GSE", "GSM"))
    outer = np.tile(np.outer([3.0, 4.0, 12.0], [3.0, 4.0, 12.0]), (len(TIME), 1, 1))
    attrs = {"units": "eV", "COORDINATE_SYSTEM": "DBCS"}
    tensor = xr.Dataset({"t": (("time", "row", "column"), outer, attrs)}, {"time": TIME})
    assert in_frame(tensor, "GSM", matrix=attitude)["tensor"].to_numpy() == pytest.approx(
        np.einsum("ti,tj->tij", gsm, gsm))  # fmt: skip
    with pytest.raises(BadData, match="needs no matrix"):
        in_frame(vectors([1, 2, 3], "b_gse"), "GSM", matrix=attitude)
    with pytest.raises(BadData, match="no matrices to GSE"):
        in_frame(own, "GSM", matrix=tensor)
