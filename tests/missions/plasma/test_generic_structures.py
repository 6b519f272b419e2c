"""Recipes for structures: known sheets, frames, shocks and boundaries; pieces agree with the whole."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xarray as xr

import armillary as arm
from armillary.errors import BadData, BadParameter, BadTime
from armillary.missions.plasma.generic import structures
from armillary.missions.plasma.generic.reading import scalar_of, series, vector_of
from armillary.model.kinds import check, table_attrs
from armillary.science import boundaries, plasma
from armillary.science.shocks import fast_jump

START = np.datetime64("2020-01-01T00:00:00", "ns")
NORMAL = np.array([0.8, 0.6, 0.0])


def vector(values: Any, units: str, step: float = 1.0) -> xr.Dataset:
    values = np.asarray(values, float)
    time = START + (np.arange(len(values)) * round(step * 1e9)).astype("timedelta64[ns]")
    attrs = {"units": units, "LABLAXIS": "v", "COORDINATE_SYSTEM": "GSE"}
    return xr.Dataset({"v": (("time", "component"), values, attrs)}, {"time": time})


def in_frame(data: xr.Dataset, frame: str) -> xr.Dataset:
    """The same numbers, told to be in another frame; "" tells nothing."""
    return data.assign(v=data["v"].assign_attrs(COORDINATE_SYSTEM=frame))


def number(values: Any, units: str) -> xr.Dataset:
    return vector(np.asarray(values, float)[:, None], units).isel(component=0)


def made(recipe: Any, *inputs: Any, **params: Any) -> Any:
    named = dict(zip(recipe.inputs, inputs, strict=True))
    knobs = {one.name: None if one.type == "product" else one.default for one in recipe.parameters}
    return check(recipe.kind, recipe.function(**named, **knobs | params), recipe.output)


def sheet(n: int = 120) -> np.ndarray[Any, Any]:
    angle = np.linspace(0.1, 2.9, n)
    east = np.cross(NORMAL, [0, 0, 1])
    return np.asarray(4 * NORMAL + 20 * np.cos(angle)[:, None] * [0, 0, 1] + 15 * np.sin(angle)[:, None] * east)


def test_a_sheet_in_its_own_axes() -> None:
    field = vector(sheet(), "nT")
    turned = made(structures.lmn, field)["lmn"]
    assert turned.to_numpy()[:, 2] == pytest.approx(np.full(120, 4.0))
    assert turned.attrs["axis_n"] == pytest.approx(NORMAL.tolist())
    assert list(turned["component"].to_numpy()) == ["L", "M", "N"]
    flow = made(structures.lmn, vector(np.tile(-30 * NORMAL, (60, 1)), "km/s", 2.0), field=field)["lmn"]
    assert flow.attrs["units"] == "km/s"
    assert flow.to_numpy()[0] == pytest.approx([0, 0, -30])


def test_axes_of_a_part_only() -> None:
    quiet = np.tile(sheet()[:1], (200, 1)) + 0.3 * np.random.default_rng(0).normal(size=(200, 3))
    field = vector(np.concatenate([quiet, sheet(), quiet]), "nT")
    part = {"begin": "2020-01-01T00:03:20", "end": "2020-01-01T00:05:20"}
    found = made(structures.lmn, field, **part)["lmn"]
    assert found.sizes["time"] == 520
    assert found.attrs["axis_n"] == pytest.approx(NORMAL.tolist())
    with pytest.raises(BadParameter, match="no data"):
        made(structures.lmn, field, begin="2021-01-01")
    with pytest.raises(BadTime):
        made(structures.lmn, field, begin="soon")


def test_the_table_of_axes() -> None:
    found = made(structures.mva, vector(sheet(), "nT"))
    assert found["axis"].to_pylist() == ["L", "M", "N"]
    assert [found[one][2].as_py() for one in "xyz"] == pytest.approx(NORMAL.tolist())
    assert found["mean"][2].as_py() == pytest.approx(4)
    assert found.schema.field("variance").metadata[b"unit"] == b"(nT)^2"
    assert table_attrs(found)["doubtful"] is False
    tangential = made(structures.mva, vector(sheet(), "nT"), constraint="no normal field")
    assert tangential["mean"][2].as_py() == pytest.approx(0, abs=1e-9)


def test_sliding_pieces_are_parts_of_the_whole() -> None:
    random = np.random.default_rng(3)
    field = vector(random.normal(size=(4000, 3)).cumsum(0), "nT", 0.125)
    field = field.isel(time=np.flatnonzero(np.r_[np.ones(1500), np.zeros(700), np.ones(1800)]))
    whole = made(structures.sliding_mva, field, window=20.0, step=7.0)
    assert whole["normal"].dims == ("time", "component")
    assert (whole["time"].to_numpy().astype(np.int64) % 7_000_000_000 == 10_000_000_000 % 7_000_000_000).all()
    edges = [np.datetime64("2020-01-01T00:00:00") + np.timedelta64(one, "s") for one in (0, 100, 207, 333, 600)]
    pad = np.timedelta64(20, "s")
    pieces = []
    for start, stop in pairwise(edges):
        time = field["time"].to_numpy()
        made_of = field.isel(time=(time >= start - pad) & (time < stop + pad))
        piece = made(structures.sliding_mva, made_of, window=20.0, step=7.0)
        pieces.append(piece.isel(time=(piece["time"].to_numpy() >= start) & (piece["time"].to_numpy() < stop)))
    joined = xr.concat(pieces, "time")
    inside = whole.isel(time=whole["time"].to_numpy() >= edges[0])
    assert np.array_equal(joined["time"], inside["time"])
    assert np.array_equal(joined["samples"], inside["samples"])
    for name in ("eigenvalues", "normal"):
        np.testing.assert_allclose(joined[name], inside[name], rtol=1e-9, atol=1e-9)
    # windows without a vector are left out, not filled
    assert int(inside["samples"].min()) > 0
    assert len(inside["time"]) < 72


def test_a_moving_sheet() -> None:
    field, moves = sheet(), np.array([-120.0, 40, 15])
    density = np.full(120, 9.0)
    alfven = plasma.alfven_speed(1.0, 9.0) * field
    flow = vector(moves - 0.9 * alfven, "km/s")
    frame = made(structures.de_hoffmann_teller, flow, field=vector(field, "nT"))
    assert [frame[f"v_{one}"][0].as_py() for one in "xyz"] == pytest.approx(moves.tolist(), abs=1e-6)
    assert frame["frame_residue"][0].as_py() == pytest.approx(0, abs=1e-12)
    test = made(structures.walen, flow, field=vector(field, "nT"), density=number(density, "#/cc"))
    assert test["slope"][0].as_py() == pytest.approx(-0.9)
    assert test["correlation"][0].as_py() == pytest.approx(-1)
    pressure = vector(np.tile([0.2, 0.1], (120, 1)), "nPa")
    corrected = made(structures.walen, flow, field=vector(field, "nT"), density=number(density, "#/cc"),
                     pressure=pressure)  # fmt: skip
    assert corrected["slope"][0].as_py() < -0.9
    assert table_attrs(corrected)["corrected_for_anisotropy"] is True
    per_ev = float(plasma.thermal_pressure(9.0, 1.0))
    warm = vector(np.tile([0.2 / per_ev, 0.1 / per_ev], (120, 1)), "eV")
    same = made(structures.walen, flow, field=vector(field, "nT"), density=number(density, "#/cc"), pressure=warm)
    assert same["slope"][0].as_py() == pytest.approx(corrected["slope"][0].as_py())
    two = {"parallel": number(np.full(120, 0.2), "nPa"), "perpendicular": number(np.full(120, 0.1 / per_ev), "eV")}
    apart = made(structures.walen, flow, field=vector(field, "nT"), density=number(density, "#/cc"), **two)
    assert apart["slope"][0].as_py() == pytest.approx(corrected["slope"][0].as_py())
    assert table_attrs(apart)["corrected_for_anisotropy"] is True
    beside = {"field": vector(field, "nT"), "density": number(density, "#/cc")}
    for wrong in ({"parallel": two["parallel"]}, {"perpendicular": two["parallel"]}, {**two, "pressure": pressure}):
        with pytest.raises(BadParameter, match="twice or by half"):
            made(structures.walen, flow, **beside, **wrong)
    electric = vector(-1e-3 * np.cross(moves, field), "mV/m")
    plane = made(structures.faraday_residue, electric, field=vector(field, "nT"))
    assert [plane[f"n_{one}"][0].as_py() for one in "xyz"] == pytest.approx(NORMAL.tolist(), abs=1e-9)
    assert plane["speed"][0].as_py() == pytest.approx(moves @ NORMAL)
    with pytest.raises(BadParameter, match="'field' is empty"):
        made(structures.de_hoffmann_teller, flow)
    with pytest.raises(BadData, match="3 components, not 2"):
        made(structures.walen, flow, field=vector(field, "nT"), density=number(density, "#/cc"), pressure=flow)


def test_a_shock() -> None:
    mach, beta, theta = 5.0, 1.0, 60.0
    cosine, sine = np.cos(np.radians(theta)), np.sin(np.radians(theta))
    jump = fast_jump(mach, beta, cosine)
    speed = mach * float(plasma.alfven_speed(5.0, 5.0))
    tangent = np.array([0.0, 0, 1])
    up, down = 5 * (-cosine * NORMAL + sine * tangent), 5 * (-cosine * NORMAL + sine * float(jump.field) * tangent)
    after = -speed / float(jump.compression) * NORMAL + speed * float(jump.slip) * tangent
    b = vector(np.repeat([up, down], 60, axis=0), "nT")
    v = vector(np.repeat([-speed * NORMAL, after], 60, axis=0), "km/s")
    n = number(np.repeat([5.0, 5.0 * float(jump.compression)], 60), "cm^-3")
    sides = {
        "upstream": "2020-01-01T00:00:00/2020-01-01T00:00:50",
        "downstream": "2020-01-01T00:01:10/2020-01-01T00:02",
    }
    found = made(structures.shock_normal, b, velocity=v, density=n, **sides)
    assert found["method"].to_pylist() == ["magnetic", "velocity", "mixed_1", "mixed_2", "mixed_3"]
    last = {name: found[name][4].as_py() for name in found.column_names}
    assert [last["n_x"], last["n_y"], last["n_z"]] == pytest.approx(NORMAL.tolist(), abs=1e-6)
    assert (last["theta_bn"], last["alfven_mach"]) == pytest.approx((theta, mach))
    assert last["speed"] == pytest.approx(0, abs=1e-6)
    assert last["fast_mach"] is None
    hot = number(np.full(120, 20.0), "eV")
    assert made(structures.shock_normal, b, velocity=v, density=n, temperature=hot, **sides)["fast_mach"][4].as_py() > 1
    with pytest.raises(BadData, match="upstream or downstream"):
        made(structures.shock_normal, b, velocity=v, density=n, upstream="2020-01-02/2020-01-03",
             downstream=sides["downstream"])  # fmt: skip
    with pytest.raises(BadParameter, match="start/stop"):
        made(structures.shock_normal, b, velocity=v, density=n)


def test_model_boundaries() -> None:
    position = vector([[12, 0, 0], [10 * 6371.2, 0, 0]], "R_E").isel(time=[0])
    found = made(structures.boundaries, position)
    standoff = float(boundaries.magnetopause_shape(2.0, 0.0)[0])
    shock = float(boundaries.bow_shock_standoff(standoff, 8.0))
    assert found["distance"].to_numpy()[0] == pytest.approx([12 - standoff, 12 - shock])
    assert found["magnetopause_normal"].to_numpy()[0] == pytest.approx([1, 0, 0])
    km = made(structures.boundaries, vector([[12 * 6371.2, 0, 0]], "km"))
    assert km["distance"].to_numpy() == pytest.approx(found["distance"].to_numpy())
    wind = {"pressure_of": number([4.0], "nPa"), "bz_of": in_frame(vector([[1, 2, -5.0]], "nT"), "GSM")}
    squeezed = made(structures.boundaries, position, **wind)["distance"].to_numpy()[0, 0]
    assert squeezed == pytest.approx(12 - float(boundaries.magnetopause_shape(4.0, -5.0)[0]))
    scalar = made(structures.boundaries, position, pressure=4.0, bz_of=number([-5.0], "nT"))
    assert scalar["distance"].to_numpy()[0, 0] == pytest.approx(squeezed)


def test_on_the_simulated_sentry(ask: Callable[..., Any]) -> None:
    field = ask("sentry/b_gse", "2024-03-10T12:00", "2024-03-10T12:10")
    found = made(structures.sliding_mva, field, window=30.0, step=10.0)
    assert len(found["time"]) > 55
    assert np.isfinite(found["normal"]).all()


def test_recipes_are_generic_and_described() -> None:
    assert all(one.generic and one.description and one.citation for one in structures.RECIPES)
    assert isinstance(made(structures.mva, vector(sheet(), "nT")), pa.Table)


@pytest.mark.real
def test_the_two_temperatures_of_fpi_correct_the_walen_test(real_data: Path, tmp_path: Path) -> None:
    name = "mms1_fpi_fast_l2_dis-moms_20151017060000_v3.4.0.cdf"
    (tmp_path / name).symlink_to(real_data / "plasma/mms1_fpi_dis_moms" / name)
    desk = arm.open(tmp_path)
    place, span = "local/mms1/fpi/fast/l2/dis-moms/mms1_dis", ("2015-10-17T06:00", "2015-10-17T06:20")
    flow, density, along, across = (
        desk.get(f"{place}_{one}_fast", *span) for one in ("bulkv_gse", "numberdensity", "temppara", "tempperp")
    )
    time, n = flow["time"].to_numpy(), density["mms1_dis_numberdensity_fast"].to_numpy()
    # No field of that day is at hand: one that waves as the flow does.
    b = vector_of(flow) / plasma.alfven_speed(1.0, np.nanmean(n)) + np.array([20.0, 5.0, 1.0])
    field = series(flow, {"b": (("time", "component"), b, {"units": "nT", "FRAME": "GSE"})})
    beside = {"field": field, "density": density}
    isotropic = made(structures.walen, flow, **beside)
    found = made(structures.walen, flow, **beside, parallel=along, perpendicular=across)
    both = np.stack([scalar_of(along), scalar_of(across)], 1)
    pair = series(flow, {"t": (("time", "component"), both, {"units": "eV"})}, time=time)
    joined = made(structures.walen, flow, **beside, pressure=pair)
    assert found["slope"][0].as_py() == pytest.approx(joined["slope"][0].as_py())
    assert abs(found["slope"][0].as_py() - isotropic["slope"][0].as_py()) > 1e-3
