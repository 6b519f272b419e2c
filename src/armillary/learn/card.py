"""The card of a run: what was asked, what was found, and how far it can be trusted."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from armillary.learn.folder import write_text
from armillary.learn.outcome_files import class_table, table_of
from armillary.learn.study import Study

Record = Mapping[str, Any]


def write_card(folder: Path, study: Study, about: Record, metrics: Record) -> None:
    """Write card.md and card.html.

    Raises
    ------
    CannotWrite
    """
    text = card_of(study, about, metrics)
    write_text(folder / "card.md", text)
    write_text(folder / "card.html", _page(study.title or study.name, text))


def card_of(study: Study, about: Record, metrics: Record) -> str:
    """Give the card as Markdown: warnings first."""
    parts = [*_warnings(study, metrics), f"# {study.title or study.name}", _asked(study, about, metrics)]
    parts += ["## Scores", _table(table_of(metrics)), _words(metrics)]
    if class_table(metrics):
        parts += ["## Classes", _table(class_table(metrics))]
    parts += ["## Data", _list(metrics["notes"]), _versions(about)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _warnings(study: Study, metrics: Record) -> list[str]:
    """Give what must be read before any number; a random split comes first of all."""
    said = []
    if study.split.random:
        said.append("**Random split: neighbours in time, ground or sky stand on both sides; expect less on new data.**")
    said += [f"**Warning: {one['message']}**" for one in metrics["leaks"] if one["serious"]]
    return said


def _asked(study: Study, about: Record, metrics: Record) -> str:
    judged = metrics["held_out"][metrics["best"]]
    lines = [
        f"- task: {study.task}; models: {', '.join(one.title for one in study.models)}",
        f"- {judged['samples']} samples judged in {judged['blocks']} blocks",
        f"- study {about['key']}, data {about['data']}",
        f"- best by {metrics['chosen_by']} on held-out blocks: **{metrics['best']}**",
        f"- the numbers below: {metrics['judged_on']}",
    ]
    return "\n".join(lines)


def _words(metrics: Record) -> str:
    said = "Brackets: 95 % intervals by resampling whole blocks. Rows in parentheses need no skill."
    return "\n\n".join([said, *metrics.get("ties", ())])


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {one}" for one in lines)


def _versions(about: Record) -> str:
    return ", ".join(f"{name} {number}" for name, number in about["versions"].items())


def _page(title: str, text: str) -> str:
    """Give the card as a page; everything in it is escaped."""
    return f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title><pre>{html.escape(text)}</pre>\n"
