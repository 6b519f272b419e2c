"""``armillary apply``: a trained model on products or files; what it finds becomes rows of a catalogue."""

from pathlib import Path
from typing import Annotated, Any

import typer

from armillary.errors import BadParameter, BadRequest
from armillary.services.cli.catalogue import Json, split_pair
from armillary.services.cli.data import Bbox, Cone, Params, Rows, Where, read_params
from armillary.services.cli.maps import apply_to_map
from armillary.services.cli.partitions import apply_to_folder, are_partitions
from armillary.services.cli.session import desk_of, progress_bar
from armillary.services.cli.sheets import print_json, print_table

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The run folder.")]
Things = Annotated[
    list[str] | None,
    typer.Argument(metavar="PRODUCT_OR_FILE...", help="Products, or one file or folder in the study's layout."),
]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="One row a sample: .parquet .vot .csv; a map: .tif, .nc or .zarr.")
]
Start = Annotated[str | None, typer.Option(help="First time of the products, UTC; all they cover if not given.")]
Stop = Annotated[str | None, typer.Option(help="End, not included.")]
Columns = Annotated[list[str] | None, typer.Option("--column", help="Column of the study=product; may be repeated.")]
Model = Annotated[str, typer.Option(help="Which model of the run; the best one if not given.")]
Prior = Annotated[
    list[str] | None, typer.Option("--prior", help="class=share where it is applied, e.g. icme=0.02; may be repeated.")
]


def apply(
    context: typer.Context,
    run: RunFolder,
    things: Things = None,
    to: Annotated[str, typer.Option(help="Catalogue for the events or objects; made if it is not there.")] = "",
    output: Output = None,
    start: Start = None,
    stop: Stop = None,
    column: Columns = None,
    model: Model = "",
    prior: Prior = None,
    param: Params = None,
    where: Where = None,
    bbox: Bbox = None,
    cone: Cone = None,
    rows: Rows = None,
    class_: Annotated[list[str] | None, typer.Option("--class", help="Only this class; may be repeated.")] = None,
    least: Annotated[float, typer.Option(help="Only rows of at least this probability.")] = 0.0,
    least_area: Annotated[float, typer.Option(help="Of maps: only areas of at least so many square metres.")] = 0.0,
    dask: Annotated[
        str, typer.Option(metavar="ADDRESS", help="A running Dask scheduler, tcp://host:8786 or its scheduler file.")
    ] = "",
    workers: Annotated[int, typer.Option(min=1, help="Of a folder of partitions: processes.")] = 1,
    verify: Annotated[
        bool, typer.Option("--verify", help="Of partitions: check the hash of answers that are there.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Apply a trained model; repeat an interrupted call and it goes on.

    With a folder of Parquet files, or a HATS catalogue, and -o FOLDER each file is answered by a file of its own.
    """
    from armillary.learn.trained import load_run
    from armillary.services import answer_files, applying, rasters
    from armillary.services.studies import told_of

    if not to and output is None:
        raise BadRequest("nothing says where the answers should go", "give --to CATALOGUE, or -o FILE.parquet")
    loaded = load_run(run, model)
    is_map = rasters.of_maps(loaded)
    if output is not None and not is_map and are_partitions(things or (), output):
        others = [to, start, stop, column, param, where, bbox, cone, rows, class_, dask]
        show_record = print_json if as_json else show
        show_record(apply_to_folder(loaded, things or [], output, read_prior(prior), workers, verify, others))
        return
    if output is not None and not is_map:
        answer_files.check_ending(output)
    parts = {"where": where, "bbox": bbox, "cone": cone, "rows": rows}
    target = applying.Target(
        things=tuple(things or ()), columns=dict(map(split_pair, column or [])), start=start, stop=stop,
        parts={name: one for name, one in parts.items() if one}, params=read_params(param),
    )  # fmt: skip
    desk = desk_of(context)
    if is_map and dask:
        raise BadRequest("a map is answered on this machine only", "leave --dask out")
    if is_map:
        wanted_areas = rasters.Wanted(classes=tuple(class_ or ()), probability=least, area=least_area)
        record = apply_to_map(desk, loaded, target, read_prior(prior), to, output, wanted_areas)
        (print_json if as_json else show)(record)
        return
    with progress_bar("apply") as progress:
        applied = applying.apply_run(desk, loaded, target, prior=read_prior(prior), dask=dask, progress=progress)
        record = told_of(applied)
        if output is not None:
            record["file"] = str(output)
            answer_files.save_answers(applied, output, answer_files.origin_of(desk, loaded, target, read_prior(prior)))
        if to:
            wanted = applying.Wanted(tuple(class_ or ()), least)
            record["added"], record["already"] = applying.to_catalogue(desk.catalogues, to, applied, wanted)
            record["catalogue"] = to
    applying.forget(applied)
    if as_json:
        print_json(record)
        return
    show(record)


def read_prior(texts: list[str] | None) -> dict[str, float]:
    """Read ``class=share`` texts.

    Raises
    ------
    BadParameter

    Examples
    --------
    >>> read_prior(["icme=0.02"])
    {'icme': 0.02}
    """
    found = {}
    for name, text in map(split_pair, texts or ()):
        try:
            found[name] = float(text)
        except ValueError:
            raise BadParameter(f"{text!r} is no share of the class {name!r}", "write --prior icme=0.02") from None
    return found


def show(record: dict[str, Any]) -> None:
    """Print what was found, how far it can be trusted, and what it is worth under the prior."""
    typer.echo(f"{record['model']} on {record['rows']} samples")
    if record["drift"]:
        typer.echo(record["drift"]["text"])
        if record["drift"]["verdict"] == "strong":
            told = "these data are unlike those the model has learnt from: expect more mistakes than its card says"
            typer.echo(f"armillary: warning: {told}", err=True)
    if record["purity"]:
        told = record["purity"]
        rows = [
            [one, _share(share), *(_ranged(told, name, one) for name in ("completeness", "purity")),
             str(record["classes"].get(one, 0))]
            for one, share in told["prior"].items()
        ]  # fmt: skip
        print_table(["class", "prior", "completeness", "purity", "samples"], rows)
        if record["caveat"]:
            typer.echo(record["caveat"])
    if "catalogue" in record:
        again = f"; {record['already']} were there already" if record["already"] else ""
        typer.echo(f"put {record['added']} rows into {record['catalogue']}{again}")
    if "file" in record:
        typer.echo(record["file"])


def _ranged(told: dict[str, Any], name: str, one: str) -> str:
    low, high = told[f"{name}_interval"][one]
    return f"{_share(told[name][one])} [{_share(low)}, {_share(high)}]"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
