"""From a score along a series to events: smooth, threshold, join, leave out; and the choice of these numbers."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter
from armillary.learn.events.matching import as_events, match_pairs, overlaps
from armillary.learn.events.peaks import around_peaks
from armillary.learn.events.scoring import as_ns, judge, rates, totals
from armillary.learn.study import seconds_of

Array = np.ndarray[Any, np.dtype[Any]]

#: Samples further apart than this many cadences have a gap between them.
_GAP: Final = 1.5
_NS: Final = 1e9
#: F1 that is no real difference.
_SLACK: Final = 0.02
#: Thresholds and peaks that are tried for probabilities, and shares of the scores for other scores.
_LEVELS: Final = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_PEAKS: Final = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9)
_SHARES: Final = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 0.999)
_TOPS: Final = (0.95, 0.98, 0.99, 0.995, 0.999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoder:
    """How a score becomes events; the steps are done in the order of the parameters.

    Parameters
    ----------
    smooth : float
        Width in seconds of a centred running mean; 0 for none. Missing scores are left out of the mean.
    threshold : float
        Samples with at least this score are in an event.
    share : float
        If not 0, each peak is an event of its own, whose edges lie where the score is less than this share of the peak:
        strong events are not widened by a low threshold, weak ones not lost by a high one. For positive scores.
    join : float
        Events with a gap of at most this many seconds become one.
    peak : float
        Events whose highest smoothed score is less are left out.
    least : float
        Events shorter than this many seconds are left out.
    widen : float
        Seconds that every event is made longer at both ends; shorter if negative.
    """

    smooth: float = 0.0
    threshold: float = 0.5
    share: float = 0.0
    join: float = 0.0
    peak: float = -np.inf
    least: float = 0.0
    widen: float = 0.0

    def to_record(self) -> dict[str, float | None]:
        """Give it as plain numbers, for JSON; a `peak` that asks for nothing is None."""
        return asdict(self) | {"peak": None if np.isneginf(self.peak) else self.peak}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> "Decoder":
        """Make it of what :meth:`to_record` gave; durations may be texts such as "6h".

        Raises
        ------
        BadParameter
            If a name is unknown or a value is no number.
        """
        known = [one.name for one in fields(cls)]
        unknown = sorted(set(record) - set(known))
        if unknown:
            raise BadParameter(f"a decoder has no {unknown[0]!r}", f"it has {', '.join(known)}")
        return cls(**{name: _number(value) for name, value in record.items() if value is not None})


def decode(times: Array, score: Array, decoder: Decoder, cadence: float, groups: Array | None = None) -> Array:
    """Turn a score along a series into events.

    Parameters
    ----------
    times : array of int or datetime64, (n,)
        Nanoseconds, in any order; a sample stands for the time from there on, one cadence long.
    score : array of float, (n,)
        Higher where an event is more likely; NaN is never in an event.
    decoder : Decoder
    cadence : float
        Seconds; samples more than 1.5 cadences apart end an event, unless `join` bridges the gap.
    groups : array of int, (n,), optional
        Series of their own: no mean and no event goes from one to another.

    Returns
    -------
    array of int, (k, 2), or (k, 3) with groups
        In order of group and time.

    Examples
    --------
    >>> hours = 3_600_000_000_000 * np.arange(6)
    >>> found = decode(hours, np.array([0.1, 0.8, 0.9, 0.2, 0.7, 0.1]), Decoder(least=7200), 3600)
    >>> (found // 3_600_000_000_000).tolist()
    [[1, 3]]
    """
    series = _series(times, score, cadence, groups)
    runs = _runs(series, _smoothed(series, decoder.smooth), decoder.threshold, decoder.share)
    events = _shape(_joined(runs, decoder.join), decoder)
    return events if groups is not None else events[:, :2]


def choose(
    times: Array, score: Array, truth: Array, span: Array | None, search: Mapping[str, Sequence[Any]], cadence: float,
    aim_iou: float | Sequence[float], groups: Array | None = None,
) -> Decoder:  # fmt: skip
    """Choose the decoder with the best event F1 among all combinations of some values.

    Values that differ by at most one true event (and at most .02) are as good as each other; of these the one is taken
    whose neighbours in the grid are best too, so that little changes if the next series is a little different.

    Parameters
    ----------
    times, score, cadence, groups
        As for :func:`decode`; scores must be held-out ones.
    truth, span
        As for :func:`armillary.learn.events.score`.
    search : mapping of str to list
        Values for parameters of :class:`Decoder`, durations in seconds or as texts; ``quantile`` in place of
        ``threshold`` for shares of the smoothed scores. What is not named has its default; all of
        :func:`usual_search` if nothing is.
    aim_iou : float or sequence of float
        Overlap whose F1 is made best; of several the mean.

    Raises
    ------
    BadData
        If no true event is judged, or no score is a number.
    BadParameter
        If a parameter is unknown.
    """
    series = _series(times, score, cadence, groups)
    events = as_events(truth, "true events")
    known = int(judge(events, events, span)[1].sum())
    if not known or not np.isfinite(series.score).any():
        problem = "there is no true event in the judged time" if not known else "not one score is a number"
        raise BadData(problem, "give more time, or look at the labels and the model")
    search = dict(search) or usual_search(events, score)
    values = {name: [_number(one) for one in some] for name, some in search.items()}
    tried, shape = _tried(series, values)
    aims = (aim_iou,) if isinstance(aim_iou, int | float) else tuple(aim_iou)
    f1 = _f1_of_all([found for _, found in tried], events, span, aims).reshape(shape)
    return tried[_middle_of_best(f1, min(1 / known, _SLACK))][0]


def usual_search(truth: Array, score: Array) -> dict[str, list[float]]:
    """Give values to search for true events of this length, and scores of this kind.

    Parameters
    ----------
    truth : array of int, (m, 2) or (m, 3)
    score : array of float, (n,)
        Probabilities get thresholds from .05 to .9, others shares of the scores from .5 to .999.
    """
    rows = as_events(truth, "true events")
    typical = float(np.median(rows[:, 1] - rows[:, 0])) / _NS if len(rows) else 0.0
    half, whole = [0.0, typical / 4, typical / 2], [0.0, typical / 2, typical]
    finite = np.asarray(score, float)[np.isfinite(score)]
    probable = len(finite) > 0 and finite.min() >= 0 and finite.max() <= 1
    level = {"threshold": list(_LEVELS)} if probable else {"quantile": list(_SHARES)}
    peaks = list(_PEAKS) if probable or not len(finite) else np.quantile(finite, _TOPS).tolist()
    return {"smooth": half, **level, "join": whole, "peak": [-np.inf, *peaks], "least": half}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, np.number) else seconds_of(value)


@dataclass(frozen=True, slots=True)
class _Series:
    """Scores in order of group and time; `parts` are the slices of the groups."""

    times: Array
    score: Array
    groups: Array
    cadence: int
    parts: tuple[slice, ...]


@dataclass(frozen=True, slots=True)
class _Runs:
    """Events (k, 3) in order, and the highest score of each."""

    events: Array
    peak: Array


def _series(times: Array, score: Array, cadence: float, groups: Array | None) -> _Series:
    stamps, values = as_ns(times), np.asarray(score, float)
    group = np.zeros(len(stamps), np.int64) if groups is None else np.asarray(groups, np.int64)
    if not len(stamps) == len(values) == len(group):
        problem = f"there are {len(stamps)} times, {len(values)} scores and {len(group)} groups"
        raise BadData(problem, "give as many of each")
    if cadence <= 0:
        raise BadParameter(f"the cadence is {cadence} s", "give the seconds from one sample to the next")
    order = np.lexsort((stamps, group))
    stamps, values, group = stamps[order], values[order], group[order]
    edges = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), len(group)]
    parts = tuple(slice(a, b) for a, b in itertools.pairwise(edges) if a < b)
    return _Series(stamps, values, group, round(cadence * _NS), parts)


def _smoothed(series: _Series, width: float) -> Array:
    """Give the mean of what lies within half the width of each sample, O(n log n)."""
    if width <= 0:
        return series.score
    half = round(width * _NS / 2)
    there = np.isfinite(series.score)
    total = np.concatenate([[0.0], np.cumsum(np.where(there, series.score, 0.0))])
    number = np.concatenate([[0], np.cumsum(there)])
    mean = np.full(len(series.score), np.nan)
    for part in series.parts:
        times = series.times[part]
        low = part.start + np.searchsorted(times, times - half, "left")
        high = part.start + np.searchsorted(times, times + half, "right")
        count = number[high] - number[low]
        np.divide(total[high] - total[low], count, out=mean[part], where=count > 0)
    return mean


def _runs(series: _Series, values: Array, threshold: float, share: float) -> _Runs:
    """Give unbroken stretches of samples at or above a threshold, or their peaks."""
    inside = np.flatnonzero(values >= threshold)
    if not len(inside):
        return _Runs(np.zeros((0, 3), np.int64), np.zeros(0))
    apart = np.diff(inside) > 1
    apart |= np.diff(series.times[inside]) > _GAP * series.cadence
    apart |= np.diff(series.groups[inside]) != 0
    first = np.concatenate([[0], np.flatnonzero(apart) + 1])
    last = np.concatenate([first[1:] - 1, [len(inside) - 1]])
    ends = np.column_stack([inside[first], inside[last]])
    if share > 0:
        ends = around_peaks(values, ends[:, 0], ends[:, 1], share)
    events = np.column_stack([series.times[ends[:, 0]], series.times[ends[:, 1]] + series.cadence])
    peak = np.array([values[a : b + 1].max() for a, b in ends])
    return _Runs(np.column_stack([events, series.groups[ends[:, 0]]]), peak)


def _joined(runs: _Runs, gap: float) -> _Runs:
    """Make one of events that are at most `gap` seconds apart."""
    events = runs.events
    if len(events) < 2:
        return runs
    apart = events[1:, 0] - events[:-1, 1] > round(gap * _NS)
    first = np.concatenate([[0], np.flatnonzero(apart | (events[1:, 2] != events[:-1, 2])) + 1])
    stops = np.maximum.reduceat(events[:, 1], first)
    joined = np.column_stack([events[first, 0], stops, events[first, 2]])
    return _Runs(joined, np.maximum.reduceat(runs.peak, first))


def _shape(runs: _Runs, decoder: Decoder) -> Array:
    long = runs.events[:, 1] - runs.events[:, 0] >= round(decoder.least * _NS)
    events = runs.events[long & (runs.peak >= decoder.peak)]
    if not decoder.widen:
        return events
    wider = events + round(decoder.widen * _NS) * np.array([-1, 1, 0])
    wider = wider[wider[:, 0] < wider[:, 1]]
    return _joined(_Runs(wider, np.zeros(len(wider))), 0.0).events


def _tried(series: _Series, values: dict[str, list[float]]) -> tuple[list[tuple[Decoder, Array]], tuple[int, ...]]:
    """Decode with every combination; smoothing and joining are done once for all that share them."""
    level = "quantile" if "quantile" in values else "threshold"
    if {"quantile", "threshold"} <= values.keys():
        raise BadParameter("a threshold cannot be searched beside quantiles", "give one of the two")
    empty = [name for name, some in values.items() if not some]
    if empty:
        raise BadParameter(f"there is no value of {empty[0]!r} to try", "name some, or leave it out")
    Decoder.of_record(dict.fromkeys(values.keys() - {"quantile"}, 0.0))
    plain = asdict(Decoder())
    grid = [
        values[name] if name in values else [plain[name]]
        for name in ("smooth", level, "share", "join", "peak", "least", "widen")
    ]
    smooths, levels, shares, joins, *rest = grid
    tried = []
    for smooth in smooths:
        mean = _smoothed(series, smooth)
        at = np.nanquantile(mean, levels) if level == "quantile" else levels
        for threshold, share, join in itertools.product(at, shares, joins):
            first = Decoder(smooth=smooth, threshold=float(threshold), share=share, join=join)
            runs = _joined(_runs(series, mean, first.threshold, share), join)
            for peak, least, widen in itertools.product(*rest):
                decoder = replace(first, peak=peak, least=least, widen=widen)
                tried.append((decoder, _shape(runs, decoder)))
    return tried, tuple(map(len, grid))


def _f1_of_all(tried: Sequence[Array], truth: Array, span: Array | None, aims: Sequence[float]) -> Array:
    """Give the F1 of many lists; equal lists are judged once, and hopelessly many or few events not at all."""
    f1, best, known = np.zeros(len(tried)), 0.0, dict[bytes, float]()
    for at, found in enumerate(tried):
        if 2 * min(len(found), len(truth)) / (len(found) + len(truth)) < best / 2:
            continue
        key = found.tobytes()
        if key not in known:
            known[key] = _f1(found, truth, span, aims)
        f1[at] = known[key]
        best = max(best, known[key])
    return f1


def _f1(found: Array, truth: Array, span: Array | None, aims: Sequence[float]) -> float:
    pairs, judged = overlaps(found, truth, min(aims)), judge(found, truth, span)
    return float(np.mean([rates(totals(match_pairs(pairs, aim), judged))[2] for aim in aims]))


def _middle_of_best(f1: Array, slack: float) -> int:
    """Give the place of the best value: of those as good as the best the one amid good ones, near the middle of all."""
    from scipy.ndimage import uniform_filter

    good = np.argwhere(f1 >= f1.max() - slack)
    around = uniform_filter(f1, 3, mode="nearest")[tuple(good.T)]
    calm = good[around >= around.max() - 1e-9]
    far = np.abs((calm - good.mean(0)) / np.array(f1.shape)).sum(1)
    return int(np.ravel_multi_index(tuple(calm[far.argmin()]), f1.shape))
