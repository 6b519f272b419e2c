"""Features that are declared: products of powers, which are ratios too, and indicators of texts."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.features import Features
from armillary.learn.features.columns import numbers_of
from armillary.learn.samples import column

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]


def products(
    samples: "xr.Dataset", terms: Mapping[str, Mapping[str, float]], kind: str = "plain", prefix: str = ""
) -> Features:
    """Multiply powers of columns.

    Parameters
    ----------
    samples : xarray.Dataset
    terms : mapping of str to mapping of str to float
        Name of each new column, and the powers that it is made of: ``{rate = {n_peaks = 1, length = -1}}``.
    kind : str
        ``plain``, or ``log10`` of the product: what is not above 0 is missing then.
    prefix : str

    Notes
    -----
    A term is a feature group of its own. What is not finite is missing.
    """
    if kind not in {"plain", "log10"} or not terms:
        raise BadParameter(f"kind = {kind!r} with {len(terms)} terms", "give plain or log10, and one term or more")
    made = [_product(samples, dict(powers), name) for name, powers in terms.items()]
    matrix = np.column_stack(made)
    if kind == "log10":
        matrix = np.log10(matrix, out=np.full(matrix.shape, np.nan), where=matrix > 0)
    names = tuple(f"{prefix}{name}" for name in terms)
    return Features(np.where(np.isfinite(matrix), matrix, np.nan), names, names)


def indicators(samples: "xr.Dataset", name: str, values: Sequence[Any], prefix: str = "") -> Features:
    """Say by 1 and 0 which of some values a column has, a new column a value; all together are one feature group.

    Parameters
    ----------
    samples : xarray.Dataset
    name : str
        A column of texts or numbers.
    values : sequence
        Known beforehand, so that other data get the same columns.
    prefix : str
    """
    if not values:
        raise BadParameter(f"no value of {name!r} is named", "list the values to be told apart")
    there = column(samples, name).astype(str)
    matrix = np.stack([there == str(one) for one in values], axis=1).astype(float)
    return Features(matrix, tuple(f"{prefix}{name}={one}" for one in values), (name,) * len(values))


def _product(samples: "xr.Dataset", powers: Mapping[str, float], name: str) -> Array:
    if not powers:
        raise BadParameter(f"the term {name!r} is empty", "write for example { a = 1, b = -1 }")
    made = np.ones(samples.sizes["sample"])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for one in numbers_of(samples, list(powers)):
            made = made * column(samples, one).astype(float) ** float(powers[one])
    return made
