"""``armillary datalab``: every file of a package is what its reader wants, and the notebook runs."""

import ast
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from importlib.metadata import metadata, version
from pathlib import Path
from typing import Any

import pytest

import armillary as arm
from armillary.errors import BadParameter
from armillary.services.datalab import About
from armillary.services.datalab.pins import pins, requirements

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed: the metadata of datalabs are not read")

PHOTOMETRY = "simulated/stars/photometry"
BANDS = ("g_mag", "bp_mag", "rp_mag", "j_mag", "ks_mag", "w1_mag", "w2_mag")
WHO = ("--contact", "me.too@some-institute.org", "--creator", 'A. "Pen" Name')
#: What no title should be able to do.
TITLE = "Discs: @TABLE@ $HOME \"quoted\" # '''"
STUDY = f"""
name = "stars"
task = "classes"
seeds = 1
resamples = 20
[data]
layout = "table"
path = "stars.csv"
[data.options]
label = "class"
columns = {json.dumps(BANDS)}
[labels]
least = 20
[split]
sky_on = ["ra", "dec"]
level = 5
folds = 3
[[features]]
use = "columns"
[[models]]
use = "extra_trees"
options = {{n_estimators = 10, min_samples_leaf = 2}}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of the classes of the simulated stars."""
    from armillary.learn.publishing import publish

    folder = tmp_path_factory.mktemp("stars")
    desk = arm.open(home=tmp_path_factory.mktemp("home"))
    stars, truth = (
        desk.get(f"simulated/stars/{one}", params={"n": 1500}).to_pandas() for one in ("photometry", "truth")
    )
    stars.merge(truth[["source_id", "class"]], on="source_id").to_csv(folder / "stars.csv", index=False)
    (folder / "stars.toml").write_text(STUDY, "utf-8")
    publish(folder / "stars.toml", folder / "run", data=folder / "stars.csv")
    return folder / "run"


@pytest.fixture
def package(cli: Callable[..., Any], run: Path, tmp_path: Path) -> Path:
    words = ("--run", run, "--title", TITLE, "--param", "n=900", "--where", "ra > 84")
    asked = cli("datalab", tmp_path / "lab", "--table", PHOTOMETRY, *WHO, *words)
    assert asked.status == 0, asked.err
    assert asked.out.strip() == str(tmp_path / "lab")
    return tmp_path / "lab"


def test_the_metadata_are_those_that_esa_datalabs_asks_for(package: Path) -> None:
    told = yaml.safe_load((package / "datalab-meta.yml").read_text("utf-8"))
    assert {"title", "alternateName", "abstract", "contactPoint.email", "creator.name", "version"} <= told.keys()
    assert all(isinstance(one, str) and one for one in told.values())
    assert told["title"] == TITLE
    assert told["contactPoint.email"] == "me.too@some-institute.org"
    assert told["creator.name"] == 'A. "Pen" Name'
    assert re.fullmatch(r"\d+\.\d+\.\d+", told["version"])


def test_the_logo_is_a_drawing_that_runs_nothing(package: Path) -> None:
    root = ET.parse(package / "logo.svg").getroot()  # noqa: S314 - our own file
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox") == "0 0 256 256"
    assert not any(one.tag.endswith(("script", "image", "foreignObject")) for one in root.iter())
    assert not any("href" in name or name.startswith("on") for one in root.iter() for name in one.attrib)


def lines_of(text: str) -> list[str]:
    """Give the instructions of a Dockerfile, each on one line."""
    joined = re.sub(r"\\\n\s*", "", text)
    return [one for one in joined.splitlines() if one and not one.startswith("#")]


def test_the_image_is_pinned_and_not_root(package: Path) -> None:
    lines = lines_of((package / "Dockerfile").read_text("utf-8"))
    known = {"ARG", "FROM", "LABEL", "ENV", "RUN", "WORKDIR", "COPY", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}
    assert {one.partition(" ")[0] for one in lines} <= known
    assert "latest" not in "".join(lines)
    base = next(one for one in lines if one.startswith("ARG BASE="))
    assert re.fullmatch(r"ARG BASE=python:3\.\d+-slim-bookworm", base)
    installs = [one for one in lines if "pip install" in one]
    assert installs
    assert all("--constraint constraints.txt" in one and "--requirement requirements.txt" in one for one in installs)
    assert not any(word in " ".join(lines) for word in ("sudo", "curl", "wget", "ADD ", "chmod 777"))
    assert lines.index("USER armillary") > max(at for at, one in enumerate(lines) if one.startswith(("RUN", "COPY")))
    assert "EXPOSE 8888" in lines
    assert [one for one in lines if one.startswith("HEALTHCHECK")]
    assert json.loads(next(one for one in lines if one.startswith("CMD")).removeprefix("CMD "))[0] == "jupyter"
    label = next(one for one in lines if one.startswith("LABEL"))
    assert '\\"quoted\\"' in label
    assert "\\$HOME" in label
    for one in lines:
        if one.startswith("COPY") and "." not in one.split()[1:2]:
            names = [word for word in one.split()[1:-1] if not word.startswith("--")]
            assert all((package / name).exists() for name in names), one


def test_every_version_is_that_of_this_installation(package: Path) -> None:
    wanted = (package / "requirements.txt").read_text("utf-8").splitlines()
    assert wanted[0] == f"armillary[gaia,learn]=={version('armillary')}"
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[0-9.]+", one) for one in wanted)
    pinned = dict(one.split("==") for one in (package / "constraints.txt").read_text("utf-8").splitlines())
    assert {"numpy", "astropy", "pyvo", "scikit-learn", "fastapi", "starlette"} <= pinned.keys()
    assert "armillary" not in pinned
    assert all(version(name).partition("+")[0] == number for name, number in pinned.items())


def test_the_environment_names_our_extras(package: Path) -> None:
    told = yaml.safe_load((package / "environment.yml").read_text("utf-8"))
    assert re.fullmatch(r"[a-z0-9-]+", told["name"])
    assert told["dependencies"][0] == f"python={sys.version_info.major}.{sys.version_info.minor}"
    (pip,) = [one["pip"] for one in told["dependencies"] if isinstance(one, dict)]
    assert "--constraint constraints.txt" in pip
    ours = next(one for one in pip if one.startswith("armillary["))
    extras = set(re.findall(r"\[(.*)\]", ours)[0].split(","))
    assert extras <= set(metadata("armillary").get_all("Provides-Extra") or ())
    assert set(pip) >= set(requirements(sorted(extras)))


def test_jupyter_starts_the_desk_behind_its_own_door(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Settings:
        """Takes any attribute, as Jupyter's configuration does."""

        def __getattr__(self, name: str) -> Any:
            made = Settings()
            setattr(self, name, made)
            return made

    monkeypatch.setenv("LAB", str(package))
    monkeypatch.setenv("JUPYTER_BASE_URL", "/user/me/")
    settings = Settings()
    text = (package / "jupyter_server_config.py").read_text("utf-8")
    exec(compile(text, "config", "exec"), {"get_config": lambda: settings})  # noqa: S102 - our own file
    assert settings.ServerApp.base_url == "/user/me/"
    server = settings.ServerProxy.servers["armillary"]
    assert server["request_headers_override"]["Host"] == "127.0.0.1:{port}"
    assert server["launcher_entry"]["title"] == TITLE
    assert Path(server["launcher_entry"]["icon_path"]).is_file()
    # the command is one that our own command line takes
    words = [one.replace("{port}", "0") for one in server["command"]]
    assert words[:2] == ["armillary", "desk"]
    asked = subprocess.run(
        [sys.executable, "-m", *words, "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert asked.returncode == 0, asked.stderr


def cells(package: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((package / "notebook.ipynb").read_text("utf-8"))["cells"]
    return found


def test_the_notebook_keeps_the_rules_of_its_format(package: Path) -> None:
    made = json.loads((package / "notebook.ipynb").read_text("utf-8"))
    assert (made["nbformat"], made["nbformat_minor"]) == (4, 5)
    assert made["metadata"]["kernelspec"]["name"] == "python3"
    assert len({one["id"] for one in made["cells"]}) == len(made["cells"])
    for one in made["cells"]:
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", one["id"])
        assert isinstance(one["source"], list)
        if one["cell_type"] == "code":
            assert (one["outputs"], one["execution_count"]) == ([], None)
            ast.parse("".join(one["source"]))
        else:
            assert one.keys() == {"cell_type", "id", "metadata", "source"}
    assert cells(package)[0]["source"][0].strip() == f"# {TITLE}"


@pytest.mark.slow
def test_the_notebook_runs(package: Path, tmp_path: Path) -> None:
    code = "\n".join("".join(one["source"]) for one in cells(package) if one["cell_type"] == "code")
    places = {"ARMILLARY_HOME": str(tmp_path / "state"), "MPLBACKEND": "Agg", "LAB": str(package)}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=package, env=os.environ | places, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "octets" in ran.stdout
    assert (package / "picture.png").stat().st_size > 10_000
    from armillary.sources.tap.votable import read_votable

    rows = list(read_votable(package / "answers.vot"))
    assert {"class", "probability", "trust", "source_id"} <= set(rows[0].column_names)
    assert sum(one.num_rows for one in rows) > 50
    assert rows[0].schema.field("probability").metadata[b"ucd"] == b"stat.probability"
    text = (package / "answers.vot").read_text("utf-8")
    assert '<PARAM name="model" ucd="meta.id;meta.modelled"' in text
    assert not list((tmp_path / "state" / "applied").glob("*"))


def test_without_a_model_the_notebook_shows_the_table(cli: Callable[..., Any], tmp_path: Path) -> None:
    assert cli("datalab", tmp_path / "lab", *WHO).status == 0
    text = "".join("".join(one["source"]) for one in cells(tmp_path / "lab"))
    assert "load_run" not in text
    assert "seds_of" in text
    assert 'arm.write(stars, "stars.vot")' in text
    assert not (tmp_path / "lab" / "run").exists()


def test_a_folder_that_is_not_empty_is_left_alone(cli: Callable[..., Any], tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    lab.mkdir()
    (lab / "Dockerfile").write_text("mine")
    (lab / "notes.txt").write_text("mine too")
    refused = cli("datalab", lab, *WHO)
    assert refused.status == 1
    assert "--force" in refused.err
    assert {one.name: one.read_text() for one in lab.iterdir()} == {"Dockerfile": "mine", "notes.txt": "mine too"}
    assert cli("datalab", lab, *WHO, "--force").status == 0
    assert (lab / "notes.txt").read_text() == "mine too"
    assert "FROM" in (lab / "Dockerfile").read_text("utf-8")
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--contact", "nobody", "--creator", "me"), "no e-mail address"),
        (("--contact", "a@b", "--creator", "me"), "no e-mail address"),
        (("--contact", "a@b.c\nd", "--creator", "me"), "no e-mail address"),
        (("--contact", "a@b.org", "--creator", " "), "creator"),
        (("--contact", "a@b.org", "--creator", "me", "--title", "two\nlines"), "title"),
        (("--contact", "a@b.org", "--creator", "me", "--release", "new"), "no version"),
        ((*WHO, "--table", "simulated/wind/b_gse"), "no table of sources"),
        ((*WHO, "--table", "simulated/stars/photometri"), "simulated/stars/photometry"),
        ((*WHO, "--run", "nowhere"), "nowhere"),
        ((*WHO, "--wheel", "nowhere.whl"), "no wheel"),
        ((*WHO, "--param", "n=many"), "'n'"),
    ],
)
def test_bad_input_is_told_and_nothing_is_made(
    words: tuple[str, ...], said: str, cli: Callable[..., Any], tmp_path: Path
) -> None:
    asked = cli("datalab", tmp_path / "lab", *words)
    assert asked.status == 1, asked.err
    assert said in asked.err
    assert asked.err.count("\n") == 1
    assert list(tmp_path.glob("*lab*")) == []


def test_a_table_of_a_folder_of_this_machine_is_refused(cli: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "stars.csv").write_text("source_id,ra,dec\n1,2.0,3.0\n2,2.5,3.5\n")
    (path,) = [one.path for one in arm.open(tmp_path / "data").search("", "local", 0) if one.kind == "sources"]
    asked = cli("datalab", tmp_path / "lab", "--table", path, *WHO, "--archive", tmp_path / "data")
    assert "lies in a folder of this machine" in asked.err
    assert not (tmp_path / "lab").exists()


def test_a_wheel_goes_along(cli: Callable[..., Any], tmp_path: Path) -> None:
    wheel = tmp_path / f"armillary-{version('armillary')}-py3-none-any.whl"
    wheel.write_bytes(b"PK")
    assert cli("datalab", tmp_path / "lab", *WHO, "--wheel", wheel).status == 0
    assert (tmp_path / "lab" / "wheels" / wheel.name).read_bytes() == b"PK"


def test_templates_are_part_of_the_installed_package() -> None:
    from importlib.resources import files

    there = {one.name for one in (files("armillary.services.datalab") / "templates").iterdir()}
    assert {"Dockerfile", "notebook.template", "logo.svg", "datalab-meta.yml"} <= there


def test_no_word_of_a_template_is_left(package: Path) -> None:
    for one in package.iterdir():
        if one.is_file():
            left = set(re.findall(r"@[A-Z_]+@", one.read_text("utf-8"))) - {"@TABLE@"}  # that one is in the title
            assert left == set(), one.name


def test_about_is_checked_by_itself() -> None:
    with pytest.raises(BadParameter, match="e-mail"):
        About(title="a", abstract="b", contact="c@d", creator="e")
    long = About(title="A very long title of a datalab, really", abstract="b", contact="c@d.org", creator="e")
    assert len(long.name) == 30
    assert "scikit-learn" in {one.partition("==")[0] for one in pins(("learn",))}


def test_answers_of_a_model_are_a_votable_that_names_it(cli: Callable[..., Any], run: Path, tmp_path: Path) -> None:
    from astropy.io.votable import parse

    words = ("apply", run, PHOTOMETRY, "--param", "n=900", "--prior", "giant=0.02")
    asked = cli(*words, "-o", tmp_path / "said.vot")
    assert asked.status == 0, asked.err
    table = parse(str(tmp_path / "said.vot"), verify="exception").get_first_table()
    (group,) = table.groups
    told = {one.name: one.value for one in group.entries if hasattr(one, "value")}
    card = json.loads((run / "run.json").read_text("utf-8"))
    assert told["model"] == "stars: extra_trees"
    assert told["model_version"] == card["key"]
    assert json.loads(told["prior"]) == {"giant": 0.02}
    assert PHOTOMETRY in told["request"]
    assert {"class", "probability", "trust"} <= {one.ref for one in group.entries if not hasattr(one, "value")}
    assert {one.name: one.ucd for one in table.fields}["P(giant)"] == "stat.probability"
    refused = cli(*words, "-o", tmp_path / "said.xls")
    assert "rows are not written as '.xls'" in refused.err
