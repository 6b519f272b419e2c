"""Which column of a table is which magnitude, error, flag or distance, whatever the archive calls it.

A *role* is what a column is for: ``J`` and ``J_error`` for each band, ``G_snr BP_snr RP_snr`` (flux over error, where
errors in magnitudes are not listed), and for the rest the name in the Gaia archive (``ruwe``, ``parallax``,
``tmass_ph_qual``). Known are the names of the Gaia archive, of VizieR's copies, and those of Armillary's own tables;
infrared bands are found by their UCD too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

import numpy as np

from armillary.errors import BadData, BadParameter, Unknown
from armillary.model.kinds import column_unit
from armillary.science.photometry.bands import BANDS, Band
from armillary.science.photometry.quality import column_names, column_values, limits_from_quality
from armillary.science.photometry.seds import PER_MAGNITUDE, UNITS, Seds, build, plain_unit, to_jansky
from armillary.science.plasma import Array

#: Role -> names, the first that is there counts. A name fits in any case, but for those of `_EXACT`.
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "source_id": ("source_id", "Source", "dr3_source_id"),
    "G": ("phot_g_mean_mag", "g_mag", "Gmag", "G"),
    "BP": ("phot_bp_mean_mag", "bp_mag", "BPmag", "Gbmag", "BP"),
    "RP": ("phot_rp_mean_mag", "rp_mag", "RPmag", "Grmag", "RP"),
    "J": ("j_m", "j_mag", "Jmag", "tmass_j_m", "J"),
    "H": ("h_m", "h_mag", "Hmag", "tmass_h_m", "H"),
    "Ks": ("ks_m", "ks_mag", "Kmag", "Ksmag", "k_m", "k_mag", "tmass_ks_m", "Ks"),
    **{f"W{n}": (f"w{n}mpro", f"w{n}_mag", f"W{n}mag", f"allwise_w{n}mpro", f"W{n}") for n in range(1, 5)},
    "G_error": ("phot_g_mean_mag_error", "g_mag_error", "e_Gmag", "e_G", "G_error"),
    "BP_error": ("phot_bp_mean_mag_error", "bp_mag_error", "e_BPmag", "e_BP", "BP_error"),
    "RP_error": ("phot_rp_mean_mag_error", "rp_mag_error", "e_RPmag", "e_RP", "RP_error"),
    "J_error": ("j_msigcom", "j_mag_error", "e_Jmag", "j_m_error", "e_J", "J_error"),
    "H_error": ("h_msigcom", "h_mag_error", "e_Hmag", "h_m_error", "e_H", "H_error"),
    "Ks_error": ("ks_msigcom", "ks_mag_error", "e_Kmag", "e_Ksmag", "k_msigcom", "ks_m_error", "e_Ks", "Ks_error"),
    **{
        f"W{n}_error": (f"w{n}mpro_error", f"w{n}_mag_error", f"e_W{n}mag", f"w{n}sigmpro", f"e_W{n}", f"W{n}_error")
        for n in range(1, 5)
    },
    "G_snr": ("phot_g_mean_flux_over_error", "RFG"),
    "BP_snr": ("phot_bp_mean_flux_over_error", "RFBP"),
    "RP_snr": ("phot_rp_mean_flux_over_error", "RFRP"),
    "parallax": ("parallax", "Plx"),
    "parallax_error": ("parallax_error", "e_Plx"),
    "pmra": ("pmra", "pmRA"),
    "pmdec": ("pmdec", "pmDE"),
    "nu_eff_used_in_astrometry": ("nu_eff_used_in_astrometry", "nueff"),
    "pseudocolour": ("pseudocolour", "pscol"),
    "ecl_lat": ("ecl_lat", "ELAT"),
    "astrometric_params_solved": ("astrometric_params_solved", "Solved"),
    **{
        f"r_{end}_{kind}": (f"r_{end}_{kind}", f"{begin}{vizier}")
        for kind, vizier in (("geo", "rgeo"), ("photogeo", "rpgeo"))
        for end, begin in (("med", ""), ("lo", "b_"), ("hi", "B_"))
    },
    "ruwe": ("ruwe",),
    "phot_bp_rp_excess_factor": ("phot_bp_rp_excess_factor", "E(BP/RP)"),
    "tmass_ph_qual": ("tmass_ph_qual", "ph_qual_2mass", "Qflg"),
    "allwise_ph_qual": ("allwise_ph_qual", "ph_qual_wise", "qph"),
    "cc_flags": ("cc_flags", "ccf"),
    "ext_flag": ("ext_flag", "ex"),
    "tmass_angular_distance": ("tmass_angular_distance", "angular_distance_2mass"),
    "allwise_angular_distance": ("allwise_angular_distance", "angular_distance_wise"),
    "tmass_number_of_mates": ("tmass_number_of_mates", "number_of_mates_2mass"),
    "allwise_number_of_mates": ("allwise_number_of_mates", "number_of_mates_wise", "number_of_mates"),
    **{one: (one,) for one in ("w3snr", "w3rchi2", "w4snr", "w4rchi2")},
}  # fmt: skip
#: The capitals of these tell them from others: ``gmag`` is that of SDSS.
_EXACT: Final = (
    "Gmag",
    "G",
    "J",
    "H",
    "e_G",
    "e_J",
    "e_H",
    "G_error",
    "J_error",
    "H_error",
    "b_rgeo",
    "B_rgeo",
    "b_rpgeo",
    "B_rpgeo",
)
_INFRARED: Final = {
    "J": "em.IR.J", "H": "em.IR.H", "Ks": "em.IR.K",
    "W1": "em.IR.3-4um", "W2": "em.IR.4-8um", "W3": "em.IR.8-15um", "W4": "em.IR.15-30um",
}  # fmt: skip
#: Role -> UCD; believed where one column alone has it.
UCDS: Final[Mapping[str, str]] = {
    **{band: f"phot.mag;{em}" for band, em in _INFRARED.items()},
    **{f"{band}_error": f"stat.error;phot.mag;{em}" for band, em in _INFRARED.items()},
}
_MAGNITUDES: Final = ("", "1", "mag", "mag(Vega)")


def names_of(*bands: str) -> tuple[str, ...]:
    """Give every name and UCD that a magnitude of these bands may have: what a generic recipe asks a table for.

    Examples
    --------
    >>> names_of("W3")
    ('w3mpro', 'w3_mag', 'W3mag', 'allwise_w3mpro', 'W3', 'phot.mag;em.IR.8-15um')
    """
    found = [name for band in bands for name in (*NAMES[band], *((UCDS[band],) if band in UCDS else ()))]
    return tuple(name for name in found if name not in _EXACT)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a table has which role.

    Parameters
    ----------
    names : mapping of str to str
        Role -> column, of those that are there.
    """

    names: Mapping[str, str]

    @property
    def bands(self) -> tuple[Band, ...]:
        """The bands of which there is a magnitude or flux."""
        return tuple(band for band in BANDS if band.name in self.names)

    @property
    def archive(self) -> dict[str, str]:
        """The same by the names of the Gaia archive, as `quality.apply_rules` wants it."""
        return {NAMES[role][0]: name for role, name in self.names.items()}

    def has(self, *roles: str) -> bool:
        """Say whether all of these are there."""
        return all(one in self.names for one in roles)

    def values(self, table: Any, role: str) -> Array:
        """Give the column of a role as floats; what is missing is NaN.

        Raises
        ------
        Unknown
            If the table has none.
        BadData
            If it holds texts.
        """
        if role not in self.names:
            raise Unknown(f"the table has no column for {role}", f"add it, or name it: columns='{role}=YOURS'")
        return _floats(table, self.names[role])


def find_columns(table: Any, given: str | Mapping[str, str] = "") -> Columns:
    """Find the columns of a table by name and UCD.

    Parameters
    ----------
    table : pyarrow.Table, xarray.Dataset or mapping of str to array
    given : str or mapping, optional
        Roles, or names of the Gaia archive, that are called otherwise: ``"J=jmag, J_error=sigma_j"``. An empty name
        leaves a column out: ``"W4="``.

    Raises
    ------
    Unknown
        If a role or a column does not exist; the nearest are named.

    Examples
    --------
    >>> found = find_columns({"Jmag": [1.0], "e_Jmag": [0.1], "kk": [2.0]}, "Ks=kk")
    >>> dict(found.names)
    {'J': 'Jmag', 'Ks': 'kk', 'J_error': 'e_Jmag'}
    """
    there = column_names(table)
    own = _own(given, there)
    lower: dict[str, list[str]] = {}
    for name in sorted(there):
        lower.setdefault(name.lower(), []).append(name)
    ucds = _by_ucd(table)
    named = {
        role: own.get(role) or _named(NAMES[role], there, lower) or ucds.get(UCDS.get(role, "-"), "") for role in NAMES
    }
    return Columns({role: name for role, name in named.items() if name and own.get(role, name)})


def light_of(table: Any, columns: Columns) -> tuple[Array, Array, Array]:
    """Give magnitudes, errors and which are upper limits, each (n, bands of `columns`).

    Notes
    -----
    An error of Gaia is 1.0857 over flux over error. A column in a unit of flux density becomes magnitudes: a flux at or
    below zero is an upper limit of three errors, or missing where its error is unknown. Null is NaN.

    Raises
    ------
    BadData
        For units that are neither, negative errors and columns of texts.
    """
    bands = columns.bands
    rows = row_count(table)
    found = np.full((2, rows, len(bands)), np.nan)
    limits = np.zeros((rows, len(bands)), bool)
    for place, band in enumerate(bands):
        found[:, :, place], limits[:, place] = _band(table, columns, band)
    names = [band.name for band in bands]
    letters = (
        column_values(table, columns.names[one]) if one in columns.names else None
        for one in ("tmass_ph_qual", "allwise_ph_qual")
    )
    for name, flags in limits_from_quality(*letters).items():
        if name in names:
            limits[:, names.index(name)] |= flags & np.isfinite(found[0, :, names.index(name)])
    return found[0], found[1], limits


def seds_of(table: Any, columns: Columns, **options: Any) -> Seds:
    """Build the energy distributions of a table in all ten bands; `options` are those of `seds.build`.

    A magnitude without an error is an upper limit, as in 2MASS and AllWISE, unless its whole column of errors is
    missing: then the errors are unknown.
    """
    from dataclasses import replace

    values, errors, flagged = light_of(table, columns)
    rows, wide = len(values), [BANDS.index(band) for band in columns.bands]
    found = np.full((2, rows, len(BANDS)), np.nan)
    found[0][:, wide], found[1][:, wide] = values, errors
    limits = np.zeros((rows, len(BANDS)), bool)
    limits[:, wide] = flagged
    made = build(found[0], found[1], BANDS, limits=limits, **options)
    silent = np.array([not (columns.has(f"{one.name}_error") or columns.has(f"{one.name}_snr")) for one in BANDS])
    return replace(made, limit=np.where(silent, limits, made.limit)) if silent.any() else made


def row_count(table: Any) -> int:
    """Give the number of rows of a table of any kind."""
    rows = getattr(table, "num_rows", None)
    if rows is not None:
        return int(rows)
    names = sorted(column_names(table))
    return len(column_values(table, names[0])) if names else 0


def in_magnitudes(table: Any, name: str) -> bool:
    """Say whether a column is in magnitudes, or in no unit that would say otherwise."""
    return _unit(table, name) in _MAGNITUDES


def check_once(identities: Array, what: str = "source_id") -> None:
    """Refuse identities of which one stands in several rows.

    Raises
    ------
    BadData
        A cross-match with mates was joined without care.
    """
    many, counts = np.unique(identities, return_counts=True)
    if (counts > 1).any():
        problem = (
            f"{int((counts > 1).sum())} values of {what} stand in several rows, the first is {many[counts > 1][0]}"
        )
        raise BadData(problem, "keep one row for each source, for example the nearest match")


def _own(given: str | Mapping[str, str], there: set[str]) -> dict[str, str]:
    """Read the roles that the user names; NAMES of the archive are roles too."""
    pairs = _pairs(given) if isinstance(given, str) else dict(given)
    roles = {name: role for role, names in NAMES.items() for name in (names[0], role)}
    for role, name in pairs.items():
        if role not in roles:
            raise Unknown(f"no column is for {role!r}", _near(role, roles, "roles"))
        if name and name not in there:
            raise Unknown(f"the table has no column {name!r}", _near(name, there, "columns"))
    return {roles[role]: name for role, name in pairs.items()}


def _pairs(text: str) -> dict[str, str]:
    found = {}
    for part in text.replace(";", ",").split(","):
        role, equals, name = part.partition("=")
        if part.strip() and not equals:
            raise BadParameter(f"{part.strip()!r} names no column", "write columns='J=jmag, J_error=sigma_j'")
        if part.strip():
            found[role.strip()] = name.strip()
    return found


def _near(word: str, known: Iterable[str], what: str) -> str:
    listed = sorted(known)
    near = get_close_matches(word, listed, 3, 0.5)
    return f"did you mean {', '.join(near)}?" if near else f"its {what}: {', '.join(listed[:12])}"


def _named(names: tuple[str, ...], there: set[str], lower: Mapping[str, list[str]]) -> str:
    for name in names:
        alike = lower.get(name.lower(), [])
        if name in there:
            return name
        if name not in _EXACT and len(alike) == 1 and alike[0] not in _EXACT:
            return alike[0]
    return ""


def _by_ucd(table: Any) -> dict[str, str]:
    """Give the UCDs that one column alone has."""
    found: dict[str, list[str]] = {}
    for field in getattr(table, "schema", None) or ():
        ucd = (getattr(field, "metadata", None) or {}).get(b"ucd", b"").decode()
        found.setdefault(ucd, []).append(field.name)
    return {ucd: names[0] for ucd, names in found.items() if ucd and len(names) == 1}


def _floats(table: Any, name: str) -> Array:
    values = column_values(table, name)
    if values.dtype.kind not in "fiub":
        raise BadData(f"column {name} holds texts such as {str(values[:1])!s}, not numbers", "name another by columns=")
    return values.astype(float)


def _unit(table: Any, name: str) -> str:
    schema = getattr(table, "schema", None)
    if schema is not None:
        return plain_unit(column_unit(schema.field(name)).strip())
    return plain_unit(str(getattr(table[name], "attrs", {}).get("units", "")).strip())


def _band(table: Any, columns: Columns, band: Band) -> tuple[Array, Array]:
    """Give magnitude and error of one band, (2, n), and which are limits."""
    name = columns.names[band.name]
    values, unit = _floats(table, name), _unit(table, name)
    errors = _errors(table, columns, band, unit)
    if unit in _MAGNITUDES:
        return np.stack([values, errors]), np.zeros(len(values), bool)
    if unit not in UNITS:
        hint = f"convert it to mag or one of {', '.join(UNITS)}, or leave it out: columns='{band.name}='"
        raise BadData(f"column {name} is in {unit!r}, which is no magnitude", hint)
    scale = float(to_jansky(unit, np.array(band.pivot)))
    nothing = ~(values > 0) & np.isfinite(values)
    flux = np.where(nothing, 3 * errors, values)
    with np.errstate(divide="ignore", invalid="ignore"):
        magnitude = -2.5 * np.log10(flux * scale / band.zero_point)
        error = np.where(nothing, np.nan, errors / flux / PER_MAGNITUDE)
    return np.stack([magnitude, error]), nothing & np.isfinite(magnitude)


def _errors(table: Any, columns: Columns, band: Band, unit: str) -> Array:
    own, ratio = f"{band.name}_error", f"{band.name}_snr"
    if columns.has(own):
        name = columns.names[own]
        errors, said = _floats(table, name), _unit(table, name)
        alike = said in _MAGNITUDES if unit in _MAGNITUDES else said in ("", unit)
        if not alike:
            raise BadData(
                f"{columns.names[band.name]} is in {unit or 'mag'}, its error {name} in {said}", "convert one"
            )
        if (errors < 0).any():
            raise BadData(f"{int((errors < 0).sum())} errors in {name} are below zero", "set missing errors to null")
        return errors
    if columns.has(ratio):
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = 1 / columns.values(table, ratio)
        return relative / PER_MAGNITUDE if unit in _MAGNITUDES else relative * np.abs(columns.values(table, band.name))
    return np.full(row_count(table), np.nan)
