"""Raw variables as archives have them into products of one order: known units, frame, labels and axes."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.generic.reading import main_of, series
from armillary.missions.plasma.unit_spellings import factor_of
from armillary.model import Recipe

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

XYZ: Final = ("x", "y", "z")
RTN: Final = ("R", "T", "N")
_HOLE: Final = re.compile(r"[ _,]*\(?\{\w+\}\)?")
_MISSION: Final = "look at the leaf it comes from; if its documentation says so too, report it to the maintainer"


def in_units(values: "Array", given: str, wanted: str, name: str = "data", *, silent: str = "") -> "Array":
    """Give numbers in the wanted units, float64.

    Parameters
    ----------
    values : array
        Numbers.
    given : str
        Units as the archive spells them; empty if it says none.
    wanted : str
        One of the units of products.
    name : str
        For the message.
    silent : str
        What an archive that says nothing is known to mean; without it the wanted units.

    Raises
    ------
    BadData
        If these units cannot become the wanted ones.

    Examples
    --------
    >>> in_units(np.array([11604.518]), "deg K", "eV").round(6).tolist()
    [1.0]
    """
    factor = factor_of(given.strip() or silent or wanted, wanted)
    if factor is None:
        raise BadData(f"{name} is in {given!r}, which is not known to be {wanted}", _MISSION)
    return np.asarray(values, float) * factor


def scalar(data: "xr.Dataset", name: str, units: str, title: str, *, label: str, silent: str = "") -> "xr.Dataset":
    """Put one number a time in order."""
    raw = main_of(data, 0)
    values = in_units(raw.to_numpy(), str(raw.attrs["units"]), units, str(raw.name), silent=silent)
    return series(data, {name: (("time",), values, {"units": units, "long_name": title, "LABLAXIS": label})})


def vector(
    data: "xr.Dataset", name: str, units: str, title: str, *, frame: str, labels: Sequence[str] = XYZ, silent: str = ""
) -> "xr.Dataset":
    """Put three components a time in order.

    Raises
    ------
    BadData
        If there are not three components, or they are in other units.
    """
    raw = main_of(data, 1)
    if raw.shape[1] != 3:
        raise BadData(f"{raw.name} has {raw.shape[1]} components, not 3", _MISSION)
    values = in_units(raw.to_numpy(), str(raw.attrs["units"]), units, str(raw.name), silent=silent)
    return vectors(data, values, name, units, title, frame=frame, labels=labels)


def vectors(
    like: "xr.Dataset", values: "Array", name: str, units: str, title: str, *, frame: str, labels: Sequence[str] = XYZ
) -> "xr.Dataset":
    """Make a series of vectors, shape (t, 3), on the times of another dataset."""
    attrs = {"units": units, "long_name": title, "LABLAXIS": name, "COORDINATE_SYSTEM": frame,
             "DISPLAY_TYPE": "time_series", "LABL_PTR_1": "component"}  # fmt: skip
    return series(like, {name: (("time", "component"), values, attrs)}, component=list(labels))


def composed(
    parts: Sequence["xr.Dataset"], name: str, units: str, title: str, *, frame: str, labels: Sequence[str] = XYZ,
    silent: str = "",
) -> "xr.Dataset":  # fmt: skip
    """Put three series of one component each together.

    Raises
    ------
    BadData
        If they have different times or other units.
    """
    same_times(*parts)
    raws = [main_of(part, 0) for part in parts]
    columns = [in_units(raw.to_numpy(), str(raw.attrs["units"]), units, str(raw.name), silent=silent) for raw in raws]
    return vectors(parts[0], np.stack(columns, 1), name, units, title, frame=frame, labels=labels)


def tensor(
    data: "xr.Dataset", name: str, units: str, title: str, *, frame: str, labels: Sequence[str] = XYZ, silent: str = ""
) -> "xr.Dataset":
    """Put a symmetric tensor in order: from ``xx yy zz xy xz yz`` to (3, 3).

    Raises
    ------
    BadData
        If there are not six components, or they are in other units.
    """
    raw = main_of(data, 1)
    if raw.shape[1] != 6:
        raise BadData(f"{raw.name} has {raw.shape[1]} components, not xx yy zz xy xz yz", _MISSION)
    six = in_units(raw.to_numpy(), str(raw.attrs["units"]), units, str(raw.name), silent=silent)
    attrs = {"units": units, "long_name": title, "LABLAXIS": name, "COORDINATE_SYSTEM": frame,
             "LABL_PTR_1": "row", "LABL_PTR_2": "column"}  # fmt: skip
    values = symmetric(six)
    return series(data, {name: (("time", "row", "column"), values, attrs)}, row=list(labels), column=list(labels))


def symmetric(six: "Array") -> "Array":
    """Give the matrices, shape (t, 3, 3), of ``xx yy zz xy xz yz``, shape (t, 6).

    Examples
    --------
    >>> symmetric(np.array([[1, 2, 3, 4, 5, 6]])).tolist()
    [[[1, 4, 5], [4, 2, 6], [5, 6, 3]]]
    """
    return np.asarray(six)[:, [[0, 3, 4], [3, 1, 5], [4, 5, 2]]]


def same_times(first: "xr.Dataset", *others: "xr.Dataset | None") -> None:
    """Refuse variables of one dataset that do not have the same times; None is not looked at.

    Raises
    ------
    BadData
        Naming the one that differs.
    """
    times = first["time"].to_numpy()
    for one in others:
        if one is not None and not np.array_equal(one["time"].to_numpy(), times):
            names = f"{next(iter(one.data_vars))} has other times than {next(iter(first.data_vars))}"
            raise BadData(names, "ask for an interval in which both are there")


def axis_of(data: "xr.Dataset", variable: "xr.DataArray", number: int) -> "tuple[Array, str] | None":
    """Give the numbers along the n-th dimension after time and their units; None if nobody says them."""
    name = str(variable.attrs.get(f"DEPEND_{number}", variable.dims[number]))
    if name not in data.coords or data[name].dtype.kind not in "iuf":
        return None
    return data[name].to_numpy().astype(float), str(data[name].attrs.get("units", ""))


def axis_in(data: "xr.Dataset", variable: "xr.DataArray", number: int, units: str) -> "Array | None":
    """Give the numbers along the n-th dimension after time in some units, which who says nothing means.

    Raises
    ------
    BadData
        If they are in units that cannot become these.
    """
    known = axis_of(data, variable, number)
    return None if known is None else in_units(*known, units, f"axis {number} of {variable.name}")


def scalar_recipe(
    output: str, template: str, title: str, units: str, *, label: str, silent: str = "", citation: str = ""
) -> Recipe:
    """Make the recipe of one number a time."""
    name, said = _plain(output.rpartition("/")[2]), _plain(title)

    def order(raw: "xr.Dataset") -> "xr.Dataset":
        return scalar(raw, name, units, said, label=label, silent=silent)

    return _simple(output, template, order, title, units, (), citation)


def vector_recipe(
    output: str, template: str, title: str, units: str, *, frame: str, labels: Sequence[str] = XYZ, silent: str = "",
    citation: str = "",
) -> Recipe:  # fmt: skip
    """Make the recipe of a vector that an archive has in one variable."""
    name, said = _plain(output.rpartition("/")[2]), _plain(title)

    def order(raw: "xr.Dataset") -> "xr.Dataset":
        return vector(raw, name, units, said, frame=frame, labels=labels, silent=silent)

    return _simple(output, template, order, title, units, (3,), citation)


def tensor_recipe(
    output: str, template: str, title: str, units: str, *, frame: str, labels: Sequence[str] = XYZ, silent: str = "",
    citation: str = "",
) -> Recipe:  # fmt: skip
    """Make the recipe of a symmetric tensor that an archive has as six components."""
    name, said = _plain(output.rpartition("/")[2]), _plain(title)

    def order(raw: "xr.Dataset") -> "xr.Dataset":
        return tensor(raw, name, units, said, frame=frame, labels=labels, silent=silent)

    return _simple(output, template, order, title, units, (3, 3), citation)


def composed_recipe(
    output: str, templates: Sequence[str], title: str, units: str, *, frame: str, labels: Sequence[str] = XYZ,
    silent: str = "", citation: str = "",
) -> Recipe:  # fmt: skip
    """Make the recipe of a vector whose components an archive has in three variables."""
    name, said = _plain(output.rpartition("/")[2]), _plain(title)

    def order(first: "xr.Dataset", second: "xr.Dataset", third: "xr.Dataset") -> "xr.Dataset":
        return composed((first, second, third), name, units, said, frame=frame, labels=labels, silent=silent)

    inputs = dict(zip(("first", "second", "third"), templates, strict=True))
    return Recipe(
        output=output, inputs=inputs, function=order, title=title, kind="series", units=units, block="time",
        shape=(3,), citation=citation, description=f"{title}, in the frame {frame}.",
    )  # fmt: skip


def _plain(text: str) -> str:
    """Leave out the holes of a template, with what joins them: the tree knows what fills them, the data do not."""
    return _HOLE.sub("", text)


def _simple(
    output: str, template: str, function: Callable[..., Any], title: str, units: str, shape: tuple[int, ...],
    citation: str,
) -> Recipe:  # fmt: skip
    return Recipe(
        output=output, inputs={"raw": template}, function=function, title=title, kind="series", units=units,
        block="time", shape=shape, citation=citation, description=f"{title}, as the mission gives it, in {units}.",
    )  # fmt: skip
