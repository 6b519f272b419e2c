"""Studies from Python: run one, apply its model, let it propose labels, decide on these; `Desk.learn` has them all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from armillary.errors import BadRequest
from armillary.model import Progress, silent

if TYPE_CHECKING:
    from armillary.catalogues import Entry
    from armillary.learn.applying import Applied
    from armillary.learn.study import Study
    from armillary.services.applying import Target, Wanted
    from armillary.services.desk import Desk

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Studies:
    """What a desk can learn; get it as ``desk.learn``."""

    desk: "Desk"

    def run(self, study: "Study | Path | Mapping[str, Any]", out: str | Path, **more: Any) -> Record:
        """Run a study and write its run folder; see :func:`run_study`.

        Returns
        -------
        dict
            The content of metrics.json.
        """
        return run_study(self.desk, study, Path(out), **more)

    def apply(
        self, run: str | Path, *products: str, to: str, start: str | None = None, stop: str | None = None, **more: Any
    ) -> Record:
        """Apply the model of a run folder to products; what it finds becomes rows of the catalogue `to`.

        Without products those of the study are taken; `more` is ``columns`` and what :func:`apply_to` takes.
        """
        return apply_to(self.desk, Path(run), target_of(products, start, stop, more.pop("columns", {})), to, **more)

    def propose(
        self, run: str | Path, *products: str, to: str, start: str | None = None, stop: str | None = None, **more: Any
    ) -> "list[Entry]":
        """Let the model of a run folder propose labels for the catalogue `to`: rows of ``to.proposals``.

        As :meth:`apply`; `more` may also be ``count`` and ``by``, see :func:`propose_for`.
        """
        return propose_for(self.desk, Path(run), target_of(products, start, stop, more.pop("columns", {})), to, **more)

    def accept(self, name: str, ids: Sequence[str], changes: Mapping[str, Any] | None = None) -> list[str]:
        """Copy proposals into their catalogue; see `armillary.catalogues.proposals.accept`."""
        from armillary.catalogues.proposals import accept

        return accept(self.desk.catalogues, name, ids, changes)

    def reject(self, name: str, ids: Sequence[str]) -> None:
        """Say that proposals are wrong; see `armillary.catalogues.proposals.reject`."""
        from armillary.catalogues.proposals import reject

        reject(self.desk.catalogues, name, ids)


def run_study(
    desk: "Desk",
    study: "Study | Path | Mapping[str, Any]",
    out: Path,
    *,
    data: Path | None = None,
    test_data: Path | None = None,
    progress: Progress = silent,
) -> Record:
    """Run a study of files or of products, and write its run folder; an interrupted run in it goes on.

    Parameters
    ----------
    study : Study, Path or mapping
        The study, its TOML file, or its plain values.
    out : Path
        The run folder.
    data, test_data : Path, optional
        What to learn from instead of what the study names, and unseen data; of files only.

    Returns
    -------
    dict
        The content of metrics.json.

    Raises
    ------
    ArmillaryError
    """
    from armillary.learn.publishing import PRODUCTS, publish
    from armillary.services.samples import publish_products

    asked = _study_of(study)
    if asked.data.layout != PRODUCTS:
        return publish(asked, out, data=data, test_data=test_data, progress=progress)
    if data or test_data:
        hint = "write start, stop, test_start and test_stop into [data.options]"
        raise BadRequest("data and test_data are of files, and this study learns from products", hint)
    return publish_products(desk, asked, out, progress)


def apply_to(
    desk: "Desk",
    run: Path,
    target: "Target",
    name: str,
    *,
    model: str = "",
    wanted: "Wanted | None" = None,
    prior: Mapping[str, float] | None = None,
    progress: Progress = silent,
) -> Record:
    """Apply a model of a run folder and put what it finds into a catalogue.

    Returns
    -------
    dict
        ``added``, ``already`` and all of :func:`told_of`.

    Raises
    ------
    ArmillaryError
    """
    from armillary.learn.trained import load_run
    from armillary.services import applying, rasters

    loaded = load_run(run, model)
    if rasters.of_maps(loaded):
        areas = rasters.Wanted(classes=wanted.classes, probability=wanted.least) if wanted else rasters.Wanted()
        return rasters.find_areas(desk, loaded, target, name, areas, prior=prior, progress=progress)
    applied = applying.apply_run(desk, loaded, target, prior=prior, progress=progress)
    record = told_of(applied)
    record["added"], record["already"] = applying.to_catalogue(desk.catalogues, name, applied, wanted)
    applying.forget(applied)
    return record | {"catalogue": name}


def propose_for(
    desk: "Desk",
    run: Path,
    target: "Target",
    name: str,
    *,
    count: int = 20,
    by: str = "uncertain",
    model: str = "",
    wanted: "Wanted | None" = None,
    progress: Progress = silent,
) -> "list[Entry]":
    """Let a model of a run folder put what a person should look at next into the proposals of a catalogue.

    Raises
    ------
    ArmillaryError
    """
    from armillary.learn.trained import load_run
    from armillary.services import applying
    from armillary.services.labelling import propose_rows

    applied = applying.apply_run(desk, load_run(run, model), target, points=True, progress=progress)
    rows = propose_rows(desk.catalogues, name, applied, count, by, wanted)
    applying.forget(applied)
    return rows


def told_of(applied: "Applied") -> Record:
    """Say what a model answered, how far the data drifted, and what the answers are worth; JSON values."""
    from armillary.learn.folder import plain
    from armillary.services.applying import count_classes

    told: Record = plain(
        {
            "model": applied.run.name,
            "model_version": applied.run.key,
            "rows": applied.rows,
            "classes": count_classes(applied),
            "drift": applied.drift,
            "purity": applied.purity,
            "caveat": caveat_of(applied.purity, applied.drift),
        }
    )
    return told


def caveat_of(purity: Record, drift: Record | None) -> str:
    """Say when what held-out samples promise need not hold for the new ones."""
    if not purity or (drift or {}).get("verdict", "none") == "none":
        return ""
    return (
        "completeness and purity were measured on held-out samples of the training data; these data drifted from them"
    )


def warnings_of(metrics: Mapping[str, Any]) -> list[str]:
    """Give what must be read before the numbers of a run; a note is of a leak that the split keeps out."""
    said = []
    if metrics["random_split"]:
        said.append("Warning: the split is random: neighbours stand on both sides, expect less on new data")
    serious = [one for one in metrics["leaks"] if one["serious"]]
    return said + [f"{'Note' if one['numbers'].get('guarded') else 'Warning'}: {one['message']}" for one in serious]


def target_of(things: Sequence[str], start: str | None, stop: str | None, columns: Mapping[str, str]) -> "Target":
    """Name what a model is applied to: products of an interval."""
    from armillary.services.applying import Target

    return Target(things=tuple(things), columns=dict(columns), start=start, stop=stop)


def _study_of(study: "Study | Path | Mapping[str, Any]") -> "Study":
    from armillary.learn.study import Study, read_study, study_of

    if isinstance(study, Study):
        return study
    return study_of(study) if isinstance(study, Mapping) else read_study(Path(study))
