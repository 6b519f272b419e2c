"""Physics beside each answer: what the photometry says by itself, and whether that agrees with the class said.

No model takes part: a spectral index, an excess beyond the photosphere, and an absolute magnitude, each with its error.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.features.photometry import photometry
from armillary.learn.keys import check_keys
from armillary.science.photometry.alpha import classes as lada_classes

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]
#: What a check can say.
STATES: Final = ("silent", "agrees", "contradicts")
_OPTIONS: Final = {
    "columns": Mapping[str, str], "dusty": tuple[str, ...], "bare": tuple[str, ...],
    "absolute": Mapping[str, tuple[float, ...]],
}  # fmt: skip
#: Slope from which on there is a disc (Greene et al. 1994), and errors of an excess that is one, and that is none.
_DISC: Final = -1.6
_SURE, _NONE = 5.0, 3.0
#: Black bodies are some 10 % off: an excess is more than this, in magnitudes.
_LEAST: Final = 0.5


def check_names(options: Mapping[str, Any], classes: Sequence[str]) -> None:
    """Refuse unknown keys and classes of ``[checks]``.

    Raises
    ------
    BadParameter
    """
    check_keys("[checks]", options, _OPTIONS)
    named = [*options.get("dusty", ()), *options.get("bare", ()), *options.get("absolute", {})]
    lost = sorted(set(named) - set(classes))
    if lost:
        raise BadParameter(f"[checks] names the class {lost[0]!r}", f"the classes are {', '.join(classes)}")


def checks(samples: "xr.Dataset", said: Array, options: Mapping[str, Any]) -> dict[str, Array]:
    """Give what physics says of samples, and how that fits the class said of each.

    Parameters
    ----------
    samples : xarray.Dataset
        With magnitudes, as for the feature step ``photometry``.
    said : array of str, (n,)
        Class said, "" for none.
    options : mapping
        ``dusty``: classes that shine in the infrared beyond their photosphere; ``bare``: classes that do not;
        ``absolute``: brightest and faintest absolute magnitude in G of a class; ``columns`` of the photometry.

    Returns
    -------
    dict of str to array, (n,)
        ``alpha`` (2 to 22 micrometres: Ks to W4, or the line through Ks, W1, W2 and W3), ``lada`` (class of young
        stars that this alpha would be), ``excess_sigma`` (beyond a black body through J, H and Ks, at W3 or W4, the
        larger), ``m_g`` (NaN without a parallax of 5 errors) and ``check``: one of `STATES`. Of dusty classes an excess
        of 5 errors and 0.5 magnitudes and alpha above -1.6 agree; alpha below that by two errors and no excess
        contradict; of bare classes it is the other way round. An absolute magnitude out of range contradicts.
        Upper limits are silent.
    """
    found = photometry(samples, options.get("columns"), tell=("slope", "excess", "luminosity"))
    columns = dict(zip(found.names, found.matrix.T, strict=True))
    nothing = np.full(len(said), np.nan)

    def told(name: str) -> Array:
        return np.asarray(columns.get(name, nothing))

    two, line = told("alpha_Ks_W4"), told("alpha_Ks..W3")
    alpha = np.where(np.isfinite(two), two, line)
    error = np.where(np.isfinite(two), 0.1, told("alpha_Ks..W3_error"))
    far = np.stack([told("excess_W3_sigma"), told("excess_W4_sigma")])
    much = np.stack([told("excess_W3"), told("excess_W4")])
    sigma, size = (_largest(np.sinh(far)), _largest(much))
    dusty = (sigma >= _SURE) & (size >= _LEAST) & (alpha > _DISC)
    bare = (sigma < _NONE) & (alpha + 2 * np.nan_to_num(error, nan=0.1) < _DISC)
    absolute = told("M_G")
    check = _judged(said, dusty, bare, absolute, options)
    kept = {"alpha": alpha, "lada": lada_classes(alpha), "excess_sigma": sigma, "m_g": absolute}
    return {**kept, "check": np.array(STATES)[check]}


def _judged(said: Array, dusty: Array, bare: Array, absolute: Array, options: Mapping[str, Any]) -> Array:
    """Give the index in `STATES`; what contradicts counts more than what agrees."""
    should = np.isin(said, list(options.get("dusty", ())))
    should_not = np.isin(said, list(options.get("bare", ())))
    agrees = (should & dusty) | (should_not & bare)
    against = (should & bare) | (should_not & dusty)
    for name, (bright, faint) in dict(options.get("absolute", {})).items():
        mine = (said == name) & np.isfinite(absolute)
        inside = (absolute >= bright) & (absolute <= faint)
        agrees |= mine & inside
        against |= mine & ~inside
    return np.select([against, agrees], [2, 1], 0)


def _largest(values: Array) -> Array:
    known = np.isfinite(values)
    return np.where(known.any(axis=0), np.where(known, values, -np.inf).max(axis=0), np.nan)
