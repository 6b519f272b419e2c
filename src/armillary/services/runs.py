"""The runs of a home: folders below ``runs/``, made by jobs; what is there, and how far each is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import ArmillaryError, BadRequest, Conflict
from armillary.model import Archive, Interval, Progress, format_time
from armillary.run import ENDED, Job, submit
from armillary.run.local import Where
from armillary.services.remote_studies import Asked, check_name
from armillary.services.tasks import jobs_of

if TYPE_CHECKING:
    from armillary.services.applying import Wanted
    from armillary.services.desk import Desk

Record = dict[str, Any]
_STUDY: Final = "armillary.services.runs:study_task"
_APPLY: Final = "armillary.services.runs:apply_task"
_PROPOSE: Final = "armillary.services.runs:propose_task"
#: Jobs go on when the desk is stopped.
WHERE: Where = "detached"
#: Jobs that are looked through for those of runs.
_JOBS: Final = 500


def runs_folder(home: Path) -> Path:
    """Give the folder of all runs of a home."""
    return home / "runs"


def run_folder(home: Path, name: str) -> Path:
    """Give the folder of a run that exists.

    Raises
    ------
    BadParameter, BadRequest
        If the name can be none, or there is no complete run of this name.
    """
    folder = runs_folder(home) / check_name(name)
    if not (folder / "run.json").is_file():
        raise BadRequest(f"there is no complete run {name!r}", "run its study first")
    return folder


def list_runs(home: Path) -> list[Record]:
    """Give all runs, the newest first: those that are complete and those that are under way or stopped."""
    jobs = _jobs_of_runs(home)
    folders = {one.name for one in runs_folder(home).glob("*") if one.is_dir()}
    begun = {name for name, job in jobs.items() if job.state != "done"}
    found = [_brief(runs_folder(home) / name, jobs.get(name)) for name in folders | begun]
    return sorted(found, key=lambda one: str(one["finished"] or "9"), reverse=True)


def tell_run(home: Path, name: str) -> Record:
    """Tell all about a complete run: warnings first, then the tables that the command line prints.

    Raises
    ------
    BadParameter, BadRequest, DamagedFile
    """
    from armillary.learn.folder import read_metrics, read_run, undamaged
    from armillary.learn.outcome_files import class_table, table_of
    from armillary.services.studies import warnings_of

    folder = run_folder(home, name)
    about, metrics = read_run(folder), read_metrics(folder)
    with undamaged(folder):
        return {
            **_brief(folder, None),
            "warnings": warnings_of(metrics),
            "judged_on": metrics["judged_on"],
            "table": table_of(metrics),
            "class_table": class_table(metrics),
            "words": metrics["ties"],
            "notes": metrics["notes"],
            "study": about["study"],
            "products": about["study"]["data"]["options"].get("products", {}),
            "labels": about["study"]["data"]["options"].get("labels", ""),
            "figures": sorted(one.name for one in (folder / "figures").glob("*.png")),
        }


def submit_study(desk: "Desk", asked: Asked, name: str) -> int:
    """Start a study as a job that outlives the desk, and give its number.

    Raises
    ------
    Conflict
        If there is such a run, or it is under way.
    """
    folder = runs_folder(desk.home) / check_name(name)
    under_way = _jobs_of_runs(desk.home).get(name)
    if under_way and under_way.state not in ENDED:
        raise Conflict(f"the run {name!r} is under way, as job {under_way.id}", "wait for it, or give another name")
    if (folder / "run.json").exists():
        raise Conflict(f"there is a run {name!r} already", "give another name")
    spec = {"name": name, "study": asked.study.to_record(), "data": str(asked.data) if asked.data else None}
    return _submit(desk, _STUDY, spec)


def submit_apply(desk: "Desk", name: str, to: str, asked: Mapping[str, Any]) -> int:
    """Start applying the model of a run, and give the number of the job; `asked` as :func:`apply_task` takes it."""
    return _submit(desk, _APPLY, _applying(desk, name, to, asked))


def submit_propose(desk: "Desk", name: str, to: str, asked: Mapping[str, Any]) -> int:
    """Let the model of a run propose rows, and give the number of the job; `asked` as :func:`propose_task` takes it."""
    return _submit(desk, _PROPOSE, _applying(desk, name, to, asked))


def study_task(spec: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
    """Run a study; the task of :func:`submit_study`."""
    from armillary.learn.study import study_of
    from armillary.services.studies import run_study

    desk = _desk_of(spec)
    folder = runs_folder(desk.home) / check_name(spec["name"])
    data = Path(spec["data"]) if spec["data"] else None
    metrics = run_study(desk, study_of(spec["study"]), folder, data=data, progress=progress)
    return {"run": spec["name"], "best": metrics["best"]}


def apply_task(spec: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
    """Put what a model finds into a catalogue; the task of :func:`submit_apply`."""
    from armillary.services.studies import apply_to

    desk = _desk_of(spec)
    named = {"model": spec["model"], "prior": spec["prior"], "wanted": _wanted(spec), "progress": progress}
    return apply_to(desk, run_folder(desk.home, spec["name"]), _target(spec), spec["to"], **named)


def propose_task(spec: Mapping[str, Any], progress: Progress) -> Mapping[str, Any]:
    """Put what a person should look at into the proposals of a catalogue; the task of :func:`submit_propose`."""
    from armillary.catalogues.proposals import proposals_of
    from armillary.services.studies import propose_for

    desk = _desk_of(spec)
    named = {"model": spec["model"], "wanted": _wanted(spec), "progress": progress}
    asked = {"count": spec["count"], "by": spec["by"], **named}
    rows = propose_for(desk, run_folder(desk.home, spec["name"]), _target(spec), spec["to"], **asked)
    return {"catalogue": proposals_of(spec["to"]), "proposed": len(rows), "ids": [one.id for one in rows]}


def _submit(desk: "Desk", task: str, spec: Mapping[str, Any]) -> int:
    archives = [one.to_record() for one in desk.archives.values() if ":" not in one.protocol]
    return submit(jobs_of(desk.home), task, {"home": str(desk.home), "archives": archives, **spec}, WHERE)


def _desk_of(spec: Mapping[str, Any]) -> "Desk":
    from armillary.services.desk import open as open_desk

    return open_desk(*map(Archive.from_record, spec["archives"]), home=spec["home"])


def _applying(desk: "Desk", name: str, to: str, asked: Mapping[str, Any]) -> Record:
    """Check what can be checked before the job begins: run, products, times, catalogue."""
    from armillary.catalogues.proposals import proposals_of

    classes, models = _recipe_of(run_folder(desk.home, name))
    if asked["model"] and asked["model"] not in models:
        raise BadRequest(f"the run has no model {asked['model']!r}", f"its models are {', '.join(models)}")
    if not to.isprintable() or "/" in to or to.endswith(proposals_of("")):
        raise BadRequest(f"{to!r} cannot be the catalogue of answers", "give a name without / that no proposals have")
    things = [desk.product(path).path for path in asked["products"]]
    columns = {key: desk.product(path).path for key, path in asked["columns"].items()}
    unknown = sorted({*asked["classes"], *asked["prior"]} - set(classes))
    if unknown:
        raise BadRequest(f"the model has no class {unknown[0]!r}", f"its classes are {', '.join(classes)}")
    if bool(asked["start"]) != bool(asked["stop"]):
        raise BadRequest("start and stop belong together", "give both, or neither")
    span = Interval.of(asked["start"], asked["stop"]) if asked["start"] else None
    times = {"start": format_time(span.start), "stop": format_time(span.stop)} if span else {}
    return {**asked, **times, "name": name, "to": to, "products": things, "columns": columns}


def _recipe_of(folder: Path) -> tuple[list[str], list[str]]:
    """Give classes and models of a run without loading these."""
    from armillary.learn.folder import undamaged

    with undamaged(folder):
        recipe = json.loads((folder / "recipe.json").read_text("utf-8"))
        return list(recipe["classes"]), list(recipe["models"])


def _target(spec: Mapping[str, Any]) -> Any:
    from armillary.services.studies import target_of

    return target_of(spec["products"], spec["start"], spec["stop"], spec["columns"])


def _wanted(spec: Mapping[str, Any]) -> "Wanted":
    from armillary.services.applying import Wanted

    return Wanted(tuple(spec["classes"]), spec["least"])


def _jobs_of_runs(home: Path) -> dict[str, Job]:
    """Give the newest job of each run."""
    store = jobs_of(home)
    store.recover()
    return {str(one.spec["name"]): one for one in reversed(store.newest(_JOBS)) if one.task == _STUDY}


def _brief(folder: Path, job: Job | None) -> Record:
    """Say what a list of runs shows."""
    told: Record = {"name": folder.name, "title": folder.name, "state": "stopped", "job": None, "finished": None}
    if job:
        state = "stopped" if job.state == "done" else job.state
        told |= {"state": state, "job": job.id, "fraction": job.fraction, "message": job.message}
        told |= {"problem": (job.error or {}).get("problem", ""), "task": job.spec["study"]["task"]}
    if (folder / "run.json").exists():
        told |= _of_complete(folder)
    return told


def _of_complete(folder: Path) -> Record:
    from armillary.learn.folder import read_metrics, read_run, undamaged

    try:
        about, metrics = read_run(folder), read_metrics(folder)
        with undamaged(folder):
            study = about["study"]
            return {
                "state": "done", "title": study["title"] or study["name"], "task": study["task"],
                "finished": about["finished"], "best": metrics["best"], "chosen_by": metrics["chosen_by"],
                "score": metrics.get(metrics["chosen_by"]), "problem": "",
            }  # fmt: skip
    except ArmillaryError as broken:
        return {"state": "damaged", "problem": broken.problem}
