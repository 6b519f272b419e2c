"""``armillary study``: run a study, compare runs, explain one."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from armillary.services.cli.session import progress_bar

app = typer.Typer(no_args_is_help=True, help="Train models and judge them on what they have not seen.")


@app.command()
def run(
    study: Annotated[Path, typer.Argument(help="The study, a .toml file.")],
    out: Annotated[Path, typer.Option(help="The run folder; an interrupted run in it goes on.")],
    data: Annotated[Path | None, typer.Option(help="What to learn from, instead of what the study names.")] = None,
    test_data: Annotated[Path | None, typer.Option(help="Unseen data of the same layout, judged at the end.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the content of metrics.json.")] = False,
) -> None:
    """Run a study: train its models, judge them on blocks that they have not seen, and write a run folder."""
    from armillary.learn.publishing import publish

    with progress_bar("study") as progress:
        metrics = publish(study, out, data=data, test_data=test_data, progress=progress)
    if as_json:
        typer.echo(json.dumps(metrics))
        return
    show(metrics)
    typer.echo(f"\n{os.path.relpath(out)}: card.md, card.html, metrics.json, predictions.parquet, models/")


def show(metrics: dict[str, Any]) -> None:
    """Print leak warnings first, then the tables."""
    from armillary.learn.outcome_files import class_table, table_of
    from armillary.services.cli.sheets import print_table

    if metrics["random_split"]:
        typer.echo("warning: the split is random: neighbours stand on both sides, expect less on new data", err=True)
    for one in metrics["leaks"]:
        if one["serious"]:
            typer.echo(f"warning: {one['message']}", err=True)
    for note in metrics["notes"]:
        typer.echo(f"note: {note}", err=True)
    typer.echo(
        f"judged on {metrics['judged_on']}; * chosen by {metrics['chosen_by']} on held-out blocks of the training data"
    )
    for line in metrics["ties"]:
        typer.echo(line)
    for table in (table_of(metrics), class_table(metrics)):
        if table:
            print_table(table[0], table[1:])
