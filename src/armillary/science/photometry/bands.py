"""The bands of Gaia, 2MASS and WISE in one table, and bands of one's own from the curve of a filter.

Three wavelengths tell a band, and they are not one another's substitutes:

- ``pivot`` ties flux densities in Jy and in W m-2 um-1 to one another, whatever shines (F_nu = F_lambda pivot^2 / c);
- ``effective`` is the mean wavelength of Vega's light that passes;
- ``reference`` is where the survey's own papers put F_nu. WISE's colour corrections and the published spectral indices
  of young stars belong to it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np

from armillary.errors import BadData, BadParameter, Unknown
from armillary.science.photometry.light import LIGHT, PLANCK
from armillary.science.photometry.vega import GAIA_SCALE, vega
from armillary.science.plasma import Array

#: Raised by one whenever a number of the table below changes.
TABLE_VERSION: Final = 1
#: Flux density of AB magnitude 0, Jy (Oke and Gunn 1983, doi:10.1086/160817).
AB_ZERO: Final = 3631.0
#: Area of Gaia's entrance pupils, m^2 (Gaia Collaboration, Prusti et al. 2016, doi:10.1051/0004-6361/201629272).
GAIA_PUPIL: Final = 0.7278

Detector: TypeAlias = Literal["photon", "energy"]


@dataclass(frozen=True, slots=True)
class Band:
    """A band as a measurement needs it.

    Parameters
    ----------
    name : str
    pivot, effective, reference : float
        Wavelengths, micrometres.
    zero_point : float
        Flux density of Vega magnitude 0, Jy, for a source that is flat in F_nu; it goes with ``pivot``.
    floor : float
        Error of the absolute calibration, magnitudes; it is common to all sources.
    photon_zero_point, photon_zero_point_ab : float, optional
        Magnitude of one photo-electron a second: Vega and AB.
    source : str
        Where the numbers come from.
    """

    name: str
    pivot: float
    effective: float
    reference: float
    zero_point: float
    floor: float = 0.0
    photon_zero_point: float | None = None
    photon_zero_point_ab: float | None = None
    source: str = ""

    @property
    def ab_offset(self) -> float:
        """AB magnitude of a source of Vega magnitude 0."""
        return float(-2.5 * np.log10(self.zero_point / AB_ZERO))


def _gaia(name: str, pivot: float, effective: float, vega_zero: float, ab_zero: float) -> Band:
    source = (
        "photon zero points: Gaia DR3 (Riello et al. 2021, doi:10.1051/0004-6361/202039587); Jy: 3631 x 10^(-0.4 (AB "
        "- Vega)); wavelengths: SVO GAIA/GAIA3; floor: Montegriffo et al. 2023, doi:10.1051/0004-6361/202243709"
    )
    zero = AB_ZERO * 10 ** (-0.4 * (ab_zero - vega_zero))
    return Band(name, pivot, effective, pivot, zero, 0.01, vega_zero, ab_zero, source)


_COHEN: Final = "Cohen, Wheaton and Megeath 2003, doi:10.1086/376474; pivot: SVO 2MASS/2MASS"
_JARRETT: Final = "Jarrett et al. 2011, doi:10.1088/0004-637X/735/2/112; pivot: SVO WISE/WISE"

#: The ten bands of the usual cross-match, from short to long wavelength.
BANDS: Final[tuple[Band, ...]] = (
    _gaia("G", 0.62175904, 0.58223887, 25.6873668671, 25.8010446445),
    _gaia("BP", 0.51097121, 0.50357502, 25.3385422158, 25.3539555559),
    _gaia("RP", 0.77690226, 0.76199600, 24.7478955012, 25.1039837393),
    Band("J", 1.23580853, 1.235, 1.235, 1594.0, 0.019, source=_COHEN),
    Band("H", 1.64575037, 1.662, 1.662, 1024.0, 0.021, source=_COHEN),
    Band("Ks", 2.16030948, 2.159, 2.159, 666.8, 0.021, source=_COHEN),
    Band("W1", 3.36822107, 3.3526, 3.3526, 309.540, 0.016, source=_JARRETT),
    Band("W2", 4.61790538, 4.6028, 4.6028, 171.787, 0.016, source=_JARRETT),
    Band("W3", 12.07174335, 11.5608, 11.5608, 31.674, 0.016, source=_JARRETT),
    Band("W4", 22.19444448, 22.0883, 22.0883, 8.363, 0.016, source=_JARRETT),
)
#: W4 as galaxies and planetary nebulae show it to be: 3.3 % further in the red, Vega at AB 6.66.
W4_BROWN: Final = Band(
    "W4", 22.8, 22.8, 22.8, AB_ZERO * 10 ** (-0.4 * 6.66), 0.016,
    source="Brown, Jarrett and Cluver 2014, doi:10.1017/pasa.2014.44",
)  # fmt: skip


def bands(names: str | Iterable[str | Band]) -> tuple[Band, ...]:
    """Give bands by name, for example ``"J H Ks"``; bands stay as they are.

    Examples
    --------
    >>> [band.pivot for band in bands("Ks W1")]
    [2.16030948, 3.36822107]
    """
    known = {band.name.lower(): band for band in BANDS}
    asked = names.split() if isinstance(names, str) else names
    try:
        return tuple(one if isinstance(one, Band) else known[one.lower()] for one in asked)
    except KeyError as missing:
        listed = " ".join(band.name for band in BANDS)
        raise Unknown(f"no band is called {missing}", f"use {listed}, or make it by band_from_curve") from None


def band_from_curve(
    name: str,
    wavelength: Array,
    response: Array,
    *,
    detector: Detector = "photon",
    zero_point: float | None = None,
    reference: float | None = None,
    floor: float = 0.0,
) -> Band:
    """Make a band from the response of a filter.

    Parameters
    ----------
    name : str
    wavelength : array, shape (k,)
        Micrometres, ascending.
    response : array, shape (k,)
        Of any scale: per photon (``detector="photon"``), or per unit of energy, as the SVO gives 2MASS and WISE.
    detector : {"photon", "energy"}
    zero_point : float, optional
        Flux density of magnitude 0, Jy; without it that of Vega through this filter.
    reference : float, optional
        Micrometres; without it the pivot.
    floor : float
        Error of the calibration, magnitudes.

    Notes
    -----
    Pivot: sqrt(∫S l dl / ∫S/l dl), S per photon (Koornneef et al. 1986); a response per energy is S l.
    """
    place, energy = _curve(name, wavelength, response, detector)
    pivot = float(np.sqrt(_area(energy, place) / _area(energy / place**2, place)))
    light = energy * vega(np.clip(place, *_VEGA_ENDS))
    effective = float(_area(light * place, place) / _area(light, place))
    zero = zero_point if zero_point is not None else _vega_zero(name, place, energy)
    return Band(name, pivot, effective, reference or pivot, zero, floor, source="from a curve")


def band_from_svo(path: str | Path, *, detector: Detector | None = None, zero_point: float | None = None) -> Band:
    """Make a band from a VOTable of the SVO Filter Profile Service.

    Parameters
    ----------
    path : str or Path
    detector : {"photon", "energy"}, optional
        Without it what the file says (``DetectorType`` 1: photons; else energy).
    zero_point : float, optional
        Jy; without it what the file says.
    """
    curve = read_svo(path)
    kind: Detector = detector or curve.detector
    zero = zero_point if zero_point is not None else curve.zero_point
    return band_from_curve(curve.name, curve.wavelength, curve.response, detector=kind, zero_point=zero)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What an SVO file tells: the response over micrometres, what it counts, the zero point (Jy) if there is one."""

    name: str
    wavelength: Array
    response: Array
    detector: Detector
    zero_point: float | None


def read_svo(path: str | Path) -> Curve:
    """Read a filter curve from a VOTable of the SVO Filter Profile Service."""
    from astropy.io.votable import parse_single_table

    try:
        table = parse_single_table(str(path), verify="ignore")
        said = {one.name: one.value for one in table.params}
        place, response = (np.asarray(table.array[one].filled(np.nan), float) for one in table.array.dtype.names[:2])
        unit = {"Angstrom": 1e-4, "nm": 1e-3, "um": 1.0, "micron": 1.0}[str(said["WavelengthUnit"])]
    except (OSError, ValueError, KeyError, IndexError, TypeError) as fault:
        raise BadData(f"{path} is no filter curve of the SVO: {fault}", "download it anew as VOTable") from fault
    detector: Detector = "photon" if str(said.get("DetectorType", "0")) == "1" else "energy"
    jansky = str(said.get("ZeroPointUnit", "")) == "Jy" and str(said.get("MagSys", "")) == "Vega"
    zero = float(said["ZeroPoint"]) if jansky else None
    return Curve(str(said["filterID"]), place * unit, response, detector, zero)


def vega_zero_point(wavelength: Array, response: Array, detector: Detector = "photon") -> float:
    """Give the flux density of Vega through a filter in Jy: the mean over F_nu of the detector."""
    return _vega_zero("the curve", *_curve("the curve", wavelength, response, detector))


def gaia_zero_points(wavelength: Array, response: Array) -> tuple[float, float]:
    """Give the magnitudes, Vega and AB, of one photo-electron a second behind one of Gaia's filters.

    Riello et al. (2021), doi:10.1051/0004-6361/202039587: Vega is the model that shines with 3.62286e-11 W m-2 nm-1 at
    550 nm. The response is per photon and absolute.
    """
    place, energy = _curve("the curve", wavelength, response, "photon")
    per_photon = GAIA_PUPIL * 1e-6 / (PLANCK * LIGHT)
    vega_rate = per_photon * _area(energy * GAIA_SCALE * vega(place), place)
    ab_rate = GAIA_PUPIL / PLANCK * AB_ZERO * 1e-26 * _area(energy / place**2, place)
    return float(2.5 * np.log10(vega_rate)), float(2.5 * np.log10(ab_rate))


_VEGA_ENDS: Final = (0.3, 30.0)


def _curve(name: str, wavelength: Array, response: Array, detector: Detector) -> tuple[Array, Array]:
    """Check a curve; give it as response per energy."""
    place, curve = np.asarray(wavelength, float), np.asarray(response, float)
    if place.ndim != 1 or place.shape != curve.shape or place.size < 3:
        problem = f"{name}: {place.shape} wavelengths and {curve.shape} responses"
        raise BadParameter(problem, "give three or more of each")
    if not (np.isfinite(place).all() and np.isfinite(curve).all() and place[0] > 0 and (np.diff(place) > 0).all()):
        raise BadParameter(f"{name}: wavelengths do not ascend, or something is not finite", "sort and clean the curve")
    if not (curve.min() >= 0 < curve.max()):
        raise BadParameter(f"{name}: a response below zero, or none at all", "set negative responses to 0")
    if detector not in ("photon", "energy"):
        raise BadParameter(f"no detector counts {detector!r}", "use photon or energy")
    return place, curve * place if detector == "photon" else curve


def _vega_zero(name: str, place: Array, energy: Array) -> float:
    if place[0] < _VEGA_ENDS[0] or place[-1] > _VEGA_ENDS[1]:
        problem = f"{name} reaches from {place[0]:g} to {place[-1]:g} um; Vega's spectrum here from 0.3 to 30 um"
        raise BadParameter(problem, "give zero_point in Jy")
    mean = _area(energy * vega(place), place) / _area(energy / place**2, place)
    return float(mean * 1e20 / LIGHT)


def _area(values: Array, place: Array) -> float:
    return float(np.trapezoid(values, place))
