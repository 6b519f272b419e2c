"""The parent's side of the child that looks into files."""

import contextlib
import json
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from armillary.errors import one_line
from armillary.sources.files.summary import Summary
from armillary.sources.folder.index import Row
from armillary.sources.folder.scan import Entry

#: A sound file is described in well under a second, one with text at 20 MB/s or faster.
_SECONDS: Final = 20
_SECONDS_TO_START: Final = 60
_OCTETS_PER_SECOND: Final = 20_000_000


@dataclass(slots=True)
class _Child:
    process: "subprocess.Popen[str]"
    lines: "queue.SimpleQueue[str]"


class Describer:
    """Describes files one after another in one child process, which is replaced when it dies or hangs.

    Parameters
    ----------
    folder : Path
        The folder that the entries' paths start from.
    seconds : float
        How long one file may take, on top of a share for its size.
    """

    def __init__(self, folder: Path, seconds: float = _SECONDS) -> None:
        self._folder = folder
        self._seconds = seconds
        self._child: _Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def pid(self) -> int | None:
        """Number of the child process, None while there is none."""
        return self._child.process.pid if self._child else None

    def describe(self, entry: Entry) -> Row:
        """Give the row of a file; never raises for what is wrong with the file."""
        if entry.problem:
            return Row(entry.path, entry.size, entry.mtime, "damaged", entry.problem)
        answer = self._ask(entry)
        # An idle child may have been ended from outside; only a second death is the file's.
        if "died" in answer:
            answer = self._ask(entry)
        return _row(entry, answer)

    def _ask(self, entry: Entry) -> dict[str, Any]:
        seconds = self._seconds + entry.size / _OCTETS_PER_SECOND
        child = self._child = self._child or _start()
        question = {"path": str(self._folder / entry.path), "seconds": seconds}
        try:
            _write(child, question)
            line = child.lines.get(timeout=seconds)
        except queue.Empty:
            self._end()
            return {"state": "damaged", "reason": f"the reader hangs: no answer in {seconds:.0f} s"}
        except OSError:
            line = ""
        if not line:
            self._end()
            code = child.process.returncode
            return {"died": code, "state": "damaged", "reason": f"the reader crashes on it (exit status {code})"}
        found: dict[str, Any] = json.loads(line)
        return found

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.process.kill()
        child.process.wait()
        for pipe in (child.process.stdin, child.process.stdout):
            if pipe:
                _close(pipe)


def _start() -> _Child:
    # -c and not -m: the room's own package is imported by then, and a second copy would be warned of.
    command = [sys.executable, "-c", "from armillary.sources.folder.worker import main; main()"]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(process, lines), daemon=True, name="describer").start()
    with contextlib.suppress(queue.Empty):
        lines.get(timeout=_SECONDS_TO_START)  # the child says that it is ready; a dead one is noticed when asked
    return _Child(process, lines)


def _listen(process: "subprocess.Popen[str]", lines: "queue.SimpleQueue[str]") -> None:
    """Hand lines on; the empty text says that the child is gone."""
    try:
        for line in process.stdout or ():
            lines.put(line)
    except (OSError, ValueError):
        pass
    lines.put("")


def _write(child: _Child, question: dict[str, Any]) -> None:
    if child.process.stdin is None:
        raise OSError
    child.process.stdin.write(json.dumps(question) + "\n")
    child.process.stdin.flush()


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except OSError:
        return


def _row(entry: Entry, answer: dict[str, Any]) -> Row:
    if "summary" not in answer:
        return Row(entry.path, entry.size, entry.mtime, answer["state"], one_line(answer["reason"])[:500])
    summary = Summary.from_record(answer["summary"])
    return Row(entry.path, entry.size, entry.mtime, "ok", "", summary.format, summary)
