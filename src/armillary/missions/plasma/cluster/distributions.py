"""3-D distributions of Cluster: the ions of CIS and the electrons of PEACE.

- CIS (Reme et al. 2001), HIA without and CODIF with mass: ``3d_ions (time, theta 8, phi 16, energy 31)``, phase space
  density in s^3 km^-6, energies from high to low. ``theta`` is a latitude, ``phi`` an azimuth in ISR2 of the direction
  into which particles MOVE (the archive calls it the arrival direction). The instrument joins cells towards the poles
  (88 of them), the archive gives each of the 8 by 16 the value of the cell it is part of.
- PEACE (Johnstone et al. 1997), 3DXPH and 3DXPL: ``Data (time, azimuth, polar, energy)``; azimuth and colatitude say
  where it LOOKED in SR2. ISR2 is SR2 turned by 180 degrees about x, so motion has the azimuth ``180 - phi`` and the
  colatitude ``theta`` there. Rows that a mode lacks are fill values.

ISR2 has z along the spin axis, northwards: it is GSE but for a few degrees of tilt. Times are starts of accumulation.
"""

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.accumulation import averaged
from armillary.missions.plasma.canonical import axis_in
from armillary.missions.plasma.cluster.names import NAMES, Names
from armillary.missions.plasma.generic.reading import kept_attrs, main_of
from armillary.model import Recipe
from armillary.science.particles.skymap import Skymap
from armillary.science.plasma import ELECTRON_MASS, PROTON_MASS

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

CIS_CITATION: Final = "Reme et al. (2001), Ann. Geophys. 19, 1303, doi:10.5194/angeo-19-1303-2001"
PEACE_CITATION: Final = "Johnstone et al. (1997), Space Sci. Rev. 79, 351, doi:10.1023/A:1004938001388"
#: Seconds of a spin.
SPIN: Final = 4.0
#: How the archive may write s^3 km^-6.
_UNITS: Final = {"s^3km^-6", "s3km-6", "s^3/km^6", "s3/km6", "s^3*km^-6", "s^3.km^-6"}
_PER_CM6: Final = 1e-30
_FILES: Final = "use a 3-D dataset in phase space density (its name ends in _PSD)"


class _Kind(NamedTuple):
    """One dataset of distributions."""

    path: str
    dataset: str
    variable: str
    words: str
    species: str
    mass: float
    charge: int = 1
    moments: str = ""

    @property
    def looks(self) -> bool:
        """Whether its angles are those of looking (PEACE), not of motion (CIS)."""
        return self.charge < 0


_DALTON: Final = 1.66053906660e-27
_ONBOARD: Final = "c{n}_cp_cis-hia_onboard_moments"
_KINDS: Final = (
    _Kind("hia/mag", "c{n}_cp_cis-hia_hs_mag_ions_psd", "3d_ions", "CIS-HIA, magnetosphere", "ion", PROTON_MASS,
          moments=_ONBOARD),
    _Kind("hia/wind", "c{n}_cp_cis-hia_hs_sw_ions_psd", "3d_ions", "CIS-HIA, solar wind", "ion", PROTON_MASS,
          moments=_ONBOARD),
    _Kind("codif/h1", "c{n}_cp_cis-codif_hs_h1_psd", "3d_ions", "CIS-CODIF H+", "proton", PROTON_MASS),
    _Kind("codif/he1", "c{n}_cp_cis-codif_hs_he1_psd", "3d_ions", "CIS-CODIF He+", "helium ion", 4.0026 * _DALTON),
    _Kind("codif/o1", "c{n}_cp_cis-codif_hs_o1_psd", "3d_ions", "CIS-CODIF O+", "oxygen ion", 15.999 * _DALTON),
    _Kind("peace/high", "c{n}_cp_pea_3dxph_psd", "data", "PEACE HEEA", "electron", ELECTRON_MASS, -1),
    _Kind("peace/low", "c{n}_cp_pea_3dxpl_psd", "data", "PEACE LEEA", "electron", ELECTRON_MASS, -1),
)  # fmt: skip


def _skymap(kind: _Kind, names: Names) -> Recipe:
    inputs = {
        "distribution": names.of(kind.dataset, kind.variable),
        "b": names.of("c{n}_cp_fgm_spin_isr2", "b_vec_xyz_isr2"),
    }
    if kind.moments:
        inputs["velocity"] = names.of(kind.moments, "velocity_isr2")

    def without(distribution: "xr.Dataset", b: "xr.Dataset | None") -> "xr.Dataset":
        return skymap(kind, distribution, {"magnetic_field": b})

    def together(distribution: "xr.Dataset", b: "xr.Dataset | None", velocity: "xr.Dataset | None") -> "xr.Dataset":
        return skymap(kind, distribution, {"magnetic_field": b, "bulk_velocity": velocity})

    return Recipe(
        output=f"{names.top}/c{{n}}/{kind.path}/skymap", inputs=inputs, optional=tuple(inputs)[1:],
        function=together if kind.moments else without, title=f"Cluster-{{n}} {kind.words}: velocity distribution",
        kind="skymap", units="s^3 cm^-6", block="time", pad=SPIN + 1,
        citation=PEACE_CITATION if kind.looks else CIS_CITATION, description=skymap.__doc__ or "",
    )  # fmt: skip


def skymap(kind: _Kind, distribution: "xr.Dataset", near: "dict[str, xr.Dataset | None]") -> "xr.Dataset":
    """Give phase space density by direction of motion in ISR2, with the spin's mean field and the moments' velocity."""
    from armillary.science.particles.datasets import to_dataset

    main = main_of(distribution, 3)
    axes = [_axis(distribution, main, number, units) for number, units in enumerate(("deg", "deg", "eV"), 1)]
    if kind.looks:
        values = main.to_numpy()
        azimuth, polar, energy = 180 - axes[0], axes[1], axes[2]
    else:
        values = main.to_numpy().swapaxes(1, 2)
        azimuth, polar, energy = axes[1], 90 - axes[0], axes[2]
    cells = _cells(_in_cm(values, main), np.mod(azimuth, 360), polar, energy)
    cells = Skymap(cells.psd, cells.azimuth, cells.polar, cells.energy, None, kind.mass, kind.charge)
    time = distribution["time"].to_numpy()
    beside = {name: averaged(one, time, SPIN) for name, one in near.items() if one is not None}
    made = to_dataset(cells, time, frame="ISR2", species=kind.species, beside=beside, accumulation=SPIN)
    return made.assign_attrs(kept_attrs(distribution))


def _in_cm(values: "Array", main: "xr.DataArray") -> "Array":
    told = str(main.attrs.get("units", ""))
    plain = told.lower().replace(" ", "").replace("**", "^")
    for word in ("particles", "particle", "ions", "ion"):
        plain = plain.removeprefix(word)
    if plain not in _UNITS:
        raise BadData(f"{main.name} is in {told!r}, not in s^3 km^-6", _FILES)
    values = np.where(values >= 0, values, np.nan)
    return (values.astype(float) * _PER_CM6).astype(np.float32 if main.dtype == np.float32 else float)


def _axis(data: "xr.Dataset", main: "xr.DataArray", number: int, units: str) -> "Array":
    found = axis_in(data, main, number, units)
    if found is None:
        problem = f"{main.name} does not say what its dimension {number} is"
        raise BadData(problem, "use an archive that keeps the axes, as the CDF files do")
    return found


def _cells(psd: "Array", azimuth: "Array", polar: "Array", energy: "Array") -> Skymap:
    """Let all axes rise, and leave out rows that no record has."""
    axes = [azimuth, polar, energy]
    for number, one in enumerate(axes, 1):
        kept, order = _kept(one)
        axes[number - 1] = np.take(one, order, -1) if one.ndim == 1 else np.take(_steady(one, kept), order, -1)
        psd = np.take(psd, order, number)
    return Skymap(psd, axes[0], axes[1], axes[2])


def _kept(axis: "Array") -> "tuple[Array, Array]":
    """Say which rows some record has, and give their order; it is that of the first complete record."""
    kept = np.isfinite(np.atleast_2d(axis)).any(0)
    if axis.ndim == 2 and not len(axis):
        return kept, np.arange(axis.shape[1])
    if not kept.any():
        raise BadData("an axis of this distribution has fill values only", "choose another time")
    first = axis if axis.ndim == 1 else _steady(axis, kept)[0]
    order = np.argsort(np.where(kept, first, np.inf), kind="stable")[: int(kept.sum())]
    return kept, order


def _steady(axis: "Array", kept: "Array") -> "Array":
    """Put the first complete record in the place of incomplete ones; their density is fill, too."""
    whole = np.asarray(np.isfinite(axis[:, kept]).all(1))
    if not whole.any():
        raise BadData("no record of this distribution has all its energies and angles", "choose another time")
    return np.where(whole[:, None], axis, axis[int(np.argmax(whole))])


RECIPES: Final = tuple(_skymap(kind, names) for names in NAMES for kind in _KINDS)
