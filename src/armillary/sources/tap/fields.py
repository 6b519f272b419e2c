"""What the columns of a VOTable are, and how their values look in its binary forms and in Arrow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import BadAnswer

if TYPE_CHECKING:
    import pyarrow as pa

#: Octets and numpy code of each datatype of numbers (VOTable 1.5, section 2.1), big-endian.
NUMBERS: Final = {
    "unsignedByte": (1, ">u1"), "short": (2, ">i2"), "int": (4, ">i4"), "long": (8, ">i8"),
    "float": (4, ">f4"), "double": (8, ">f8"),
}  # fmt: skip
_COMPLEX: Final = {"floatComplex": "float", "doubleComplex": "double"}
_TEXTS: Final = {"char": 1, "unicodeChar": 2}
_TIMES: Final = {"timestamp", "adql:timestamp"}
_ELEMENTS: Final = 2**27


@dataclass(frozen=True, slots=True)
class Field:
    """One column as a VOTable declares it.

    Parameters
    ----------
    datatype : str
        Of the standard; of complex numbers that of their parts.
    length : int, optional
        Elements of a value, 1 for a number; None if each value says its own.
    step : int
        Elements that one count of a value of its own length stands for.
    null : str
        The value that means that there is none.
    """

    name: str
    datatype: str
    length: int | None = 1
    step: int = 1
    scalar: bool = True
    unit: str = ""
    ucd: str = ""
    utype: str = ""
    xtype: str = ""
    description: str = ""
    null: str = ""

    @property
    def is_text(self) -> bool:
        """Whether a value is a text."""
        return self.datatype in _TEXTS

    @property
    def is_time(self) -> bool:
        """Whether a value is an instant, written as ISO 8601."""
        return self.is_text and self.xtype.lower() in _TIMES

    def octets(self, elements: int) -> int:
        """Give the octets that so many elements take in the binary forms."""
        if self.datatype == "bit":
            return -(-elements // 8)
        if self.datatype == "boolean":
            return elements
        return elements * (_TEXTS.get(self.datatype) or NUMBERS[self.datatype][0])

    def arrow_type(self) -> "pa.DataType":
        """Give the type of the column in Arrow."""
        import pyarrow as pa

        if self.is_time:
            return pa.timestamp("us")
        if self.is_text:
            return pa.string()
        element = pa.bool_() if self.datatype in {"boolean", "bit"} else _arrow_number(self.datatype)
        return element if self.scalar else pa.list_(element)

    def arrow_field(self) -> "pa.Field":
        """Give the column's field; unit, description, UCD, utype and xtype are its metadata."""
        import pyarrow as pa

        told = {"ucd": self.ucd, "utype": self.utype, "xtype": self.xtype}
        metadata = {"unit": self.unit, "description": self.description} | {k: v for k, v in told.items() if v}
        return pa.field(self.name, self.arrow_type(), metadata=metadata)


def read_field(attributes: Mapping[str, str], description: str, null: str) -> Field:
    """Read the declaration of a column.

    Raises
    ------
    BadAnswer
        If it has a datatype or size that no VOTable has.

    Examples
    --------
    >>> read_field({"name": "flux", "datatype": "double", "arraysize": "2x*"}, "", "").step
    2
    """
    told = attributes.get("datatype", "")
    datatype = _COMPLEX.get(told, told)
    if datatype not in NUMBERS and datatype not in {"boolean", "bit", *_TEXTS}:
        raise BadAnswer(f"a column of the answer has the datatype {told[:30]!r}", "tell the maintainer of the server")
    length, step, scalar = _size(attributes.get("arraysize", ""))
    if told in _COMPLEX:
        length, step, scalar = None if length is None else 2 * length, 2 * step, False
    texts = {name: attributes.get(name, "") for name in ("unit", "ucd", "utype", "xtype")}
    name = attributes.get("name") or attributes.get("ID") or "column"
    return Field(name, datatype, length, step, scalar, **texts, description=_line(description), null=null)


def _size(arraysize: str) -> tuple[int | None, int, bool]:
    sizes = arraysize.strip().split("x") if arraysize.strip() else []
    try:
        fixed = [int(one) for one in sizes if "*" not in one]
    except ValueError:
        fixed = [0]
    step = 1
    for one in fixed:
        step *= one
    if not all(one > 0 for one in fixed) or step > _ELEMENTS:
        raise BadAnswer(f"a column of the answer has the size {arraysize[:30]!r}", "tell the maintainer of the server")
    if "*" in arraysize:
        return None, step, False
    return step, 1, not sizes or sizes == ["1"]


def _arrow_number(datatype: str) -> "pa.DataType":
    import pyarrow as pa

    types: dict[str, Any] = {
        "unsignedByte": pa.uint8(), "short": pa.int16(), "int": pa.int32(), "long": pa.int64(),
        "float": pa.float32(), "double": pa.float64(),
    }  # fmt: skip
    return types[datatype]


def _line(text: str) -> str:
    return " ".join(text.split())
