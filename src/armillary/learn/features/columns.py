"""Values as they are, their logarithms, and differences of two: colours."""

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.learn.features import Features
from armillary.learn.samples import RESERVED, column

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]


def columns(samples: "xr.Dataset", names: Sequence[str] = (), prefix: str = "") -> Features:
    """Take numbers as they are.

    Parameters
    ----------
    samples : xarray.Dataset
    names : sequence of str
        Variables; if empty the attribute ``columns`` of the samples, or else all numbers that are neither coordinates
        nor times. One of more than one dimension is laid flat: ``name_0``, ``name_1``...
    prefix : str
        Put before the names of the columns.

    Notes
    -----
    Each variable is a feature group.
    """
    taken = numbers_of(samples, names)
    parts = [_flat(samples, name) for name in taken]
    counts = [part.shape[1] for part in parts]
    titles = tuple(
        f"{prefix}{name}" if samples[name].ndim == 1 else f"{prefix}{name}_{at}"
        for name, count in zip(taken, counts, strict=True)
        for at in range(count)
    )
    groups = tuple(name for name, count in zip(taken, counts, strict=True) for _ in range(count))
    return Features(np.concatenate(parts, axis=1), titles, groups)


def log(samples: "xr.Dataset", names: Sequence[str] = (), prefix: str = "log_", kind: str = "log10") -> Features:
    """Take logarithms.

    Parameters
    ----------
    samples : xarray.Dataset
    names : sequence of str
        As for `columns`.
    prefix : str
    kind : str
        ``log10``: what is not above 0 becomes missing; ``asinh``: for values of both signs.
    """
    plain = columns(samples, names, prefix)
    return Features(_scaled(plain.matrix, kind), plain.names, plain.groups)


def differences(
    samples: "xr.Dataset",
    names: Sequence[str] = (),
    pairs: str = "all",
    kind: str = "plain",
    prefix: str = "",
    group: str = "",
) -> Features:
    """Take differences of two columns each; of magnitudes these are colours.

    Parameters
    ----------
    samples : xarray.Dataset
    names : sequence of str
        As for `columns`, in order, such as from short to long wavelength.
    pairs : str
        ``all`` of them, or ``next``: each column and the one after it.
    kind : str
        ``plain``, or ``log10`` or ``asinh`` of the values before, so that fluxes give colours too.
    prefix : str
    group : str
        One feature group for all; if empty ``a|b``, which drops out when one of both bands does.
    """
    made = columns(samples, names)
    if pairs not in {"all", "next"}:
        raise BadParameter(f"pairs = {pairs!r} is unknown", "give all or next")
    if len(made.names) < 2:
        raise BadParameter("differences need two columns or more", "name more variables")
    matrix = made.matrix if kind == "plain" else _scaled(made.matrix, kind)
    both = list(combinations(range(len(made.names)), 2) if pairs == "all" else pairwise(range(len(made.names))))
    first, second = (np.array(one) for one in zip(*both, strict=True))
    titles = tuple(f"{prefix}{made.names[a]}-{made.names[b]}" for a, b in both)
    groups = tuple(group or "|".join(dict.fromkeys((made.groups[a], made.groups[b]))) for a, b in both)
    return Features(matrix[:, first] - matrix[:, second], titles, groups)


def numbers_of(samples: "xr.Dataset", names: Sequence[str] = ()) -> list[str]:
    """Give the variables that features are made of, checked.

    Raises
    ------
    BadParameter
        If a name is unknown.
    BadData
        If one has no numbers, or there is none.
    """
    wanted = [names] if isinstance(names, str) else list(names) or list(samples.attrs.get("columns", ()))
    for name in wanted:
        if column(samples, name).dtype.kind not in "fiub":
            raise BadData(f"{name!r} has no numbers", "name variables that hold numbers")
    found = wanted or [
        str(name)
        for name, one in samples.data_vars.items()
        if name not in RESERVED and name != "time" and one.dims[:1] == ("sample",) and one.dtype.kind in "fiub"
    ]
    if not found:
        raise BadData("the samples hold no numbers to learn from", "look at the layout that read them")
    return found


def _flat(samples: "xr.Dataset", name: str) -> Array:
    values = column(samples, name)
    return values.reshape(len(values), -1).astype(float)


def _scaled(values: Array, kind: str) -> Array:
    if kind == "asinh":
        return np.asarray(np.arcsinh(values))
    if kind != "log10":
        raise BadParameter(f"kind = {kind!r} is unknown", "give log10 or asinh")
    return np.log10(values, out=np.full(values.shape, np.nan), where=values > 0)
