"""Cuts of quality as named rules: bands that do not pass become null, sources that do not pass are flagged."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.missions.gaia.tables import COLUMNS, TWO_BANDS, flags, texts
from armillary.model import Parameter, recipe
from armillary.model.kinds import table_attrs, with_table_attrs
from armillary.science.photometry.columns import Columns, find_columns, row_count
from armillary.science.photometry.quality import RULES, Report, apply_rules
from armillary.science.plasma import Array

if TYPE_CHECKING:
    import pyarrow as pa

_SWITCHES: Final = tuple(
    Parameter(name=rule.name, type="bool", default=True, description=rule.about) for rule in RULES.values()
)


def _quality(
    table: "pa.Table", *, columns: str, ruwe: bool, flux_excess: bool, bp_faint: bool, tmass_quality: bool,
    allwise_quality: bool, allwise_artefacts: bool, allwise_extended: bool, allwise_false: bool, tmass_distance: bool,
    allwise_distance: bool, tmass_mates: bool, allwise_mates: bool,
) -> "pa.Table":  # fmt: skip
    """Set bands that do not pass to null, and say of each source whether it passes (``good``), or what did not.

    No row is left out: choose with ``--where "good = true"``. A rule whose columns the table does not have is left out.
    """
    switched = (
        ruwe, flux_excess, bp_faint, tmass_quality, allwise_quality, allwise_artefacts, allwise_extended, allwise_false,
        tmass_distance, allwise_distance, tmass_mates, allwise_mates,
    )  # fmt: skip
    found = find_columns(table, columns)
    report = judged(table, found, [name for name, on in zip(RULES, switched, strict=True) if on])
    kept = blanked(table, found, report)
    for field, values in (
        flags("good", report.sources, "Whether the source passes all rules about sources"),
        texts("failed", failures(report), "Rules that did not pass, those about bands with the band"),
    ):
        kept = kept.append_column(field, values)
    told = {"rows": report.rows, "good": int(report.sources.sum()), **report.counts()}
    attrs = {**table_attrs(table), "counts": told, "left_out": report.left_out, "columns": dict(found.names)}
    return with_table_attrs(kept, attrs)


quality = recipe(
    "{input}/quality",
    inputs={"table": TWO_BANDS},
    title="{title}, of good quality",
    kind="sources",
    units="{units}",
    parameters=(*_SWITCHES, COLUMNS),
    block="row",
)(_quality)
RECIPES: Final = (quality,)


def judged(table: "pa.Table", found: Columns, rules: list[str]) -> Report:
    """Apply those of the rules that the table has the columns for."""
    names, there = found.archive, set(table.column_names)
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
