"""The run folder: plain files, each written aside and moved, `run.json` last so that it says that all is there."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from armillary.errors import ArmillaryError, BadRequest, CannotWrite, DamagedFile

Array = np.ndarray[Any, np.dtype[Any]]
#: Says what a run was about; a folder with it, or with `STARTED` only, is a run folder.
RUN: Final = "run.json"
STARTED: Final = "started.json"
#: Answers of folds, kept until the run is complete.
PARTS: Final = "parts"


def begin(folder: Path, about: Mapping[str, Any]) -> Path:
    """Make a run folder, or go on in one that the same study left.

    Parameters
    ----------
    folder : Path
    about : mapping
        What the run is about; a folder that another study, or other data, filled is refused.

    Returns
    -------
    Path
        Where answers of folds are kept.

    Raises
    ------
    BadRequest
        If the folder holds something else.
    CannotWrite
    """
    try:
        there = folder / STARTED
        if there.exists():
            if json.loads(there.read_text("utf-8")) != dict(about):
                problem = f"{folder} holds the run of another study, of other data or of another version"
                raise BadRequest(problem, "give --out another folder, or remove this one")
        elif folder.exists() and any(folder.iterdir()):
            raise BadRequest(f"{folder} holds other files", "give --out an empty or a new folder")
        (folder / PARTS).mkdir(parents=True, exist_ok=True)
        write_json(there, about)
    except json.JSONDecodeError as failed:
        raise DamagedFile(f"{folder / STARTED} is damaged", "remove the folder and run the study again") from failed
    except OSError as failed:
        raise CannotWrite(f"cannot make {folder}: {failed.strerror}", "choose a folder where you may write") from failed
    return folder / PARTS


def finish(folder: Path, about: Mapping[str, Any]) -> None:
    """Write what the run was about, last of all, and remove what only an interrupted run needs."""
    write_json(folder / RUN, about)
    for kept in (folder / PARTS).glob("*"):
        kept.unlink()
    (folder / PARTS).rmdir()


def read_run(folder: Path) -> dict[str, Any]:
    """Read what a run was about.

    Raises
    ------
    BadRequest
        If there is no complete run.
    DamagedFile
    """
    return _read(folder, RUN)


def read_metrics(folder: Path) -> dict[str, Any]:
    """Read the scores of a run.

    Raises
    ------
    BadRequest, DamagedFile
    """
    return _read(folder, "metrics.json")


@contextmanager
def undamaged(folder: Path) -> Iterator[None]:
    """Look things up in files of a run: what is missing in them, or of another kind, makes them damaged.

    Raises
    ------
    DamagedFile
    """
    try:
        yield
    except ArmillaryError:
        raise
    except (LookupError, TypeError, AttributeError, ValueError) as failed:
        problem = f"files of the run {folder} are damaged or incomplete: {failed!r}".replace("\n", " ")
        raise DamagedFile(problem, "run the study again into another folder") from failed


def file_name(title: str) -> str:
    """Give a name that any file system takes.

    Examples
    --------
    >>> file_name("extra trees (B, V)")
    'extra_trees_B_V'
    """
    return re.sub(r"[^\w.-]+", "_", title).strip("_") or "model"


def write_text(path: Path, text: str) -> None:
    """Write a text whole or not at all.

    Raises
    ------
    CannotWrite
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        aside.write_text(text, "utf-8")
        aside.replace(path)
    except OSError as failed:
        aside.unlink(missing_ok=True)
        raise CannotWrite(
            f"cannot write {path}: {failed.strerror}", "free some space, or choose another place"
        ) from None


def write_json(path: Path, values: Any) -> None:
    """Write plain values; numbers that are not finite become null, as JSON has no others."""
    write_text(path, json.dumps(plain(values), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def plain(values: Any) -> Any:
    """Give values as JSON has them.

    Examples
    --------
    >>> plain({"a": np.float64("nan"), "b": (np.int64(1), True)})
    {'a': None, 'b': [1, True]}
    """
    if isinstance(values, Mapping):
        return {str(name): plain(one) for name, one in values.items()}
    if isinstance(values, np.ndarray):
        return plain(values.tolist())
    if isinstance(values, Sequence) and not isinstance(values, str):
        return [plain(one) for one in values]
    if isinstance(values, np.generic):
        return plain(values.item())
    return None if isinstance(values, float) and not np.isfinite(values) else values


def write_predictions(path: Path, columns: Mapping[str, Array]) -> None:
    """Write one row a judged sample as Parquet.

    Raises
    ------
    CannotWrite
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        pq.write_table(pa.table({name: pa.array(_arrow(one)) for name, one in columns.items()}), aside)
        aside.replace(path)
    except OSError as failed:
        aside.unlink(missing_ok=True)
        raise CannotWrite(
            f"cannot write {path}: {failed.strerror}", "free some space, or choose another place"
        ) from None


def _arrow(values: Array) -> Any:
    return values.astype(str).tolist() if values.dtype.kind in "OU" else values


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads((folder / name).read_text("utf-8"))
    except FileNotFoundError:
        begun = (folder / STARTED).exists()
        hint = "run its study again with the same --out: it goes on where it was" if begun else "give a run folder"
        raise BadRequest(f"there is no complete run in {folder}", hint) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as failed:
        raise DamagedFile(f"{folder / name} is damaged", "run the study again into another folder") from failed
    return record
