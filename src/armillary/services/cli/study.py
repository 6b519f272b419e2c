"""``armillary study``: run a study, compare runs, explain one."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from armillary.errors import BadRequest
from armillary.model import Progress
from armillary.services.cli.aside import say
from armillary.services.cli.session import desk_of, progress_bar
from armillary.services.desk import Desk

if TYPE_CHECKING:
    from armillary.learn.study import Study

app = typer.Typer(no_args_is_help=True, help="Train models and judge them on what they have not seen.")


@app.command()
def run(
    context: typer.Context,
    study: Annotated[Path, typer.Argument(help="The study, a .toml file.")],
    out: Annotated[Path, typer.Option(help="The run folder; an interrupted run in it goes on.")],
    data: Annotated[Path | None, typer.Option(help="What to learn from, instead of what the study names.")] = None,
    test_data: Annotated[Path | None, typer.Option(help="Unseen data of the same layout, judged at the end.")] = None,
    onnx: Annotated[
        bool, typer.Option(help="Export the best model too; ask before training whether it can be.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the content of metrics.json.")] = False,
) -> None:
    """Run a study: train its models, judge them on blocks that they have not seen, and write a run folder."""
    from armillary.learn.publishing import PRODUCTS, publish
    from armillary.learn.study import read_study

    asked = read_study(study)
    desk = desk_of(context) if asked.data.layout == PRODUCTS else None
    with progress_bar("study") as progress:
        if desk is not None:
            metrics = _publish_products(desk, asked, out, progress, files=bool(data or test_data), onnx=onnx)
        else:
            metrics = publish(asked, out, data=data, test_data=test_data, onnx=onnx, progress=progress)
    if onnx:
        _export(out, data=test_data or data)
    if as_json:
        typer.echo(json.dumps(metrics))
        return
    show(metrics)
    typer.echo(f"\n{out}: card.md, card.html, metrics.json, predictions.parquet, models/")


def _publish_products(
    desk: Desk, study: "Study", out: Path, progress: Progress, *, files: bool, onnx: bool
) -> dict[str, Any]:
    from armillary.services.samples import publish_products

    if files:
        hint = "write start, stop, test_start and test_stop into [data.options]"
        raise BadRequest("--data and --test-data are of files, and this study learns from products", hint)
    if onnx:
        raise BadRequest("--onnx needs samples in files, and this study learns from products", "leave --onnx out")
    return publish_products(desk, study, out, progress)


def show(metrics: dict[str, Any]) -> None:
    """Print leak warnings first, then the tables."""
    from armillary.learn.outcome_files import class_table, table_of
    from armillary.services.cli.sheets import print_table
    from armillary.services.studies import warnings_of

    for said in warnings_of(metrics):
        say(said)
    for note in metrics["notes"]:
        say(f"Note: {note}")
    typer.echo(
        f"judged on {metrics['judged_on']}; * chosen by {metrics['chosen_by']} on held-out blocks of the training data"
    )
    for line in metrics["ties"]:
        typer.echo(line)
    for table in (table_of(metrics), class_table(metrics)):
        if table:
            print_table(table[0], table[1:])


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two run folders or more.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print rows and words as JSON.")] = False,
) -> None:
    """Put the best models of runs side by side; a difference inside the interval is called a tie."""
    from armillary.learn.comparing import compare_runs
    from armillary.services.cli.sheets import print_json, print_table

    rows, words = compare_runs(runs)
    if as_json:
        print_json({"runs": rows, "words": words})
        return
    names = [name for name in rows[0]["intervals"] if isinstance(rows[0]["scores"].get(name), float)]
    print_table(
        ["run", "model", "judged on", *names],
        [[one["run"], one["model"], one["judged_on"], *(_told(one, name) for name in names)] for one in rows],
    )
    for line in words:
        typer.echo(line)


@app.command()
def explain(
    context: typer.Context,
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    model: Annotated[str, typer.Option(help="Which model; the best one if not given.")] = "",
    data: Annotated[Path | None, typer.Option(help="Where the training data are now.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the drivers as JSON.")] = False,
) -> None:
    """Measure what drives a model: each group of features permuted, dropped, alone, on held-out blocks."""
    from armillary.learn.explaining import explain as measure
    from armillary.services.cli.sheets import print_json, print_table

    samples = data if data is not None else _samples_of_products(context, run)
    with progress_bar("explain") as progress:
        found = measure(run, data=samples, model=model, progress=progress)
    if as_json:
        print_json([one.to_record() for one in found])
        return
    rows = [[one.group, str(one.columns), *map(_ends, (one.permuted, one.dropped, one.alone))] for one in found]
    print_table(["features", "columns", "lost if permuted", "lost if dropped", "score alone"], rows)
    typer.echo(f"{run}: drivers.csv, drivers.json, figures/drivers.png, figures/effects.png")


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    to: Annotated[Path | None, typer.Option(help="The .onnx file; below models/ of the run if not given.")] = None,
    model: Annotated[str, typer.Option(help="Which model; the best one if not given.")] = "",
    data: Annotated[Path | None, typer.Option(help="Rows to compare on; the training data if not given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was compared as JSON.")] = False,
) -> None:
    """Write a model as ONNX with its feature recipe beside it, if it gives the same label on every row."""
    from armillary.services.cli.sheets import print_json

    parity = _export(run, path=to, data=data, model=model, silent=as_json)
    if as_json:
        print_json(parity)


def _export(run: Path, *, silent: bool = False, **named: Any) -> dict[str, Any]:
    from armillary.learn.exporting import export_run

    with progress_bar("export") as progress:
        parity = export_run(run, progress=progress, **named)
    if not silent:
        same = "the same labels" if parity["classes"] else "the same numbers"
        typer.echo(f"{parity['path']} and .json: {same} on {parity['rows']} rows", err=True)
    return parity


def _samples_of_products(context: typer.Context, run: Path) -> Any:
    """Make the samples of a run that learnt from products anew; None for one that learnt from files."""
    from armillary.learn.folder import read_run
    from armillary.learn.publishing import PRODUCTS
    from armillary.learn.study import study_of
    from armillary.services.samples import samples_of_products

    study = study_of(read_run(run)["study"])
    if study.data.layout != PRODUCTS:
        return None
    desk = desk_of(context)
    with progress_bar("products") as progress:
        return samples_of_products(desk, study, progress)


def _told(row: dict[str, Any], name: str) -> str:
    value, edges = row["scores"].get(name), row["intervals"].get(name) or (None, None)
    return "-" if value is None else _ends((value, *(float("nan") if one is None else one for one in edges)))


def _ends(three: tuple[float, ...]) -> str:
    return "{:.3f} [{:.3f}, {:.3f}]".format(*three)
