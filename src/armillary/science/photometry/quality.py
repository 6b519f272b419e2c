"""Cuts of quality as named rules that can be switched, with counts of what each of them takes away.

A rule is about whole sources (RUWE, the cross-match) or about bands of them (a contaminated W3 says nothing on Ks). The
columns are those of the Gaia archive; `columns` of `apply_rules` says what yours are called.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from armillary.errors import BadParameter, Unknown
from armillary.science.photometry.excess import corrected_excess, excess_sigma
from armillary.science.plasma import Array

TMASS, ALLWISE = ("J", "H", "Ks"), ("W1", "W2", "W3", "W4")
Columns = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Rule:
    """A cut.

    Parameters
    ----------
    name : str
    columns : tuple of str
        What it needs; a table without them leaves the rule out, and the report says so.
    check : callable
        From columns to True (good) or False, shape (n,) or (n, bands); NaN and empty values are not judged: True.
    bands : tuple of str
        Which bands it is about; none: the whole source.
    about : str
        What it asks for, with its source.
    """

    name: str
    columns: tuple[str, ...]
    check: Callable[[Columns], Array]
    bands: tuple[str, ...] = ()
    about: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What the rules found.

    Parameters
    ----------
    good : dict of rule to array of bool
        Shape (n,) for rules about sources, (n, bands) for those about bands.
    rules : tuple of Rule
        Those that were applied.
    left_out : dict of rule to str
        Why.
    rows : int
    """

    good: dict[str, Array]
    rules: tuple[Rule, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    rows: int = 0

    @property
    def sources(self) -> Array:
        """Whether a source passes all rules about sources, shape (n,)."""
        passed = [self.good[rule.name] for rule in self.rules if not rule.bands]
        return np.logical_and.reduce(passed) if passed else np.ones(self.rows, bool)

    def bands(self, names: Iterable[str]) -> Array:
        """Whether a band of a source passes all rules about bands, shape (n, names)."""
        asked = list(names)
        found = np.ones((self.rows, len(asked)), bool)
        for rule in self.rules:
            for place, band in enumerate(rule.bands):
                if band in asked:
                    found[:, asked.index(band)] &= self.good[rule.name][:, place]
        return found

    def counts(self) -> dict[str, int]:
        """Give how many sources, or values of bands, each rule takes away."""
        return {name: int((~good).sum()) for name, good in self.good.items()}

    def text(self) -> str:
        """Tell rule by rule what was taken away, one line each."""
        lines = [f"{self.rows} sources, {int(self.sources.sum())} pass all rules about sources"]
        for rule in self.rules:
            taken, unit = int((~self.good[rule.name]).sum()), "values" if rule.bands else "sources"
            lines.append(f"{rule.name}: {taken} {unit} do not pass ({rule.about})")
        lines += [f"{name}: left out, {why}" for name, why in self.left_out.items()]
        return "\n".join(lines)


def apply_rules(
    table: Any, rules: Iterable[str | Rule] | None = None, *, columns: Mapping[str, str] | None = None
) -> Report:
    """Apply rules to a table.

    Parameters
    ----------
    table : pyarrow.Table, xarray.Dataset or mapping of str to array
    rules : names or Rules, optional
        Without it all of `RULES` that the table has the columns for; a rule that is named must have them.
    columns : mapping, optional
        From a rule's column to the table's, where they differ.

    Examples
    --------
    >>> report = apply_rules({"ruwe": np.array([1.0, 2.0, np.nan])}, ["ruwe"])
    >>> report.sources.tolist(), report.counts()
    ([True, False, True], {'ruwe': 1})
    """
    called = dict(columns or {})
    chosen = [_rule(one) for one in (RULES.values() if rules is None else rules)]
    data = {
        one: column_values(table, called.get(one, one))
        for rule in chosen
        for one in rule.columns
        if called.get(one, one) in column_names(table)
    }
    sizes = {len(values) for values in data.values()}
    if len(sizes) > 1:
        raise BadParameter(f"columns of {sorted(sizes)} rows", "give columns of one table")
    good: dict[str, Array] = {}
    left_out: dict[str, str] = {}
    for rule in chosen:
        missing = [called.get(one, one) for one in rule.columns if one not in data]
        if missing and rules is not None:
            raise Unknown(f"rule {rule.name} needs column {missing[0]}", "add it, or name it by columns=")
        if missing:
            left_out[rule.name] = f"no column {missing[0]}"
        else:
            good[rule.name] = _shaped(rule.check(data), rule)
    applied = tuple(rule for rule in chosen if rule.name in good)
    return Report(good, applied, left_out, sizes.pop() if sizes else 0)


def limits_from_quality(tmass: Array | None, allwise: Array | None) -> dict[str, Array]:
    """Give which bands are upper limits by their ``ph_qual`` (letter U), by band, shape (n,) each."""
    found: dict[str, Array] = {}
    for letters, names in ((tmass, TMASS), (allwise, ALLWISE)):
        if letters is not None:
            found |= dict(zip(names, (_letters(letters, len(names)) == "U").T, strict=True))
    return found


def false_w3_w4(snr: Array, rchi2: Array, band: str) -> Array:
    """Say which AllWISE detections in W3 or W4 are likely real.

    Parameters
    ----------
    snr, rchi2 : array, shape (n,)
        ``w3snr`` and ``w3rchi2``, or those of W4.
    band : {"W3", "W4"}

    Notes
    -----
    Koenig and Leisawitz (2014), doi:10.1088/0004-637X/791/2/131. W3: snr >= 5 and (rchi2 < (snr - 8) / 8 or 0.45 <
    rchi2 < 1.15). W4: rchi2 < (2 snr - 20) / 10. On 7,700 detections in Orion that were judged by eye (Gezer et al.
    2025), W3 keeps 98 % of the real ones and 34 % of the false ones, W4 62 % and 3 %.
    """
    if band not in ("W3", "W4"):
        raise BadParameter(f"there is no such rule for {band}", "use W3 or W4")
    if band == "W4":
        return np.asarray(rchi2 < (2 * snr - 20) / 10)
    return np.asarray((snr >= 5) & ((rchi2 < (snr - 8) / 8) | ((rchi2 > 0.45) & (rchi2 < 1.15))))


def _shaped(good: Array, rule: Rule) -> Array:
    """Give one answer a source, or one a band."""
    if rule.bands and good.ndim == 1:
        return np.repeat(good[:, None], len(rule.bands), axis=1)
    return good


def _rule(one: str | Rule) -> Rule:
    if isinstance(one, Rule):
        return one
    if one not in RULES:
        raise Unknown(f"no rule is called {one!r}", f"use {', '.join(RULES)}, or a Rule of your own")
    return RULES[one]


def column_names(table: Any) -> set[str]:
    """Give the names of the columns of a table of any kind."""
    names = getattr(table, "column_names", None)
    return set(table if names is None else names)


def column_values(table: Any, name: str) -> Array:
    """Give a column of a table of any kind; masked numbers become NaN, texts that are not there empty."""
    column = table[name]
    if hasattr(column, "to_numpy"):
        column = column.to_numpy()
    if isinstance(column, np.ma.MaskedArray) and column.dtype.kind in "fiu":
        column = np.ma.filled(column.astype(float), np.nan)
    found = np.asarray(column)
    if found.dtype.kind == "O":
        return np.array(["" if one is None else str(one) for one in found])
    return found


def _letters(values: Array, count: int) -> Array:
    """Split texts into letters, shape (n, count); short texts end in empty ones."""
    texts = np.asarray(values)
    if texts.dtype.kind == "S":
        texts = texts.astype("U")
    width = np.ascontiguousarray(texts.astype(f"U{count}"))
    return width.view("U1").reshape(len(texts), count)


def _below(name: str, limit: float) -> Callable[[Columns], Array]:
    # NaN is not above the limit: what was not measured is not judged.
    return lambda table: ~(np.asarray(table[name], float) > limit)


def _letters_among(name: str, count: int, wanted: str) -> Callable[[Columns], Array]:
    def check(table: Columns) -> Array:
        letters = _letters(table[name], count)
        return np.isin(letters, [*wanted, ""])

    return check


def _no_artefact(table: Columns) -> Array:
    return ~np.isin(_letters(table["cc_flags"], 4), [*"DPHO"])


def _excess(table: Columns) -> Array:
    found = corrected_excess(table["phot_bp_mean_mag"] - table["phot_rp_mean_mag"], table["phot_bp_rp_excess_factor"])
    return np.asarray(~(np.abs(found) > 3 * excess_sigma(table["phot_g_mean_mag"])))


def _real(table: Columns) -> Array:
    bands = (("W3", "w3snr", "w3rchi2"), ("W4", "w4snr", "w4rchi2"))
    found = [false_w3_w4(table[snr], table[chi], band) | np.isnan(table[snr]) for band, snr, chi in bands]
    return np.stack(found, axis=1)


_ALL: Final = (
    Rule("ruwe", ("ruwe",), _below("ruwe", 1.4), about="RUWE is at most 1.4, Lindegren 2018, GAIA-C3-TN-LU-LL-124"),
    Rule(
        "flux_excess", ("phot_bp_mean_mag", "phot_rp_mean_mag", "phot_bp_rp_excess_factor", "phot_g_mean_mag"), _excess,
        ("BP", "RP"), "C* is within 3 sigma, Riello et al. 2021",
    ),
    Rule(
        "bp_faint", ("phot_bp_mean_mag",), _below("phot_bp_mean_mag", 20.3), ("BP",),
        "BP is at most 20.3, beyond it mean BP is too bright, Riello et al. 2021, section 8.1",
    ),
    Rule(
        "tmass_quality", ("tmass_ph_qual",), _letters_among("tmass_ph_qual", 3, "ABCDU"), TMASS,
        "2MASS ph_qual is A to D, or U, which is an upper limit",
    ),
    Rule(
        "allwise_quality", ("allwise_ph_qual",), _letters_among("allwise_ph_qual", 4, "ABCU"), ALLWISE,
        "AllWISE ph_qual is A to C, or U, which is an upper limit",
    ),
    Rule(
        "allwise_artefacts", ("cc_flags",), _no_artefact, ALLWISE,
        "cc_flags has none of D P H O: the detection is no spike, persistence, halo or ghost",
    ),
    Rule("allwise_extended", ("ext_flag",), _below("ext_flag", 1), about="ext_flag is 0 or 1"),
    Rule(
        "allwise_false", ("w3snr", "w3rchi2", "w4snr", "w4rchi2"), _real, ("W3", "W4"),
        "W3 and W4 look like point sources, Koenig and Leisawitz 2014",
    ),
    Rule(
        "tmass_distance", ("tmass_angular_distance",), _below("tmass_angular_distance", 1.0),
        about="2MASS within 1 arcsec",
    ),
    Rule(
        "allwise_distance", ("allwise_angular_distance",), _below("allwise_angular_distance", 1.5),
        about="AllWISE within 1.5 arcsec",
    ),
    Rule(
        "tmass_mates", ("tmass_number_of_mates",), _below("tmass_number_of_mates", 0),
        about="no other Gaia source has the same 2MASS source",
    ),
    Rule(
        "allwise_mates", ("allwise_number_of_mates",), _below("allwise_number_of_mates", 0),
        about="no other Gaia source has the same AllWISE source",
    ),
)  # fmt: skip
#: The rules by name.
RULES: Final[dict[str, Rule]] = {rule.name: rule for rule in _ALL}
