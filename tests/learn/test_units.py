"""Units of columns: a run refuses what it has not learnt from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from armillary.errors import BadData
from armillary.learn.applying import apply
from armillary.learn.publishing import publish
from armillary.learn.study import study_of
from armillary.learn.trained import Run, load_run
from armillary.services.object_answers import answers_of
from armillary.services.samples import blocks_of_file

BANDS = ("g_mag", "j_mag", "ks_mag")


def stars(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    red = rng.integers(0, 2, rows)
    frame = pd.DataFrame({"ra": rng.uniform(0, 90, rows), "dec": rng.uniform(-45, 45, rows)})
    for at, name in enumerate(BANDS):
        frame[name] = 14 - at * red + rng.normal(0, 0.1, rows)
    return frame.assign(pmra=rng.normal(size=rows), **{"class": np.array(["blue", "red"])[red]})


def arrow(frame: pd.DataFrame, **units: str) -> pa.Table:
    plain = pa.Table.from_pandas(frame, preserve_index=False)
    fields = [field.with_metadata({"unit": units.get(field.name, "")}) for field in plain.schema]
    return plain.cast(pa.schema(fields))


def trained(folder: Path, use: str, **units: str) -> Run:
    pq.write_table(arrow(stars(), **units), folder / "stars.parquet")
    study = study_of({
        "name": "units", "task": "classes", "seeds": 1, "resamples": 20,
        "data": {"layout": "table", "options": {"label": "class", "columns": [*BANDS, "pmra"]}},
        "split": {"sky_on": ["ra", "dec"], "level": 4, "folds": 3},
        "features": [{"use": use, "options": {"tell": ["colours"]} if use == "photometry" else {}}],
        "models": [{"use": "logistic"}],
    })  # fmt: skip
    publish(study, folder / "run", data=folder / "stars.parquet")
    return load_run(folder / "run")


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained(tmp_path_factory.mktemp("photometry"), "photometry")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained(tmp_path_factory.mktemp("columns"), "columns", pmra="mas/yr", j_mag="mag")


def applied_to(run: Run, path: Path, folder: Path) -> int:
    return apply(run, blocks_of_file(run, path), folder).rows


@pytest.mark.parametrize("unit", ["mJy", "W.m**-2.um**-1"])
def test_fluxes_are_not_read_as_magnitudes(without: Run, tmp_path: Path, unit: str) -> None:
    table = arrow(stars(50, 1).drop(columns="class"), j_mag=unit)
    pq.write_table(table, tmp_path / "t.parquet")
    feather.write_feather(table, tmp_path / "t.feather", compression="uncompressed")
    for name in ("t.parquet", "t.feather"):
        with pytest.raises(BadData, match=r"'j_mag' is in .* from mag"):
            applied_to(without, tmp_path / name, tmp_path / f"{name}.answers")
    with pytest.raises(BadData, match="'j_mag'"):
        answers_of(without, table)


@pytest.mark.parametrize("ending", ["fits", "vot", "ecsv"])
def test_units_of_astronomers_files_are_seen(without: Run, tmp_path: Path, ending: str) -> None:
    Table = pytest.importorskip("astropy.table").Table  # noqa: N806
    made = Table.from_pandas(stars(50, 1).drop(columns="class"))
    made["j_mag"].unit = "mJy"
    path = tmp_path / f"t.{ending}"
    made.write(path, **({"format": "votable"} if ending == "vot" else {}))
    with pytest.raises(BadData, match="'j_mag' is in mJy"):
        applied_to(without, path, tmp_path / "answers")


def test_magnitudes_with_and_without_units_are_alike(without: Run) -> None:
    frame = stars(50, 1).drop(columns="class")
    one, other = (answers_of(without, arrow(frame, **units)) for units in ({}, dict.fromkeys(BANDS, "mag(Vega)")))
    assert np.array_equal(one.probabilities, other.probabilities)


def test_units_that_a_run_knows_are_compared(known: Run) -> None:
    frame = stars(50, 1).drop(columns="class")
    assert known.recipe["units"] == {"pmra": "mas/yr", "j_mag": "mag"}
    answers_of(known, arrow(frame, pmra="mas.yr**-1"))
    answers_of(known, arrow(frame))
    with pytest.raises(BadData, match="'pmra' is in arcsec/yr, and the run has learnt from mas/yr"):
        answers_of(known, arrow(frame, pmra="arcsec/yr"))
    with pytest.raises(BadData, match="'j_mag' is in mJy"):
        answers_of(known, arrow(frame, j_mag="mJy"))
