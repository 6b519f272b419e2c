"""What holds for the in-situ data of every mission; what is true of one mission only is in its own folder here."""

from typing import Final

from armillary.missions.plasma.generic import (
    fields,
    filtering,
    frames,
    moments,
    multipoint,
    slices,
    spectra,
    structures,
    waves,
)
from armillary.model import Mission, Recipe

_RECIPES: Final[tuple[Recipe, ...]] = (
    *fields.RECIPES, *structures.RECIPES, *multipoint.RECIPES, *frames.RECIPES, *spectra.RECIPES,
    *waves.RECIPES, *filtering.RECIPES, *slices.RECIPES, *moments.RECIPES,
)  # fmt: skip

MISSION: Final = Mission(
    name="plasma",
    title="Space plasma",
    description="Products that appear under every leaf that fits: of vectors, of series, of velocity distributions.",
    recipes=_RECIPES,
)
