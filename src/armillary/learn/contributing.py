"""What each group of features adds to the answers of LightGBM, row by row.

Contributions are the tree SHAP values that LightGBM itself gives (Lundberg et al. 2020, Nature Machine Intelligence 2,
56): those of one row sum, with a constant, to its log-odds or number, as they are before any calibration. A group's is
the sum of its columns', flags of what was missing included.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from armillary.learn.answers import EACH_GROUP, fit
from armillary.learn.models.learner import clean
from armillary.learn.preparing import Prepared
from armillary.learn.splits import Fold
from armillary.learn.study import ModelPart, Study
from armillary.model import Progress, silent

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]
#: Rows of a fold that are looked at: the mean over more is the same, and each costs p times the depth of all trees.
_ROWS: Final = 5000


def contributions(
    study: Study, part: ModelPart, prepared: Prepared, folds: Sequence[Fold], progress: Progress = silent
) -> list[Record]:
    """Give the mean absolute contribution of each group of features on held-out rows, the largest first.

    Returns
    -------
    list of dict
        ``group``, ``columns``, ``mean`` (over answers), ``each`` (name of a class, or "": in log-odds, or the unit of
        the label); empty for models other than ``lightgbm``, and for one model a group.
    """
    if part.use != "lightgbm" or part.options.get(EACH_GROUP):
        return []
    groups = list(dict.fromkeys(prepared.features.only(part.features).kinds))
    sums, rows = np.zeros((len(groups), max(len(prepared.classes), 1))), 0
    for number, fold in enumerate(folds):
        progress(number / len(folds), f"contributions: fold {number + 1} of {len(folds)}")
        some = np.random.default_rng(study.seed).permutation(fold.test)[:_ROWS]
        fitted = fit(study, part, prepared, fold.train, study.seed)
        named = np.array(prepared.features.kinds)[list(fitted.columns)]
        given = contributions_of(fitted.model, prepared.features.matrix[some][:, list(fitted.columns)])
        for at, group in enumerate(groups):
            sums[at] += np.abs(given[:, named == group].sum(axis=1)).sum(axis=0)
        rows += len(some)
    return _told(prepared, groups, sums / max(rows, 1))


def contributions_of(model: Any, matrix: Array) -> Array:
    """Give what each column adds to the answer of each row, (n, p, K); (n, p, 1) for numbers.

    Parameters
    ----------
    model : Learner
        LightGBM. Of two classes the second has all, and the first the opposite.
    matrix : array of float, (n, p)
    """
    rows = clean(matrix)[:, model.columns_]
    flagged = np.arange(len(model.columns_))
    if model.prepare is not None:
        rows, filler = model.prepare.transform(rows), model.prepare.steps[0][1]
        flagged = flagged if filler.indicator_ is None else np.concatenate([flagged, filler.indicator_.features_])
    seen = np.asarray(model.estimator.predict(rows, pred_contrib=True), float)
    seen = seen.reshape(len(matrix), -1, len(flagged) + 1)[:, :, :-1].transpose(0, 2, 1)
    given = np.zeros((len(matrix), len(model.columns_), seen.shape[2]))
    for at, column in enumerate(flagged):
        given[:, column] += seen[:, at]
    answer = np.zeros((len(matrix), matrix.shape[1], max(model.classes, 1)))
    if model.task == "regression":
        answer[:, model.columns_] = given
    elif given.shape[2] == 1:
        answer[np.ix_(np.arange(len(matrix)), model.columns_, model.codes_)] = np.concatenate([-given, given], axis=2)
    else:
        answer[np.ix_(np.arange(len(matrix)), model.columns_, model.codes_)] = given
    return answer


def _told(prepared: Prepared, groups: Sequence[str], means: Array) -> list[Record]:
    names = prepared.classes or ("",)
    rows = [
        {
            "group": group,
            "columns": prepared.features.kinds.count(group),
            "mean": float(of_group.mean()),
            "each": dict(zip(names, map(float, of_group), strict=True)),
        }
        for group, of_group in zip(groups, means, strict=True)
    ]
    return sorted(rows, key=lambda row: -float(row["mean"]))
