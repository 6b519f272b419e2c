"""From an answer of an archive to classified energy distributions: seconds of the processor, stage by stage.

    python benchmarks/bench_gaia.py [ROWS]                       # stages of 100,000 rows, one core
    python benchmarks/bench_gaia.py --write ROWS FOLDER          # a simulated sky as a HATS catalogue
    python benchmarks/bench_gaia.py --train FOLDER               # the run folder that is used

The sky is simulated: eight classes in ten bands, half of all rows fainter than G = 19. The catalogue is answered by
``armillary apply RUN FOLDER -o OUT --workers 2``, which can be killed and repeated.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

COLUMNS = [
    *(f"phot_{band}_mean_{what}" for band in ("g", "bp", "rp") for what in ("mag", "flux_over_error")),
    *("j_m", "j_msigcom", "h_m", "h_msigcom", "ks_m", "ks_msigcom"),
    *(f"w{band}mpro{what}" for band in range(1, 5) for what in ("", "_error")),
    *("parallax", "parallax_error", "pmra", "pmdec", "ruwe", "phot_bp_rp_excess_factor"),
]
STUDY: dict[str, Any] = {
    "name": "sky", "task": "classes", "seeds": 1, "resamples": 20, "calibrate": "temperature",
    "data": {"layout": "table", "options": {"label": "class", "columns": COLUMNS}},
    "split": {"sky_on": ["source_id"], "level": 3, "folds": 3},
    "features": [{"use": "photometry", "options": {
        "tell": ["colours", "slope", "excess", "luminosity", "motion", "crowding"]}}],
    "checks": {"dusty": ["young stellar object", "agb star"], "bare": ["main sequence", "giant", "white dwarf"]},
    "models": [{"use": "boosting", "options": {"max_iter": 100, "class_weight": "sqrt"}}],
}  # fmt: skip
#: Classes in about equal numbers to learn from, and rows of them.
TRAINED = 16_000


def main() -> None:
    """Train once, then measure the stages in a process with one core."""
    if sys.argv[1:2] == ["--write"]:
        write_sky(int(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1:2] == ["--train"]:
        train(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["--stages"]:
        stages(Path(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1:2] == ["--whole"]:
        whole_path(Path(sys.argv[2]))
    else:
        rows = int(sys.argv[1]) if sys.argv[1:] else 100_000
        with tempfile.TemporaryDirectory() as name:
            train(Path(name) / "run")
            one_core = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
            for words in (["--stages", name, str(rows)], ["--whole", name]):
                subprocess.run([sys.executable, __file__, *words], check=True, env=one_core)


def sky_of(seed: int, start: int, stop: int, shares: dict[str, float] | None = None) -> Any:
    """Make rows of the simulated sky, and of which class each is."""
    from armillary.science.simulated_sky import SHARES, simulated_sky, simulated_truth

    mix = shares or SHARES
    return simulated_sky(seed, start, stop, mix), simulated_truth(seed, start, stop, mix)["class"]


def train(folder: Path) -> None:
    """Write a run folder that knows all eight classes."""
    from pyarrow import parquet

    from armillary.learn.publishing import publish
    from armillary.learn.study import study_of
    from armillary.science.simulated_sky import CLASSES

    rows, label = sky_of(1, 0, TRAINED, dict.fromkeys(CLASSES, 1.0))
    folder.parent.mkdir(parents=True, exist_ok=True)
    table = folder.parent / f"{folder.name}.parquet"
    parquet.write_table(rows.append_column("class", label), table)
    publish(study_of(STUDY), folder, data=table)


def write_sky(rows: int, folder: Path) -> None:
    """Write a HATS catalogue of the simulated sky."""
    from armillary.science.simulated_sky import simulated_sky
    from armillary.testing.hats_layout import write_hats

    def tables() -> Iterator[Any]:
        for start in range(0, rows, 500_000):
            yield simulated_sky(7, start, min(start + 500_000, rows))

    written = write_hats(tables(), folder, most=300_000, order=2, name="simulated_gaia")
    print(f"{sum(count for _, count in written)} rows in {len(written)} partitions")


def stages(folder: Path, rows: int) -> None:
    """Measure each stage by itself, then all of them as the command does them."""
    from pyarrow import parquet

    from armillary.learn import applying
    from armillary.learn.answers import ask
    from armillary.learn.checks import checks
    from armillary.learn.inputs import like
    from armillary.learn.trained import load_run
    from armillary.science.photometry.alpha import classes, index_fit
    from armillary.science.photometry.columns import find_columns, seds_of
    from armillary.services.streams import blocks_in
    from armillary.sources import write
    from armillary.sources.tap.votable import read_votable

    table, _ = sky_of(3, 0, rows)
    write(table, folder / "answer.vot")
    parquet.write_table(table, folder / "answer.parquet")
    run = load_run(folder / "run")
    spent: dict[str, float] = {}
    with timed(spent, "read the VOTable"):
        for _ in read_votable(folder / "answer.vot"):
            pass
    with timed(spent, "read Parquet"):
        blocks = list(blocks_in(run, folder / "answer.parquet", {}))
    with timed(spent, "energy distributions, alpha, Lada class"):
        seds = seds_of(table, find_columns(table))
        classes(index_fit(seds, "Ks W1 W2 W3 W4", least=3))
    with timed(spent, "features"):
        features = [applying.features_of(run, block.samples) for block in blocks]
    with timed(spent, "model and calibrated probability"):
        plain = [ask(run.fitted, one.matrix, len(run.classes)) for one in features]
        answers = [run.calibration.apply(one) if run.calibration else one for one in plain]
    with timed(spent, "conformal sets"):
        for one in answers:
            assert run.conformal is not None
            run.conformal.sets(one)
    with timed(spent, "trust"):
        assert run.reference is not None
        for block, made in zip(blocks, features, strict=True):
            names = tuple(run.reference.profile.names.tolist())
            run.reference.trust(like(made, block.samples, tuple(run.recipe["inputs"]), names))
    with timed(spent, "checks beside the answers"):
        for block, one in zip(blocks, answers, strict=True):
            checks(block.samples, np.array(run.classes)[one.argmax(axis=1)], run.study.checks)
    for name, seconds in spent.items():
        print(f"{name:<42}{seconds:8.2f} s")
    print(f"{features[0].matrix.shape[1]} features of {rows} rows")


def whole_path(folder: Path) -> None:
    """Measure the path that users take, with its memory, in a process of its own."""
    from pyarrow import parquet

    from armillary.learn.trained import load_run
    from armillary.science.simulated_sky import simulated_sky
    from armillary.services.partitions import apply_to_partitions

    (folder / "in").mkdir()
    (folder / "warm").mkdir()
    (folder / "answer.parquet").rename(folder / "in/answer.parquet")
    parquet.write_table(simulated_sky(1, 0, 500), folder / "warm/few.parquet")
    run = load_run(folder / "run")
    apply_to_partitions(run, folder / "warm", folder / "warmed")  # libraries are loaded by the first
    before, begun = peak(), time.process_time()
    told = apply_to_partitions(run, folder / "in", folder / "out")
    seconds = time.process_time() - begun
    print(f"{'all of it, Parquet to Parquet':<42}{seconds:8.2f} s = {told['rows'] / seconds:.0f} rows/s")
    print(f"peak memory {before:.0f} + {peak() - before:.0f} MB")


@contextmanager
def timed(spent: dict[str, float], name: str) -> Iterator[None]:
    """Count the seconds of the processor."""
    begun = time.process_time()
    yield
    spent[name] = time.process_time() - begun


def peak() -> float:
    """Give the peak memory of this process, MB."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
