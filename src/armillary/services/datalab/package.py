"""Writing a package: all of it or nothing."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import BadParameter, BadRequest, CannotWrite, UnknownProduct
from armillary.services.datalab.about import About
from armillary.services.datalab.notebook import notebook_of
from armillary.services.datalab.pins import pins, python_version, requirements

if TYPE_CHECKING:
    from armillary.learn.trained import Run
    from armillary.model import Archive, Product
    from armillary.services.desk import Desk

#: Template and the file that it becomes.
_FILES: Final = {
    "Dockerfile": "Dockerfile",
    "dockerignore": ".dockerignore",
    "environment.yml": "environment.yml",
    "jupyter_server_config.template": "jupyter_server_config.py",
    "logo.svg": "logo.svg",
    "datalab-meta.yml": "datalab-meta.yml",
    "README.md": "README.md",
}
_WORD: Final = re.compile(r"@([A-Z_]+)@")
_EXTRAS: Final = ("gaia", "learn")
#: Octets of a run folder that goes along.
_MOST: Final = 2**30
_BY_CLASS: Final = """for name in sorted(set(said) - {""}):
    at = said == name
    sky.plot(answers["ra"].to_numpy()[at], answers["dec"].to_numpy()[at], ".", ms=3, label=name)
sky.legend(loc="upper right", markerscale=3)"""
_PLAIN: Final = 'sky.plot(stars["ra"].to_numpy(), stars["dec"].to_numpy(), ".", ms=3)'
_SEDS: Final = """order = np.argsort(seds.wavelength)
for row in np.argsort(-seds.measured.sum(axis=1), kind="stable")[:6]:
    good = order[seds.measured[row, order]]
    light.loglog(seds.wavelength[good], seds.power[row, good], "o-", ms=3)
light.set(xlabel="wavelength (um)", ylabel="lambda F_lambda (W m-2)", title="six sources with the most bands")"""
_NO_SEDS: Final = "light.set_visible(False)"


@dataclass(frozen=True, slots=True)
class Content:
    """What the notebook works on.

    Parameters
    ----------
    table : str
        Path of a product of the kind sources.
    part : mapping
        What of it, as `Desk.get` takes it: ``where``, ``cone``, ``bbox``, ``params``.
    run : Path, optional
        A run folder, whose model classifies.
    wheel : Path, optional
        Armillary itself, where no package index has it.
    """

    table: str
    part: Mapping[str, Any] = field(default_factory=dict)
    run: Path | None = None
    wheel: Path | None = None


def make_package(desk: "Desk", folder: Path, about: About, content: Content, *, force: bool = False) -> Path:
    """Write a package and give its folder.

    Parameters
    ----------
    force : bool
        Replace the files of a package that is there; others stay.

    Raises
    ------
    BadRequest
        If the folder is not empty, the table is none of sources or lies in a folder of this machine, or the model
        answers with maps.
    CannotWrite, MissingExtra
    """
    if folder.exists() and not force and (not folder.is_dir() or any(folder.iterdir())):
        raise BadRequest(f"{folder} is there already", "give another folder, or --force to replace its files")
    product, archive = _table(desk, content.table)
    loaded = _run(content.run) if content.run else None
    wheel = _wheel(content.wheel) if content.wheel else None
    parts = [name for name, there in (("sed", _has_bands(desk, product)), ("run", loaded)) if there]
    words = _words(about, content, product, parts, _extras(loaded), archive)
    try:
        with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as aside:
            _fill(Path(aside), words, parts, archive)
            _bring(Path(aside), content.run if loaded else None, wheel)
            _move(Path(aside), folder)
    except OSError as failed:
        reason = failed.strerror or str(failed)
        raise CannotWrite(f"cannot write {folder}: {reason}", "choose a folder where you may write") from failed
    return folder


def _fill(aside: Path, words: Mapping[str, str], parts: list[str], archive: "Archive | None") -> None:
    for template, name in _FILES.items():
        (aside / name).write_text(_filled(template, words), "utf-8")
    (aside / "notebook.ipynb").write_text(notebook_of(_filled("notebook.template", words), parts), "utf-8")
    (aside / "requirements.txt").write_text(words["REQUIREMENTS"], "utf-8")
    (aside / "constraints.txt").write_text(words["CONSTRAINTS"], "utf-8")
    if archive is not None:
        from armillary.tree import add_archive

        add_archive(aside / "archives.json", archive)


def _filled(template: str, words: Mapping[str, str]) -> str:
    """Put words into a template, in one pass: what a title says is never taken for a word of ours."""
    text = (files(__package__) / "templates" / template).read_text("utf-8")
    return _WORD.sub(lambda found: words.get(found[1], found[0]), text)


def _words(
    about: About, content: Content, product: "Product", parts: list[str], extras: tuple[str, ...],
    archive: "Archive | None",
) -> dict[str, str]:  # fmt: skip
    listed = requirements(extras)
    plain = {
        "SOFTWARE": version("armillary"), "SLUG": about.slug, "PYTHON": python_version(), "TITLE": about.title,
        "ABSTRACT": about.abstract, "TABLE": product.path, "CITATION": " ".join(product.citation.split()),
        "TITLE_PYTHON": repr(about.title), "TABLE_PYTHON": repr(product.path), "PART_PYTHON": repr(dict(content.part)),
        "REQUIREMENTS": "".join(f"{one}\n" for one in listed),
        "REQUIREMENTS_YAML": "\n".join(f"      - {_quoted(one)}" for one in listed),
        "CONSTRAINTS": "".join(f"{one}\n" for one in pins(extras)),
        "RUN_ROW": "| `run/` | the trained model, with its card |\n" if "run" in parts else "",
        "COLOURS": _BY_CLASS if "run" in parts else _PLAIN, "LIGHT": _SEDS if "sed" in parts else _NO_SEDS,
        "RESULT": "answers" if "run" in parts else "stars",
        "ARCHIVES": "COPY --chown=armillary:armillary archives.json ${ARMILLARY_HOME}/" if archive else "",
    }  # fmt: skip
    told = {"TITLE": about.title, "SHORT": about.name, "ABSTRACT": about.abstract, "CONTACT": about.contact,
            "CREATOR": about.creator, "RELEASE": about.release, "LICENCE": about.licence}  # fmt: skip
    labels = {f"{name}_LABEL": _quoted(text).replace("$", "\\$") for name, text in told.items()}
    return plain | labels | {f"{name}_YAML": _quoted(text) for name, text in told.items()}


def _quoted(text: str) -> str:
    """Give a text in double quotes, as JSON, YAML and Docker read it."""
    return json.dumps(text, ensure_ascii=False)


def _table(desk: "Desk", path: str) -> "tuple[Product, Archive | None]":
    """Find the table, and the archive that a package has to bring along to have it too."""
    from dataclasses import replace

    from armillary.sources.http import shown

    product = desk.product(path)
    if product.kind != "sources":
        raise BadRequest(f"{product.path} is no table of sources but {product.kind}", "name one, see `armillary tree`")
    archive = next((one for one in desk.archives.values() if one.name == product.source), None)
    if archive is None or archive.protocol not in {"folder", "hapi", "tap"}:
        return product, None
    if archive.protocol == "folder":
        hint = "name a table of a server (`armillary add tap gaia`), or of a mission"
        raise BadRequest(f"{product.path} lies in a folder of this machine", hint)
    return product, replace(archive, address=shown(archive.address))


def _has_bands(desk: "Desk", product: "Product") -> bool:
    """Say whether the table has magnitudes: energy distributions can be made of it then."""
    try:
        desk.product(f"{product.path}/sed")
    except UnknownProduct:
        return False
    return True


def _run(folder: Path) -> "Run":
    from armillary.learn.trained import load_run
    from armillary.services.rasters import of_maps

    run = load_run(folder)
    if of_maps(run):
        raise BadRequest(f"the model of {folder} answers with maps, not with rows", "give a run of a table of sources")
    size = sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
    if size > _MOST:
        raise BadRequest(f"{folder} has {size / 1e9:.1f} GB", "give a run of less than 1 GB")
    return run


def _extras(run: "Run | None") -> tuple[str, ...]:
    """Say what must be installed: some models need a library of their own."""
    used = {part.use for part in run.study.models} if run else set()
    return (*_EXTRAS, *(["boosting"] if any("lightgbm" in one for one in used) else []))


def _wheel(path: Path) -> Path:
    if not (path.is_file() and path.name.startswith("armillary-") and path.suffix == ".whl"):
        raise BadParameter(f"{path} is no wheel of Armillary", "make one with `pip wheel --no-deps .`")
    return path


def _bring(aside: Path, run: Path | None, wheel: Path | None) -> None:
    (aside / "wheels").mkdir()
    (aside / "wheels" / "README").write_text("A wheel of Armillary here is installed instead of one of the index.\n")
    if wheel:
        shutil.copy2(wheel, aside / "wheels" / wheel.name)
    if run:
        shutil.copytree(run, aside / "run", symlinks=False)


def _move(aside: Path, folder: Path) -> None:
    """Put what was made in its place; files of others that are there stay."""
    aside.chmod(0o755)
    if not folder.exists() or not any(folder.iterdir()):
        folder.rmdir() if folder.exists() else None
        made = aside.with_name(f"{aside.name}.made")
        aside.rename(made)
        aside.mkdir()  # what is tidied up afterwards
        made.rename(folder)
        return
    for one in aside.iterdir():
        target = folder / one.name
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        one.replace(target)
