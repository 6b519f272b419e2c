"""Leaves of THEMIS level 2 files in order: their units as they are meant, their bad samples taken out."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.missions.plasma.canonical import in_units, same_times
from armillary.missions.plasma.generic.reading import scalar_of
from armillary.model import Parameter, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from armillary.science.plasma import Array

GOOD_ONLY: Final = Parameter(
    name="good_only", type="bool", default=True, description="Samples whose data_quality is not 0 are NaN"
)


def measured(main: "xr.DataArray", units: str) -> "Array":
    """Give numbers in known units; ``cm^-3 (All Qs)`` of the files means that no sample was left out."""
    told = re.sub(r"\s*\(All Qs?\)\s*$", "", str(main.attrs.get("units", "")), flags=re.IGNORECASE)
    return in_units(main.to_numpy(), told, units, str(main.name))


def checked(values: "Array", data: "xr.Dataset", quality: "xr.Dataset | None", *, good_only: bool) -> "Array":
    """Give values with NaN where the quality flag is raised."""
    if quality is None or not good_only:
        return values
    same_times(data, quality)
    bad = np.nan_to_num(scalar_of(quality), nan=1.0) != 0
    return np.where(bad.reshape(-1, *[1] * (values.ndim - 1)), np.nan, values)


def moment_recipe(
    name: str, source: str, title: str, units: str, shape: tuple[int, ...], citation: str,
    order: "Callable[[xr.Dataset, Array], xr.Dataset]", components: int,
) -> Recipe:  # fmt: skip
    """Make the recipe of a moment of ESA, of whichever kind of distribution (peif, peir, ...).

    Parameters
    ----------
    order : callable
        Makes the dataset of the raw one and of its numbers, in `units`, bad ones NaN.
    components : int
        Dimensions after time of the raw variable.
    """
    from armillary.missions.plasma.generic.reading import main_of

    def make(raw: "xr.Dataset", quality: "xr.Dataset | None", good_only: bool) -> "xr.Dataset":
        values = checked(measured(main_of(raw, components), units), raw, quality, good_only=good_only)
        return order(raw, values)

    files = "**/th{p}/l2/esa/th{p}_{kind}_"
    made = Recipe(
        output=f"themis/th{{p}}/{{kind}}/{name}",
        inputs={"raw": f"{files}{source}", "quality": f"{files}data_quality"}, optional=("quality",),
        function=make, title=title, kind="series", units=units, block="time", shape=shape, citation=citation,
        parameters=(GOOD_ONLY,), description=f"{title}, made on ground from ESA distributions.",
    )  # fmt: skip
    return replace(made, title=f"THEMIS-{{p}} {{kind}}: {title}")
