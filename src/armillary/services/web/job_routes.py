"""Routes of the jobs."""

from typing import Any

from fastapi import APIRouter, Request

from armillary.errors import Conflict
from armillary.services.tasks import jobs_of
from armillary.services.web.tree_routes import desk_of

router = APIRouter(tags=["jobs"])


@router.get("/jobs")
def jobs(request: Request) -> list[dict[str, Any]]:
    """List the newest jobs."""
    store = jobs_of(desk_of(request).home)
    store.recover()
    return [job.to_record() for job in store.newest()]


@router.get("/jobs/{number}")
def job(request: Request, number: int) -> dict[str, Any]:
    """Tell all about one job."""
    store = jobs_of(desk_of(request).home)
    store.recover()
    return store.get(number).to_record()


@router.delete("/jobs/{number}")
def cancel(request: Request, number: int) -> dict[str, Any]:
    """Ask a job to stop."""
    return jobs_of(desk_of(request).home).cancel(number).to_record()


@router.post("/jobs/{number}/retry", status_code=202)
def retry(request: Request, number: int) -> dict[str, Any]:
    """Do a job again that ended without a result; what it had finished is kept."""
    from armillary.run import submit

    store = jobs_of(desk_of(request).home)
    store.recover()
    old = store.get(number)
    if old.state not in {"failed", "cancelled", "lost"}:
        raise Conflict(f"job {number} is {old.state}", "only jobs that ended without a result are done again")
    return {"job": submit(store, old.task, old.spec, "detached")}


@router.get("/cache")
def cache(request: Request) -> dict[str, Any]:
    """Tell what the cache holds and what it has saved."""
    return dict(desk_of(request).cache.totals())
