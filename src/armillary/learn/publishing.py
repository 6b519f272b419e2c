"""A study file run whole: find its data, go on where an interrupted run stopped, and write the run folder."""

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import BadParameter
from armillary.learn.card import write_card
from armillary.learn.export import check_study
from armillary.learn.figures import draw_outcome
from armillary.learn.folder import begin, finish, plain
from armillary.learn.layouts import read_samples
from armillary.learn.models.checking import check_models
from armillary.learn.optional import without_missing
from armillary.learn.outcome_files import write_outcome
from armillary.learn.running import run
from armillary.learn.samples import check_samples, fingerprint, fingerprint_of
from armillary.learn.study import Study, read_study
from armillary.learn.trained import write_recipe
from armillary.model import Progress, share, silent

if TYPE_CHECKING:
    import xarray as xr

Record = dict[str, Any]
#: The layout whose samples are products of the tree: the desk makes them, see `armillary.services.samples`.
PRODUCTS: Final = "products"
#: Whose versions change numbers.
_LIBRARIES: Final = ("armillary", "numpy", "scipy", "scikit-learn", "lightgbm", "torch")


def publish(
    study: Path | Study, folder: Path, *, data: "Path | xr.Dataset | None" = None,
    test_data: "Path | xr.Dataset | None" = None, onnx: bool = False, progress: Progress = silent,
) -> Record:  # fmt: skip
    """Run a study and write its run folder.

    Parameters
    ----------
    study : Path or Study
        A TOML file, or the study itself.
    folder : Path
        The run folder. One that the same study began on the same data is gone on with.
    data : Path or xarray.Dataset, optional
        What to learn from, or the samples themselves; the path that the study names if not given.
    test_data : Path or xarray.Dataset, optional
        Unseen data of the same layout.
    onnx : bool
        Whether models shall be exported: one that cannot be is refused before anything is trained.
    progress : Progress

    Returns
    -------
    dict
        The content of metrics.json.

    Raises
    ------
    ArmillaryError
    """
    asked, notes = without_missing(study if isinstance(study, Study) else read_study(study))
    for note in notes:
        progress(0.0, note)
    check_models([(one.title, one.use, one.options) for one in asked.models], asked.task)
    progress(0.0, "reading samples")
    samples = samples_for(asked, data)
    test = samples_for(for_test(asked), test_data) if test_data is not None else None
    if onnx:
        check_study(asked, samples)
    about = {
        "study": asked.to_record(), "key": asked.key, "data": fingerprint(samples),
        "test_data": fingerprint(test) if test is not None else None, "versions": _versions(),
    }  # fmt: skip
    parts = begin(folder, plain(about))
    samples = samples.assign_attrs(notes=[*samples.attrs.get("notes", ()), *notes])
    outcome = run(asked, samples, test, parts, share(progress, 0.05, 0.9))
    progress(0.9, "writing the run folder")
    metrics: Record = plain(write_outcome(folder, asked, outcome))
    write_recipe(folder, asked, outcome)
    draw_outcome(folder / "figures", asked, outcome)
    write_card(folder, asked, about, metrics)
    seen = outcome.prepared
    about |= {"labels": fingerprint_of(seen.target), "split": fingerprint_of(seen.blocks, seen.judged)}
    finish(folder, plain(about | {"finished": datetime.now(UTC).isoformat(timespec="seconds")}))
    progress(1.0, "done")
    return metrics


def find_data(path: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Find the data that a study names: here, in ``ARMILLARY_DATA``, or in ``../shared/data``.

    Raises
    ------
    BadParameter
    """
    roots = (Path(), Path(environment.get("ARMILLARY_DATA") or "."), Path("../shared/data"))
    found = next((root / path for root in roots if path and (root / path).exists()), None)
    if found is None:
        problem = f"cannot find the data {path!r}" if path else "the study names no data"
        raise BadParameter(problem, "give --data PATH, or set ARMILLARY_DATA to the folder that holds it")
    return found


def for_test(study: Study) -> Study:
    """Give the study with the options of its test data in the place of those of its data."""
    part = study.data
    return replace(study, data=replace(part, options={**part.options, **part.test_options}))


def samples_for(study: Study, data: "Path | xr.Dataset | None") -> "xr.Dataset":
    """Give the samples of a study: those given, or read from what is named, or from what the study names.

    Raises
    ------
    ArmillaryError
    """
    if data is not None and not isinstance(data, Path):
        return check_samples(data)
    if study.data.layout == PRODUCTS:
        hint = "run it by `armillary study run`, or by armillary.services.samples.publish_products"
        raise BadParameter("the samples of this study are products of the tree, which only a desk can open", hint)
    return read_samples(study.data.layout, data or find_data(study.data.path), study.data.options)


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
