"""One partition of a table answered by a model: a Parquet file in, one out, and a record of what was done."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import Cancelled, CannotWrite, NoData

if TYPE_CHECKING:
    import pyarrow as pa

    from armillary.learn.applying import Answers
    from armillary.learn.drift import Tally
    from armillary.learn.trained import Run

Record = dict[str, Any]
#: Rows that show which columns answers have.
_FEW: Final = 200


def answer_partition(order: Record, stop: Callable[[], bool]) -> Record:
    """Answer one partition and write its file and then its record, each whole or not at all.

    Parameters
    ----------
    order : dict
        ``run``, ``model``, ``prior``: the model. ``input``, ``with``: the file, and columns that folders name.
        ``output``, ``record``: where answers and record go. ``stamp``: of the input. ``schema``: of the answers.
    stop : callable
        Says whether to give up; asked between blocks.

    Returns
    -------
    dict
        The record: ``path, input, rows, classes, states, counts, size, sha256``.

    Raises
    ------
    ArmillaryError
    """
    run = _run(order["run"], order["model"])
    output, rows = Path(order["output"]), 0
    classes: Counter[str] = Counter()
    tally: Tally | None = None
    schema = schema_of(order["schema"])
    with _written(output) as aside:
        for answers, table, seen in _answered(run, order, schema, aside):
            if stop():
                raise Cancelled("the caller is gone", "repeat the call")
            rows += len(answers)
            classes.update(table)
            tally = seen if tally is None else tally + seen
        size, digest = aside.stat().st_size, hash_of(aside)
    told: Record = {
        "path": order["path"],
        "input": order["stamp"],
        "rows": rows,
        "classes": dict(sorted(classes.items())),
    }
    told |= {"states": [], "counts": []} if tally is None else _plain(tally)
    told |= {"size": size, "sha256": digest}
    write_record(Path(order["record"]), told)
    return told


def shape_of_answers(run: "Run", path: Path, more: Mapping[str, Any]) -> "pa.Schema":
    """Give the columns that the answers to a file of rows have, from its first block.

    Raises
    ------
    NoData
        If the file has no row.
    """
    from armillary.learn.applying import Block, answer_block
    from armillary.services.applying import arrow_of
    from armillary.services.streams import blocks_in

    for block in blocks_in(run, path, more):
        for start in range(0, len(block.kept), _FEW):
            some = slice(start, start + _FEW)
            answers, _ = answer_block(run, Block(block.samples.isel(sample=some), block.kept[some]))
            if len(answers):
                return _without(arrow_of(run, answers.some(slice(1))), more).schema
    raise NoData(f"{path.name} has no row", "look at the folder")


def schema_as_text(schema: "pa.Schema") -> str:
    """Write a schema as text."""
    return bytes(schema.serialize()).hex()


def schema_of(text: str) -> "pa.Schema":
    """Read a schema that :func:`schema_as_text` wrote."""
    import pyarrow as pa

    return pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(text)))


def hash_of(path: Path) -> str:
    """Give the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_record(path: Path, record: Record) -> None:
    """Write a record as JSON, whole or not at all; the same record gives the same bytes.

    Raises
    ------
    CannotWrite
    """
    with _written(path) as aside:
        aside.write_text(json.dumps(record, sort_keys=True, allow_nan=False) + "\n", "utf-8")


def _answered(
    run: "Run", order: Record, schema: "pa.Schema", aside: Path
) -> "Iterator[tuple[Answers, Mapping[str, int], Tally]]":
    """Write answers block by block: a row group each; a partition without a row becomes a file without one."""
    import pyarrow.parquet as pq

    from armillary.learn.applying import answer_block
    from armillary.services.applying import arrow_of
    from armillary.services.streams import blocks_in

    prior = None if order["prior"] is None else np.array(order["prior"])
    with pq.ParquetWriter(aside, schema, compression="zstd") as writer:
        for block in blocks_in(run, Path(order["input"]), order["with"]):
            answers, seen = answer_block(run, block, prior)
            table = _without(arrow_of(run, answers), order["with"])
            if len(answers):
                writer.write_table(table.cast(schema))
            yield answers, _count(table), seen


def _without(table: "pa.Table", more: Mapping[str, Any]) -> "pa.Table":
    """Leave out columns that the names of folders tell already."""
    return table.drop_columns([name for name in table.column_names if name in more])


def _count(table: "pa.Table") -> dict[str, int]:
    if "class" not in table.column_names:
        return {}
    found = table["class"].value_counts()
    return {one["values"]: one["counts"] for one in found.to_pylist()}


def _plain(tally: "Tally") -> Record:
    return {"states": tally.states.tolist(), "counts": tally.counts.tolist()}


@contextmanager
def _written(path: Path) -> Iterator[Path]:
    """Let a file be written aside, then put it in its place; it lasts even if the power goes."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        with aside.open("rb") as whole:
            os.fsync(whole.fileno())
        aside.replace(path)
    except OSError as failed:
        raise CannotWrite(f"cannot write {path}: {failed.strerror}", "make room on the disk") from None
    finally:
        aside.unlink(missing_ok=True)


@lru_cache(maxsize=1)
def _run(folder: str, model: str) -> "Run":
    from armillary.learn.trained import load_run

    return load_run(Path(folder), model)
