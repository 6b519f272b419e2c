"""What all recipes of this mission share: the table they take, its columns, and the table they give."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.model import Parameter
from armillary.model.kinds import column
from armillary.model.recipe import Fits
from armillary.science.photometry.columns import names_of
from armillary.science.plasma import Array

if TYPE_CHECKING:
    import pyarrow as pa

#: What stays beside each result, so that it can be found on the sky and joined again.
_IDENTITY: Final = ("source_id", "ra", "dec")
#: What sources are called by where no archive has numbered them.
_NAMED: Final = ("id", "designation", "main_id", "source", "name", "object")
COLUMNS: Final = Parameter(
    name="columns", type="str", default="",
    description="which column is what, where the names do not tell: 'J=jmag, J_error=sigma_j'; 'W4=' leaves one out",
)  # fmt: skip
A_V: Final = Parameter(
    name="a_v", type="float", default=0.0, low=0.0, high=100.0, units="mag",
    description="extinction in V of all sources, which is taken out",
)  # fmt: skip
LAW: Final = Parameter(
    name="law", type="str", default="gordon23", choices=("gordon23", "fitzpatrick99", "ccm89", "wang19"),
    description="law of extinction, R_V = 3.1",
)  # fmt: skip


def tables_with(*groups: str) -> Fits:
    """Say that a table of sources needs, of each group of bands (``"Ks W1"``), one magnitude."""
    return Fits(kinds=("sources",), columns=tuple(names_of(*group.split()) for group in groups))


#: Two different bands, of whatever survey.
TWO_BANDS: Final = tables_with("G BP J W1", "RP H Ks W2 W3 W4")


def identity_of(table: "pa.Table") -> list[tuple["pa.Field", Any]]:
    """Give the columns that say which source a row is."""
    names = [name for name in _IDENTITY if name in table.column_names]
    if "source_id" not in names:
        names = [*[name for name in table.column_names if name.lower() in _NAMED][:1], *names]
    return [(table.schema.field(name), table.column(name)) for name in names]


def numbers(
    name: str, values: Array, unit: str, about: str, ucd: str = "", *, wide: bool = True
) -> tuple["pa.Field", Any]:
    """Make a column; NaN becomes null."""
    import pyarrow as pa

    kind = pa.float64() if wide else pa.float32()
    field = column(name, kind, unit, about)
    field = field.with_metadata({**field.metadata, b"ucd": ucd.encode()}) if ucd else field
    return field, pa.array(values, kind, mask=np.isnan(values))


def flags(name: str, values: Array, about: str) -> tuple["pa.Field", Any]:
    """Make a column of true and false."""
    import pyarrow as pa

    return column(name, pa.bool_(), "", about), pa.array(np.asarray(values, bool))


def texts(name: str, values: Array, about: str) -> tuple["pa.Field", Any]:
    """Make a column of texts; empty ones become null."""
    import pyarrow as pa

    return column(name, pa.string(), "", about), pa.array(values.astype(object), pa.string(), mask=values == "")


def counts(name: str, values: Array, about: str) -> tuple["pa.Field", Any]:
    """Make a column of small whole numbers."""
    import pyarrow as pa

    return column(name, pa.int16(), "", about), pa.array(values, pa.int16())


def table_of(columns: Iterable[tuple["pa.Field", Any]], attrs: Mapping[str, Any]) -> "pa.Table":
    """Put columns together."""
    import pyarrow as pa

    from armillary.model.kinds import with_table_attrs

    pairs = list(columns)
    return with_table_attrs(pa.table([one for _, one in pairs], schema=pa.schema([one for one, _ in pairs])), attrs)
