"""What a model said of rows, as a file for others: with UCDs, and with what said it of which table."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import BadRequest, UnknownProduct
from armillary.services.applying import Target, table_of, write_rows

if TYPE_CHECKING:
    import pyarrow as pa

    from armillary.learn.applying import Applied
    from armillary.learn.trained import Run
    from armillary.services.desk import Desk

#: Besides Parquet; each is written block by block.
ENDINGS: Final = (".parquet", ".vot", ".csv", ".csv.gz")
_ABOUT: Final = {
    "class": "class that the model says",
    "probability": "calibrated probability of that class",
    "set": "classes that cannot be excluded",
    "trust": "how near the samples that the model has learnt from are",
    "value": "what the model says",
}


def check_ending(path: Path) -> None:
    """Refuse a file that rows are not written to, before any work is done.

    Raises
    ------
    BadRequest
    """
    if not path.name.lower().endswith(ENDINGS):
        hint = f"give -o FILE with one of {' '.join(ENDINGS)}"
        raise BadRequest(f"rows are not written as {path.suffix or path.name!r}", hint)


def save_answers(applied: "Applied", path: Path, origin: Mapping[str, Any]) -> int:
    """Write one row a sample, whole or not at all, and give the number of rows.

    Parameters
    ----------
    origin : mapping
        Attributes of the table, see :func:`origin_of`.

    Raises
    ------
    BadRequest, CannotWrite
    """
    check_ending(path)
    if path.suffix == ".parquet":
        return write_rows(applied, path)
    from armillary.sources import write

    write(tables(applied, origin), path)
    return applied.rows


def tables(applied: "Applied", origin: Mapping[str, Any]) -> "Iterator[pa.Table]":
    """Give the answers block by block, as tables that say what their columns mean."""
    import pyarrow as pa

    from armillary.model.kinds import with_table_attrs

    for answers in applied.answers():
        arrays = {name: pa.array(one) for name, one in table_of(applied.run, answers).items()}
        fields = [_field(name, array.type) for name, array in arrays.items()]
        yield with_table_attrs(pa.Table.from_arrays(list(arrays.values()), schema=pa.schema(fields)), origin)


def origin_of(desk: "Desk", run: "Run", target: Target, prior: Mapping[str, float] | None = None) -> dict[str, Any]:
    """Say what was asked of which model: attributes for the table of its answers."""
    from armillary.services.desk import ask

    told: dict[str, Any] = {"title": f"What {run.name} says", "model": run.name, "model_version": run.key}
    told |= {"prior": dict(prior)} if prior else {}
    thing = target.things[0] if len(target.things) == 1 else ""
    try:
        product = desk.product(thing)
    except UnknownProduct:
        return told | {"source": ", ".join(Path(one).name for one in target.things)}
    request = ask(product.path, target.start, target.stop, params=target.params, **target.parts)
    about = {"source": product.source, "citation": product.citation, "licence": product.licence}
    return told | about | {"armillary_request": request.to_json()}


def _field(name: str, kind: "pa.DataType") -> "pa.Field":
    from armillary.model.kinds import column
    from armillary.model.ucds import ucd_of

    about = f"probability of {name[2:-1]}" if name.startswith("P(") else _ABOUT.get(name, "")
    made = column(name, kind, "deg" if name in {"ra", "dec"} else "", about)
    ucd = ucd_of(name) if name != "time" else "time.epoch"
    return made.with_metadata({**made.metadata, b"ucd": ucd.encode()}) if ucd else made
