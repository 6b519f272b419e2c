"""A model on a whole map: strip by strip, resumable, and the answer is a map again."""

import os
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData, BadRequest, CannotWrite, NoData
from armillary.learn.answers import EACH_GROUP
from armillary.learn.applying import BLOCK_ROWS, Answers, Block, answer_block, purity_under, reach_of, stated_prior
from armillary.learn.drift import STATES, Tally, drift
from armillary.learn.rasters.pixels import bands_as_variables
from armillary.learn.rasters.scene import Scene, only
from armillary.learn.rasters.segments import Segments, Sums, dataset_of, sums_of
from armillary.learn.trained import Run
from armillary.model import Progress, share, silent

if TYPE_CHECKING:
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]
#: Code of a pixel without an answer, in all layers of whole numbers.
NOTHING: Final = 255
#: Endings of the names that segments add to those of the bands.
_OF_SEGMENTS: Final = "_mean"


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """What a model says of some lines.

    Parameters
    ----------
    answer : array, (line, column)
        Number of the class, uint8, `NOTHING` where there is none; or float32 values, NaN where there are none.
    percent : array of uint8, (class, line, column)
        Probability of each class in whole percent, `NOTHING` where there is none; no layer for values.
    trust : array of uint8, (line, column)
        Index into :data:`armillary.learn.drift.STATES`, `NOTHING` where it is not known.
    tally : Tally
    """

    answer: Array
    percent: Array
    trust: Array
    tally: Tally


@dataclass(frozen=True, slots=True, eq=False)
class Mapped:
    """A model on a map: its strips lie on disk and are read one by one.

    Parameters
    ----------
    run : Run
    scene : Scene
    parts : tuple of (Path, int, int)
        File, first and last line.
    pixels : int
        That have an answer.
    classes : dict of str to int
        Pixels of each class, the most frequent first.
    prior : array of float, (K,), optional
    drift : dict, optional
    purity : dict
        As of :class:`armillary.learn.applying.Applied`.
    """

    run: Run
    scene: Scene
    parts: tuple[tuple[Path, int, int], ...]
    pixels: int
    classes: dict[str, int]
    prior: Array | None
    drift: dict[str, Any] | None
    purity: dict[str, Any]

    def strips(self) -> Iterator[tuple[int, int, Strip]]:
        """Give first line, last line and answer of each strip, from above to below."""
        return ((first, last, read_strip(path)) for path, first, last in self.parts)


def map_scene(
    run: Run, scene: Scene, folder: Path, *, segments: Segments | None = None, prior: Mapping[str, float] | None = None,
    progress: Progress = silent,
) -> Mapped:  # fmt: skip
    """Ask a model about all pixels, or all segments, of a scene.

    Parameters
    ----------
    run : Run
    scene : Scene
        With the bands that the model has learnt from, perhaps among others.
    folder : Path
        Where the strips lie; the same one for the same question lets an interrupted call go on.
    segments : Segments, optional
        Of a model that has learnt from segments.
    prior : mapping of str to float, optional
        Share of some classes where the model is used.

    Raises
    ------
    BadData
        If a band is missing.
    BadRequest
        If the features of the model need more than one pixel, or it is one of many models.
    CannotWrite, NoData

    Notes
    -----
    O(pixels) time; memory of one strip, and with segments that of their sums, however large the map is.
    """
    _check(run)
    wanted = only(scene, bands_of(run, scene))
    shares = stated_prior(run, prior or run.study.prior)
    found = (
        _by_segments(run, wanted, segments, folder, shares, progress)
        if segments
        else _by_pixels(run, wanted, folder, shares, progress)
    )
    parts, counted, classes = [], None, Counter[int]()
    for path, first, last in found:
        strip = read_strip(path)
        parts.append((path, first, last))
        counted = strip.tally if counted is None or not counted.counts.size else counted + strip.tally
        known = np.isfinite(strip.answer) if strip.answer.dtype.kind == "f" else strip.answer != NOTHING
        codes = strip.answer[known].astype(np.int64) if run.classes else np.zeros(int(known.sum()), np.int64)
        classes.update(dict(enumerate(np.bincount(codes).tolist())))
    if counted is None or not classes.total():
        raise NoData(f"not a single pixel of {scene.title} has a value", "look at its missing values")
    told = drift(run.reference.profile, counted) if run.reference else None
    named = {run.classes[code]: count for code, count in classes.most_common() if run.classes and count}
    return Mapped(run, wanted, tuple(parts), classes.total(), named, shares, told, purity_under(run, shares))


def bands_of(run: Run, scene: Scene) -> tuple[str, ...]:
    """Give the bands that a model has learnt from.

    Raises
    ------
    BadData
        If it has learnt from spectra of another length.
    """
    columns = [str(one) for one in run.recipe["columns"]]
    together = _together(run)
    if together:
        (count,) = run.recipe["variables"][together]
        if count != len(scene.names):
            problem = f"{scene.title} has {len(scene.names)} bands, the model has learnt from {count}"
            raise BadData(problem, "give a map of the same instrument, or choose its 'bands'")
        return scene.names
    if "segments" in run.study.data.options:
        return tuple(one.removesuffix(_OF_SEGMENTS) for one in columns if one.endswith(_OF_SEGMENTS))
    return tuple(columns)


def datasets(mapped: Mapped) -> Iterator["xr.Dataset"]:
    """Give the answers as rasters, strip by strip.

    Yields
    ------
    xarray.Dataset
        ``class`` (uint8, CF's ``flag_values`` and ``flag_meanings``), ``probability`` (band = class; whole percent) or
        ``value``; ``trust`` (0 ok, 1 shifted, 2 ood). 255 is no answer.
    """
    return (dataset_of_strip(mapped, first, strip) for first, _, strip in mapped.strips())


def dataset_of_strip(mapped: Mapped, first: int, strip: Strip) -> "xr.Dataset":
    """Give one strip as a raster of the kinds of the house."""
    import xarray as xr

    run, scene = mapped.run, mapped.scene
    trust = _coded("How far the answer is trusted", STATES)
    if run.classes:
        code = _coded("Class", run.classes)
        percent = {"units": "%", "long_name": "Probability", "nodata": NOTHING}
        data: dict[str, Any] = {
            "class": (("y", "x"), strip.answer, code),
            "trust": (("y", "x"), strip.trust, trust),
            "probability": (("band", "y", "x"), strip.percent, percent),
        }
        coords: dict[str, Any] = {"band": ("band", np.array(run.classes), {"long_name": "class"})}
    else:
        told = {"units": "", "long_name": "Answer"}
        data = {"value": (("y", "x"), strip.answer, told), "trust": (("y", "x"), strip.trust, trust)}
        coords = {}
    lines = slice(first, first + strip.answer.shape[0])
    places = {"y": ("y", scene.y[lines], {"units": ""}), "x": ("x", scene.x, {"units": ""})}
    note = {} if scene.crs else {"coordinates_note": "pixel numbers from 0: the map has no projection"}
    about = {"title": f"{run.name} on {scene.title}", "crs": scene.crs, "model": run.name, "model_version": run.key}
    return xr.Dataset(data, coords | places, about | note)


def read_strip(path: Path) -> Strip:
    """Read the answers to one strip; nothing in it is unpickled."""
    with np.load(path, allow_pickle=False) as found:
        return Strip(found["answer"], found["percent"], found["trust"], Tally(found["counts"], found["tallied"]))


def _coded(title: str, names: tuple[str, ...]) -> dict[str, Any]:
    words = " ".join(one.replace(" ", "_") for one in names)
    flags = {"flag_values": np.arange(len(names), dtype=np.uint8), "flag_meanings": words}
    return {"units": "", "long_name": title, "nodata": NOTHING, **flags}


def _check(run: Run) -> None:
    if reach_of(run.study):
        raise BadRequest("the features of this model look at neighbouring samples", "apply it to a table of pixels")
    if run.fitted.part.options.get(EACH_GROUP):
        raise BadRequest("this is one model for each group, and pixels belong to none", "choose another with --model")
    if len(run.classes) >= NOTHING:
        raise BadRequest(f"a map holds up to 254 classes, the model has {len(run.classes)}", "merge some of them")


def _together(run: Run) -> str:
    columns = [str(one) for one in run.recipe["columns"]]
    return columns[0] if len(columns) == 1 and len(run.recipe["variables"].get(columns[0], ())) == 1 else ""


def _by_pixels(
    run: Run, scene: Scene, folder: Path, prior: Array | None, progress: Progress
) -> Iterator[tuple[Path, int, int]]:
    for number, (first, last) in enumerate(scene.strips()):
        progress(first / len(scene.y), f"lines {first} to {last} of {len(scene.y)}")
        path = folder / f"{number:06d}.npz"
        if not _whole(path):
            _write(path, _asked(run, scene, (first, last), prior))
        yield path, first, last


def _asked(run: Run, scene: Scene, rows: tuple[int, int], prior: Array | None) -> Strip:
    bands = scene.lines(*rows)
    known = np.asarray(np.isfinite(bands).any(axis=0))
    down, across = np.nonzero(known)
    values = bands[:, known].T
    answers = []
    for low in range(0, len(down), BLOCK_ROWS):
        some = slice(low, low + BLOCK_ROWS)
        coords = {"x": ("sample", scene.x[across[some]]), "y": ("sample", scene.y[rows[0] + down[some]])}
        answers.append(_answered(run, scene, values[some], coords, prior))
    return _painted(run, known, answers)


def _answered(
    run: Run, scene: Scene, values: Array, coords: Mapping[str, Any], prior: Array | None
) -> tuple[Answers, Tally]:
    import xarray as xr

    data = bands_as_variables(scene.names, values, _together(run))
    samples = xr.Dataset(data, coords, {"columns": tuple(run.recipe["columns"])})
    return answer_block(run, Block(samples, np.ones(len(values), bool)), prior)


def _painted(run: Run, known: Array, answers: list[tuple[Answers, Tally]]) -> Strip:
    """Put answers, in the order of the pixels that are known, on the map."""
    empty = Tally(np.zeros((0, 0), np.int64), np.zeros(len(STATES), np.int64))
    tally = answers[0][1] if answers else empty
    for _, one in answers[1:]:
        tally += one
    trust = np.full(known.shape, NOTHING, np.uint8)
    percent = np.full((len(run.classes), *known.shape), NOTHING, np.uint8)
    answer = np.full(known.shape, NOTHING, np.uint8) if run.classes else np.full(known.shape, np.nan, np.float32)
    if answers:
        states = np.concatenate([one.states for one, _ in answers])
        trust[known] = np.where(states < 0, NOTHING, states).astype(np.uint8)
        said = np.concatenate([one.answer for one, _ in answers])
        answer[known], percent[:, known] = _codes(said) if run.classes else (said, percent[:, known])
    return Strip(answer, percent, trust, tally)


def _codes(said: Array) -> tuple[Array, Array]:
    """Give class numbers and whole percents of probabilities, (n, K)."""
    there = np.asarray(np.isfinite(said).all(axis=1))
    plain = np.where(there[:, None], said, 0)
    code = np.where(there, plain.argmax(axis=1), NOTHING).astype(np.uint8)
    return code, np.where(there, np.rint(100 * plain).T, NOTHING).astype(np.uint8)


def _by_segments(
    run: Run, scene: Scene, segments: Segments, folder: Path, prior: Array | None, progress: Progress
) -> Iterator[tuple[Path, int, int]]:
    """Sum up the segments, ask about each, and paint the answers."""
    strips = list(scene.strips(segments.strip))
    paths = [folder / f"{number:06d}.npz" for number in range(len(strips))]
    if not all(map(_whole, paths)):
        _make_folder(folder)
        sums = _summed(scene, segments, strips, share(progress, 0.0, 0.6), folder)
        samples = dataset_of(scene, sums)
        blocks = range(0, len(sums.number), BLOCK_ROWS)
        cuts = [samples.isel(sample=slice(low, low + BLOCK_ROWS)) for low in blocks]
        answers = [answer_block(run, Block(one, np.ones(one.sizes["sample"], bool)), prior) for one in cuts]
        told = _painted(run, np.ones((1, len(sums.number)), bool), answers)
        for number, path in enumerate(paths):
            progress(0.6 + 0.4 * number / len(paths), f"painting strip {number + 1} of {len(paths)}")
            _write(path, _of_segments(told, sums.number, np.load(_numbers(folder, number)), first=not number))
            _numbers(folder, number).unlink()
    yield from ((path, *rows) for path, rows in zip(paths, strips, strict=True))


def _summed(scene: Scene, segments: Segments, strips: list[tuple[int, int]], progress: Progress, folder: Path) -> Sums:
    """Sum up all segments, and keep the numbers of their pixels beside the strips."""
    found = None
    for number, rows in enumerate(strips):
        progress(number / len(strips), f"segments of strip {number + 1} of {len(strips)}")
        numbers = segments.lines(*rows)
        with _numbers(folder, number).open("wb") as out:
            np.save(out, numbers)
        sums = sums_of(scene, rows, numbers)
        found = sums if found is None else found + sums
    if found is None or not len(found.number):
        raise NoData(f"there is not a single segment on {scene.title}", "look at the raster of segment numbers")
    return found


def _of_segments(told: Strip, known: Array, numbers: Array, *, first: bool) -> Strip:
    """Give each pixel the answer to its segment; the tally of all stands in the first strip."""
    at = np.where(numbers >= 0, np.searchsorted(known, numbers), 0)
    inside = numbers >= 0
    nothing = np.float32(np.nan) if told.answer.dtype.kind == "f" else np.uint8(NOTHING)
    answer = np.where(inside, told.answer[0][at], nothing)
    percent, trust = (
        np.where(inside, one[..., 0, :][..., at], np.uint8(NOTHING)) for one in (told.percent, told.trust)
    )
    none = Tally(np.zeros_like(told.tally.counts), np.zeros_like(told.tally.states))
    return Strip(answer, percent, trust, told.tally if first else none)


def _numbers(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.segments"


def _whole(path: Path) -> bool:
    """Say whether a strip is there and can be read; the power may have gone while it was written."""
    try:
        with path.open("rb") as whole, np.load(whole, allow_pickle=False) as found:
            return "tallied" in found.files
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return False


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failed:
        raise CannotWrite(f"cannot write {folder}: {failed.strerror}", "make room on the disk") from None


def _write(path: Path, strip: Strip) -> None:
    """Write one strip whole or not at all."""
    _make_folder(path.parent)
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    arrays: dict[str, Any] = {"answer": strip.answer, "percent": strip.percent, "trust": strip.trust}
    try:
        with aside.open("wb") as out:
            np.savez(out, counts=strip.tally.counts, tallied=strip.tally.states, **arrays)
        aside.replace(path)
    except OSError as failed:
        aside.unlink(missing_ok=True)
        raise CannotWrite(f"cannot write {path}: {failed.strerror}", "make room on the disk") from None
