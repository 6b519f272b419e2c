"""Cuts of quality as named rules: bands that do not pass become null, sources that do not pass are flagged."""

from typing import TYPE_CHECKING, Final

from armillary.missions.gaia.tables import COLUMNS, TWO_BANDS, flags, texts
from armillary.model import Parameter, recipe
from armillary.model.kinds import table_attrs, with_table_attrs
from armillary.science.photometry.columns import find_columns
from armillary.science.photometry.cuts import blanked, failures, judged
from armillary.science.photometry.quality import RULES

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
