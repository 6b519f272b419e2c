"""Completeness and purity of each class by magnitude, by height above the Milky Way, or by any other number."""

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.bootstrap import interval_of_sums
from armillary.learn.judging import judged_rows
from armillary.learn.preparing import Prepared
from armillary.learn.priors import purity_of
from armillary.learn.samples import column
from armillary.learn.study import Study

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]
_ABSOLUTE: Final = "abs_"
#: Right ascension and declination of the north pole of the Milky Way, degrees, ICRS (ESA 1997, Hipparcos vol. 1).
_POLE: Final = (192.85948, 27.12825)


def judge_bins(study: Study, prepared: Prepared, answer: Array, said: Array | None = None) -> Record:
    """Score each class in each bin of the study's ``judged_by``.

    Parameters
    ----------
    answer : array of float, (n, K)
    said : array of int, (n,), optional
        Classes said, where they are not the most probable ones.

    Returns
    -------
    dict
        By name of the number a list of bins: ``low``, ``high``, ``samples``, and ``classes`` with ``samples``,
        ``completeness``, ``purity`` and the 95 % interval of each by resampling blocks. Purity is that of the stated
        prior, if the study states one; else that of these samples.

    Raises
    ------
    BadParameter
        If the samples have no such number.
    """
    if not study.judged_by or answer.ndim == 1 or study.task != "classes":
        return {}
    rows = judged_rows(prepared, answer)
    codes = answer[rows].argmax(axis=1) if said is None else said[rows]
    told: Record = {}
    for name, edges in study.judged_by.items():
        place = np.searchsorted(edges, number_of(prepared.samples, name)[rows], side="right")
        told[name] = [
            {"low": float(low), "high": float(high), **_bin(study, prepared, rows[place == at], codes[place == at])}
            for at, (low, high) in enumerate(pairwise(edges), 1)
        ]
    return told


def number_of(samples: "xr.Dataset", name: str) -> Array:
    """Give a number of each sample, (n,): a column, ``abs_`` and a column, or ``b`` that ra and dec tell.

    Raises
    ------
    BadParameter
    """
    plain = name.removeprefix(_ABSOLUTE)
    if plain == "b" and "b" not in samples.variables and {"ra", "dec"} <= set(samples.variables):
        values = galactic_latitude(*(column(samples, one).astype(float) for one in ("ra", "dec")))
    else:
        values = column(samples, plain)
    if values.dtype.kind not in "fiu":
        raise BadParameter(f"judged_by: {name!r} is no number", "name a column of numbers")
    return np.abs(values) if name.startswith(_ABSOLUTE) else np.asarray(values, float)


def galactic_latitude(ra: Array, dec: Array) -> Array:
    """Give the latitude above the Milky Way, all in degrees.

    Examples
    --------
    >>> galactic_latitude(np.array([0.0, 192.859]), np.array([0.0, 27.128])).round(1).tolist()
    [-60.2, 90.0]
    """
    longitude, latitude, pole = np.radians(ra - _POLE[0]), np.radians(dec), np.radians(_POLE[1])
    height = np.sin(latitude) * np.sin(pole) + np.cos(latitude) * np.cos(pole) * np.cos(longitude)
    return np.asarray(np.degrees(np.arcsin(np.clip(height, -1, 1))))


def bin_tables(by: Mapping[str, Any]) -> list[tuple[str, list[list[str]]]]:
    """Give title and rows of a table for each number."""
    tables = []
    for name, bins in by.items():
        rows = [["from", "to", "class", "samples", "completeness", "purity"]]
        for one in bins:
            for title, told in one["classes"].items():
                if told["samples"]:
                    cells = [_cell(told, kind) for kind in ("completeness", "purity")]
                    rows.append([f"{one['low']:g}", f"{one['high']:g}", title, str(told["samples"]), *cells])
        tables.append((f"By {name}", rows))
    return tables


def _bin(study: Study, prepared: Prepared, rows: Array, codes: Array) -> Record:
    number = len(prepared.classes)
    blocks = np.unique(prepared.blocks[rows], return_inverse=True)[1].reshape(-1)
    counts = np.zeros((int(blocks.max(initial=-1)) + 1, number, number))
    known = codes >= 0
    np.add.at(counts, (blocks[known], prepared.target[rows][known], codes[known]), 1)
    whole = counts.sum(axis=0)
    values = _rates(study, prepared, whole)
    edges = np.full((2, 2 * number), np.nan)
    if study.resamples and len(counts) > 1:
        found = interval_of_sums(lambda sums: _rates(study, prepared, sums), counts, study.resamples, study.seed)
        edges = np.array(found, float).reshape(2 * number, 2).T
    classes = {
        name: {
            "samples": int(whole[at].sum()),
            **{
                kind: _told(values[at + more], edges[:, at + more])
                for kind, more in (("completeness", 0), ("purity", number))
            },
        }
        for at, name in enumerate(prepared.classes)
    }
    return {"samples": len(rows), "classes": classes}


def _rates(study: Study, prepared: Prepared, counts: Array) -> Array:
    """Give completeness of all classes, then purity, (..., 2 K)."""
    if study.prior:
        shares = np.array([study.prior.get(name, 0.0) for name in prepared.classes])
        complete, pure = purity_of(counts, shares / shares.sum())
        return np.concatenate([complete, pure], axis=-1)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    sums = np.concatenate([counts.sum(axis=-1), counts.sum(axis=-2)], axis=-1)
    twice = np.concatenate([right, right], axis=-1)
    return np.asarray(np.divide(twice, sums, out=np.full(sums.shape, np.nan), where=sums > 0))


def _told(value: float, edges: Array) -> Record:
    interval = [float(one) for one in edges] if np.isfinite(edges).all() else None
    return {"value": float(value) if np.isfinite(value) else None, "interval": interval}


def _cell(told: Mapping[str, Any], kind: str) -> str:
    value, edges = told[kind]["value"], told[kind]["interval"]
    if value is None:
        return "-"
    return f"{value:.3f} [{edges[0]:.3f}, {edges[1]:.3f}]" if edges else f"{value:.3f}"
