"""What a model is worth where missing bands tell nothing of the class: else it may learn the survey instead.

Bands are the names behind ``@`` in the groups of features, see :mod:`armillary.learn.features.photometry`: a column of
``colour@J|H`` is there if both were measured. How bands are taken away is told in :mod:`armillary.learn.masks`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, cast

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.features import Features
from armillary.learn.judging import judge
from armillary.learn.leaks import Finding
from armillary.learn.masks import Equalise, equalised, mask_auc
from armillary.learn.preparing import Prepared
from armillary.learn.study import Study

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]
#: Area under the ROC curve of telling the class by what is missing: looked at, serious.
TOLD: Final = 0.6
SERIOUS: Final = 0.75
#: How masks are made equal where the study does not say it.
_HOW: Final = "full"


def with_equal(study: Study, prepared: Prepared) -> Prepared:
    """Give samples with a second matrix whose bands tell no class, if the study asks for it or it makes a difference.

    Raises
    ------
    BadParameter
        If the study asks for it and no feature is made of bands.
    """
    made_of = _made_of(prepared.features.groups)
    asked = study.labels.equal_masks
    if asked and not (len(made_of) and study.task == "classes"):
        problem = "[labels] equal_masks: no feature of this study tells which bands it is made of"
        raise BadParameter(problem, "use the feature step photometry in a study of classes, or leave it out")
    if study.task != "classes" or not len(made_of):
        return prepared
    area = mask_auc(_masks(prepared.features.matrix, made_of)[prepared.judged], prepared.target[prepared.judged])
    if not asked and not area > TOLD:
        return prepared
    matrix = equal_rows(prepared.features, prepared.target, asked or _HOW, study.seed)
    return replace(prepared, equal=matrix, mask_auc=area)


def equal_rows(features: Features, codes: Array, how: str, seed: int = 0) -> Array:
    """Give the matrix without the columns of bands that are taken away, (n, p).

    Examples
    --------
    >>> features = Features(np.array([[1.0, 2.0], [3.0, np.nan]]), ("J-H", "H-W4"), ("colour@J|H", "colour@H|W4"))
    >>> equal_rows(features, np.array([0, 1]), "full").tolist()
    [[1.0, nan], [3.0, nan]]
    """
    made_of = _made_of(features.groups)
    masks = _masks(features.matrix, made_of)
    kept = masks.copy()
    known = codes >= 0
    kept[known] = equalised(masks[known], codes[known], cast("Equalise", how), seed)
    lost = (masks & ~kept).astype(np.float32) @ made_of.astype(np.float32) > 0
    return np.where(lost, np.nan, features.matrix)


def judge_equal(study: Study, prepared: Prepared, answer: Array) -> Record:
    """Score answers to rows whose bands tell no class."""
    found = judge(study, prepared, answer)
    each = found["scores"]["per_class"]
    kept = {name: {one: row[one] for one in ("precision", "recall", "f1")} for name, row in each.items()}
    return {
        "how": study.labels.equal_masks or _HOW, "mask_auc": prepared.mask_auc,
        "macro_f1": found["scores"]["macro_f1"], "interval": found["intervals"].get("macro_f1"), "per_class": kept,
    }  # fmt: skip


def tell_equal(prepared: Prepared, record: Mapping[str, Any]) -> list[Finding]:
    """Say what a model is worth where missing bands tell nothing, if they tell much as rows are."""
    found = record.get("equal_masks")
    if not found or not prepared.mask_auc > TOLD:
        return []
    plain, equal = record["scores"]["macro_f1"], found["macro_f1"]
    text = (
        f"which bands are missing tells the class by itself (area under the ROC curve {prepared.mask_auc:.2f}), be it "
        f"the survey or the sources: macro F1 is {plain:.3f} as rows are, {equal:.3f} with equal bands in all classes"
    )
    serious = prepared.mask_auc > SERIOUS and plain - equal > 1 - SERIOUS
    return [Finding("masks", serious, text, {"auc": prepared.mask_auc, "plain": plain, "equal": equal})]


def _made_of(groups: Sequence[str]) -> Array:
    """Say which columns are made of which bands, (b, p)."""
    parts = [one.rpartition("@")[2].split("|") if "@" in one else [] for one in groups]
    names = sorted({name for one in parts for name in one})
    return np.array([[name in one for one in parts] for name in names], bool)


def _masks(matrix: Array, made_of: Array) -> Array:
    """Say which bands rows have, (n, b): those of any column that is there."""
    return np.isfinite(matrix).astype(np.float32) @ made_of.T.astype(np.float32) > 0
