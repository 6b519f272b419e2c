"""The observatory as a source: every product keeps its promise, any part equals the same part of the whole."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from armillary.errors import BadRequest, Cancelled, UnknownProduct
from armillary.missions.simulated import MISSION
from armillary.missions.simulated.listing import leaves
from armillary.missions.simulated.source import Observatory, read_seed
from armillary.model import Extent, Interval, Product, Request, Source, format_time, silent
from armillary.model.kinds import TIME_KINDS, check

Ask = Callable[..., Any]
LEAVES = leaves("simulated", 1)
TIMED = [one for one in LEAVES if one.kind in TIME_KINDS]
_HOUR = 3_600_000_000_000


def span(product: Product, begin: float, length: float) -> tuple[str, str]:
    """Hours after a day in the middle of the coverage."""
    assert product.coverage
    middle = (product.coverage.start + product.coverage.stop) // 2 // (24 * _HOUR) * 24 * _HOUR
    return format_time(middle + round(begin * _HOUR)), format_time(middle + round((begin + length) * _HOUR))


def short(product: Product) -> float:
    return 0.1 if product.kind == "distribution" else 1.5


@pytest.mark.parametrize("product", LEAVES, ids=lambda one: one.path)
def test_every_product_is_described(product: Product) -> None:
    assert product.title
    assert product.description
    assert product.citation
    assert product.licence
    assert product.version == "1.1"
    assert Product.from_record(product.to_record()) == product


@pytest.mark.parametrize("product", TIMED, ids=lambda one: one.path)
def test_a_part_is_bit_for_bit_the_part_of_the_whole(ask: Ask, product: Product) -> None:
    path, length = product.address, short(product)
    whole = ask(path, *span(product, 0, length))
    start, stop = span(product, 0.3 * length, 0.37 * length)
    part = ask(path, start, stop)
    edges = Interval.of(start, stop)
    times = whole["time"].to_numpy().astype(np.int64)
    assert part.sizes["time"] > 3
    expected = whole.isel(time=(times >= edges.start) & (times < edges.stop))
    assert part.identical(expected)
    cadence = product.cadence or 0
    assert part.sizes["time"] == pytest.approx(edges.seconds / cadence, rel=0.2, abs=2)


@pytest.mark.parametrize("product", TIMED, ids=lambda one: one.path)
def test_outside_of_the_coverage_there_is_nothing(ask: Ask, product: Product) -> None:
    empty = ask(product.address, "2031-01-01", "2031-01-02")
    assert empty.sizes["time"] == 0
    some = ask(product.address, *span(product, 0, 0.1))
    assert {name: one.dtype for name, one in empty.data_vars.items()} == {
        name: one.dtype for name, one in some.data_vars.items()
    }


def test_another_seed_is_another_world(ask: Ask) -> None:
    day = ("2023-01-01", "2023-01-01T01:00")
    assert not ask("wind/density", *day, seed=2).equals(ask("wind/density", *day))
    assert read_seed("7") == 7
    with pytest.raises(BadRequest, match="'moon'"):
        read_seed("moon")


def test_it_is_a_source(observatory: Observatory) -> None:
    assert isinstance(observatory, Source)
    assert observatory.name == "simulated"
    assert observatory.stamp() == "1.1"
    stranger = replace(LEAVES[0], address="wine/red")
    with pytest.raises(UnknownProduct, match="wine/red"):
        observatory.fetch(stranger, Request("x", Extent()), silent)


def test_it_stops_when_asked_to(observatory: Observatory) -> None:
    def stop(fraction: float, message: str = "") -> None:
        raise Cancelled("the user asked to stop", "ask again")

    for product in LEAVES:
        with pytest.raises(Cancelled):
            observatory.fetch(product, Request(product.path, Extent()), stop)


def test_a_second_observatory_hangs_beside_the_first() -> None:
    other = Observatory(replace(MISSION.archives[0], name="mars", address="seed=5"), Path())
    found = list(other.inventory())
    assert {one.path.partition("/")[0] for one in found} == {"mars"}
    assert {one.source for one in found} == {"mars"}


def test_the_mission_loads_no_heavy_library() -> None:
    code = (
        "import sys, armillary.missions.simulated as m, armillary.missions.simulated.source as s;"
        "from pathlib import Path; list(s.Observatory(m.MISSION.archives[0], Path()).inventory());"
        "print([n for n in ('xarray', 'pyarrow', 'scipy', 'pandas', 'pyproj') if n in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert out.strip() == "[]"


@pytest.mark.parametrize("one", MISSION.recipes, ids=lambda one: one.output)
def test_every_recipe_makes_what_it_says(ask: Ask, one: Any) -> None:
    named = {}
    for argument, path in one.inputs.items():
        address = path.replace("{craft}", "wind").removeprefix("simulated/")
        product = next(leaf for leaf in LEAVES if leaf.address == address)
        timed = span(product, 0, 150 if product.kind == "raster" else 0.1) if "time" in product.selects else ()
        named[argument] = ask(address, *timed)
    made = one.function(**named, **{knob.name: knob.default for knob in one.parameters})
    check(one.kind, made, one.output)
    first = next(iter(named.values()))
    if hasattr(first, "num_rows"):
        assert made.num_rows == first.num_rows > 0
    elif one.kind == "raster":
        assert made.sizes["y"] == 512
        assert made.attrs["crs"] == "EPSG:32631"
    else:
        assert made.sizes["time"] > 0


def test_cut_recipes_give_the_same_as_whole_ones(ask: Ask) -> None:
    mean = next(one for one in MISSION.recipes if one.output.endswith("density_mean"))
    whole = mean.function(ask("wind/density", "2023-01-01", "2023-01-03"), window=7200.0)["density_mean"]
    part = mean.function(ask("wind/density", "2023-01-01T11:00", "2023-01-01T14:00"), window=7200.0)["density_mean"]
    inner = part.sel(time=slice("2023-01-01T12:00", "2023-01-01T12:59"))
    assert np.allclose(inner, whole.sel(time=inner["time"]))


def test_housekeeping_by_recipe_and_by_source_agree(ask: Ask) -> None:
    hour = ("2024-03-05", "2024-03-05T01:00")
    made = next(one for one in MISSION.recipes if one.output.endswith("housekeeping"))
    for name in ("voltage", "wheel_speed"):
        found = made.function(packets=ask("instrument/packets", *hour), channel=name)
        assert np.array_equal(found[name], ask(f"instrument/{name}", *hour)[name])
