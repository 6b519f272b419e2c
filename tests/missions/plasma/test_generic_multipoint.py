"""Recipes for four spacecraft: a current and a moving sheet that were put in."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from armillary.errors import BadData, BadParameter
from armillary.missions.plasma.generic import multipoint
from armillary.model.kinds import check

START = np.datetime64("2020-01-01T00:00:00", "ns")
CORNERS = 10 * np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])


def vector(values: Any, units: str, step: float = 1.0, first: float = 0.0) -> xr.Dataset:
    values = np.asarray(values, float)
    time = START + (np.arange(len(values)) * round(step * 1e9) + round(first * 1e9)).astype("timedelta64[ns]")
    return xr.Dataset(
        {"v": (("time", "component"), values, {"units": units, "COORDINATE_SYSTEM": "GSE"})}, {"time": time}
    )


def made(recipe: Any, first: Any, **params: Any) -> Any:
    knobs = {one.name: None if one.type == "product" else one.default for one in recipe.parameters}
    return check(recipe.kind, recipe.function(**{next(iter(recipe.inputs)): first}, **knobs | params), recipe.output)


def craft(units: str = "km", scale: float = 1.0) -> dict[str, xr.Dataset]:
    """Four spacecraft that fly together at 2 km/s, every 30 s."""
    flight = np.arange(9)[:, None] * [60.0, 0, 0] + [6e4, 2e4, 0]
    return {f"position_{n}": vector((flight + corner) / scale, units, 30.0) for n, corner in enumerate(CORNERS, 1)}


def fields(step: float = 0.125) -> list[xr.Dataset]:
    """A field that grows by 0.2 nT/km along x, sampled at times that differ between spacecraft."""
    found = []
    for n, corner in enumerate(CORNERS):
        seconds = np.arange(0, 200, step) + 0.01 * n
        x = 6e4 + 2 * seconds + corner[0] - 6.02e4
        found.append(vector(np.stack([0 * x + 3, 0 * x, 0.2 * x], 1), "nT", step, 0.01 * n))
    return found


def test_a_known_current() -> None:
    first, *rest = fields()
    others = {f"field_{n}": one for n, one in enumerate(rest, 2)}
    found = made(multipoint.curlometer, first, **others, **craft())
    assert found["current"].to_numpy()[1:-1] == pytest.approx(np.tile([0, -159.155, 0], (1598, 1)), abs=0.01)
    assert float(abs(found["quality"]).max()) < 1e-6
    in_radii = made(multipoint.curlometer, first, **others, **craft("R_E", 6371.2))
    assert in_radii["current"].to_numpy() == pytest.approx(found["current"].to_numpy(), abs=1e-4)


def test_what_is_missing_is_named() -> None:
    first, *rest = fields()
    others = {f"field_{n}": one for n, one in enumerate(rest, 2)}
    with pytest.raises(BadParameter, match="'position_1' is empty"):
        made(multipoint.curlometer, first, **others)
    with pytest.raises(BadParameter, match="'field_3' is empty"):
        made(multipoint.curlometer, first, field_2=rest[0], **craft())
    with pytest.raises(BadData, match="cannot be made km"):
        made(multipoint.curlometer, first, **others, **craft() | {"position_2": rest[0]})


def test_the_shape_of_the_tetrahedron() -> None:
    places = craft()
    first = places.pop("position_1")
    found = made(multipoint.tetrahedron, first, **places)
    assert found["shape"].to_numpy()[0] == pytest.approx([0, 0, 3, 1], abs=1e-9)
    assert found["size"].to_numpy()[0] == pytest.approx(20)


def test_a_sheet_that_passes() -> None:
    normal, speed = np.array([0.6, 0.0, 0.8]), 45.0
    seconds = np.arange(0, 240, 0.125)
    found = []
    for corner in CORNERS:
        place = corner + [6e4, 2e4, 0] + 2 * seconds[:, None] * [1, 0, 0]
        depth = (place - place.mean(0) + corner) @ normal - speed * (seconds - 120)
        found.append(
            vector(np.stack([0 * depth + 2, 25 * np.tanh(depth / 150), 8 / np.cosh(depth / 150)], 1), "nT", 0.125)
        )
    others = {f"field_{n}": one for n, one in enumerate(found[1:], 2)}
    row = made(multipoint.timing, found[0], **others, **craft(), longest=5.0)
    got = np.array([row[f"n_{one}"][0].as_py() for one in "xyz"])
    assert got @ normal > np.cos(np.radians(2))
    assert row["speed"][0].as_py() == pytest.approx(speed, rel=0.06)
    assert row["correlation"][0].as_py() > 0.99
    gap = found[0].isel(time=np.r_[0:900, 1000:1920])
    with pytest.raises(BadData, match="gap"):
        made(multipoint.timing, gap, **others, **craft())


def test_gradients_between_four_spacecraft() -> None:
    first, *rest = fields()
    others = {f"other_{n}": one for n, one in enumerate(rest, 2)}
    found = made(multipoint.gradient, first, **others, **craft())["gradient"]
    assert (found.attrs["units"], found.attrs["COORDINATE_SYSTEM"]) == ("nT/km", "GSE")
    # The first samples of the others are later than that of the first one.
    good = found.to_numpy()[np.isfinite(found).all(("along", "component")).to_numpy()][5:-5]
    expected = np.zeros((3, 3))
    expected[0, 2] = 0.2
    assert len(good) > 1000
    assert good == pytest.approx(np.broadcast_to(expected, good.shape), abs=1e-6)
    numbers = [one.isel(component=2).assign(v=one["v"][:, 2].assign_attrs(units="#/cc")) for one in (first, *rest)]
    others = {f"other_{n}": one for n, one in enumerate(numbers[1:], 2)}
    slope = made(multipoint.gradient, numbers[0], **others, **craft())["gradient"]
    assert slope.attrs["units"] == "(cm^-3)/km"
    assert slope.attrs["COORDINATE_SYSTEM"] == "GSE"
    good = slope.to_numpy()[np.isfinite(slope).all("along").to_numpy()][5:-5]
    assert good == pytest.approx(np.broadcast_to([0.2, 0, 0], good.shape), abs=1e-6)
    with pytest.raises(BadParameter, match="position_1"):
        made(multipoint.gradient, numbers[0], **others)


def test_the_curvature_of_circles() -> None:
    """Field lines are circles about the z axis."""
    distance = 6e3
    corners = CORNERS - CORNERS.mean(0) + np.array([distance, 0, 0])
    fields = [vector(np.tile([-y, x, 0] / np.hypot(x, y) * 30, (9, 1)), "nT", 30.0) for x, y, _ in corners]
    others = {f"field_{n}": one for n, one in enumerate(fields[1:], 2)}
    places = {f"position_{n}": vector(np.tile(one, (9, 1)), "km", 30.0) for n, one in enumerate(corners, 1)}
    found = made(multipoint.curvature, fields[0], **others, **places)
    assert found["curvature"].to_numpy() == pytest.approx(np.tile([-1 / distance, 0, 0], (9, 1)), abs=0.01 / distance)
    assert found["radius"].to_numpy() == pytest.approx(np.full(9, distance), rel=0.01)
