"""Several models that answer together by the mean of what each says, learnt from rows that are varied a little."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.models.trees import by_task

Array = np.ndarray[Any, np.dtype[Any]]


def ensemble(options: dict[str, Any], task: str, seed: int) -> Any:
    """Make several models that vote; options of `Ensemble`."""
    if task != "novelty":
        by_task("ensemble", task, Ensemble, Ensemble)
    return Ensemble(task=task, seed=seed, **options)


class Ensemble:
    """Models that answer together.

    Parameters
    ----------
    task : str
        Any of a study.
    seed : int
    members : sequence of mapping
        Each has ``use``, if wanted ``weight`` (1 if not given) and ``repeats`` (how many of it, each with its own
        seed); all other keys are options of that model, those common to all models included.
    variants : int
        How many varied copies of the training rows are learnt beside them, see `vary`. Training sets of few days,
        fields or nights are narrower than their classes: so borders lie away from the rows at hand.
    noise, shift : float
        How much copies are varied.

    Raises
    ------
    BadParameter
        If there is no member, or one is not complete.

    Notes
    -----
    The answer is the weighted mean of the members' probabilities (soft voting) or numbers; for novelty of their ranks,
    from 0 to 1 among the rows that are asked about together, as what members say has no common unit.
    """

    def __init__(
        self,
        task: str,
        seed: int,
        *,
        members: Sequence[Mapping[str, Any]] = (),
        variants: int = 0,
        noise: float = 0.0,
        shift: float = 0.0,
    ) -> None:
        _check(members, variants, noise, shift)
        self.task = task
        self.seed = seed
        self.variants = int(variants)
        self.noise = float(noise)
        self.shift = float(shift)
        self.weights = [float(one.get("weight", 1.0)) for one in members for _ in range(int(one.get("repeats", 1)))]
        self.members = _made(members, task, seed)

    def fit(self, x: Array, y: Array | None = None, sample_weight: Array | None = None) -> "Ensemble":
        """Learn from rows: every member from all of them.

        Parameters
        ----------
        x : array of float, (n, p)
            NaN = missing.
        y : array, (n,)
            Not needed for novelty.
        sample_weight : array of float, (n,)
        """
        if self.variants:
            random = np.random.default_rng(self.seed)
            x = np.concatenate([x, *(vary(x, random, self.noise, self.shift) for _ in range(self.variants))])
            y = None if y is None else np.tile(y, self.variants + 1)
            sample_weight = None if sample_weight is None else np.tile(sample_weight, self.variants + 1)
        for member in self.members:
            member.fit(x, y, sample_weight)
        return self

    def predict_proba(self, x: Array) -> Array:
        """Give the mean probability of each class, (n, K)."""
        return self._mean([member.predict_proba(x) for member in self.members])

    def predict(self, x: Array) -> Array:
        """Give the mean number, or the code of the most probable class."""
        if self.task == "regression":
            return self._mean([member.predict(x) for member in self.members])
        return np.asarray(np.argmax(self.predict_proba(x), axis=1))

    def novelty(self, x: Array) -> Array:
        """Give the mean rank of each row among all of them, (n,); 1 is the strangest."""
        from scipy.stats import rankdata

        return self._mean([rankdata(member.novelty(x)) / len(x) for member in self.members])

    def _mean(self, answers: Sequence[Array]) -> Array:
        return np.asarray(np.average(answers, axis=0, weights=self.weights))


def vary(x: Array, random: np.random.Generator, noise: float = 0.0, shift: float = 0.0) -> Array:
    """Give a copy of rows that is a little different; what is missing stays missing.

    Parameters
    ----------
    x : array of float, (n, p)
    random : Generator
    noise : float
        Normal noise of this many deviations of each column is added.
    shift : float
        The columns are one series: each row is moved along it by up to this many columns to either side, values
        between columns on the line between them, the ends held.

    Examples
    --------
    >>> vary(np.array([[0.0, 1.0, 2.0, 3.0]]), np.random.default_rng(1), shift=1.0).round(2).tolist()
    [[0.02, 1.02, 2.02, 3.0]]
    """
    last = x.shape[1] - 1
    if shift and last:
        place = np.clip(np.arange(last + 1) + random.uniform(-shift, shift, (len(x), 1)), 0, last)
        below = np.minimum(place.astype(int), last - 1)
        low, high = (np.take_along_axis(x, below + more, axis=1) for more in (0, 1))
        x = low + (high - low) * (place - below)
    if noise:
        x = x + random.normal(size=x.shape) * (noise * _deviation(x))
    return x


def _deviation(x: Array) -> Array:
    """Give the deviation of each column; 0 where it has no value."""
    known = np.isfinite(x)
    count = np.maximum(known.sum(axis=0), 1)
    values = np.where(known, x, 0.0)
    apart = np.where(known, values - values.sum(axis=0) / count, 0.0)
    return np.asarray(np.sqrt((apart**2).sum(axis=0) / count))


def _check(members: Sequence[Any], variants: int, noise: float, shift: float) -> None:
    if not members:
        hint = 'add members = [{use = "extra_trees"}, {use = "boosting"}]'
        raise BadParameter("model 'ensemble' has no members", hint)
    wrong = [one for one in members if not isinstance(one, Mapping) or not one.get("use")]
    if wrong:
        raise BadParameter(f"a member of 'ensemble' names no model: {wrong[0]!r}", 'write {use = "extra_trees"}')
    if variants < 0 or noise < 0 or shift < 0:
        raise BadParameter("model 'ensemble': variants, noise or shift is below 0", "give 0 or more")
    if bool(variants) != bool(noise or shift):
        problem = "model 'ensemble': variants and the noise or shift that makes them need each other"
        raise BadParameter(problem, "give variants = 4 and noise = 0.2, or neither")


def _made(members: Sequence[Mapping[str, Any]], task: str, seed: int) -> list[Any]:
    from armillary.learn.models import make_model

    made: list[Any] = []
    for one in members:
        own = {name: value for name, value in one.items() if name not in {"use", "weight", "repeats"}}
        for _ in range(int(one.get("repeats", 1))):
            made.append(make_model(str(one["use"]), own, task=task, seed=seed + 1000 * len(made)))
    return made
