"""Answers that an interrupted call left behind: which call they belong to, and when they go."""

import hashlib
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from armillary.learn.trained import Run

#: Seconds for which the answers of an interrupted call are kept.
_KEPT: Final = 30 * 86_400


def identity_of(run: "Run") -> str:
    """Give a hash of the model that is asked, not of its name only."""
    digest = hashlib.sha256()
    for name in ("run.json", "metrics.json", "recipe.json"):
        digest.update((run.folder / name).read_bytes())
    return digest.hexdigest()


def stamps_of(path: Path) -> list[Any]:
    """Tell one state of a file or folder from another."""
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    return [[str(one.resolve()), one.stat().st_size, one.stat().st_mtime_ns] for one in files]


def tidy(folder: Path) -> None:
    """Remove answers of calls that were interrupted and never repeated."""
    for one in folder.glob("*"):
        if time.time() - one.stat().st_mtime > _KEPT:
            shutil.rmtree(one, ignore_errors=True)
