"""Rules of quality on a table whose columns have any known names: what passes, and the table without what does not."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from armillary.science.photometry.columns import Columns, row_count
from armillary.science.photometry.quality import RULES, Report, apply_rules
from armillary.science.plasma import Array

if TYPE_CHECKING:
    import pyarrow as pa


def judged(table: "pa.Table", found: Columns, rules: Iterable[str]) -> Report:
    """Apply those of the rules that the table has the columns for."""
    rules, names, there = list(rules), found.archive, set(table.column_names)
    able = [name for name in rules if all(names.get(one, one) in there for one in RULES[name].columns)]
    report = apply_rules(table, able, columns=names)
    left_out = {name: _why(name, names, there) for name in rules if name not in able}
    return Report(report.good, report.rules, left_out, row_count(table))


def blanked(table: "pa.Table", found: Columns, report: Report) -> "pa.Table":
    """Set magnitudes and errors of bands that do not pass to null."""
    import pyarrow as pa
    from pyarrow import compute

    bands = found.bands
    good = report.bands([band.name for band in bands])
    for place, band in enumerate(bands):
        for role in (band.name, f"{band.name}_error", f"{band.name}_snr"):
            name = found.names.get(role)
            if name and not good[:, place].all():
                field = table.schema.field(name)
                values = compute.if_else(pa.array(good[:, place]), table.column(name), pa.scalar(None, field.type))
                table = table.set_column(table.column_names.index(name), field, values)
    return table


def failures(report: Report) -> Array:
    """Give the names of the rules that each source does not pass, with the bands: ``ruwe, allwise_artefacts W3``."""
    found = np.full(report.rows, "", dtype=object)
    for rule in report.rules:
        good: Any = report.good[rule.name]
        parts = [(rule.name, good)] if not rule.bands else [
            (f"{rule.name} {band}", good[:, place]) for place, band in enumerate(rule.bands)
        ]  # fmt: skip
        for text, passed in parts:
            rows = np.flatnonzero(~passed)
            found[rows] = [f"{before}, {text}" if before else text for before in found[rows]]
    return found.astype(str) if report.rows else found


def _why(name: str, names: dict[str, str], there: set[str]) -> str:
    return f"no column {next(one for one in RULES[name].columns if names.get(one, one) not in there)}"
