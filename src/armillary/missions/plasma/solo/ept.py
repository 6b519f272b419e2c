"""The electron and proton telescopes EPT of EPD: spectra of four looking directions, and where each looks."""

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.canonical import RTN, vector_recipe
from armillary.missions.plasma.energy_axes import energies_of, spectrum
from armillary.missions.plasma.generic.reading import main_of
from armillary.model import recipe

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

CITATION: Final = "Rodríguez-Pacheco et al. (2020), Astron. Astrophys. 642, A7, doi:10.1051/0004-6361/201935287"
_UNITS: Final = "1/(cm^2 s sr MeV)"
_NUMBER: Final = r"([0-9.]+(?:[eE][-+]?[0-9]+)?)"
_BETWEEN: Final = re.compile(rf"{_NUMBER}\s*-\s*{_NUMBER}\s*(keV|MeV)", re.IGNORECASE)


@recipe(
    "solo/ept/{telescope}/{mode}/ion_flux",
    inputs={"raw": "**/solo_L2_epd-ept-{telescope}-{mode}/Ion_Flux"},
    title="EPT {telescope}: ions",
    kind="spectrogram",
    units=_UNITS,
    block="time",
    citation=CITATION,
)
def ion_flux(raw: "xr.Dataset") -> "xr.Dataset":
    """Differential flux of the magnet channel, calibrated for hydrogen; energies are geometric means."""
    return _flux(raw, "ion_flux", "Ion flux")


@recipe(
    "solo/ept/{telescope}/{mode}/electron_flux",
    inputs={"raw": "**/solo_L2_epd-ept-{telescope}-{mode}/Electron_Flux"},
    title="EPT {telescope}: electrons",
    kind="spectrogram",
    units=_UNITS,
    block="time",
    citation=CITATION,
)
def electron_flux(raw: "xr.Dataset") -> "xr.Dataset":
    """Differential flux of the foil channel, in which ions can be counted too; energies are geometric means."""
    return _flux(raw, "electron_flux", "Electron flux")


RECIPES: Final = (
    ion_flux,
    electron_flux,
    vector_recipe(
        "solo/ept/{telescope}/{mode}/flow_direction_rtn", "**/solo_L2_epd-ept-{telescope}-{mode}/RTN",
        "EPT {telescope}: where the particles fly to, in RTN", "1", frame="RTN", labels=RTN, citation=CITATION,
    ),
)  # fmt: skip


def bins_of(texts: "Array", low: "Array") -> "Array | None":
    """Read the edges, MeV, shape (n, 2), of bins from their texts; None if they do not begin at the known low edges.

    Examples
    --------
    >>> bins_of(np.array(["0.0518 - 0.0675 MeV"]), np.array([0.05175])).tolist()
    [[0.05175, 0.0675]]
    """
    found = [_BETWEEN.search(str(text)) for text in texts]
    pairs = [(float(one[1]), float(one[2]), one[3].lower()) for one in found if one]
    if len(pairs) != len(low):
        return None
    edges = np.array([[a, b] for a, b, _ in pairs]) * np.array([[1e-3 if unit == "kev" else 1.0] for *_, unit in pairs])
    # The texts are rounded to three digits.
    if not np.allclose(edges[:, 0], low, rtol=5e-3):
        return None
    return np.stack([low, edges[:, 1]], 1)


def _flux(raw: "xr.Dataset", name: str, title: str) -> "xr.Dataset":
    main = main_of(raw, 1)
    spelled = "".join(str(main.attrs["units"]).split()).lower().removeprefix("particles").removeprefix("1")
    if spelled not in {"", "/(scm^2srmev)", "/(cm^2ssrmev)"}:
        raise BadData(f"{main.name} is in {main.attrs['units']!r}, not in {_UNITS}", "report it to the maintainer")
    low = energies_of(raw, main, 1, units="MeV")
    texts = [one.to_numpy() for one in raw.coords.values() if one.dims == main.dims[1:] and one.dtype.kind in "SU"]
    edges = next((found for text in texts if (found := bins_of(text, low)) is not None), None)
    energy = low if edges is None else np.sqrt(edges.prod(1))
    made = spectrum(raw, main.to_numpy(), energy, name, _UNITS, title, "MeV")
    if edges is None:
        return made
    order = np.argsort(energy)
    told: dict[str, Any] = {"units": "MeV"}
    return made.assign_coords(
        energy_low=("energy", edges[order, 0], {**told, "long_name": "Low edge"}),
        energy_high=("energy", edges[order, 1], {**told, "long_name": "High edge"}),
    )
