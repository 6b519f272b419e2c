"""How far the rows that a model was applied to are from those it has learnt from, feature by feature.

Training rows are kept as shares of bins only, and tallies of blocks add up: any amount of data is reported in the
memory of one block. Formulas in docs/learn/trust.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from armillary.errors import BadData
from armillary.learn.samples import Array

#: What a row can be, see :meth:`armillary.learn.trust.Reference.trust`.
STATES: Final = ("ok", "shifted", "ood")
#: What a row without any value is.
UNKNOWN: Final = ""
#: Bins of a feature between its smallest and largest training value; one below, one above and one for NaN are added.
BINS: Final = 20
#: Training rows that a profile is made of: more do not make it better.
_ROWS: Final = 20_000
#: Stability index of a feature that moved by about its own spread, and the share of such features that is too much.
_GROSS: Final = 1.0
_FEW: Final = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """How the training values of each feature were spread.

    Parameters
    ----------
    names : array of str, (p,)
        Of the features.
    edges : array of float, (p, BINS + 1)
        Of the bins of each feature; infinite where values coincide.
    shares : array of float, (p, BINS + 3)
        Training share of each bin, last that of missing values.
    usual : array of float, (p,)
        Population stability index that 95 % of the training blocks do not exceed against all of them.
    trained : array of int, ()
        How many rows this was made of.
    """

    names: Array
    edges: Array
    shares: Array
    usual: Array
    trained: Array


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What rows that a model was applied to looked like; tallies of blocks add up.

    Parameters
    ----------
    counts : array of int, (p, BINS + 3)
    states : array of int, (4,)
        Rows that are ok, shifted, ood, and those without any value.
    """

    counts: Array
    states: Array

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.counts + other.counts, self.states + other.states)


def profile_of(matrix: Array, blocks: Array, names: Sequence[str] = (), seed: int = 0) -> Profile:
    """Keep how training values are spread.

    Parameters
    ----------
    matrix : array of float, (n, p)
        Features of the training rows, NaN = missing.
    blocks : array of int, (n,)
    names : sequence of str
    seed : int
        Of the rows, at most 20,000, and the blocks, at most 50, that are looked at.
    """
    some = np.random.default_rng(seed).permutation(len(matrix))[:_ROWS]
    matrix, blocks = finite_matrix(np.asarray(matrix)[some], np.shape(matrix)[-1]), np.asarray(blocks)[some]
    edges = np.array([_edges(column) for column in matrix.T]).reshape(-1, BINS + 1)
    counts = _counts(edges, matrix)
    titles = np.array([str(one) for one in names] or [f"feature {at}" for at in range(len(edges))])
    usual = _usual(edges, counts, matrix, np.unique(blocks, return_inverse=True)[1], seed)
    return Profile(titles, edges, counts / max(len(matrix), 1), usual, np.array(len(matrix)))


def tally(profile: Profile, matrix: Array, states: Array) -> Tally:
    """Count one block of rows, (n, p), and what `Reference.trust` said of each, (n,).

    Raises
    ------
    BadData
    """
    matrix = finite_matrix(matrix, len(profile.names))
    if np.shape(states) != (len(matrix),):
        raise BadData(f"{np.size(states)} states do not fit {len(matrix)} rows", "ask Reference.trust for each row")
    return Tally(_counts(profile.edges, matrix), np.array([(states == one).sum() for one in (*STATES, UNKNOWN)]))


def drift(profile: Profile, seen: Tally) -> dict[str, Any]:
    """Say how far the rows that a model was applied to are from those it has learnt from.

    Returns
    -------
    dict
        ``rows, verdict`` (none, some, strong), ``text``, ``states`` (share ok, shifted, ood; ``unknown``, if there is
        any row without a value), ``features``: for each,
        the most drifted first, ``name, psi`` (population stability index, less what chance gives), ``usual`` (what 95 %
        of the training blocks keep below), ``ks`` (largest distance of the cumulative shares, at the edges of bins),
        ``missing_trained, missing_applied, verdict``.

    Raises
    ------
    BadData
        If no row was counted.
    """
    rows = int(seen.states.sum())
    if not rows:
        raise BadData("there is no row to look for drift in", "look at the interval that the model was applied to")
    trained = profile.shares * int(profile.trained)
    columns = {
        "psi": _psi(trained, seen.counts),
        "usual": profile.usual,
        "ks": _ks(trained, seen.counts),
        "missing_trained": profile.shares[:, -1],
        "missing_applied": seen.counts[:, -1] / rows,
    }
    table = [
        {
            "name": str(profile.names[at]),
            **{key: float(one[at]) for key, one in columns.items()},
            "verdict": _verdict(columns["psi"][at], profile.usual[at]),
        }
        for at in np.argsort(-columns["psi"], kind="stable")
    ]
    states = {name: float(one) / rows for name, one in zip((*STATES, "unknown"), seen.states, strict=True)}
    if not states["unknown"]:
        del states["unknown"]
    gross = (columns["psi"] > np.maximum(_GROSS + BINS / rows, 2 * profile.usual)).mean()
    verdict = _whole_verdict(states["shifted"] + states["ood"], float(gross), [str(row["verdict"]) for row in table])
    return {
        "rows": rows,
        "verdict": verdict,
        "text": _told(verdict, states, table),
        "states": states,
        "features": table,
    }


def finite_matrix(matrix: Array, features: int) -> Array:
    """Give rows (n, p) with everything that is not finite as NaN.

    Raises
    ------
    BadData
        If there is another number of features.
    """
    matrix = np.asarray(matrix, float)
    if matrix.ndim != 2 or matrix.shape[1] != features:
        problem = f"rows of shape {matrix.shape} do not fit {features} features"
        raise BadData(problem, "make the features as in the study")
    return np.where(np.isfinite(matrix), matrix, np.nan)


def _edges(column: Array) -> Array:
    """Give edges of equal mass from just below the smallest to the largest value, filled up with infinity."""
    answer, known = np.full(BINS + 1, np.inf), column[np.isfinite(column)]
    if known.size:
        inner = np.quantile(known, np.linspace(0, 1, BINS + 1)[1:], method="inverted_cdf")
        edges = np.unique(np.concatenate([[np.nextafter(known.min(), -np.inf)], inner]))
        answer[: len(edges)] = edges
    return answer


def _counts(edges: Array, matrix: Array) -> Array:
    """Count each feature by bin, (p, BINS + 3): below, between the edges, above; last what is missing."""
    counts = np.zeros((len(edges), edges.shape[1] + 2), np.int64)
    for at, (limits, column) in enumerate(zip(edges, matrix.T, strict=True)):
        known = column[~np.isnan(column)]
        counts[at, :-1] = np.bincount(np.searchsorted(limits, known, side="left"), minlength=edges.shape[1] + 1)
        counts[at, -1] = len(column) - len(known)
    return counts


def _usual(edges: Array, counts: Array, matrix: Array, blocks: Array, seed: int) -> Array:
    """Give what 95 % of the training blocks (at most 50 of them) do not exceed."""
    sizes = np.bincount(blocks)
    large = np.flatnonzero(sizes >= 30)
    if len(sizes) < 2 or not len(large):
        return np.zeros(len(edges))
    some = np.random.default_rng(seed).permutation(large)[:50]
    of_block = [_counts(edges, matrix[blocks == one]) for one in some]
    seen: Array = np.quantile([_psi(counts - one, one) for one in of_block], 0.95, axis=0)
    return seen


def _psi(trained: Array, applied: Array) -> Array:
    """Give the population stability index of each feature, (p,), less what it is by chance without any drift."""
    used = (trained > 0) | (applied > 0)
    bins = used.sum(axis=1, keepdims=True)
    old, new = (np.where(used, one + 0.5, 1.0) for one in (trained, applied))
    rows = [one.sum(axis=1, keepdims=True) for one in (trained, applied)]
    old, new = (one / (count + 0.5 * bins) for one, count in zip((old, new), rows, strict=True))
    index = np.where(used, (new - old) * np.log(new / old), 0).sum(axis=1)
    chance = (bins - 1) * (1 / rows[0] + 1 / rows[1])
    less: Array = np.maximum(index - chance[:, 0], 0)
    return less


def _ks(trained: Array, applied: Array) -> Array:
    """Give the largest distance of the cumulative shares of what is not missing, (p,); NaN where all is."""
    sums = [np.cumsum(one[:, :-1], axis=1, dtype=float) for one in (trained, applied)]
    old, new = (np.divide(one, one[:, -1:], out=np.full(one.shape, np.nan), where=one[:, -1:] > 0) for one in sums)
    distance: Array = np.abs(old - new).max(axis=1)
    return distance


def _verdict(psi: float, usual: float) -> str:
    """Judge one feature by the customary limits 0.1 and 0.25, and never for less than training blocks differ."""
    if psi <= max(0.1, usual):
        return "none"
    return "strong" if psi > 0.25 else "some"


def _whole_verdict(strange: float, gross: float, verdicts: Sequence[str]) -> str:
    """Judge all features together; a few that moved far count by themselves: features made of them may cancel it."""
    drifted, strong = (sum(one in wanted for one in verdicts) for wanted in ({"some", "strong"}, {"strong"}))
    if strange > 0.3 or gross > _FEW or strong > 0.25 * len(verdicts):
        return "strong"
    return "some" if strange > 0.15 or gross or drifted > 0.1 * len(verdicts) else "none"


def _told(verdict: str, states: Mapping[str, float], table: Sequence[Mapping[str, Any]]) -> str:
    drifted = [str(row["name"]) for row in table if row["verdict"] != "none"]
    what = f"{len(drifted)} of {len(table)} features moved" + (f", most {', '.join(drifted[:3])}" if drifted else "")
    share = f"{100 * states['shifted']:.1f} % of the rows are shifted, {100 * states['ood']:.1f} % ood"
    share += f", {100 * states['unknown']:.1f} % without any value" if "unknown" in states else ""
    return f"drift: {verdict} ({share}; {what})"
