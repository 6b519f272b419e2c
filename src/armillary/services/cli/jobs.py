"""``armillary jobs``: long requests in the background."""

import json
import time
from typing import Annotated

import typer

from armillary.run import Job, submit
from armillary.services.home import home
from armillary.services.tasks import jobs_of

app = typer.Typer(no_args_is_help=True, help="Jobs: long requests, their progress, log and result.")
Number = Annotated[int, typer.Argument(help="Number of the job.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the newest jobs."""
    store = jobs_of(home())
    store.recover()
    jobs = store.newest()
    if as_json:
        typer.echo(json.dumps([job.to_record() for job in jobs], indent=1))
        return
    for job in jobs:
        typer.echo(_line(job))


@app.command()
def show(number: Number, as_json: AsJson = False) -> None:
    """Show one job with its log."""
    store = jobs_of(home())
    store.recover()
    job = store.get(number)
    if as_json:
        typer.echo(json.dumps(job.to_record(), indent=1))
        return
    typer.echo(_line(job))
    typer.echo(job.log, nl=False)
    for outcome in (job.result, job.error):
        if outcome:
            typer.echo(json.dumps(outcome, indent=1))


@app.command()
def cancel(number: Number) -> None:
    """Ask a job to stop."""
    typer.echo(_line(jobs_of(home()).cancel(number)))


@app.command()
def retry(number: Number) -> None:
    """Do a job again; what it had finished is in the cache."""
    store = jobs_of(home())
    old = store.get(number)
    typer.echo(f"job {submit(store, old.task, old.spec, 'detached')}")


def _line(job: Job) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(job.created))
    what = job.spec.get("request", {}).get("product", job.task)
    return f"{job.id:5}  {job.state:9}  {job.fraction:4.0%}  {when}  {what}  {job.message}".rstrip()
