"""A model applied to a folder of Parquet partitions of any number: one file of answers a file, restartable.

A partition is done when its answers and then its record lie in the output folder; both are renamed into place. So a
call that was killed goes on when it is repeated, and gives the bytes that an uninterrupted one gives.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadRequest, CannotWrite, DamagedFile, JobFailed, NoData, from_record
from armillary.model import Progress, silent
from armillary.services.parquet_folders import files_in
from armillary.services.partition_answers import (
    answer_partition,
    hash_of,
    schema_as_text,
    schema_of,
    shape_of_answers,
    write_record,
)  # fmt: skip
from armillary.sources.files import hats
from armillary.sources.write.hats import properties_of_copy, write_catalogue

if TYPE_CHECKING:
    import pyarrow as pa

    from armillary.learn.trained import Run

Record = dict[str, Any]
#: In the output folder: records of partitions, and the counts of all. Readers of Parquet pass names with "_" over.
_RECORDS: Final = "_records"
_QUESTION: Final = "_question.json"
MANIFEST: Final = "_manifest.json"
_LOCK: Final = "_lock"


@dataclass(frozen=True, slots=True)
class Partition:
    """One file of a folder.

    Parameters
    ----------
    path : str
        Below the folder, with slashes.
    size, mtime : int
        Octets; nanoseconds.
    values : mapping
        Columns that folders name, ``tile=7``.
    """

    path: str
    size: int
    mtime: int
    values: Mapping[str, Any]

    @property
    def stamp(self) -> list[int]:
        """What tells one state of the file from another."""
        return [self.size, self.mtime]


def partitions_of(folder: Path) -> list[Partition]:
    """List the Parquet files of a folder, or of a HATS catalogue its partitions, by path.

    Raises
    ------
    NoData
        If there is none.
    """
    files = files_in(folder)
    if not files:
        raise NoData(f"there is no Parquet file in {folder}", "name a folder of Parquet files")
    stats = [one.stat() for one, _ in files]
    return [
        Partition(path.relative_to(folder).as_posix(), stat.st_size, stat.st_mtime_ns, values)
        for (path, values), stat in zip(files, stats, strict=True)
    ]


def apply_to_partitions(
    run: "Run", folder: Path, output: Path, *, prior: Mapping[str, float] | None = None, workers: int = 1,
    verify: bool = False, progress: Progress = silent,
) -> Record:  # fmt: skip
    """Apply a model to each Parquet file of a folder, and write a file of answers for each below another folder.

    Files that are answered already are passed over, if they have the size that their record tells; those whose input
    has changed are answered again. A partition that fails does not stop the others: it is told at the end.

    Parameters
    ----------
    run : Run
        Its features must look at single rows.
    folder : Path
        Parquet files at any depth, ``tile=7/part-0.parquet``, or a HATS catalogue.
    output : Path
        New, empty, or of an earlier call of the same question.
    prior : mapping of str to float, optional
        As for :func:`armillary.learn.applying.apply`.
    workers : int
        Processes. The memory of each is that of the libraries, the model and a block of 50,000 rows.
    verify : bool
        Whether answers that are there are read, and answered again if their SHA-256 is not that of their record.

    Returns
    -------
    dict
        ``model, model_version, rows, classes, drift, purity, partitions`` (for each ``path, rows, size, sha256``): what
        stands in ``_manifest.json`` too; and ``fresh``: how many partitions this call has answered.

    Raises
    ------
    BadRequest
        If features look at other rows, or the output folder holds something else.
    JobFailed
        If partitions failed; the others are done.
    ArmillaryError
    """
    _refuse(run, folder, output, workers)
    there = partitions_of(folder)
    with _claimed(output):
        question = _ask(run, folder, output, there, prior)
        kept = _kept(output, there, verify=verify)
        _drop_rest(output, {one.path for one in there})
        fresh = _answer(question, folder, output, [one for one in there if one.path not in kept], workers, progress)
        manifest = _manifest(run, prior, [{**kept, **fresh}[one.path] for one in there])
        write_record(output / MANIFEST, manifest)
        if hats.is_catalogue(folder):
            schema = schema_of(question["schema"])
            told = properties_of_copy(folder, run.study.name, manifest["rows"], schema.names)
            write_catalogue(output, told, [one.path for one in there], schema)
    return manifest | {"fresh": len(fresh)}


def _refuse(run: "Run", folder: Path, output: Path, workers: int) -> None:
    from armillary.services.streams import looks_around

    if workers < 1:
        raise BadRequest(f"{workers} workers do no work", "give 1 or more")
    if run.study.data.layout != "table" or "once" in run.study.data.options or looks_around(run):
        problem = f"{run.name} does not look at rows one by one"
        raise BadRequest(problem, "give -o FILE.parquet, which reads all partitions as one table")
    inside = {folder.resolve(), output.resolve()} & {*folder.resolve().parents, *output.resolve().parents}
    if inside or folder.resolve() == output.resolve():
        raise BadRequest("input and output lie in each other", "name another folder for the answers")


@contextmanager
def _claimed(output: Path) -> Iterator[None]:
    """Keep a second call out of the same folder; the claim ends with the process, however it ends."""
    import fcntl

    try:
        output.mkdir(parents=True, exist_ok=True)
        foreign = any(output.iterdir()) and not any((output / one).exists() for one in (_QUESTION, _LOCK))
        lock = None if foreign else (output / _LOCK).open("w")
    except OSError as failed:
        raise CannotWrite(f"cannot write into {output}: {failed.strerror}", "choose another folder") from None
    if lock is None:
        raise BadRequest(f"the folder {output} holds something else", "name a new folder for the answers")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadRequest(f"another call writes into {output}", "wait until it has ended") from None
        yield


def _ask(
    run: "Run", folder: Path, output: Path, there: Sequence[Partition], prior: Mapping[str, float] | None
) -> Record:
    """Write down what is asked, or see that it is what was asked before."""
    from armillary import __version__
    from armillary.learn.applying import BLOCK_ROWS, stated_prior
    from armillary.services.kept_answers import identity_of

    shares = stated_prior(run, prior or run.study.prior)
    asked: Record = {"version": __version__, "run": identity_of(run), "model": run.name, "block": BLOCK_ROWS}
    asked |= {"prior": None if shares is None else shares.tolist(), "folder": str(folder.resolve())}
    before = _record(output / _QUESTION)
    if before is not None and {name: before.get(name) for name in asked} != asked:
        odd = next(name for name in asked if before.get(name) != asked[name])
        hint = "name another folder for the answers, or remove this one"
        raise BadRequest(f"the folder {output} holds answers to another question: the {odd} differs", hint)
    if before is None:
        before = asked | {"schema": schema_as_text(_shape(run, folder, there))}
        write_record(output / _QUESTION, before)
    return before | {"run": str(run.folder.resolve()), "model": run.fitted.part.title}


def _shape(run: "Run", folder: Path, there: Sequence[Partition]) -> "pa.Schema":
    for one in there:
        try:
            return shape_of_answers(run, folder / one.path, one.values)
        except (NoData, DamagedFile):
            continue
    raise NoData(f"none of the {len(there)} partitions of {folder} can be read and has a row", "look at the folder")


def _kept(output: Path, there: Sequence[Partition], *, verify: bool) -> dict[str, Record]:
    """Give the records of partitions that are done."""
    found = {}
    for one in there:
        record = _record(_record_path(output, one.path))
        if record is None or record["input"] != one.stamp:
            continue
        answers = output / one.path
        sound = answers.is_file() and answers.stat().st_size == record["size"]
        if sound and (not verify or hash_of(answers) == record["sha256"]):
            found[one.path] = record
    return found


def _drop_rest(output: Path, names: set[str]) -> None:
    """Remove what killed workers left aside, and answers to partitions that are gone from the input."""
    for aside in output.rglob(".*.part"):
        aside.unlink(missing_ok=True)
    for record in (output / _RECORDS).rglob("*.json"):
        name = record.relative_to(output / _RECORDS).as_posix().removesuffix(".json")
        if name not in names:
            (output / name).unlink(missing_ok=True)
            record.unlink()


def _answer(
    question: Record, folder: Path, output: Path, todo: Sequence[Partition], workers: int, progress: Progress
) -> dict[str, Record]:
    """Answer partitions, the largest first so that all workers end together."""
    orders = [
        {**question, "path": one.path, "stamp": one.stamp, "with": dict(one.values),
         "input": str((folder / one.path).resolve()), "output": str((output / one.path).resolve()),
         "record": str(_record_path(output, one.path).resolve())}
        for one in sorted(todo, key=lambda one: (-one.size, one.path))
    ]  # fmt: skip
    sizes = {one.path: one.size for one in todo}
    done, whole = 0, max(sum(sizes.values()), 1)
    answered: dict[str, Record] = {}
    failed: dict[str, Record] = {}
    for step in _worked_off(orders, min(workers, len(orders))):
        if step is not None:
            order, told = step
            (failed if "error" in told else answered)[order["path"]] = told
            done += sizes[order["path"]]
        progress(done / whole, f"partition {len(answered) + len(failed)} of {len(todo)}")
    if failed:
        first = min(failed)
        why = from_record(failed[first]["error"])
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise JobFailed(f"{first}{more} could not be answered: {why.problem}", "mend it and repeat the call")
    return answered


def _worked_off(orders: Sequence[Record], workers: int) -> Iterator[tuple[Record, Record] | None]:
    from armillary.services.crew import done_by, work_off

    if workers > 1:
        yield from work_off("armillary.services.partition_answers:answer_partition", orders, workers)
        return
    for order in orders:
        yield None
        yield order, done_by(answer_partition, order, bool)


def _manifest(run: "Run", prior: Mapping[str, float] | None, records: Sequence[Record]) -> Record:
    from armillary.learn.applying import purity_under, stated_prior
    from armillary.learn.drift import Tally, drift
    from armillary.learn.folder import plain

    rows = sum(one["rows"] for one in records)
    if not rows:
        raise NoData("there is not a single sample to apply the model to", "look at the folder")
    classes: Counter[str] = Counter()
    tally: Tally | None = None
    for one in records:
        classes.update(one["classes"])
        if one["counts"]:
            seen = Tally(np.array(one["counts"]), np.array(one["states"]))
            tally = seen if tally is None else tally + seen
    told = drift(run.reference.profile, tally) if run.reference and tally is not None else None
    made: Record = plain({
        "model": run.name, "model_version": run.key, "rows": rows, "classes": dict(classes.most_common()),
        "drift": told, "purity": purity_under(run, stated_prior(run, prior or run.study.prior)),
        "partitions": [{name: one[name] for name in ("path", "rows", "size", "sha256")} for one in records],
    })  # fmt: skip
    return made


def _record(path: Path) -> Record | None:
    """Read a record; one that is damaged counts as none."""
    try:
        found: Record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _record_path(output: Path, name: str) -> Path:
    return output / _RECORDS / f"{name}.json"
