"""What archives said of columns, kept through recipes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from armillary.model import Data

if TYPE_CHECKING:
    import pyarrow as pa


def described(made: Data, inputs: Iterable[object]) -> Data:
    """Give columns of a table their unit, UCD and description back where a recipe dropped them.

    Parameters
    ----------
    made : Dataset or Table
        What a recipe gave; a Dataset is left alone.
    inputs : iterable
        What it was given. A column of one of their tables that has the same name and type, and no other unit, is the
        same column.

    Examples
    --------
    >>> import pyarrow as pa
    >>> told = pa.field("ra", pa.float64(), metadata={"unit": "deg", "ucd": "pos.eq.ra"})
    >>> table = described(pa.table({"ra": [1.0]}), [pa.table([[2.0]], pa.schema([told]))])
    >>> table.schema.field("ra").metadata[b"ucd"]
    b'pos.eq.ra'
    """
    import pyarrow as pa

    if not isinstance(made, pa.Table):
        return made
    known: dict[str, pa.Field] = {}
    for table in inputs:
        if isinstance(table, pa.Table):
            known = {one.name: one for one in table.schema} | known
    fields = [_described(one, known.get(one.name)) for one in made.schema]
    return made.cast(pa.schema(fields, made.schema.metadata)) if fields else made


def _described(field: "pa.Field", known: "pa.Field | None") -> "pa.Field":
    own = field.metadata or {}
    told = (known.metadata or {}) if known is not None and known.type == field.type else {}
    if not told or own.get(b"unit", b"") not in {b"", told.get(b"unit", b"")}:
        return field
    return field.with_metadata({**told, **{name: text for name, text in own.items() if text}})
