"""The card of a run: what was asked, what was found, and how far it can be trusted."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from armillary.learn.bins import bin_tables
from armillary.learn.folder import write_text
from armillary.learn.outcome_files import class_table, table_of
from armillary.learn.study import Study

Record = Mapping[str, Any]
_STYLE: Final = """<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
main { max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
[role=alert] { border-left: 4px solid #D55E00; padding: .4rem .8rem; font-weight: 600 }
table { border-collapse: collapse; display: block; overflow-x: auto; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .7rem; text-align: left; border-bottom: 1px solid #8884; white-space: nowrap }
img { max-width: 100%; background: #fff; margin: 1rem 1rem 0 0 }
</style>"""


def write_card(folder: Path, study: Study, about: Record, metrics: Record) -> None:
    """Write card.md and card.html; pictures stand beside them in ``figures/``.

    Raises
    ------
    CannotWrite
    """
    figures = [one.name for one in sorted((folder / "figures").glob("*.png"))]
    write_text(folder / "card.md", card_of(study, about, metrics, figures))
    write_text(folder / "card.html", page_of(study, about, metrics, figures))


def card_of(study: Study, about: Record, metrics: Record, figures: Sequence[str] = ()) -> str:
    """Give the card as Markdown: warnings first."""
    parts = [f"**{one}**" for one in _warnings(study, metrics)]
    parts += [f"# {study.title or study.name}", _list(_asked(study, about, metrics))]
    for title, rows in _tables(metrics):
        parts += [f"## {title}", _table(rows)]
    parts += ["\n\n".join(_words(metrics)), *(f"![{_alt(one)}](figures/{one})" for one in figures)]
    parts += ["## Data", _list(metrics["notes"]), _versions(about)]
    return "\n\n".join(part for part in parts if part) + "\n"


def page_of(study: Study, about: Record, metrics: Record, figures: Sequence[str] = ()) -> str:
    """Give the card as one page; every text of the study and the data is escaped."""
    title = study.title or study.name
    parts = [_tag("p", one, role="alert") for one in _warnings(study, metrics)]
    parts += [_tag("h1", title), _items(_asked(study, about, metrics))]
    for heading, rows in _tables(metrics):
        parts += [_tag("h2", heading), _grid(rows)]
    parts += [_tag("p", one) for one in _words(metrics)]
    parts += [f'<img src="figures/{html.escape(one)}" alt="{_alt(one)}">' for one in figures]
    parts += [_tag("h2", "Data"), _items(metrics["notes"]), _tag("p", _versions(about))]
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>{_STYLE}'
    return head + "<main>" + "\n".join(parts) + "</main></html>\n"


def _warnings(study: Study, metrics: Record) -> list[str]:
    """Give what must be read before any number; a random split comes first of all."""
    said = []
    if study.split.random:
        said.append("Random split: neighbours in time, ground or sky stand on both sides; expect less on new data.")
    serious = [one for one in metrics["leaks"] if one["serious"]]
    return said + [f"{'Note' if one['numbers'].get('guarded') else 'Warning'}: {one['message']}" for one in serious]


def _asked(study: Study, about: Record, metrics: Record) -> list[str]:
    judged = metrics["held_out"][metrics["best"]]
    return [
        f"task: {study.task}; models: {', '.join(one.title for one in study.models)}",
        f"{judged['samples']} samples judged in {judged['blocks']} blocks",
        f"study {about['key']}, data {about['data']}",
        f"best by {metrics['chosen_by']} on held-out blocks: {metrics['best']}",
        f"the numbers below: {metrics['judged_on']}",
    ]


def _tables(metrics: Record) -> list[tuple[str, list[list[str]]]]:
    tables = [("Scores", table_of(metrics)), ("Classes", class_table(metrics))]
    judged = (metrics["test"] or {}).get("models") or metrics["held_out"]
    tables += bin_tables(judged[metrics["best"]].get("by") or {})
    return [(title, rows) for title, rows in tables if rows]


def _words(metrics: Record) -> list[str]:
    bounds = any(one["intervals"] for one in metrics["held_out"].values())
    brackets = "Brackets: 95 % intervals by resampling whole blocks." if bounds else "No intervals were asked for."
    brackets += " Rows in parentheses need no skill."
    return [brackets, *metrics["ties"], *_nested(metrics), *_rule(metrics), *_sets(metrics)]


def _nested(metrics: Record) -> list[str]:
    """Say what the best model is worth when the choice is held out too."""
    found = metrics.get("best_nested")
    if not found or found["value"] is None:
        return []
    edges = found["interval"] or [None, None]
    told = f" [{edges[0]:.3f}, {edges[1]:.3f}]" if None not in edges else ""
    chosen = ", ".join(f"{title} in {count}" for title, count in found["chosen"].items())
    text = (
        f"Chosen among {found['models']} models: {found['score']} on held-out blocks is {found['plain']:.3f} for the "
        f"best, which was chosen by it; {found['value']:.3f}{told} if each part of the blocks is judged by the model "
        f"that was chosen without it ({chosen} of {found['parts']} parts)."
    )
    return [text]


def _rule(metrics: Record) -> list[str]:
    """Say which class is said, beside the score of the most probable one."""
    rule = metrics["held_out"][metrics["best"]].get("decision")
    if not rule:
        return []
    judged = ((metrics["test"] or {}).get("models") or metrics["held_out"])[metrics["best"]]
    plain, name = judged.get("most_probable", rule["most_probable"]), rule["score"]
    text = (
        f"Rule of {metrics['best']}, chosen for {name} on held-out blocks of the training samples: {rule['text']}. "
        f"{name} by the rule: {judged['scores'][name]:.3f}; by the most probable class: {plain[name]:.3f} "
        f"({metrics['judged_on']}). Held-out blocks are judged by rules that were chosen without them."
    )
    return [text]


def _sets(metrics: Record) -> list[str]:
    """Say how often the sets of classes of the best model held the truth."""
    judged = (metrics["test"] or {}).get("models") or metrics["held_out"]
    found = judged[metrics["best"]].get("conformal")
    if not found:
        return []
    each = {name: one for name, one in found["per_class"].items() if one is not None and one == one}  # noqa: PLR0124
    least = min(each, key=lambda name: each[name])
    text = (
        f"Conformal sets of stated coverage {found['stated']:g} held the truth in {100 * found['coverage']:.1f} % of "
        f"the samples ({metrics['judged_on']}), least for {least}: {100 * each[least]:.1f} %; "
        f"{found['mean_size']:.2f} classes a set."
    )
    return [text]


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {one}" for one in lines)


def _versions(about: Record) -> str:
    return ", ".join(f"{name} {number}" for name, number in about["versions"].items())


def _alt(figure: str) -> str:
    return html.escape(figure.removesuffix(".png"))


def _tag(name: str, text: str, **attributes: str) -> str:
    given = "".join(f' {key}="{html.escape(value)}"' for key, value in attributes.items())
    return f"<{name}{given}>{html.escape(text)}</{name}>"


def _items(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(_tag("li", one) for one in lines) + "</ul>" if lines else ""


def _grid(rows: Sequence[Sequence[str]]) -> str:
    head = "".join(_tag("th", cell, scope="col") for cell in rows[0])
    body = "".join("<tr>" + "".join(_tag("td", cell) for cell in row) + "</tr>" for row in rows[1:])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
