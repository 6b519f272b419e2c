"""Exporting the model of a run: its data are read again; on each of their rows the ONNX file must give its label."""

from pathlib import Path
from typing import Any

from armillary.errors import BadRequest
from armillary.learn.export import export_onnx
from armillary.learn.layouts import read_samples
from armillary.learn.preparing import prepare
from armillary.learn.publishing import find_data
from armillary.learn.trained import Run, load_run
from armillary.model import Progress, silent

Record = dict[str, Any]


def export_run(
    folder: Path,
    path: Path | None = None,
    *,
    data: Path | None = None,
    model: str = "",
    progress: Progress = silent,
) -> Record:
    """Write a model of a run as ONNX, and its feature recipe as JSON beside it.

    Parameters
    ----------
    folder : Path
        The run folder.
    path : Path, optional
        Of the ONNX file; in the run folder, with the name of the model, if not given.
    data : Path, optional
        Rows to compare the file on: of the layout of the study, such as its test data. Its training data if not given.
    model : str
        The best one if empty.

    Returns
    -------
    dict
        ``path``, and what was compared, as of :func:`armillary.learn.export.export_onnx`.

    Raises
    ------
    BadRequest
        If the run is not complete, or trains one model a group.
    BadData
        If the file answers otherwise than the model on any row; nothing is written then.
    """
    run = load_run(folder, model)
    title = run.fitted.part.title
    if isinstance(run.fitted.model, dict):
        raise BadRequest(f"{title!r} is one model a group", "export studies whose model is one")
    progress(0.1, "reading samples")
    part = run.study.data
    samples = read_samples(part.layout, data or find_data(part.path), part.options)
    progress(0.4, "making features")
    prepared = prepare(run.study, samples, run.classes)
    progress(0.7, "converting and comparing")
    columns = list(run.fitted.columns)
    target = path or folder / "models" / (
        Path(next(iter(run.recipe["models"][title]["files"].values()))).stem + ".onnx"
    )
    parity = export_onnx(
        run.fitted.model, prepared.features.matrix[:, columns], target,
        names=[run.recipe["names"][at] for at in columns], classes=run.classes, steps=run.study.features,
        more=_more(run),
    )  # fmt: skip
    return {"path": str(target), "classes": list(run.classes), **parity}


def _more(run: Run) -> Record:
    """Give what the answers still need after the file: see the pages on calibration and on events."""
    calibration = run.calibration.to_record() if run.calibration else None
    decoder = run.decoder.to_record() if run.decoder else None
    decision = run.decision.to_record() if run.decision else None
    return {
        "name": run.name,
        "calibration": calibration,
        "decoder": decoder,
        "cadence": run.recipe["cadence"],
        "decision": decision,
    }
