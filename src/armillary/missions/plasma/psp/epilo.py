"""EPI-Lo of ISOIS: energetic ions in 80 looking directions.

A variable ``(time, 80 looking directions, n energies)`` has energies that depend on the direction (keV per nucleon,
none where a direction has fewer); they come in any order. The directions are counted 0 to 79; the files do not say
where they look (McComas et al. 2016 and Hill et al. 2017 do).
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.energy_axes import spectrum
from armillary.missions.plasma.generic.reading import main_of, series
from armillary.model import Parameter, recipe

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

CITATION: Final = "McComas et al. (2016), Space Sci. Rev. 204, 187, doi:10.1007/s11214-014-0059-1"
_LEAF: Final = "**/psp_isois-epilo_l2-ic/{species}_{quantity}_Chan{channel}"
_OUT: Final = "psp/epilo/{species}_{quantity}_chan{channel}"
_BAND: Final = (
    Parameter(name="low_energy", type="float", default=0.0, low=0.0, units="keV",
              description="Lowest energy per nucleon that counts"),
    Parameter(name="high_energy", type="float", default=1e6, low=0.0, units="keV",
              description="Highest energy per nucleon that counts"),
)  # fmt: skip


@recipe(
    f"{_OUT}/spectrum",
    inputs={"raw": _LEAF},
    title="EPI-Lo {species} ({quantity}, channel {channel}): energies",
    kind="spectrogram",
    block="time",
    citation=CITATION,
)
def energies(raw: "xr.Dataset") -> "xr.Dataset":
    """Mean over the looking directions that measured, by energy per nucleon, rising.

    Cells whose energy differs between directions go to the nearest energy, by its logarithm, of the direction that has
    most.
    """
    main, values, energy = _read(raw)
    grid = np.sort(max(energy, key=lambda row: int(np.isfinite(row).sum())))
    grid = grid[np.isfinite(grid)]
    place = _nearest(energy, grid)
    mean = np.full((len(values), len(grid)), np.nan)
    for number in range(len(grid)):
        chosen = values[:, place == number]
        good = np.isfinite(chosen)
        total = good.sum(1)
        mean[:, number] = np.where(total > 0, np.where(good, chosen, 0.0).sum(1) / np.maximum(total, 1), np.nan)
    units = str(main.attrs["units"])
    return spectrum(raw, mean, grid, str(main.name), units, f"{main.name}, mean of all directions", "keV/nuc")


@recipe(
    f"{_OUT}/sky",
    inputs={"raw": _LEAF},
    parameters=_BAND,
    title="EPI-Lo {species} ({quantity}, channel {channel}): looking directions",
    kind="spectrogram",
    block="time",
    citation=CITATION,
)
def sky(raw: "xr.Dataset", low_energy: float, high_energy: float) -> "xr.Dataset":
    """Mean over the energies of a band, by looking direction."""
    main, values, energy = _read(raw)
    chosen = np.isfinite(values) & ((energy >= low_energy) & (energy <= high_energy))
    total = chosen.sum(2)
    mean = np.where(total > 0, np.where(chosen, values, 0.0).sum(2) / np.maximum(total, 1), np.nan)
    axis = {"units": "1", "long_name": "Looking direction", "LABLAXIS": "Looking direction", "SCALETYP": "linear"}
    told = {"units": str(main.attrs["units"]), "long_name": f"{main.name}, mean of the band", "SCALETYP": "log",
            "LABLAXIS": str(main.name), "DISPLAY_TYPE": "spectrogram", "DEPEND_1": "look_direction"}  # fmt: skip
    coords = {"look_direction": ("look_direction", np.arange(mean.shape[1], dtype=float), axis)}
    return series(raw, {str(main.name): (("time", "look_direction"), mean, told)}, **coords)


RECIPES: Final = (energies, sky)


def _read(raw: "xr.Dataset") -> "tuple[xr.DataArray, Array, Array]":
    """Give the variable, its values (t, direction, energy) and energies (direction, energy)."""
    main = main_of(raw, 2)
    name = str(main.attrs.get("DEPEND_2", ""))
    if name not in raw.coords or raw[name].shape not in {main.shape[1:], main.shape[2:]}:
        raise BadData(f"nobody says the energies of {main.name}", "give a file or dataset that has them")
    energy = np.broadcast_to(raw[name].to_numpy().astype(float), main.shape[1:])
    energy = np.where(np.isfinite(energy) & (energy > 0), energy, np.nan)
    if not np.isfinite(energy).any():
        raise BadData(f"all energies of {main.name} are missing", "give a file or dataset that has them")
    return main, main.to_numpy().astype(float), energy


def _nearest(energy: "Array", grid: "Array") -> "Array":
    """Give the number of the nearest energy for each cell, -1 where a cell has none."""
    edges = np.sqrt(grid[1:] * grid[:-1])
    return np.where(np.isfinite(energy), np.searchsorted(edges, np.nan_to_num(energy)), -1)
