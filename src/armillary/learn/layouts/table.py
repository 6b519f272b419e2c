"""Tables: one row an object or a segment, columns by name. CSV, spaced text, Parquet, and what astropy reads."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter, DamagedFile, one_line
from armillary.learn.keys import check_keys
from armillary.learn.samples import texts_of
from armillary.learn.units import units_of_astropy, units_of_frame, units_of_schema, with_units

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


#: Names of classes that often mean that none is known.
_ODD: Final = frozenset({"-", "--", "?", "n/a", "na", "nan", "none", "null"})
#: Plain kinds of numbers, and what columns that know missing values of their own become.
_TYPES: Final[dict[str, Any]] = {"b": bool, "i": np.int64, "u": np.uint64, "f": np.float64, "O": object}
_OPTIONS: Final = {
    "label": str, "columns": tuple[str, ...], "missing": tuple[float | str, ...], "names": Mapping[str, str],
    "group": str, "keep": Mapping[str, tuple[Any, ...]], "once": tuple[str, ...], "classes": Mapping[str, str],
    "relabel": Mapping[str, Mapping[str, str]], "designation": str, "outside": tuple[float, ...],
}  # fmt: skip


def read(path: Path, options: Mapping[str, Any]) -> "xr.Dataset":
    """Read a table as samples.

    Parameters
    ----------
    path : Path
        ``.csv``, ``.txt``, ``.dat`` (columns apart by blanks), ``.parquet``, ``.feather``, or ``.vot .fits .ecsv``;
        ``.gz`` too; a folder of Parquet files.
    options : mapping
        ``label``: the column of the classes or target. ``columns``: which numbers to learn from; all numbers but the
        others named here if left out. ``missing``: values and texts that mean nothing was measured or nothing is known,
        ``[-999, "?"]``. ``names``: new names of
        columns, ``{ra = "RAJ2000"}``. ``group``: column of what stays together. ``keep``: values that a column must
        have to be kept, ``{quality = [0, 1]}``. ``once``: columns of which no row may repeat another. ``classes``:
        names of the label's values, ``{"0" = "nominal"}``. ``relabel``: class, and the columns whose texts must fit a
        pattern for it, ``{ultracool = {type = "L.*"}}``; of several classes the last that fits. ``designation``: column
        of names such as ``J16271848-2429059`` that tell ``ra`` and ``dec`` where these are missing. ``outside``: right
        ascension, declination and radius in degrees of a part of the sky that is left out.

    Raises
    ------
    BadParameter
        If a named column is missing.
    DamagedFile
    """
    check_keys("layout 'table'", options, _OPTIONS, "options")
    label = str(options.get("label", ""))
    frame = _frame(path, str(dict(options.get("names", {})).get(label, label)))
    return samples_of_frame(frame, path.name, options)


def samples_of_frame(frame: "pd.DataFrame", title: str, options: Mapping[str, Any]) -> "xr.Dataset":
    """Make samples of a table in memory; options as for :func:`read`, `title` is for messages.

    Raises
    ------
    BadParameter
    """
    names = {str(old): new for new, old in dict(options.get("names", {})).items()}
    units = {names.get(name, name): unit for name, unit in units_of_frame(frame).items()}
    words = [one for one in options.get("missing", ()) if isinstance(one, str)]
    plain = _plain_types(frame.rename(columns=names), str(options.get("label", "")))
    frame = _kept(_placed(_without_words(plain, words), options), options)
    return _with_units(_samples(_relabelled(frame, options), title, options), units)


def _with_units(samples: "xr.Dataset", units: Mapping[str, str]) -> "xr.Dataset":
    for name, unit in units.items():
        if name in samples and samples[name].dtype.kind in "fiu":
            samples[name].attrs["units"] = unit
    return samples


def _plain_types(frame: "pd.DataFrame", label: str) -> "pd.DataFrame":
    """Give columns that know missing values of their own (nullable numbers, categories) as plain numpy ones."""
    import pandas as pd

    made = {}
    for name in frame.columns[[not isinstance(one, np.dtype) for one in frame.dtypes]]:
        values = frame[name]
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = values.astype(values.cat.categories.dtype if not values.isna().any() else object).infer_objects()
        gone, kind = values.isna(), values.dtype.kind
        if kind in "iub" and gone.any():
            kind = "O" if kind == "b" and name == label else "f"
        made[name] = values.astype(_TYPES[kind]) if kind in _TYPES else values
    return frame.assign(**made) if made else frame


def _without_words(frame: "pd.DataFrame", words: Sequence[str]) -> "pd.DataFrame":
    """Take out texts that mean nothing was measured; a column of which only numbers are left is one of numbers."""
    import pandas as pd

    made = {}
    for name in frame.columns if words else ():
        gone = frame[name].isin(list(words)) if frame[name].dtype.kind == "O" else None
        if gone is None or not gone.any():
            continue
        kept = frame[name].mask(gone)
        numbers = pd.to_numeric(kept, errors="coerce")
        made[name] = numbers if numbers.notna().equals(kept.notna()) else kept
    return frame.assign(**made) if made else frame


def _frame(path: Path, label: str) -> "pd.DataFrame":
    import pandas as pd

    kind = next((one for one in reversed(path.suffixes) if one != ".gz"), "").lower()
    try:
        if kind == ".parquet" or path.is_dir():
            return _parquet(path)
        if kind in {".feather", ".arrow", ".ipc"}:
            return pd.read_feather(path)
        if kind == ".csv":
            return _csv(path, label)
        if kind in {".txt", ".dat", ".tsv"}:
            return pd.read_csv(path, sep=r"\s+")
        from astropy.table import Table

        table = Table.read(path)
        frame: pd.DataFrame = with_units(table.to_pandas(), units_of_astropy(table))
    except Exception as failed:
        hint = "a table is .csv, .txt (blanks), .parquet, .feather, .vot, .fits or .ecsv"
        raise DamagedFile(f"cannot read {path.name} as a table: {one_line(str(failed))}", hint) from failed
    return frame


def _parquet(path: Path) -> "pd.DataFrame":
    """Read a file or folder; the units are in the fields of its schema."""
    import pandas as pd
    import pyarrow.dataset as ds

    schema = ds.dataset(path, format="parquet").schema
    return with_units(pd.read_parquet(path), units_of_schema(schema))


def _csv(path: Path, label: str) -> "pd.DataFrame":
    """Read comma-separated text, in which a class may be called NA: only an empty cell is an unknown class."""
    import pandas as pd

    frame = pd.read_csv(path)
    if label not in frame or frame[label].dtype.kind != "O" or not frame[label].isna().any():
        return frame
    texts = pd.read_csv(path, usecols=[label], dtype=str, keep_default_na=False)[label]
    return frame.assign(**{label: texts.mask(texts == "")})


def _kept(frame: "pd.DataFrame", options: Mapping[str, Any]) -> "pd.DataFrame":
    wanted = dict(options.get("keep", {}))
    _need(frame, list(wanted), "keep")
    for name, values in wanted.items():
        frame = frame[frame[name].isin(list(values))]
    once = list(options.get("once", ()))
    _need(frame, once, "once")
    return frame.drop_duplicates(once).reset_index(drop=True) if once else frame.reset_index(drop=True)


def _placed(frame: "pd.DataFrame", options: Mapping[str, Any]) -> "pd.DataFrame":
    """Fill positions from names, and leave out a part of the sky."""
    name, cone = options.get("designation", ""), tuple(options.get("outside", ()))
    if name:
        from armillary.learn.designations import of_designations

        _need(frame, [name], "designation")
        told = of_designations(frame[name].astype(str).to_numpy(object))
        for place, values in zip(("ra", "dec"), told, strict=True):
            known = frame[place].to_numpy(float) if place in frame else np.full(len(frame), np.nan)
            frame = frame.assign(**{place: np.where(np.isfinite(known), known, values)})
    if not cone:
        return frame
    if len(cone) != 3:
        raise BadParameter(f"outside = {list(cone)} is no cone", "give right ascension, declination, radius in degrees")
    from armillary.learn.designations import apart

    _need(frame, ["ra", "dec"], "outside")
    far = apart(frame["ra"].to_numpy(float), frame["dec"].to_numpy(float), cone[0], cone[1])
    kept: pd.DataFrame = frame[~(far <= cone[2])]
    return kept


def _relabelled(frame: "pd.DataFrame", options: Mapping[str, Any]) -> "pd.DataFrame":
    """Give classes by what other columns say."""
    import pandas as pd

    rules, label = dict(options.get("relabel", {})), options.get("label", "")
    if not rules or not label:
        return frame
    labels = pd.Series(texts_of(frame[label].to_numpy()), frame.index)
    for name, wanted in rules.items():
        _need(frame, list(wanted), "relabel")
        try:
            patterns = {column: re.compile(pattern) for column, pattern in wanted.items()}
        except re.error as failed:
            raise BadParameter(f"relabel: {name!r} has no pattern: {failed}", "write a regular expression") from None
        fits = [[bool(one.fullmatch(str(text))) for text in frame[column]] for column, one in patterns.items()]
        labels = labels.mask(np.logical_and.reduce(fits), name)
    return frame.assign(**{label: labels})


def _samples(frame: "pd.DataFrame", title: str, options: Mapping[str, Any]) -> "xr.Dataset":
    import xarray as xr

    label, group = options.get("label", ""), options.get("group", "")
    _need(frame, [one for one in (label, group) if one], "label and group")
    wanted = list(options.get("columns", ())) or [
        name for name in frame if name not in {label, group} and frame[name].dtype.kind in "fiub"
    ]
    _need(frame, wanted, "columns")
    others = [str(name) for name in frame if name not in {*wanted, label, group}]
    missing = [one for one in options.get("missing", ()) if not isinstance(one, str)]
    data = {str(name): ("sample", _numbers(frame, name, missing, title)) for name in wanted}
    data |= {str(name): ("sample", _plain(frame, name, missing)) for name in others}
    if label:
        data["label"] = ("sample", _labels(frame[label].to_numpy(), options.get("classes")))
    if group:
        data["group"] = ("sample", frame[group].astype(str).to_numpy(object))
    notes = _told_labels(data["label"][1]) if label else []
    return xr.Dataset(data, attrs={"columns": tuple(str(one) for one in wanted), **({"notes": notes} if notes else {})})


def _labels(values: Any, classes: Mapping[str, str] | None) -> Any:
    """Give the names of classes; broken numbers, and whole ones with gaps, stay numbers unless they have names."""
    if values.dtype.kind == "f" and classes is None:
        return values.astype(np.float64)
    return np.array([(classes or {}).get(one, one) for one in texts_of(values)], object)


def _told_labels(labels: Any) -> list[str]:
    """Tell how many rows have no label, and classes whose names may mean the same."""
    names, counts = np.unique(texts_of(labels).astype(str), return_counts=True)
    blank = int(counts[names == ""].sum())
    told = [f"{blank} of {len(labels)} rows have no label: they are neither learnt from nor judged"] if blank else []
    return told + [
        f"{name!r} is taken as the name of a class ({count} rows); if it says that the class is not known, "
        f"write missing = [{name!r}] below [data.options]"
        for name, count in zip(names.tolist(), counts.tolist(), strict=True)
        if name.lower() in _ODD
    ]


def _numbers(frame: "pd.DataFrame", name: str, missing: Sequence[Any], title: str) -> Any:
    import pandas as pd

    try:
        values = pd.to_numeric(frame[name]).to_numpy(np.float64, copy=True)
    except (ValueError, TypeError) as failed:
        raise BadParameter(
            f"column {name!r} of {title} has texts: {_texts_in(frame[name], str(failed))}",
            "leave it out of 'columns', or name texts that mean nothing was measured: missing = [\"?\"]",
        ) from None
    values[np.isin(values, np.array(missing, np.float64))] = np.nan
    return values


def _texts_in(values: "pd.Series[Any]", said: str) -> str:
    """Show which texts stand among numbers."""
    import pandas as pd

    texts = values[values.notna() & pd.to_numeric(values, errors="coerce").isna()].astype(str)
    shown = ", ".join(repr(one[:20]) for one in texts.unique()[:3])
    return f"{shown} in {len(texts)} of {len(values)} cells" if len(texts) else one_line(said)


def _plain(frame: "pd.DataFrame", name: str, missing: Sequence[Any]) -> Any:
    if frame[name].dtype.kind not in "fiub":
        return frame[name].astype(str).to_numpy(object)
    values = frame[name].to_numpy(copy=True)
    if values.dtype.kind == "f":
        values[np.isin(values, np.array(missing, np.float64))] = np.nan
    return values


def _need(frame: "pd.DataFrame", names: Sequence[str], option: str) -> None:
    lost = [name for name in names if name not in frame]
    if lost:
        there = ", ".join(str(one) for one in frame.columns)
        raise BadParameter(f"the table has no column {lost[0]!r} (option {option!r})", f"it has {there}")
