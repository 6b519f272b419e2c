"""What jobs do: a request answered into a file, in another process."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from armillary.errors import BadRequest
from armillary.model import Progress, Request, share

if TYPE_CHECKING:
    from armillary.run import JobStore
    from armillary.services.desk import Desk


def jobs_of(home: Path) -> "JobStore":
    """Give the jobs of a home."""
    from armillary.run import JobStore

    return JobStore(home / "jobs.sqlite")


def submit_get(desk: "Desk", request: Request, output: Path | None, folders: Sequence[str]) -> int:
    """Start a job that writes the answer of a request to a file, and give its number."""
    from armillary.run import submit
    from armillary.sources import check_path

    if output is None:
        raise BadRequest("a job in the background needs a file to write", "add -o FILE")
    check_path(output)
    desk.plan(request)  # a wrong question is told now, not in the job
    spec = {
        "home": str(desk.home),
        "folders": [str(Path(folder).resolve()) for folder in folders],
        "request": request.to_record(),
        "output": str(output.resolve()),
    }
    return submit(jobs_of(desk.home), "armillary.services.tasks:save_answer", spec, "detached")


def save_answer(spec: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
    """Answer a request into a file; the task of :func:`submit_get`."""
    from armillary.services.desk import open as open_desk
    from armillary.sources import write

    desk = open_desk(*spec["folders"], home=spec["home"])
    blocks = desk.blocks(Request.from_record(spec["request"]), share(progress, 0.0, 0.95))
    return {"file": str(write(blocks, spec["output"]))}
