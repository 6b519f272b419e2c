"""Studies that come over the network: the same checks as for a file, and no code, no file but of the folder of data."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import BadParameter

if TYPE_CHECKING:
    from armillary.learn.study import Study
    from armillary.services.desk import Desk

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A study that may be run.

    Parameters
    ----------
    study : Study
    data : Path or None
        Where its files are; None if it learns from products.
    """

    study: "Study"
    data: Path | None


def check_name(name: str) -> str:
    """Give the name of a run back, if it can be that of a folder and of nothing else.

    Raises
    ------
    BadParameter

    Examples
    --------
    >>> check_name("icme-2")
    'icme-2'
    """
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise BadParameter(f"{name[:90]!r} cannot be the name of a run", "use up to 80 letters, digits, _ . and -")
    return name


def remote_study(desk: "Desk", asked: str | Mapping[str, Any], name: str) -> Asked:
    """Read a study that came over the network, and check all that can be checked before it runs.

    Parameters
    ----------
    asked : str or mapping
        TOML, or the same as plain values.
    name : str
        Of the study, where it has none.

    Raises
    ------
    BadParameter, UnknownProduct, UnknownCatalogue
        Naming the key that is wrong.
    """
    try:
        return _checked(desk, _record(asked), name)
    except RecursionError:
        raise BadParameter("the study is nested too deeply", "write it as the docs show") from None


def _checked(desk: "Desk", record: Mapping[str, Any], name: str) -> Asked:
    from armillary.learn.publishing import PRODUCTS
    from armillary.learn.study import study_of

    study = study_of({"name": name, **record})
    _check_models(study)
    _check_steps(study)
    if study.data.layout != PRODUCTS:
        return Asked(study, _data_of(study))
    _check_products(desk, study)
    return Asked(study, None)


def _record(asked: str | Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(asked, str):
        return dict(asked)
    try:
        return tomllib.loads(asked)
    except tomllib.TOMLDecodeError as failed:
        raise BadParameter(f"the study is no TOML: {failed}", "mend that line") from None


def _check_models(study: "Study") -> None:
    """Refuse what would import code, also in models that are made of others."""
    from armillary.learn.models import MODELS

    for used in _uses(study.to_record()["models"]):
        if used not in MODELS:
            problem = f"[[models]] use = {used[:80]!r} cannot be asked for over the network"
            raise BadParameter(problem, f"give one of {', '.join(MODELS)}; others by `armillary study run`")


def _uses(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from (str(one) for key, one in value.items() if key == "use")
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from _uses(one)


def _check_steps(study: "Study") -> None:
    from armillary.learn.features import STEPS

    for step in study.features:
        if step.use not in STEPS:
            raise BadParameter(f"[[features]] use = {step.use!r} is no step", f"give one of {', '.join(STEPS)}")


def _check_products(desk: "Desk", study: "Study") -> None:
    from armillary.learn.gridding import check_options, grid_of, interval_of

    options = study.data.options
    check_options(options)
    for ends in ("", "test_"):
        if not ends or {"test_start", "test_stop"} & options.keys():
            grid_of(interval_of(options, f"{ends}start", f"{ends}stop"), options["cadence"])
    for path in options["products"].values():
        desk.product(str(path))
    if "labels" in options:
        desk.catalogues.get(str(options["labels"]))


def _data_of(study: "Study") -> Path:
    """Find the files of a study, which must lie in the folder of data with all that its options name."""
    from armillary.learn.layouts import LAYOUTS

    if study.data.layout not in LAYOUTS:
        hint = f"give one of products, {', '.join(LAYOUTS)}"
        raise BadParameter(f"[data] layout = {study.data.layout!r} is none", hint)
    if not os.environ.get("ARMILLARY_DATA"):
        hint = "learn from products, or start the desk with ARMILLARY_DATA set to a folder"
        raise BadParameter("[data] path: this desk has no folder of data", hint)
    root = Path(os.environ["ARMILLARY_DATA"]).resolve()
    found = _inside(root, root, study.data.path, "path")
    if not study.data.path or not found.exists():
        raise BadParameter(f"[data] path = {study.data.path!r} is not in the folder of data", "name what is there")
    for text in _texts(study.to_record()["data"]["options"]):
        for folder in (found, found.parent):
            _inside(root, folder, text, "options")
    return found


def _texts(value: Any) -> Iterator[str]:
    """Give all texts in a value: any of them may name a file."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(one)


def _inside(root: Path, folder: Path, text: str, key: str) -> Path:
    try:
        place = (folder / text).resolve()
    except (OSError, ValueError, RuntimeError):
        raise BadParameter(f"[data] {key}: {text[:80]!r} is no path", "name a file of the folder of data") from None
    odd = ".." in Path(text).parts or Path(text).is_absolute() or text.startswith("~")
    if odd or (place != root and root not in place.parents):
        problem = f"[data] {key}: {text[:80]!r} lies outside of the folder of data"
        raise BadParameter(problem, "give a path below ARMILLARY_DATA")
    return place
