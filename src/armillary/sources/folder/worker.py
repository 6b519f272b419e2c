"""The child that looks into files, so that a file which crashes or hangs a reader costs one row and nothing else.

It reads one path a line (JSON) and answers one line (JSON): ``{"summary": ...}`` or ``{"state": ..., "reason": ...}``.
"""

import json
import os
import signal
import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from armillary.errors import ArmillaryError, BadData, MissingExtra
from armillary.sources.files import describe


def main() -> None:
    """Answer until the parent closes the pipe."""
    answers = _private_output()
    warnings.simplefilter("ignore")
    _bound_memory(8 << 30)
    import_module("pyarrow.csv")  # before the first file's time starts to count
    answers.write("{}\n")
    answers.flush()
    for line in sys.stdin:
        question = json.loads(line)
        _alarm(int(question["seconds"]) + 2)
        answers.write(json.dumps(answer(Path(question["path"]))) + "\n")
        answers.flush()
        _alarm(0)


def answer(path: Path) -> dict[str, Any]:
    """Describe one file; whatever goes wrong becomes a state and a reason."""
    try:
        summary = describe(path)
    except Exception as broken:  # noqa: BLE001 - one row, whatever a library raises on a broken file
        return _told(broken)
    if summary is None:
        return {"state": "other", "reason": ""}
    if not summary.variables:
        return {"state": "ignored", "reason": "it holds no variable that can be shown"}
    return {"summary": summary.to_record()}


def _told(broken: Exception) -> dict[str, Any]:
    if isinstance(broken, MissingExtra):
        return {"state": "ignored", "reason": str(broken)}
    if isinstance(broken, ArmillaryError):
        return {"state": "ignored" if isinstance(broken, BadData) else "damaged", "reason": broken.problem}
    if isinstance(broken, MemoryError):
        return {"state": "damaged", "reason": "reading it needs more memory than a sound file of its size could"}
    return {"state": "damaged", "reason": f"{type(broken).__name__}: {broken}"}


def _private_output() -> TextIO:
    """Keep the pipe to ourselves: what libraries print goes to stderr."""
    private = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(private, "w", encoding="utf-8")


def _alarm(seconds: int) -> None:
    """Die when a reader hangs and the parent is no longer there to end us."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


def _bound_memory(octets: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = octets if hard == resource.RLIM_INFINITY else min(octets, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


if __name__ == "__main__":
    main()
