"""One leaf of the data tree and the knobs it has."""

import math
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from armillary.errors import BadParameter
from armillary.model.extent import Interval
from armillary.model.request import Scalar
from armillary.model.times import format_time, parse_time

ParameterType = Literal["int", "float", "bool", "str", "product"]
_TRUE: Final = {"1", "true", "yes", "on"}
_FALSE: Final = {"0", "false", "no", "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A knob of a product: a name, a type, a default and what it may be.

    A knob of type "product" takes the path of another leaf, or nothing; its recipe is given that leaf's data.

    Examples
    --------
    >>> Parameter(name="window", type="float", default=60.0, low=1.0, units="s").read("90")
    90.0
    """

    name: str
    type: ParameterType
    default: Scalar
    choices: tuple[Scalar, ...] = ()
    low: float | None = None
    high: float | None = None
    units: str = ""
    description: str = ""

    def read(self, value: Scalar) -> Scalar:
        """Turn a text or a value into this parameter's type, or say what it may be.

        Raises
        ------
        BadParameter
            If it does not convert, is not finite, is not among the choices or out of bounds.
        """
        try:
            found = self._convert(value)
        except (TypeError, ValueError, OverflowError):
            raise BadParameter(f"parameter {self.name!r} cannot be {value!r}", self.allowed()) from None
        too_low = self.low is not None and isinstance(found, int | float) and not found >= self.low
        too_high = self.high is not None and isinstance(found, int | float) and not found <= self.high
        if too_low or too_high or (self.choices and found not in self.choices):
            raise BadParameter(f"parameter {self.name!r} cannot be {value!r}", self.allowed())
        return found

    def _convert(self, value: Scalar) -> Scalar:
        if value is None:
            return self.default
        if self.type == "bool":
            return value if isinstance(value, bool) else _read_bool(str(value))
        if self.type in {"str", "product"}:
            return str(value).strip("/") if self.type == "product" else str(value)
        if self.type == "int":
            return int(value)
        found = float(value)
        if not math.isfinite(found):  # no bound, length or time is; and JSON could not keep it
            raise ValueError
        return found

    def allowed(self) -> str:
        """Say what it may be, for the next step of an error and for the tree."""
        if self.choices:
            return f"choose one of {', '.join(map(str, self.choices))}"
        bounds = [f"at least {self.low:g}"] if self.low is not None else []
        bounds += [f"at most {self.high:g}"] if self.high is not None else []
        unit, limits = f" in {self.units}" if self.units else "", f", {' and '.join(bounds)}" if bounds else ""
        kind = "the path of a product" if self.type == "product" else self.type
        return f"give {self.name} as {kind}{unit}{limits}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One leaf of the data tree.

    Parameters
    ----------
    path : str
        Where it hangs, slash separated, e.g. ``local/mms1/fpi/fast/l2/dis-moms/mms1_dis_numberdensity_fast``.
    title : str
        What it is, for people.
    kind : str
        One of `armillary.model.kinds.KINDS`.
    units : str
        Units of its main quantity, as astropy reads them where possible.
    coverage : Interval, optional
        From when to when there are data; None where time means nothing or nobody knows.
    source : str
        Name of the archive that has it.
    address : str
        How its source finds it; nobody else reads this.
    version : str
        Changes when the data behind it change; part of every cache key.
    recipe : str
        Name of the recipe that makes it, empty for a raw product.
    inputs : tuple of str
        For a derived product the paths of what it is made from, in the order of the recipe's arguments.
    parameters : tuple of Parameter
        Its knobs.
    selects : tuple of str
        The parts of an extent that its source can use to send less ("time", "box", "cone", "where", "rows");
        what is missing here is cut afterwards.
    cadence : float, optional
        Seconds between samples, for the cost of a plan.
    row_bytes : int
        Bytes per sample or row, for the cost of a plan.
    rows : int, optional
        How many samples, rows or lines there are in all, where known.
    shape : tuple of int, optional
        Sizes of the dimensions after time, ``(3,)`` for a vector, ``()`` for a number; what a generic recipe looks at.
    axes : tuple of str
        What the dimensions after time are, name and title of each in a text, where known; a generic recipe looks at it.
    columns : tuple of str
        Names of the columns of a table, each perhaps with its UCD after a blank, where known; a generic recipe looks at
        them.
    whole : bool
        Whether the answer for an interval cannot be put together from answers for parts of it.
    keep : bool
        Whether its data are worth a place in the cache (not those of local rasters, which are quick to read again).
    description, citation, licence : str
        What a reader and a paper need.
    """

    path: str
    title: str
    kind: str
    units: str = ""
    coverage: Interval | None = None
    source: str = ""
    address: str = ""
    version: str = ""
    recipe: str = ""
    inputs: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    selects: tuple[str, ...] = ("time",)
    cadence: float | None = None
    row_bytes: int = 8
    rows: int | None = None
    shape: tuple[int, ...] | None = None
    axes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    whole: bool = False
    keep: bool = True
    description: str = ""
    citation: str = ""
    licence: str = ""

    @property
    def start(self) -> str | None:
        """First time of the coverage, ISO 8601."""
        return format_time(self.coverage.start) if self.coverage else None

    @property
    def stop(self) -> str | None:
        """End of the coverage, ISO 8601."""
        return format_time(self.coverage.stop) if self.coverage else None

    def read_params(self, given: dict[str, Scalar]) -> dict[str, Scalar]:
        """Check parameters and fill in the defaults, so that equal questions have equal keys.

        Raises
        ------
        BadParameter
            If one is unknown or wrong.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                hint = f"it has: {', '.join(known)}" if known else "leave it out: this product has no parameters"
                raise BadParameter(f"{self.path} has no parameter {name!r}", hint)
        return {name: parameter.read(given.get(name)) for name, parameter in known.items()}

    def to_record(self) -> dict[str, Any]:
        """Write as JSON values."""
        record = {name: getattr(self, name) for name in self.__dataclass_fields__}
        record["parameters"] = [
            {name: getattr(one, name) for name in one.__dataclass_fields__} for one in self.parameters
        ]
        del record["coverage"]
        return record | {"start": self.start, "stop": self.stop}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """Read what :meth:`to_record` wrote."""
        values = dict(record)
        start, stop = values.pop("start", None), values.pop("stop", None)
        values["coverage"] = Interval(parse_time(start), parse_time(stop)) if start and stop else None
        knobs = [dict(one) | {"choices": tuple(one.get("choices", ()))} for one in values.get("parameters", ())]
        values["parameters"] = tuple(Parameter(**one) for one in knobs)
        for name in ("inputs", "selects", "axes", "columns"):
            values[name] = tuple(values.get(name, ()))
        values["shape"] = None if values.get("shape") is None else tuple(values["shape"])
        return cls(**values)


def _read_bool(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(text)
    return word in _TRUE
