"""Rows that stand twice in a table of features."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def row_hashes(matrix: Array) -> Array:
    """Give one number a row, alike for rows that are alike; all NaN and both zeros count as one."""
    odd = np.random.default_rng(0).integers(0, 1 << 62, (2, matrix.shape[1]), dtype=np.uint64) * 2 + 1
    parts = []
    for at in range(0, len(matrix), 4096):
        values = np.ascontiguousarray(np.where(np.isnan(matrix[at : at + 4096]), np.nan, matrix[at : at + 4096] + 0.0))
        bits = values.view(np.uint64)
        parts.append((((bits * odd[0]) ^ (bits >> 29)) * odd[1]).sum(axis=1, dtype=np.uint64))
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


def chance_of_twins(matrix: Array) -> float:
    """Share of rows that would have a twin if columns were independent: rows of few whole numbers meet by chance."""
    meet = 0.0
    for values in matrix.T:
        counts = np.unique(values, return_counts=True)[1] / len(matrix)
        meet += float(np.log((counts**2).sum()))
    return float(-np.expm1(len(matrix) * np.log1p(-min(np.exp(meet), 1 - 1e-12))))
