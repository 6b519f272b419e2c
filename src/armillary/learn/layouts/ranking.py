"""Rows to be ranked by strangeness beside rows that are usual: tables of numbers without a header, an id first."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from armillary.errors import BadParameter, DamagedFile, one_line
from armillary.learn.keys import check_keys

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]


def read(path: Path, options: Mapping[str, Any]) -> "xr.Dataset":
    """Read a ranking task as samples: the variable ``values``, (sample, column), and ``id``.

    Parameters
    ----------
    path : Path
        The folder of the files, which are CSV: in each line an id and numbers.
    options : mapping
        ``fit``: the file of the usual rows, of which no label is known. ``score``: the file of the rows to rank; these
        are the usual ones too if ``fit`` is left out. ``labels``: a file with id and 1 for what is novel, 0 for what is
        not.

    Raises
    ------
    BadParameter, DamagedFile
    """
    check_keys("layout 'ranking'", options, {"fit": str, "score": str, "labels": str}, "options")
    if not {"score", "labels"} <= set(options):
        raise BadParameter("layout 'ranking' needs the options score and labels", "name the files")
    score = _table(path / str(options["score"]))
    fit = _table(path / str(options["fit"])) if "fit" in options else score
    if fit.shape[1] != score.shape[1]:
        problem = f"{fit.shape[1] - 1} columns to learn from, {score.shape[1] - 1} to score"
        raise DamagedFile(problem, "name files of the same columns")
    return _samples(fit, score, _table(path / str(options["labels"])))


def _samples(fit: Array, score: Array, labels: Array) -> "xr.Dataset":
    import xarray as xr

    told = {float(one): "novel" if new else "usual" for one, new in labels[:, :2]}
    mine = [told.get(float(one), "") for one in score[:, 0]]
    both = np.concatenate([fit, score])
    data: dict[str, Any] = {
        "values": (("sample", "column"), both[:, 1:]),
        "id": ("sample", both[:, 0]),
        "label": ("sample", np.array([""] * len(fit) + mine, object)),
        "role": ("sample", np.array(["fit"] * len(fit) + ["score"] * len(score), object)),
    }
    return xr.Dataset(data, attrs={"columns": ("values",)})


def _table(path: Path) -> Array:
    try:
        table = np.loadtxt(path, delimiter=",", ndmin=2)
    except (OSError, ValueError) as failed:
        hint = "every line must be an id and as many numbers as the others"
        raise DamagedFile(f"cannot read {path.name}: {one_line(str(failed))}", hint) from failed
    if table.shape[1] < 2:
        raise DamagedFile(f"{path.name} has no numbers beside the ids", "name another file")
    return table
