"""HOPE of ECT: pitch-angle distributions of electrons, protons, helium and oxygen (level 3).

``FPDU (time, 11 pitch angles, 72 energies)`` with ``PITCH_ANGLE`` (degrees; 0 is motion along the field) and
``HOPE_ENERGY_Ion`` (eV, changes in time); FEDU of electrons, FHEDU of helium, FODU of oxygen. ``F.DO`` is the same
integrated over the sphere, constant in each bin. The dataset is ``rbsp-a_l3_ect-hope`` in its files and
``RBSPA_REL04_ECT-HOPE-PA-L3`` at CDAWeb.
"""

from typing import TYPE_CHECKING, Any, Final

from armillary.errors import BadData
from armillary.missions.plasma.canonical import axis_of
from armillary.missions.plasma.energy_axes import energies_of, omni, pitch_angles, spectrum
from armillary.missions.plasma.generic.reading import main_of
from armillary.model import Recipe

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

CITATION: Final = "Funsten et al. (2013), Space Sci. Rev. 179, 423, doi:10.1007/s11214-013-9968-7"
_UNITS: Final = "1/(cm^2 s sr keV)"
_SPECIES: Final = {"electrons": "FEDU", "protons": "FPDU", "helium": "FHEDU", "oxygen": "FODU"}
#: The end of our path -> the dataset: as its files name it, and as CDAWeb does.
_DATASETS: Final = {"": "**/rbsp-{craft}_l3_ect-hope", "/{release}": "**/rbsp{craft}_{release}_ect-hope-pa-l3"}
_SPELLED: Final = (
    "s^-1cm^-2ster^-1kev^-1",
    "s^-1cm^-2sr^-1kev^-1",
    "1/(scm^2sterkev)",
    "1/(cm^2ssrkev)",
    "#/cm2-s-sr-kev",
)


def _recipes(species: str, variable: str, release: str, dataset: str) -> tuple[Recipe, Recipe]:
    place = f"rbsp/{{craft}}/hope{release}/{species}"
    label, title = f"{species} flux", f"Differential flux of {species}"

    def distribution(raw: "xr.Dataset") -> "xr.Dataset":
        values, energy, angle = _read(raw)
        return pitch_angles(raw, values, energy, angle, "flux", _UNITS, title, label=label)

    def mean(raw: "xr.Dataset") -> "xr.Dataset":
        values, energy, angle = _read(raw)
        said = f"{title}, mean over the sphere"
        return spectrum(raw, omni(values, angle), energy, "flux", _UNITS, said, label=label)

    common: dict[str, Any] = {
        "inputs": {"raw": f"{dataset}/{variable}"}, "units": _UNITS, "block": "time", "citation": CITATION,
    }  # fmt: skip
    return (
        Recipe(
            output=f"{place}/pitch_angles", function=distribution, kind="plane", **common,
            axes=("energy", "pitch angle"),
            title=f"HOPE {{craft}} {species}: energies and pitch angles",
            description="Differential flux by energy (eV) and pitch angle, both rising.",
        ),
        Recipe(
            output=f"{place}/omni", function=mean, kind="spectrogram", **common,
            title=f"HOPE {{craft}} {species}: mean over the sphere",
            description="Mean over the sphere of the pitch-angle distribution; bins that saw nothing do not count.",
        ),
    )  # fmt: skip


RECIPES: Final = tuple(
    one
    for release, dataset in _DATASETS.items()
    for species, variable in _SPECIES.items()
    for one in _recipes(species, variable, release, dataset)
)


def _read(raw: "xr.Dataset") -> "tuple[Array, Array, Array]":
    """Give flux (t, energy, pitch angle), energy and pitch angle."""
    main = main_of(raw, 2)
    if str(main.attrs["units"]).replace(" ", "").lower() not in _SPELLED:
        raise BadData(f"{main.name} is in {main.attrs['units']!r}, not in {_UNITS}", "report it to the maintainer")
    known = axis_of(raw, main, 1)
    if known is None:
        raise BadData(f"nobody says the pitch angles of {main.name}", "give a file or dataset that has them")
    energy = energies_of(raw, main, 2)
    return main.to_numpy().astype(float).swapaxes(1, 2), energy, known[0]
