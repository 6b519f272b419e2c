"""What is true of all models: missing values, lacking classes, class weights, dropped bands, scaled targets."""

import sys
import warnings
from collections.abc import Sequence
from functools import cache
from inspect import signature
from typing import Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter

Array = np.ndarray[Any, np.dtype[Any]]
#: Options that every model takes.
COMMON: Final = ("scale", "flags", "class_weight", "dropout", "copies", "drop")
#: Ways to scale: not, by mean and deviation, by median and quartiles, by rank to a normal distribution.
SCALES: Final = ("none", "standard", "robust", "rank")
#: Larger numbers cannot be told from infinity in single precision, in which trees compare.
_LARGEST: Final = 1e38


class Learner:
    """A model with one door, whichever library it comes from.

    Parameters
    ----------
    estimator : object
        With `fit` and one of `predict_proba`, `predict`, `novelty` or `score_samples`.
    use : str
        What the model is called in messages.
    task : str
    seed : int
    groups : tuple of str
        Feature group of each column.
    classes : int
        Number of classes; found when fitting if 0.
    scale : str
        One of `SCALES`. Other than ``none``, gaps become the median of the training rows and columns are scaled, and
        the targets of a regression too.
    flags : bool
        Whether columns that say what was missing are added when gaps are filled; no if not given and the task is
        novelty, or columns are a series of channels.
    class_weight : str or sequence of float
        ``none``; ``balanced``: all classes weigh the same; ``sqrt``: half way; or one weight a class.
    dropout : float
        Probability with which each feature group of a copied row is made missing; 0 makes no copies.
    copies : int
        Copies of the training rows that dropout makes.
    drop : sequence of str
        Feature groups that may be dropped; all if empty.

    Notes
    -----
    Infinite values and those beyond 1e38 are missing. Columns without any value in the training rows are left out.
    """

    def __init__(
        self,
        estimator: Any,
        *,
        use: str,
        task: str,
        seed: int,
        groups: tuple[str, ...] = (),
        classes: int = 0,
        scale: str = "none",
        flags: bool | None = None,
        class_weight: str | Sequence[float] = "none",
        dropout: float = 0.0,
        copies: int = 1,
        drop: Sequence[str] = (),
    ) -> None:
        self.estimator = estimator
        self.use = use
        self.task = task
        self.seed = seed
        self.groups = list(groups)
        self.classes = classes
        self.prepare = _preparation(scale, flags=_default_flags(estimator, task) if flags is None else flags)
        self.class_weight = class_weight if isinstance(class_weight, str) else [float(one) for one in class_weight]
        self.dropout = _checked_dropout(use, dropout, groups, drop)
        self.copies = int(copies)
        self.drop = [drop] if isinstance(drop, str) else list(drop)

    def fit(self, x: Array, y: Array | None = None, sample_weight: Array | None = None) -> "Learner":
        """Learn from rows.

        Parameters
        ----------
        x : array of float, (n, p)
            NaN = missing.
        y : array, (n,)
            Codes 0..K-1, or numbers; not needed for novelty.
        sample_weight : array of float, (n,)

        Raises
        ------
        BadData
            If all values are missing, or there is one class only.
        """
        x = clean(x)
        self.columns_ = _columns_with_values(x, self.use)
        weight = None if sample_weight is None else np.asarray(sample_weight, float)
        if self.task == "novelty":
            return self._learn(x)
        y = self._encode(np.asarray(y))
        if self.class_weight != "none" and self.task != "regression":
            weight = (1.0 if weight is None else weight) * _class_weights(y, self.class_weight, self.codes_)
        x, y, weight = self._augment(x, y, weight)
        extra = {} if weight is None else _weight_argument(self.estimator, weight, self.use)
        return self._learn(x, y, **extra)

    def predict_proba(self, x: Array) -> Array:
        """Give the probability of each class, (n, K); rows sum to 1."""
        inner: Array
        if hasattr(self.estimator, "predict_proba"):
            inner = self._ask("predict_proba", x)
        else:
            inner = np.eye(len(self.codes_))[self._ask("predict", x).astype(np.int64)]
        if len(self.codes_) == self.classes:
            return inner
        probability = np.zeros((len(inner), self.classes))
        probability[:, self.codes_] = inner
        return probability

    def predict(self, x: Array) -> Array:
        """Give numbers, or for classes the most probable code."""
        if self.task == "regression":
            return np.asarray(self._ask("predict", x) * self.spread_ + self.middle_)
        return np.asarray(np.argmax(self.predict_proba(x), axis=1))

    def novelty(self, x: Array) -> Array:
        """Give how strange each row is, (n,); higher is stranger."""
        return self._ask("novelty", x) if hasattr(self.estimator, "novelty") else -self._ask("score_samples", x)

    def _learn(self, x: Array, *targets: Array, **extra: Array) -> "Learner":
        x = x[:, self.columns_]
        try:
            if self.prepare is not None:
                x = _quietly(self.prepare.fit_transform, x)
            _quietly(self.estimator.fit, x, *targets, **extra)
        except ValueError as failed:
            problem = f"model {self.use!r} cannot learn from these rows: {str(failed).strip()[:300]}"
            raise BadParameter(problem, "look at its options and features") from failed
        return self

    def _ask(self, method: str, x: Array) -> Array:
        if not hasattr(self, "columns_"):
            raise BadParameter(f"model {self.use!r} has not learnt anything yet", "call fit first")
        ask = getattr(self.estimator, method, None)
        if ask is None:
            problem = f"model {self.use!r} cannot do the task {self.task!r}: it has no {method}"
            raise BadParameter(problem, "choose another model or task")
        x = clean(x)[:, self.columns_]
        return np.asarray(_quietly(ask, x if self.prepare is None else self.prepare.transform(x)), float)

    def _encode(self, y: Array) -> Array:
        """Give targets as estimators like them: gapless codes from 0, or numbers of usual size."""
        if self.task == "regression":
            numbers = y.astype(float)
            scaled = self.prepare is not None
            self.middle_ = float(numbers.mean()) if scaled else 0.0
            self.spread_ = float(numbers.std()) or 1.0 if scaled else 1.0
            return (numbers - self.middle_) / self.spread_
        self.codes_, inner = np.unique(y.astype(np.int64), return_inverse=True)
        if len(self.codes_) < 2:
            problem = f"model {self.use!r}: there is one class only in the rows to learn from"
            raise BadData(problem, "take larger or other blocks, or label a second class")
        self.classes = max(self.classes, int(self.codes_[-1]) + 1)
        return np.asarray(inner, np.int64)

    def _augment(self, x: Array, y: Array, weight: Array | None) -> tuple[Array, Array, Array | None]:
        """Add copies of the rows in which whole feature groups are missing, as if a band or channel had failed."""
        if not self.dropout:
            return x, y, weight
        random = np.random.default_rng(self.seed)
        copies = [drop_groups(x, self.groups, self.dropout, random, self.drop) for _ in range(self.copies)]
        many = self.copies + 1
        return np.concatenate([x, *copies]), np.tile(y, many), None if weight is None else np.tile(weight, many)


def drop_groups(
    x: Array, groups: Sequence[str], share: float, random: np.random.Generator, only: Sequence[str] = ()
) -> Array:
    """Give a copy of rows in which each feature group is missing with some probability, but never all of them.

    Parameters
    ----------
    x : array of float, (n, p)
    groups : sequence of str, (p,)
        A column of the group ``a|b`` goes with either; of ``slope@a|b`` too, whose first word says the physics.
    share : float
        Probability for each group of each row.
    random : Generator
    only : sequence of str
        Groups that may go; all if empty.

    Examples
    --------
    >>> x = drop_groups(np.ones((4, 3)), ["a", "a", "b"], 0.5, np.random.default_rng(0))
    >>> bool(np.array_equal(x[:, 0], x[:, 1], equal_nan=True)), bool(np.isnan(x).all(axis=1).any())
    (True, False)
    """
    parts = [one.rpartition("@")[2].split("|") for one in groups]
    names = sorted({name for one in parts for name in one})
    made_of = np.array([[name in one for one in parts] for name in names])
    gone = random.random((len(x), len(names))) < share
    if only:
        gone &= np.isin(names, list(only))
    lost = gone.astype(np.float32) @ made_of.astype(np.float32) > 0
    lost[lost.all(axis=1)] = False
    return np.where(lost, np.nan, x)


def _checked_dropout(use: str, dropout: float, groups: Sequence[str], drop: Sequence[str]) -> float:
    if not 0 <= dropout < 1:
        raise BadParameter(f"model {use!r}: dropout = {dropout} is no probability", "give 0 or more, below 1")
    parts = {name for one in groups for name in (one, *one.rpartition("@")[2].split("|"))}
    unknown = sorted(set([drop] if isinstance(drop, str) else drop) - parts)
    if unknown and groups:
        raise BadParameter(
            f"model {use!r}: there is no feature group {unknown[0]!r}", f"there are {sorted(set(groups))}"
        )
    if dropout and len(set(groups)) < 2:
        problem = f"model {use!r}: dropout needs two feature groups or more"
        raise BadParameter(problem, "leave dropout out, or name features of more groups")
    return float(dropout)


def clean(x: Array) -> Array:
    """Give rows in which NaN is the one sign of a missing value."""
    x = np.asarray(x, float)
    if x.ndim != 2:
        raise BadData(f"rows to learn from have the shape {x.shape}", "give a table of rows and columns")
    wrong = ~(np.abs(x) < _LARGEST)
    return np.where(wrong, np.nan, x) if wrong.any() else x


def _columns_with_values(x: Array, use: str) -> Array:
    if not len(x):
        raise BadData(f"model {use!r}: there is no row to learn from", "take larger blocks or a smaller embargo")
    there = np.flatnonzero(~np.isnan(x).all(axis=0))
    if not len(there):
        raise BadData(f"model {use!r}: all values of all features are missing", "look at the files and feature steps")
    return there


def _class_weights(y: Array, how: str | list[float], codes: Array) -> Array:
    """Give the weight of each row; their sum stays the number of rows."""
    counts = np.bincount(y, minlength=len(codes))
    if isinstance(how, str):
        power = {"balanced": 1.0, "sqrt": 0.5}.get(how)
        if power is None:
            raise BadParameter(f"class_weight = {how!r} is unknown", "give none, balanced, sqrt, or one weight a class")
        each = (1.0 / counts) ** power
    else:
        if len(how) <= codes[-1]:
            raise BadParameter(f"class_weight has {len(how)} numbers", f"give one for each of {codes[-1] + 1} classes")
        each = np.asarray(how, float)[codes]
    weights: Array = each[y] * (len(y) / each[y].sum())
    return weights


def _weight_argument(estimator: Any, weight: Array, use: str) -> dict[str, Array]:
    if "sample_weight" not in signature(estimator.fit).parameters:
        raise BadParameter(f"model {use!r} cannot weigh rows", "leave class_weight out or choose another model")
    return {"sample_weight": weight}


def _default_flags(estimator: Any, task: str) -> bool:
    """Say whether flags help: for novelty they would be strange by themselves, and they are no channel of a series."""
    return task != "novelty" and not getattr(estimator, "channels", 0)


def _preparation(scale: str, *, flags: bool) -> Any:
    """Make filling with medians, flags of what was missing, and scaling; nothing if there is none."""
    if scale not in SCALES:
        raise BadParameter(f"scale = {scale!r} is unknown", f"give one of {', '.join(SCALES)}")
    if scale == "none":
        return None
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

    rank = QuantileTransformer(n_quantiles=200, output_distribution="normal", random_state=0)
    scaler = {"standard": StandardScaler(), "robust": RobustScaler(), "rank": rank}[scale]
    return make_pipeline(SimpleImputer(strategy="median", add_indicator=flags, keep_empty_features=True), scaler)


def _quietly(call: Any, *args: Any, **named: Any) -> Any:
    """Call with one thread, without the warnings that mean nothing here.

    Threads of OpenMP spin while they wait: on a machine whose cores are busy two of them took 20 times as long as one.
    """
    with warnings.catch_warnings():
        # The number of rounds is chosen as any other option; names of columns are kept outside of the estimators.
        warnings.filterwarnings("ignore", message=".*[Mm]aximum iterations.*")
        warnings.filterwarnings("ignore", message=".*does not have valid feature names.*")
        warnings.filterwarnings("ignore", message=".*n_quantiles.*is greater than the total number of samples.*")
        with _pools(tuple(name in sys.modules for name in ("sklearn", "lightgbm", "torch"))).limit(limits=1):
            return call(*args, **named)


@cache
def _pools(loaded: tuple[bool, ...]) -> Any:
    """Find the pools of threads of the libraries that are loaded; looking for them takes longer than one answer."""
    del loaded
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()
