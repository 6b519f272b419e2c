"""Vectors of two products are brought into one frame, or refused; a frame that nothing tells is never guessed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xarray as xr

import armillary as arm
from armillary.errors import BadData, BadParameter
from armillary.missions.plasma.generic import fields, multipoint, skymaps, structures, turning, waves
from armillary.missions.plasma.generic.turning import Frame, frame_told
from armillary.model import Recipe
from armillary.model.kinds import check, table_attrs
from armillary.science.coordinates.frames import transform
from armillary.science.particles.datasets import to_dataset
from armillary.science.particles.skymap import Skymap
from armillary.testing.plasma_archives import BEGIN, write_mms

Array = Any
START = np.datetime64("2020-01-01T00:00:00", "ns")
STEPS = 512
TIME = START + np.arange(STEPS) * np.timedelta64(125, "ms")
RANDOM = np.random.default_rng(5)
B = np.array([3.0, -4.0, 12.0]) + RANDOM.normal(size=(STEPS, 3)).cumsum(0) * 0.2
V = np.array([-400.0, 30.0, 20.0]) + RANDOM.normal(size=(STEPS, 3)) * 5
E = -1e-3 * np.cross(V, B)
CORNERS = np.array([[0, 0, 0], [20.0, 0, 0], [0, 20.0, 0], [0, 0, 20.0]]) + np.array([6e4, 1e4, 5e3])


def vectors(values: Array, units: str, frame: str = "GSE", name: str = "v", **attrs: str) -> xr.Dataset:
    told = {"units": units} | ({"COORDINATE_SYSTEM": frame} if frame else {})
    return xr.Dataset({name: (("time", "component"), np.asarray(values, float), told)}, {"time": TIME}, attrs)


def turned(values: Array, units: str, frame: str = "GSM") -> xr.Dataset:
    """The same vectors in another frame."""
    return vectors(transform(values, TIME, "GSE", frame), units, frame)


def made(recipe: Recipe, first: xr.Dataset, **params: Any) -> Any:
    knobs = {one.name: None if one.type == "product" else one.default for one in recipe.parameters}
    return check(recipe.kind, recipe.function(**{next(iter(recipe.inputs)): first}, **knobs | params), recipe.output)


def numbers(found: Any) -> Array:
    """All numbers of an answer, one after the other."""
    if isinstance(found, pa.Table):
        rows = [found[name].to_pylist() for name in found.column_names if pa.types.is_floating(found[name].type)]
        return np.array([np.nan if one is None else one for row in rows for one in row])
    return np.concatenate([one.to_numpy().astype(float).ravel() for one in found.data_vars.values()])


DENSITY = vectors(np.full((STEPS, 3), 5.0), "cm^-3").isel(component=0)
SIDES = {"upstream": f"{TIME[0]}/{TIME[200]}", "downstream": f"{TIME[300]}/{TIME[-1]}"}
PLACES = {f"position_{n}": (np.tile(corner, (STEPS, 1)), "km") for n, corner in enumerate(CORNERS, 1)}
FIELDS = {f"field_{n}": (np.roll(B, n, axis=0) + n, "nT") for n in (2, 3, 4)}
#: Recipe, its own vectors, those of other products, other parameters.
CASES: dict[str, tuple[Recipe, tuple[Array, str], dict[str, tuple[Array, str]], dict[str, Any]]] = {
    "components": (fields.components, (V, "km/s"), {"field": (B, "nT")}, {}),
    "exb": (fields.exb, (E, "mV/m"), {"field": (B, "nT")}, {}),
    "convection_field": (fields.convection_field, (V, "km/s"), {"field": (B, "nT")}, {}),
    "current": (fields.current, (V, "km/s"), {"electrons": (V - 9, "km/s")}, {"density": DENSITY}),
    "lmn": (structures.lmn, (V, "km/s"), {"field": (B, "nT")}, {}),
    "de_hoffmann_teller": (structures.de_hoffmann_teller, (V, "km/s"), {"field": (B, "nT")}, {}),
    "walen": (structures.walen, (V, "km/s"), {"field": (B, "nT")}, {"density": DENSITY}),
    "faraday_residue": (structures.faraday_residue, (E, "mV/m"), {"field": (B, "nT")}, {}),
    "shock_normal": (structures.shock_normal, (B, "nT"), {"velocity": (V, "km/s")}, {"density": DENSITY, **SIDES}),
    "curlometer": (multipoint.curlometer, (B, "nT"), FIELDS | PLACES, {}),
    "tetrahedron": (multipoint.tetrahedron, (np.tile(CORNERS[0], (STEPS, 1)), "km"),
                    {name: one for name, one in PLACES.items() if name != "position_1"}, {}),
    "timing": (multipoint.timing, (B, "nT"), FIELDS | PLACES, {}),
    "poynting_flux": (waves.poynting_flux, (E, "mV/m"), {"magnetic_field": (B, "nT")}, {}),
    "poynting_spectrum": (waves.poynting_spectrum, (E, "mV/m"), {"magnetic_field": (B, "nT")}, {"window": 8.0}),
    "polarisation": (waves.polarised, (E, "mV/m"), {"magnetic_field": (B, "nT")},
                     {"window": 8.0, "frame": "field-aligned"}),
    "svd_polarisation": (waves.svd_polarised, (E, "mV/m"), {"magnetic_field": (B, "nT")},
                         {"window": 8.0, "frame": "field-aligned"}),
}  # fmt: skip
KNOWN = pytest.mark.parametrize("name", list(CASES))


def answer(name: str, other: Callable[[Array, str], xr.Dataset], **more: Any) -> Any:
    recipe, own, others, knobs = CASES[name]
    chosen = {key: other(*one) for key, one in others.items()}
    return made(recipe, vectors(*own), **chosen, **knobs, **more)


@KNOWN
def test_vectors_in_another_frame_are_turned(name: str) -> None:
    expected = numbers(answer(name, vectors))
    assert np.isfinite(expected).any()
    assert numbers(answer(name, turned)) == pytest.approx(expected, rel=1e-6, abs=1e-6, nan_ok=True)


@KNOWN
def test_a_frame_without_a_way_is_refused_with_both_names(name: str) -> None:
    with pytest.raises(BadData, match=r"is in DMPA, which cannot be turned into GSE.*in_frame"):
        answer(name, lambda values, units: vectors(values, units, "DMPA"))


@KNOWN
def test_a_frame_that_nothing_tells_is_not_guessed(name: str) -> None:
    def silent(values: Array, units: str) -> xr.Dataset:
        return vectors(values, units, "")

    with pytest.raises(BadData, match=r"nothing tells the frame of .*only GSE.*undeclared=accept"):
        answer(name, silent)
    expected = numbers(answer(name, vectors))
    assert numbers(answer(name, silent, undeclared="accept")) == pytest.approx(expected, nan_ok=True)


def test_a_recipes_own_frame_that_nothing_tells_is_not_guessed() -> None:
    with pytest.raises(BadData, match="nothing tells the frame that field is needed in"):
        made(fields.components, vectors(V, "km/s", ""), field=vectors(B, "nT"))


def test_answers_tell_their_frame() -> None:
    flow, field = vectors(V, "km/s", "", name="v_gsm"), vectors(B, "nT", "GSM")
    assert made(fields.convection_field, flow, field=field)["convection_field"].attrs["COORDINATE_SYSTEM"] == "GSM"
    assert table_attrs(made(structures.de_hoffmann_teller, flow, field=field))["frame"] == "GSM"
    assert table_attrs(answer("timing", turned))["frame"] == "GSE"


@pytest.mark.parametrize(
    ("attrs", "expected"),
    [({"COORDINATE_SYSTEM": "GSE>Geocentric Solar Ecliptic"}, "GSE"), ({"frame": "GSE"}, "GSE"),
     ({"FRAME": "vector>gsm"}, "GSM"), ({"coordinateSystemName": "GEO"}, "GEO"), ({"FRAME": "DMPA"}, "DMPA"), ({}, "")],
)  # fmt: skip
def test_who_tells_a_frame(attrs: dict[str, str], expected: str) -> None:
    data = vectors(B, "nT", "")
    assert frame_told(data.assign(v=data["v"].assign_attrs(attrs))).name == expected


def test_simulated_vectors_tell_their_frame(ask: Callable[..., Any]) -> None:
    field = ask("sentry/b_gse", "2024-03-10T12:00", "2024-03-10T12:10").rename(b_gse="field")
    found = made(structures.sliding_mva, field, window=30.0, step=10.0)
    assert found["normal"].attrs["COORDINATE_SYSTEM"] == "GSE"


def test_frames_of_a_spacecraft_are_its_own() -> None:
    craft = [vectors(B, "nT", "DMPA", Source_name=name) for name in ("MMS1>one", "MMS1", "MMS2")]
    assert numbers(made(fields.components, craft[0], field=craft[1])).size
    with pytest.raises(BadData, match="field is in DMPA of MMS2, which cannot be turned into DMPA of MMS1"):
        made(fields.components, craft[0], field=craft[2])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [(Frame("DMPA", "MMS1"), Frame("DBCS", "MMS1"), True), (Frame("DSL", "MMS1"), Frame("DBCS"), True),
     (Frame("DSL", "THA"), Frame("DBCS", "MMS1"), False), (Frame("DSL", "THA"), Frame("DBCS"), False),
     (Frame("DSL"), Frame("DBCS"), False), (Frame("DSL", "THA"), Frame("DSL", "THA"), True),
     (Frame("GSE", "MMS1"), Frame("GSE", "MMS2"), True), (Frame(""), Frame(""), False),
     (Frame("RTN", "PSP_FLD"), Frame("RTN", "PSP"), True), (Frame("RTN", "SOLO"), Frame("RTN", "PSP"), False),
     (Frame("ISR2", "C1"), Frame("ISR2", "CLUSTER-1"), True), (Frame("ISR2", "C1"), Frame("ISR2", "C3"), False)],
)  # fmt: skip
def test_which_frames_are_the_same(one: Frame, other: Frame, same: bool) -> None:
    assert one.is_same(other) == other.is_same(one) == same


def test_boundaries_take_positions_of_any_frame() -> None:
    place = np.tile([9.0, 4.0, 2.0], (STEPS, 1))
    expected = made(structures.boundaries, vectors(place, "R_E"))
    for frame in ("GEO", "GSM", "SM"):
        found = made(structures.boundaries, turned(place, "R_E", frame))
        assert found["distance"].to_numpy() == pytest.approx(expected["distance"].to_numpy(), abs=1e-9)
        assert found["bow_shock_normal"].attrs["COORDINATE_SYSTEM"] == ("GSM" if frame == "GSM" else "GSE")
    with pytest.raises(BadData, match="nothing tells the frame of the position"):
        made(structures.boundaries, vectors(place, "R_E", ""))
    with pytest.raises(BadData, match="the position is in DSL, which cannot be turned into GSE"):
        made(structures.boundaries, vectors(place, "R_E", "DSL"))


def test_the_north_component_is_that_of_gsm() -> None:
    place, wind = np.tile([9.0, 4.0, 2.0], (STEPS, 1)), np.tile([0.0, 8.0, -3.0], (STEPS, 1))
    north = vectors(transform(wind, TIME, "GSE", "GSM"), "nT").isel(component=2)
    expected = made(structures.boundaries, vectors(place, "R_E"), bz_of=north)["distance"].to_numpy()
    found = made(structures.boundaries, vectors(place, "R_E"), bz_of=vectors(wind, "nT"))["distance"].to_numpy()
    assert found == pytest.approx(expected)
    with pytest.raises(BadData, match="nothing tells the frame of bz_of"):
        made(structures.boundaries, vectors(place, "R_E"), bz_of=vectors(wind, "nT", ""))


@pytest.mark.parametrize("recipe", [waves.polarised, waves.svd_polarised])
def test_the_mean_field_is_no_wave(recipe: Recipe) -> None:
    """White noise on a large field: nowhere as strong as the field, and not polarised at the lowest frequencies."""
    noise = RANDOM.normal(size=(STEPS, 3)) * 0.1
    field = vectors(np.array([30.0, -40.0, 120.0]) + noise, "nT")
    found = made(recipe, field, window=16.0, frame="field-aligned")
    power = found["power"].to_numpy()
    assert np.nanmax(power[:, :2]) < 20 * np.nanmedian(power)
    still = made(recipe, vectors(np.tile([30.0, -40.1, 120.3], (STEPS, 1)), "nT"), window=16.0, frame="field-aligned")
    assert not np.nan_to_num(still["power"].to_numpy()).any()
    assert np.isnan(still["degree"].to_numpy()).all()
    ramp = vectors(np.array([30.0, -40.0, 120.0]) + noise + np.linspace(0, 40, STEPS)[:, None], "nT")
    lines = made(recipe, ramp, window=16.0, detrend="linear")["power"].to_numpy()
    assert np.nanmax(lines[:, :2]) < 20 * np.nanmedian(power)


@pytest.mark.parametrize("recipe", [waves.polarised, waves.svd_polarised])
def test_only_a_magnetic_field_gives_axes_along_it(recipe: Recipe) -> None:
    knobs: dict[str, Any] = {"window": 8.0, "frame": "field-aligned"}
    with pytest.raises(BadData, match="magnetic_field is in 'km/s', which cannot be made nT"):
        made(recipe, vectors(B, "nT"), magnetic_field=vectors(V, "km/s"), **knobs)
    with pytest.raises(BadParameter, match=r"mV/m.*no magnetic field.*parameter magnetic_field"):
        made(recipe, vectors(E, "mV/m"), **knobs)
    sparse = vectors(B, "nT").isel(time=[0, STEPS - 1])
    lost = made(recipe, vectors(B, "nT"), magnetic_field=sparse, largest_gap=2.0, **knobs)
    assert np.isnan(lost["ellipticity"].to_numpy()[2:-2]).all()


def skymap(accumulation: float = 0.0, frame: str = "GSE", craft: str = "") -> xr.Dataset:
    axes = np.arange(4) * 90.0 + 45, np.array([45.0, 135.0]), np.array([10.0, 100.0])
    cells = Skymap(np.ones((8, 4, 2, 2)), *axes)
    found = to_dataset(cells, TIME[::64], frame=frame, species="ion", accumulation=accumulation)
    return found.assign_attrs(Source_name=craft) if craft else found


def test_a_chosen_field_is_the_mean_over_the_accumulation() -> None:
    field = skymaps.field_of(skymap(2.0), vectors(B, "nT"), 5.0)
    assert field == pytest.approx(np.stack([B[first : first + 16].mean(0) for first in range(0, STEPS, 64)]))
    at_once = skymaps.field_of(skymap(), vectors(B, "nT"), 5.0)
    assert at_once == pytest.approx(B[::64])


def test_a_field_is_the_same_beside_a_map_of_fpi_and_chosen(tmp_path: Path) -> None:
    folder = tmp_path / "mms"
    folder.mkdir()
    write_mms(folder)
    desk = arm.open(folder, home=tmp_path / "home")
    span = str(BEGIN), str(BEGIN + np.timedelta64(1600, "ms"))
    path = "mms/mms1/dis/brst/skymap/anisotropy"
    beside = desk.get(path, *span)
    chosen = desk.get(path, *span, params={"field": "mms/mms1/fgm/brst/b_dmpa"})
    assert beside["anisotropy"].notnull().sum() > 5
    assert chosen["anisotropy"].to_numpy() == pytest.approx(beside["anisotropy"].to_numpy(), nan_ok=True)
    with pytest.raises(BadData, match="in DMPA of MMS1, which cannot be turned into GSE"):
        desk.get("mms/mms1/dis/brst/velocity_gse/convection_field", *span, params={"field": "mms/mms1/fgm/brst/b_dmpa"})


def test_a_skymap_takes_no_frame_for_granted() -> None:
    with pytest.raises(BadData, match="nothing tells the frame of field, only GSE"):
        skymaps.field_of(skymap(), vectors(B, "nT", ""), 5.0)
    assert skymaps.field_of(skymap(), vectors(B, "nT", ""), 5.0, "accept") == pytest.approx(B[::64])
    spinning = skymap(frame="DSL", craft="THA")
    with pytest.raises(BadData, match="field is in DBCS of MMS1, which cannot be turned into DSL of THA"):
        skymaps.field_of(spinning, vectors(B, "nT", "DBCS", Source_name="MMS1"), 5.0)
    with pytest.raises(BadData, match="nothing tells the frame of position"):
        skymaps.axes_of(skymap(), "r_geo", field=vectors(B, "nT"), position=vectors(B, "km", ""))


def test_all_recipes_that_take_other_vectors_let_users_vouch_for_a_frame() -> None:
    for recipe, *_ in CASES.values():
        assert turning.UNDECLARED in recipe.parameters
