"""Of any evenly sampled series its spectra; of vectors the polarisation of waves, of fields their energy flux.

Spectrograms go by windows that are anchored to absolute time, so pieces of an interval agree with the whole. A window
that meets a gap or a missing value is an empty column. Wavelets and Welch's mean need all of an interval at once.
"""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.missions.plasma.generic.beside import GAP, chosen, in_units, units_of, vector_beside
from armillary.missions.plasma.generic.filtering import CONTEXT, HIGH, LOW, check_context, first_series, samples_of
from armillary.missions.plasma.generic.reading import series, vector_of
from armillary.missions.plasma.generic.turning import UNDECLARED, frame_told
from armillary.model import Fits, Parameter, Recipe, recipe
from armillary.science.fields import filters, poynting, spectra, wavelets
from armillary.science.fields.polarisation import frequencies, polarisation, svd_polarisation
from armillary.science.fields.scalograms import Scalogram, scalogram
from armillary.science.fields.windows import Windows, lay, usual_step
from armillary.science.particles.bases import basis_matrix

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    from armillary.science.plasma import Array

_ANY: Final = Fits(kinds=("series",), shapes=((), (3,)))
_VECTOR: Final = Fits(kinds=("series",), shapes=((3,),))
_ELECTRIC: Final = Fits(kinds=("series",), shapes=((3,),), units=("mV/m",))
#: Of the largest number of a window: what rounding leaves of a constant.
_ROUNDING: Final = 1e-13
#: Complex numbers that a wavelet transform may have.
_LARGEST: Final = 8_000_000

#: Units, lowest and highest value, and title of what tells of polarisation.
_QUANTITIES: Final = {
    "degree": ("", 0.0, 1.0, "Degree of polarisation"),
    "wave_normal_angle": ("deg", 0.0, 90.0, "Wave-normal angle"),
    "ellipticity": ("", -1.0, 1.0, "Ellipticity"),
    "helicity": ("", 0.0, 1.0, "Helicity"),
    "planarity": ("", 0.0, 1.0, "Planarity"),
    "wave_vector_polar": ("deg", 0.0, 90.0, "Wave vector from z"),
    "wave_vector_azimuth": ("deg", -180.0, 180.0, "Wave vector from x towards y"),
}

WINDOW: Final = Parameter(
    name="window", type="float", default=64.0, low=1e-4, high=86400.0, units="s",
    description="Length of a window; it must hold 8 samples or more",
)  # fmt: skip
OVERLAP: Final = Parameter(
    name="overlap", type="float", default=0.5, low=0.0, high=0.95,
    description="Part of a window that the next one covers too",
)  # fmt: skip
_TAPER: Final = Parameter(
    name="taper", type="str", default="hann", choices=spectra.TAPERS, description="Weights of a window's samples"
)
_DETREND: Final = Parameter(
    name="detrend", type="str", default="constant", choices=spectra.DETRENDS,
    description="What is taken away from each window before: nothing, its mean, a line",
)  # fmt: skip
_RESAMPLE: Final = Parameter(
    name="resample", type="float", default=0.0, low=0.0, high=86400.0, units="s",
    description="0 takes the samples as they are, which must be evenly spaced; else they are first interpolated to one "
    "every so many seconds, over gaps of up to three of them",
)  # fmt: skip
_SMOOTHING: Final = Parameter(
    name="smoothing", type="int", default=3, choices=(1, 3, 5, 7, 9, 11, 15, 21, 31),
    description="Neighbouring frequencies that are averaged",
)  # fmt: skip
_FRAME: Final = Parameter(
    name="frame",
    type="str",
    default="as given",
    choices=("as given", "field-aligned"),
    description="field-aligned turns each window so that z is along its mean magnetic field",
)
_MAGNETIC: Final = chosen("magnetic_field", "Path of the magnetic field; empty takes the mean of the vector itself")
_BESIDE_E: Final = chosen(
    "magnetic_field", "Path of the magnetic field, nT; it is turned into the frame of this vector"
)
_DETREND_WAVES: Final = replace(_DETREND, choices=("constant", "linear"))
_MISSING: Final = Parameter(
    name="component_z", type="str", default="measured", choices=("measured", "from E.B=0"),
    description="from E.B=0 replaces z of the electric field; missing within 10 degrees of B in the x-y plane",
)  # fmt: skip
_LEAST: Final = Parameter(
    name="least_degree", type="float", default=0.0, low=0.0, high=1.0,
    description="Where the degree of polarisation is less, angles and ratios are left out; 0.7 is usual",
)  # fmt: skip


@recipe("{input}/spectrum", inputs={"data": _ANY}, title="{title}: spectrogram", kind="spectrogram",
        units="({units})^2/Hz", block="time", pad="window",
        parameters=(WINDOW, OVERLAP, _TAPER, _DETREND, _RESAMPLE))  # fmt: skip
def spectrum(
    data: "xr.Dataset", window: float, overlap: float, taper: str, detrend: str, resample: float
) -> "xr.Dataset":
    """Power spectral density by short-time Fourier transform; of a vector the sum over its components."""
    time, values = _even(data, resample)
    told = _density_attrs(data, "Power spectral density")
    if len(time) < 2:
        return _columns(data, time[:0], np.zeros(0), {"spectrum": (np.zeros((0, 0)), told)})
    found = spectra.trace(spectra.spectrogram(time, values, window, overlap, taper, cast("spectra.Detrend", detrend)))
    made = _columns(data, found.time, found.frequency[1:], {"spectrum": (found.density[:, 1:], told)})
    flag = {"units": "", "long_name": "1 where samples were interpolated to be evenly spaced"}
    return made.assign(resampled=("time", np.full(len(found.time), resample > 0, np.uint8), flag))


@recipe("{input}/welch", inputs={"data": _ANY}, title="{title}: mean spectrum (Welch)", kind="spectrogram",
        units="({units})^2/Hz", parameters=(WINDOW, OVERLAP, _TAPER, _DETREND, _RESAMPLE),
        citation="Welch (1967), doi:10.1109/TAU.1967.1161901")  # fmt: skip
def welch(data: "xr.Dataset", window: float, overlap: float, taper: str, detrend: str, resample: float) -> "xr.Dataset":
    """Mean power spectral density of the asked interval, with the bounds of 95 % confidence; one spectrum."""
    time, values = _even(data, resample)
    found = spectra.welch(time, values, window, overlap, taper, cast("spectra.Detrend", detrend))
    parts = {"welch": found.density, "low": found.low, "high": found.high}
    rows = {name: one[1:] if one.ndim == 1 else one[1:].sum(1) for name, one in parts.items()}
    told = _density_attrs(data, "Mean power spectral density") | {"DISPLAY_TYPE": "curve"}
    bounds = {"low": "lower 95 %", "high": "upper 95 %"}
    middle = time[:1] + (time[-1:] - time[:1]) // 2
    made = _columns(data, middle, found.frequency[1:], {
        name: (one[None], told | ({"LABLAXIS": bounds[name]} if name in bounds else {})) for name, one in rows.items()
    })  # fmt: skip
    many = {"units": "", "long_name": "Windows in the mean", "VAR_TYPE": "support_data"}
    return made.assign(windows=("time", [found.windows], many))


@recipe("{input}/wavelet", inputs={"data": _ANY}, title="{title}: wavelet transform", kind="spectrogram",
        units="({units})^2/Hz", citation="Torrence and Compo (1998), Bull. Am. Meteorol. Soc. 79, 61",
        parameters=(
            Parameter(name="shortest", type="float", default=0.0, low=0.0, units="s",
                      description="Shortest period; 0 for four samples"),
            Parameter(name="longest", type="float", default=0.0, low=0.0, units="s",
                      description="Longest period; 0 for a quarter of the interval"),
            Parameter(name="per_octave", type="int", default=8, low=1, high=64, description="Scales in a power of two"),
            Parameter(name="every", type="float", default=0.0, low=0.0, units="s",
                      description="Keep one time in so many seconds; 0 keeps all"),
            Parameter(name="level", type="float", default=0.95, low=0.5, high=0.9999,
                      description="Level of significance against red noise"),
            _RESAMPLE,
        ))  # fmt: skip
def wavelet(
    data: "xr.Dataset", shortest: float, longest: float, per_octave: int, every: float, level: float, resample: float
) -> "xr.Dataset":
    """Morlet wavelet power as a density, its ratio to what red noise seldom exceeds, and the cone of influence.

    Each stretch without gaps is transformed by itself. Of a vector powers and levels are sums over its components,
    which makes the level a strict one.
    """
    time, values = _even(data, resample)
    step = usual_step(time)
    scale = wavelets.scales_of(shortest or 4 * step, longest or len(time) * step / 4, 1 / per_octave)
    thin = max(1, round(every / step))
    kept = len(time) // thin
    if len(scale) * kept > _LARGEST:
        problem = f"{len(scale)} scales at {kept} times are too many to keep"
        least = len(scale) * len(time) / _LARGEST * step
        raise BadParameter(problem, f"give every = {least:.3g} or more, or ask for less time")
    return _wavelet_columns(data, scalogram(time, values, scale, 1 / per_octave, thin, level))


@recipe("{input}/polarisation", inputs={"vector": _VECTOR}, title="{title}: polarisation of waves", kind="spectrogram",
        block="time", pad="window",
        citation="Means (1972), doi:10.1029/JA077i028p05551; Samson and Olson (1980), "
        "doi:10.1111/j.1365-246X.1980.tb04308.x",
        parameters=(
            Parameter(name="quantity", type="str", default="degree", description="Which one comes first and is drawn",
                      choices=("power", "degree", "wave_normal_angle", "ellipticity", "helicity")),
            WINDOW, OVERLAP, _DETREND_WAVES, _SMOOTHING, _FRAME, _MAGNETIC, _LEAST, UNDECLARED, GAP,
        ))  # fmt: skip
def polarised(
    vector: "xr.Dataset", quantity: str, window: float, overlap: float, detrend: str, smoothing: int, frame: str,
    magnetic_field: "xr.Dataset | None", least_degree: float, undeclared: str, largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Power, degree of polarisation, wave-normal angle, ellipticity and helicity, as wavpol of SPEDAS has them.

    Angles and signs are about z: choose the field-aligned frame, unless z is along the magnetic field already. Positive
    ellipticity turns as electrons do (right-handed).
    """
    analyse = partial(_means, smoothing=smoothing)
    b = _magnetic(vector, magnetic_field, largest_gap, undeclared) if frame == "field-aligned" else None
    shape = _Laid(window, overlap, cast("spectra.Detrend", detrend), least_degree)
    return _by_windows(vector, analyse, quantity, shape, b)


@recipe("{input}/svd_polarisation", inputs={"vector": _VECTOR}, title="{title}: polarisation of waves (SVD)",
        kind="spectrogram", block="time", pad="window",
        citation="Santolik, Parrot and Lefeuvre (2003), doi:10.1029/2000RS002523",
        parameters=(
            Parameter(name="quantity", type="str", default="planarity",
                      description="Which one comes first and is drawn",
                      choices=("power", "planarity", "ellipticity", "wave_vector_polar", "wave_vector_azimuth",
                               "degree")),
            WINDOW, OVERLAP, _DETREND_WAVES, _SMOOTHING, _FRAME, _MAGNETIC, _LEAST, UNDECLARED, GAP,
        ))  # fmt: skip
def svd_polarised(
    vector: "xr.Dataset", quantity: str, window: float, overlap: float, detrend: str, smoothing: int, frame: str,
    magnetic_field: "xr.Dataset | None", least_degree: float, undeclared: str, largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Planarity, ellipticity and direction of the wave vector by singular value decomposition; degree and power too.

    The wave vector's sign is unknown: its angle from z is folded into 0 to 90 degrees.
    """
    analyse = partial(_singular, smoothing=smoothing)
    b = _magnetic(vector, magnetic_field, largest_gap, undeclared) if frame == "field-aligned" else None
    shape = _Laid(window, overlap, cast("spectra.Detrend", detrend), least_degree)
    return _by_windows(vector, analyse, quantity, shape, b)


@recipe("{input}/poynting_flux", inputs={"electric": _ELECTRIC}, title="{title}: Poynting flux", kind="series",
        units="uW/m^2", block="time", shape=(3,), pad="context",
        parameters=(_BESIDE_E,
                    LOW, HIGH, CONTEXT, _MISSING, UNDECLARED, GAP))  # fmt: skip
def poynting_flux(
    electric: "xr.Dataset", magnetic_field: "xr.Dataset | None", low: float, high: float, context: float,
    component_z: str, undeclared: str, largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Energy flux E x B / mu_0; with corner frequencies that of the waves between them."""
    time, e, b = _fields(electric, magnetic_field, component_z, largest_gap, undeclared)
    edge = np.zeros(len(time), np.uint8)
    if (low or high) and len(time) > 1:
        check_context(context, low or high)
        one, other = (filters.filtered(time, field, low, high) for field in (e, b))
        e, b, edge = one.values, other.values, (one.edge | other.edge).astype(np.uint8)
    told = {"units": "uW/m^2", "LABLAXIS": "S", "long_name": "Poynting flux", "LABL_PTR_1": "xyz",
            "COORDINATE_SYSTEM": frame_told(electric).name}  # fmt: skip
    flag = {"units": "", "long_name": "1 where an end or a gap is too near for the filter"}
    found = {"poynting_flux": (("time", "xyz"), poynting.poynting_flux(e, b), told), "edge": (("time",), edge, flag)}
    return series(electric, found, xyz=["x", "y", "z"])


@recipe("{input}/poynting_spectrum", inputs={"electric": _ELECTRIC}, title="{title}: Poynting flux by frequency",
        kind="spectrogram", units="uW/m^2/Hz", block="time", pad="window",
        parameters=(_BESIDE_E,
                    Parameter(name="component", type="str", default="parallel", choices=("parallel", "x", "y", "z"),
                              description="parallel is along the mean magnetic field of each window"),
                    WINDOW, OVERLAP, _TAPER, _MISSING, UNDECLARED, GAP))  # fmt: skip
def poynting_spectrum(
    electric: "xr.Dataset", magnetic_field: "xr.Dataset | None", component: str, window: float, overlap: float,
    taper: str, component_z: str, undeclared: str, largest_gap: float,
) -> "xr.Dataset":  # fmt: skip
    """Energy flux of waves by frequency: one component of 2 Re(E x conj B) / mu_0 as a one-sided density."""
    time, e, b = _fields(electric, magnetic_field, component_z, largest_gap, undeclared)
    told = {"units": "uW/m^2/Hz", "LABLAXIS": f"S {component}", "long_name": f"Poynting flux, {component}",
            "SCALETYP": "linear"}  # fmt: skip
    if len(time) < 2:
        return _columns(electric, time[:0], np.zeros(0), {"poynting_spectrum": (np.zeros((0, 0)), told)})
    found = poynting.poynting_spectra(time, e, b, window, overlap, taper)
    if component == "parallel":
        laid = lay(time, np.concatenate([e, b], axis=1), window, (1 - overlap) * window)
        mean = _window_means(laid, b)
        size = np.linalg.norm(mean, axis=1, keepdims=True)
        unit = np.divide(mean, size, out=np.full(mean.shape, np.nan), where=size > 0)
        part = np.einsum("kfc,kc->kf", found.density, unit)
    else:
        part = found.density[..., "xyz".index(component)]
    return _columns(electric, found.time, found.frequency[1:], {"poynting_spectrum": (part[:, 1:], told)})


def _even(data: "xr.Dataset", resample: float) -> "tuple[Array, Array]":
    """Give the times and numbers of a series, interpolated to even times if asked."""
    time, values = samples_of(data)
    if not resample or not len(time):
        return time, values
    at = filters.even_times(time, resample)
    return at, filters.interpolated(time, values, at, 3 * resample)


def _density_attrs(data: "xr.Dataset", title: str) -> dict[str, Any]:
    main = first_series(data)
    units = str(main.attrs.get("units", ""))
    label = str(main.attrs.get("LABLAXIS") or main.name)
    squared = f"{units}^2/Hz" if units.isalpha() else f"({units})^2/Hz"
    name = main.attrs.get("long_name") or label
    return {"units": squared, "long_name": f"{title} of {name}", "LABLAXIS": f"PSD of {label}", "SCALETYP": "log"}


def _columns(
    like: "xr.Dataset", time: "Array", frequency: "Array", parts: "dict[str, tuple[Array, dict[str, Any]]]"
) -> "xr.Dataset":
    """Make a spectrogram of columns at these times."""
    told = {"DEPEND_1": "frequency", "DISPLAY_TYPE": "spectrogram"}
    axis = {"units": "Hz", "long_name": "Frequency", "LABLAXIS": "f", "SCALETYP": "log"}
    found = {name: (("time", "frequency"), values, told | attrs) for name, (values, attrs) in parts.items()}
    return series(like, found, time=time, frequency=("frequency", frequency, axis))


def _wavelet_columns(like: "xr.Dataset", found: Scalogram) -> "xr.Dataset":
    """Make the wavelet's spectrogram: frequencies rise, so periods fall."""
    turned, told = slice(None, None, -1), _density_attrs(like, "Wavelet power")
    ratio = {"units": "", "long_name": "Power over what red noise seldom exceeds", "LABLAXIS": "power / limit",
             "SCALETYP": "log"}  # fmt: skip
    parts = {"wavelet": (found.density[:, turned], told | {"OVERLAY": "cone_of_influence"}),
             "significance": ((found.density / found.limit)[:, turned], ratio)}  # fmt: skip
    made = _columns(like, found.time, 1 / found.period[turned], parts)
    lowest = 1 / np.maximum(found.cone, found.period[0])
    cone = {"units": "Hz", "long_name": "Cone of influence: below this frequency the ends are felt", "SCALETYP": "log"}
    return made.assign(
        cone_of_influence=("time", lowest, cone),
        global_spectrum=("frequency", found.mean[turned], told | {"long_name": "Global wavelet spectrum"}),
        global_limit=("frequency", found.mean_limit[turned], told | {"long_name": "What red noise seldom exceeds"}),
    )


def _means(parts: "Array", rate: float, smoothing: int) -> "dict[str, Array]":
    found = polarisation(parts, rate, smoothing)
    return {"power": found.power, "degree": found.degree, "wave_normal_angle": np.degrees(found.wave_normal),
            "ellipticity": found.ellipticity, "helicity": found.helicity}  # fmt: skip


def _singular(parts: "Array", rate: float, smoothing: int) -> "dict[str, Array]":
    found = svd_polarisation(parts, rate, smoothing)
    return {"power": found.power, "planarity": found.planarity, "ellipticity": found.ellipticity,
            "wave_vector_polar": np.degrees(found.polar), "wave_vector_azimuth": np.degrees(found.azimuth),
            "degree": found.degree}  # fmt: skip


class _Laid(NamedTuple):
    """How a vector is cut into windows, and what of a wave is kept."""

    window: float
    overlap: float
    detrend: spectra.Detrend
    least_degree: float


def _by_windows(
    vector: "xr.Dataset", analyse: "Callable[[Array, float], dict[str, Array]]", first: str, how: _Laid,
    b: "Array | None",
) -> "xr.Dataset":  # fmt: skip
    """Analyse the windows of a vector portion by portion, about axes along a field if one is given.

    What is called `first` is the first variable.
    """
    time, values = vector["time"].to_numpy(), vector_of(vector)
    names = [first, *(name for name in analyse(np.zeros((0, 64, 3)), 1.0) if name != first)]
    if len(time) < 2:
        empty = {name: (np.zeros((0, 0)), _wave_attrs(vector, name)) for name in names}
        return _columns(vector, time[:0], np.zeros(0), empty)
    laid = lay(time, values, how.window, (1 - how.overlap) * how.window)
    axes = None if b is None else basis_matrix("perp1_perp2", steps=len(laid.time), b=_window_means(laid, b))
    found = {name: np.full((len(laid.time), laid.size // 2), np.nan) for name in names}
    for numbers, samples in laid.portions():
        parts = _fluctuations(values[samples], how.detrend)
        if axes is not None:
            parts = parts @ axes[numbers].transpose(0, 2, 1)
        for name, one in analyse(parts, 1 / laid.step).items():
            found[name][numbers] = one
    for name in set(names) - {"power", "degree", "planarity"}:
        found[name][~(found["degree"] >= how.least_degree)] = np.nan
    columns = {name: (one[:, 1:], _wave_attrs(vector, name)) for name, one in found.items()}
    return _columns(vector, laid.time, frequencies(laid)[1:], columns)


def _fluctuations(parts: "Array", detrend: spectra.Detrend) -> "Array":
    """Take the mean or the line of each window away, shape (k, n, 3): it would leak into the lowest frequencies.

    What is left of a constant is rounding, and is nothing then.
    """
    left = spectra.detrended(parts.swapaxes(1, 2), detrend).swapaxes(1, 2)
    size = np.abs(parts).max((1, 2), keepdims=True)
    return np.where(np.abs(left).max((1, 2), keepdims=True) > _ROUNDING * size, left, 0.0)


def _magnetic(
    vector: "xr.Dataset", magnetic_field: "xr.Dataset | None", largest_gap: float, undeclared: str
) -> "Array":
    """Give the field that axes shall lie along, nT, shape (t, 3): the one chosen, or the vector if it is one itself."""
    if magnetic_field is not None:
        return vector_beside(vector, magnetic_field, "magnetic_field", "nT", largest_gap, undeclared)
    try:
        return in_units(vector_of(vector), units_of(vector, 1), "nT", "the vector")
    except BadData as other:
        problem = f"{other.problem}: it has no magnetic field to be aligned with"
        raise BadParameter(problem, "give the path of one as the parameter magnetic_field") from other


def _window_means(laid: Windows, values: "Array") -> "Array":
    """Give the mean vector of each complete window, shape (k, 3); NaN for the others."""
    found = np.full((len(laid.time), 3), np.nan)
    for numbers, samples in laid.portions():
        found[numbers] = values[samples].mean(1)
    return found


def _wave_attrs(like: "xr.Dataset", name: str) -> dict[str, Any]:
    if name == "power":
        return _density_attrs(like, "Wave power")
    units, low, high, title = _QUANTITIES[name]
    return {"units": units, "long_name": title, "LABLAXIS": title, "VALIDMIN": low, "VALIDMAX": high,
            "SCALETYP": "linear"}  # fmt: skip


def _fields(
    electric: "xr.Dataset",
    magnetic_field: "xr.Dataset | None",
    component_z: str,
    largest_gap: float,
    undeclared: str,
) -> "tuple[Array, Array, Array]":
    time, e = electric["time"].to_numpy(), vector_of(electric)
    b = vector_beside(electric, magnetic_field, "magnetic_field", "nT", largest_gap, undeclared)
    return time, poynting.completed(e, b) if component_z == "from E.B=0" else e, b


RECIPES: Final[tuple[Recipe, ...]] = (
    spectrum, welch, wavelet, polarised, svd_polarised, poynting_flux, poynting_spectrum,
)  # fmt: skip
