"""Eight classes of the simulated sky: what prior correction, missing WISE, unseen classes and conformal sets give.

Learnt on about as many rows of each class, judged on other parts of the sky with the mix of the sky::

    python benchmarks/bench_classes.py [--rows 8000] [--sky 60000] [--seed 2]
    python benchmarks/bench_classes.py --unseen             # about a minute
    python benchmarks/bench_classes.py --write FOLDER       # the two tables as Parquet, for `armillary study run`
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from armillary.learn.answers import ask, fit, held_out
from armillary.learn.conformal import fit_conformal
from armillary.learn.judging import judged_rows
from armillary.learn.layouts.table import samples_of_frame
from armillary.learn.preparing import Prepared, folds, prepare
from armillary.learn.priors import prior_shift
from armillary.learn.running import Outcome, Trained, answer_for, run
from armillary.learn.scores import confusion, confusion_scores
from armillary.learn.study import Study, read_study
from armillary.learn.trust import fit_reference
from armillary.learn.typical import fit_typical, with_answers
from armillary.science.healpix import cell_of_sky
from armillary.science.simulated_sky import CLASSES, SHARES, simulated_sky, simulated_truth

STUDY = Path(__file__).parents[1] / "examples" / "studies" / "gaia_sky.toml"
#: The mix of the training selection: stars of the field twice as often as the rare classes.
TRAINING = {name: 2.0 if name in {"main sequence", "giant"} else 1.0 for name in CLASSES}
YOUNG = "young stellar object"
WISE = ("w1mpro", "w2mpro", "w3mpro", "w4mpro")


def table(seed: int, rows: int, shares: Any, side: int) -> pd.DataFrame:
    """Give rows of one half of the sky: cells of HEALPix level 2 with even or odd numbers."""
    frame: pd.DataFrame = simulated_sky(seed, 0, 2 * rows, shares).to_pandas()
    frame["kind"] = simulated_truth(seed, 0, 2 * rows, shares)["class"].to_pylist()
    mine = cell_of_sky(frame["ra"].to_numpy(), frame["dec"].to_numpy(), 2) % 2 == side
    found: pd.DataFrame = frame[mine].iloc[:rows].reset_index(drop=True)
    return found


def samples(frame: pd.DataFrame) -> Any:
    """Give a table as samples."""
    return samples_of_frame(frame, "sky", {"label": "kind"})


def scores_of(target: np.ndarray, said: np.ndarray, classes: tuple[str, ...]) -> tuple[float, float, float]:
    """Give macro F1, and purity and completeness of young stars."""
    counts = confusion(target, said, len(classes))
    at = classes.index(YOUNG)
    pure, whole = counts[at, at] / max(counts[:, at].sum(), 1), counts[at, at] / counts[at].sum()
    return float(confusion_scores(counts)["macro_f1"]), float(pure), float(whole)


def tell_model(study: Study, one: Trained, seen: Prepared, known: Prepared, blind: Prepared) -> None:
    """Print the numbers of one model."""
    classes, codes = known.classes, known.target
    old = np.bincount(codes, minlength=len(classes)) / len(codes)
    new = np.array([study.prior[name] for name in classes])
    plain = answer_for(study, one, seen)
    print(f"\n{one.fitted.part.title}")
    for title, answer in (("as learnt", plain), ("prior corrected", prior_shift(plain, old, new))):
        macro, pure, whole = scores_of(seen.target, answer.argmax(axis=1), classes)
        print(f"  {title:16s} macro F1 {macro:.3f}; young stars: purity {pure:.3f}, completeness {whole:.3f}")
    bare = prior_shift(answer_for(study, one, blind), old, new)
    print(f"  without WISE     macro F1 {scores_of(blind.target, bare.argmax(axis=1), classes)[0]:.3f}")
    rows = judged_rows(known, one.answer)
    sets = fit_conformal(one.answer[rows], codes[rows], [0.9]).sets(plain, 0.9)
    held = one.record["conformal"]["per_class"]
    for at, name in enumerate(classes):
        mine = seen.target == at
        print(f"  90 % sets of {name:21s} {100 * held[name]:.1f} % held out, {100 * sets[mine, at].mean():.1f} % "
              f"of {mine.sum()} test rows")  # fmt: skip


def tell_unseen(study: Study, known: Prepared, seen: Prepared, seed: int) -> None:
    """Print how well rows of a class that was left out are told from rows of the others, as many of each class."""
    random = np.random.default_rng(seed)
    most = int(np.bincount(seen.target).min())
    some = np.concatenate([random.choice(np.flatnonzero(seen.target == at), most, replace=False)
                           for at in range(len(known.classes))])  # fmt: skip
    told = []
    print("\nunseen class, left out of training: area under the ROC curve of typicality by class, of that and what the "
          "forest says, and of the trust score; share below 1 and 5 %")  # fmt: skip
    for at, name in enumerate(known.classes):
        kept = known.target != at
        reference = fit_reference(known.features.matrix[kept], known.blocks[kept], known.features.names, seed)
        own, joined = unseen_scores(study, replace(known, target=np.where(kept, known.target, -1)), seen, some)
        new = seen.target[some] == at
        scores = [roc_auc_score(new, -one) for one in (own, joined, reference.tail(seen.features.matrix[some]))]
        found = [f"{100 * (joined[who] < level).mean():.0f}" for level in (0.01, 0.05) for who in (new, ~new)]
        told.append(scores)
        print(f"  {name:21s} {scores[0]:.3f} {scores[1]:.3f} {scores[2]:.3f}   unseen, seen below 1 %: {found[0]} "
              f"{found[1]}; below 5 %: {found[2]} {found[3]}", flush=True)  # fmt: skip
    print("  mean                 ", *(f"{one:.3f}" for one in np.mean(told, axis=0)))


def unseen_scores(study: Study, known: Prepared, seen: Prepared, some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give typicality, and typicality joined with what a forest says, that have learnt from rows of known target."""
    part, shape = study.models[1], [known.features.names.index(one) for one in study.typical]
    known = replace(known, judged=known.judged & (known.target >= 0))
    matrix = known.features.matrix[:, shape]
    typical = fit_typical(matrix, known.target, known.blocks, study.seed, study.typical)
    answer = held_out(study, part, known, folds(study, known), study.seed)
    typical = with_answers(typical, matrix, known.target, known.blocks, {part.title: answer}, study.seed)
    fitted = fit(study, part, known, np.arange(len(known)), study.seed)
    said = ask(fitted, seen.features.matrix[some], len(known.classes))
    new = seen.features.matrix[some][:, shape]
    return typical.tail(new), typical.with_answer(new, said, part.title)


def tell(outcome: Outcome, study: Study, sky: pd.DataFrame, seed: int) -> None:
    """Print the table."""
    known = outcome.prepared
    seen = prepare(study, samples(sky), known.classes)
    gaps = dict.fromkeys((*WISE, *(f"{one}_error" for one in WISE)), np.nan)
    blind = prepare(study, samples(sky.assign(**gaps)), known.classes)
    for one in outcome.trained:
        tell_model(study, one, seen, known, blind)
    plain = fit_plain(study, known)
    answer = plain.model.predict_proba(blind.features.matrix)
    old = np.bincount(known.target, minlength=len(known.classes)) / len(known.target)
    new = np.array([study.prior[name] for name in known.classes])
    said = [one.argmax(axis=1) for one in (answer, prior_shift(answer, old, new))]
    told = [scores_of(blind.target, one, known.classes)[0] for one in said]
    print(f"\nboosting without dropout, without WISE: macro F1 {told[0]:.3f} as learnt, {told[1]:.3f} prior corrected")
    tell_unseen(study, known, seen, seed)


def fit_plain(study: Study, known: Prepared) -> Any:
    """Fit the first model without its dropout."""
    part = study.models[0]
    bare = replace(part, options={name: one for name, one in part.options.items() if name != "dropout"})
    return fit(study, bare, known, np.arange(len(known)), study.seed)


def main() -> None:
    """Run the study, or write its tables."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, default=8000)
    asked.add_argument("--sky", type=int, default=60_000)
    asked.add_argument("--seed", type=int, default=2)
    asked.add_argument("--write", type=Path)
    asked.add_argument("--unseen", action="store_true", help="only how well classes that nobody taught are told")
    given = asked.parse_args()
    training = table(given.seed, given.rows, TRAINING, 0)
    sky = table(given.seed + 1, given.sky, SHARES, 1)
    if given.write:
        training.to_parquet(given.write / "simulated_sky_train.parquet")
        sky.to_parquet(given.write / "simulated_sky_test.parquet")
        return
    study = read_study(STUDY)
    if given.unseen:
        known = prepare(study, samples(training))
        tell_unseen(study, known, prepare(study, samples(sky), known.classes), given.seed)
        return
    begun = time.perf_counter()
    outcome = run(study, samples(training))
    print(f"{len(training)} rows learnt, {len(sky)} judged; study {time.perf_counter() - begun:.0f} s")
    tell(outcome, study, sky, given.seed)


if __name__ == "__main__":
    main()
