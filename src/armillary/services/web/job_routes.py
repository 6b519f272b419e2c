"""Routes of the jobs."""

from typing import Any

from fastapi import APIRouter, Request

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
    return jobs_of(desk_of(request).home).get(number).to_record()


@router.delete("/jobs/{number}")
def cancel(request: Request, number: int) -> dict[str, Any]:
    """Ask a job to stop."""
    return jobs_of(desk_of(request).home).cancel(number).to_record()


@router.get("/cache")
def cache(request: Request) -> dict[str, Any]:
    """Tell what the cache holds and what it has saved."""
    return dict(desk_of(request).cache.totals())
