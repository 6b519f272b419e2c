"""Energetic particles by EPAM: the channels of AC_K0_EPM as spectra, at the geometric means of their bands."""

from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.canonical import same_times
from armillary.missions.plasma.energy_axes import spectrum
from armillary.missions.plasma.generic.reading import main_of
from armillary.model import recipe

if TYPE_CHECKING:
    import xarray as xr

CITATION: Final = "Gold et al. (1998), Space Sci. Rev. 86, 541, doi:10.1023/A:1005088115759"
_EPM: Final = "**/ac_k0_epm"
_UNITS: Final = "1/(cm^2 s sr MeV)"
_SPELLED: Final = ("", "1/(cm2ssrmev)", "1/(cm^2ssrmev)", "1/(cm2sstermev)", "1/(cm^2sstermev)")
#: Edges of the bands, MeV, as the dataset tells them.
ION_BANDS: Final = ((0.047, 0.065), (0.112, 0.187), (0.31, 0.58), (1.06, 1.91))
ELECTRON_BANDS: Final = ((0.038, 0.053), (0.175, 0.315))


@recipe(
    "ace/epam/ion_flux",
    inputs={"very_low": f"{_EPM}/Ion_very_lo", "low": f"{_EPM}/Ion_lo", "middle": f"{_EPM}/Ion_mid",
            "high": f"{_EPM}/Ion_hi"},
    title="EPAM ions: flux in four bands",
    kind="spectrogram",
    units=_UNITS,
    block="time",
    citation=CITATION,
)  # fmt: skip
def ions(very_low: "xr.Dataset", low: "xr.Dataset", middle: "xr.Dataset", high: "xr.Dataset") -> "xr.Dataset":
    """Flux of ions of 47-65, 112-187, 310-580 and 1060-1910 keV."""
    return _together((very_low, low, middle, high), ION_BANDS, "ion_flux", "Ion flux")


@recipe(
    "ace/epam/electron_flux",
    inputs={"low": f"{_EPM}/Electron_lo", "high": f"{_EPM}/Electron_hi"},
    title="EPAM electrons: flux in two bands",
    kind="spectrogram",
    units=_UNITS,
    block="time",
    citation=CITATION,
)
def electrons(low: "xr.Dataset", high: "xr.Dataset") -> "xr.Dataset":
    """Flux of electrons of 38-53 and 175-315 keV."""
    return _together((low, high), ELECTRON_BANDS, "electron_flux", "Electron flux")


RECIPES: Final = (ions, electrons)


def _together(
    parts: "tuple[xr.Dataset, ...]", bands: tuple[tuple[float, float], ...], name: str, title: str
) -> "xr.Dataset":
    same_times(*parts)
    channels = [main_of(part, 0) for part in parts]
    for one in channels:
        given = str(one.attrs["units"]).replace(" ", "").lower()
        if given not in _SPELLED:
            raise BadData(f"{one.name} is in {one.attrs['units']!r}, not in {_UNITS}", "report it to the maintainer")
    values = np.stack([one.to_numpy().astype(float) for one in channels], 1)
    middle = np.sqrt(np.array(bands).prod(1))
    return spectrum(parts[0], values, middle, name, _UNITS, title, "MeV")
