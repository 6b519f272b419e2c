"""The electron spectrometer ELS of CAPS: counts by energy of one anode.

The files hold counts of an accumulation in 63 energies (0.6 eV to 26 keV), or in 32 sums of neighbours in another mode.
ELS has eight anodes of 20 by 5 degrees in a fan (Young et al. 2004, Linder et al. 1998); a file has one of them.
"""

from typing import TYPE_CHECKING, Final

from armillary.missions.plasma.energy_axes import energies_of, spectrum
from armillary.missions.plasma.generic.reading import main_of
from armillary.model import recipe

if TYPE_CHECKING:
    import xarray as xr

CITATION: Final = "Young et al. (2004), Space Sci. Rev. 114, 1, doi:10.1007/s11214-004-1406-4"


@recipe(
    "cassini/els/{anode}/counts",
    inputs={"raw": "**/pims_els_{anode}/counts"},
    title="CAPS-ELS {anode}: counts by energy",
    kind="spectrogram",
    units="counts",
    block="time",
    citation=CITATION,
)
def counts(raw: "xr.Dataset") -> "xr.Dataset":
    """Give the counts of each accumulation, energies rising; where the mode has 32 energies the others are NaN."""
    main = main_of(raw, 1)
    return spectrum(raw, main.to_numpy(), energies_of(raw, main, 1), "counts", "counts", "Electron counts")


RECIPES: Final = (counts,)
