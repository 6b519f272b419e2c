"""Samples: one `xarray.Dataset` along ``sample``, from which everything is learnt.

What it carries, by name:

===================  ==========================  ================================================================
variable             dims                        what it is
===================  ==========================  ================================================================
any                  (sample,) or (sample, ...)  what features are made of: numbers, or a series/spectrum a sample
``label``            (sample,)                   text class, or float target of a regression; NaN or "" = unknown
``time``, ``x``...   (sample,)                   coordinates that splits and the leak advisor use
``group``            (sample,)                   what must stay together: file, channel, spacecraft
``role``             (sample,)                   text ``fit``: only learnt from, never judged; ``score``: the rest
===================  ==========================  ================================================================

Attributes: for series ``cadence`` (seconds); for the task "events" ``events``: the true intervals, int64 nanoseconds
(n, 2), which need not lie on samples, and ``event_group`` (n,) where there are groups; ``notes``: what a reader of the
report should know of how the samples were read.
"""

import hashlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]
#: Names that are no features.
RESERVED: Final = frozenset({"label", "role", "group", "sample", "weight"})


def check_samples(samples: "xr.Dataset") -> "xr.Dataset":
    """Check that a dataset is what studies work on, and give it back.

    Raises
    ------
    BadData
    """
    if "sample" not in samples.sizes:
        raise BadData("these are no samples: there is no dimension 'sample'", "look at the layout that read them")
    if not samples.sizes["sample"]:
        raise BadData("there is not a single sample", "look at the interval or the file that was named")
    wrong = [str(name) for name, one in samples.variables.items() if "sample" in one.dims and one.dims[0] != "sample"]
    if wrong:
        raise BadData(f"{wrong[0]!r} does not begin with 'sample'", "transpose it where it is read")
    return samples


def column(samples: "xr.Dataset", name: str) -> Array:
    """Give one variable or coordinate, (n, ...).

    Raises
    ------
    BadParameter
        If the samples have no such name.
    """
    if name not in samples.variables or "sample" not in samples[name].dims:
        there = ", ".join(sorted(str(one) for one in samples.variables if "sample" in samples[one].dims))
        raise BadParameter(f"the samples have no {name!r}", f"they have {there}")
    values: Array = samples[name].values
    return values


def classes_of(samples: "xr.Dataset") -> tuple[str, ...]:
    """Give the classes that occur, in order; the empty text is no class."""
    return tuple(str(one) for one in np.unique(texts_of(column(samples, "label")).astype(str)) if one)


def codes_of(labels: Array, classes: tuple[str, ...]) -> Array:
    """Give labels as numbers 0..K-1, -1 for unknown ones.

    Examples
    --------
    >>> codes_of(np.array(["b", "a", ""]), ("a", "b")).tolist()
    [1, 0, -1]
    """
    number = {name: code for code, name in enumerate(classes)}
    return np.array([number.get(one, -1) for one in texts_of(np.asarray(labels))], np.int64)


def texts_of(labels: Array) -> Array:
    """Give labels as the names of classes: whole numbers without a point, the empty text where there is none.

    Columns of whole numbers in which some are missing come as floating point numbers.

    Examples
    --------
    >>> texts_of(np.array([1.0, np.nan, 3.0])).tolist(), texts_of(np.array(["a", None, True], object)).tolist()
    (['1', '', '3'], ['a', '', 'True'])
    """
    if labels.dtype.kind == "U":
        return labels.astype(object)
    if labels.dtype.kind in "fiub":
        values, at = np.unique(labels, return_inverse=True)
        return np.array([_text(one) for one in values.tolist()], object)[at.reshape(-1)]
    return np.array([_text(one) for one in labels.tolist()], object)


def rows_to_judge(samples: "xr.Dataset") -> Array:
    """Give a mask of the samples that are judged: labelled, and not only learnt from."""
    judged = np.ones(samples.sizes["sample"], bool)
    if "role" in samples:
        judged &= samples["role"].values.astype(str) != "fit"
    return judged


def fingerprint(samples: "xr.Dataset") -> str:
    """Hash all values, so that a run folder can say which data it saw."""
    digest = hashlib.sha256()
    for name in sorted(str(one) for one in samples.variables):
        values = np.ascontiguousarray(samples[name].values)
        digest.update(f"{name}{samples[name].dims}{values.dtype}{values.shape}".encode())
        digest.update(values.astype(str).tobytes() if values.dtype.kind == "O" else values.tobytes())
    for name in ("events", "event_group"):
        digest.update(np.asarray(samples.attrs.get(name, ())).astype(str).tobytes())
    return digest.hexdigest()[:16]


def fingerprint_of(*arrays: Array) -> str:
    """Hash some arrays: labels, or how samples were split."""
    digest = hashlib.sha256()
    for one in arrays:
        values = np.asarray(one).astype(str) if np.asarray(one).dtype.kind == "O" else np.asarray(one)
        digest.update(f"{values.dtype.kind}{values.shape}".encode() + np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:16]


def _text(value: Any) -> str:
    if value is None or type(value).__name__ in {"NAType", "NaTType"} or value != value:  # noqa: PLR0124 - NaN
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
