"""From an outcome to the files of its run folder, and the table that is printed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from armillary.learn.folder import file_name, write_json, write_predictions, write_text
from armillary.learn.models.keeping import save
from armillary.learn.preparing import Prepared
from armillary.learn.running import Outcome, Trained, chosen_by
from armillary.learn.samples import column
from armillary.learn.study import Study

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]
_OF_CLASS: Final = ("precision", "recall", "f1", "ap")
#: Numbers that stand at the top of metrics.json, for anybody's script.
TOP: Final = (
    "ap",
    "event_f1_iou10",
    "event_f1_iou25",
    "event_f1_iou50",
    "f1",
    "macro_f1",
    "accuracy",
    "rmse",
    "roc_auc",
)


def metrics_of(study: Study, outcome: Outcome) -> Record:
    """Give the content of metrics.json.

    At its top stand the plain numbers of the best model, on the test data where there are any; the best model was
    chosen on held-out answers of the training samples in both cases.
    """
    best = outcome.trained[outcome.best].fitted.part.title
    held = {one.fitted.part.title: one.record for one in outcome.trained}
    judged = outcome.test.models if outcome.test else held
    scores = judged[best]["scores"]
    top = {name: scores[name] for name in TOP if name in scores}
    about: Record = {
        "judged_on": "test data" if outcome.test else "held-out blocks",
        "best": best,
        "chosen_by": chosen_by(study),
    }
    about |= {"random_split": study.split.random, "leaks": _leaks(outcome), "notes": _notes(study, outcome)}
    found: Record = {
        "ties": list(outcome.ties),
        "best_nested": outcome.nested,
        "held_out": held,
        "controls": outcome.controls,
    }
    found["test"] = outcome.test.to_record() if outcome.test else None
    return {**top, **about, "classes": list(outcome.prepared.classes), **found}


def write_outcome(folder: Path, study: Study, outcome: Outcome) -> Record:
    """Write models, predictions, scores and the trade-off table; give the scores.

    Raises
    ------
    CannotWrite
    """
    for one in outcome.trained:
        one.record["costs"]["size_kB"] = _save(folder / "models", one) / 1000
    metrics = metrics_of(study, outcome)
    write_json(folder / "metrics.json", metrics)
    write_text(folder / "pareto.csv", _pareto(study, outcome.trained))
    answers = [one.answer for one in outcome.trained]
    write_predictions(folder / "predictions.parquet", _predictions(study, outcome, outcome.prepared, answers))
    if outcome.test:
        told = _predictions(study, outcome, outcome.test.prepared, outcome.test.answers)
        write_predictions(folder / "test_predictions.parquet", told)
    return metrics


def _save(folder: Path, one: Trained) -> int:
    """Save one model, or one a group, and give the size of the files in bytes."""
    folder.mkdir(exist_ok=True)
    name = file_name(one.fitted.part.title)
    if not isinstance(one.fitted.model, dict):
        save(one.fitted.model, folder / f"{name}.skops")
        return (folder / f"{name}.skops").stat().st_size
    paths = {group: folder / f"{name}-{file_name(group)}.skops" for group in one.fitted.model}
    for group, model in one.fitted.model.items():
        save(model, paths[group])
    return sum(path.stat().st_size for path in paths.values())


def _pareto(study: Study, trained: Sequence[Trained]) -> str:
    names = ("fit_s", "latency_ms", "rows_per_s", "size_kB", "memory_MB", "energy_J_per_1000")
    lines = [",".join(("model", chosen_by(study), *names, "pareto"))]
    for one in trained:
        numbers = [one.record["scores"].get(chosen_by(study)), *(one.record["costs"].get(name) for name in names)]
        told = ["" if number is None else f"{number:.6g}" for number in numbers]
        lines.append(",".join((one.fitted.part.title.replace(",", " "), *told, str(one.record["pareto"]).lower())))
    return "\n".join(lines) + "\n"


def _leaks(outcome: Outcome) -> list[Record]:
    return [*outcome.leaks, *(outcome.test.leaks if outcome.test else ())]


def _notes(study: Study, outcome: Outcome) -> list[str]:
    bare = [] if study.resamples else ["resamples = 0: no intervals were asked for, and ties are not tested"]
    told = [*bare, *outcome.prepared.notes]
    return [*told, *(f"test data: {one}" for one in (outcome.test.notes if outcome.test else ()))]


def _predictions(study: Study, outcome: Outcome, prepared: Prepared, answers: Sequence[Array]) -> dict[str, Array]:
    rows = np.flatnonzero(prepared.judged)
    columns: dict[str, Array] = {"sample": rows, "block": prepared.blocks[rows]}
    for name in ("time", "group", *study.split.space_on, *study.split.sky_on):
        if name in prepared.samples.variables and prepared.samples[name].ndim == 1:
            columns[name] = column(prepared.samples, name)[rows]
    columns["label"] = column(prepared.samples, "label")[rows]
    for one, answer in zip(outcome.trained, answers, strict=True):
        columns |= _answers(one.fitted.part.title, answer[rows], prepared.classes, columns)
        if one.deciding:
            rule: Any = one.deciding if prepared is outcome.prepared else one.deciding.whole
            columns[f"{one.fitted.part.title} (class)"] = np.array([*prepared.classes, ""])[rule.codes(answer)[rows]]
    return columns


def _answers(title: str, answer: Array, classes: tuple[str, ...], there: Mapping[str, Array]) -> dict[str, Array]:
    if answer.ndim == 1:
        return {f"{title} (model)" if title in there else title: answer}
    return {f"{title}: {name}": answer[:, number] for number, name in enumerate(classes)}


def table_of(metrics: Mapping[str, Any]) -> list[list[str]]:
    """Give the printed table: one row a model, then one a class, then the controls."""
    judged = (metrics["test"] or {}).get("models") or metrics["held_out"]
    names = _columns(judged)
    rows = [["model", *names, "fit s", "ms/row", "rows/s", "kB", "Pareto"]]
    for title, record in judged.items():
        costs, flag = metrics["held_out"][title]["costs"], metrics["held_out"][title]["pareto"]
        cells = [_cell(record, name) for name in names]
        priced = [f"{costs[name]:.3g}" for name in ("fit_s", "latency_ms", "rows_per_s", "size_kB")]
        rows.append([f"* {title}" if title == metrics["best"] else title, *cells, *priced, "yes" if flag else ""])
    for title, scores in ((metrics["test"] or {}).get("controls") or metrics["controls"]).items():
        cells = [_number(scores.get(name)) for name in names]
        rows.append([f"({title})", *cells, "", "", "", "", ""])
    return rows


def class_table(metrics: Mapping[str, Any]) -> list[list[str]]:
    """Give precision, recall and F1 of each class with their intervals, for each model."""
    judged = (metrics["test"] or {}).get("models") or metrics["held_out"]
    rows = [["model", "class", "precision", "recall", "F1", "AP", "samples"]]
    for title, record in judged.items():
        edges = record["intervals"].get("per_class", {})
        for name, one in record["scores"].get("per_class", {}).items():
            cells = [_cell({"scores": one, "intervals": edges.get(name, {})}, key) for key in _OF_CLASS]
            rows.append([title, name, *cells, str(one.get("support", ""))])
    return rows if len(rows) > 1 else []


def _columns(judged: Mapping[str, Any]) -> list[str]:
    wanted = (*TOP, "precision", "recall", "log_loss", "calibration_error", "mae", "bias")
    return [name for name in wanted if any(name in one["scores"] for one in judged.values())]


def _cell(record: Mapping[str, Any], name: str) -> str:
    text = _number(record["scores"].get(name))
    edges = record["intervals"].get(name)
    return f"{text} [{_number(edges[0])}, {_number(edges[1])}]" if edges and None not in edges else text


def _number(value: Any) -> str:
    return "-" if value is None or not np.isfinite(value) else f"{value:.3f}"
