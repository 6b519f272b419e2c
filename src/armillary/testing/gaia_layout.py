"""The simulated sky as the six tables of Gaia's archive that make spectral energy distributions.

The path from a Gaia source to its 2MASS counterpart goes over ``clean_tmass_psc_xsc_oid`` and the name of the point
source, that to its AllWISE counterpart over ``allwise_oid``, as in Gaia DR3. The numbers ``tmass_oid`` of the 2MASS
table are other ones: a join by them finds nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from armillary.science.simulated_sky import columns
from armillary.science.simulated_sky.draws import Array
from armillary.science.simulated_sky.sky import SHARES, Block, blocks, identity, table
from armillary.testing.dachs import TapTable

_PRIMARY: Final = {
    "gaiadr3.gaia_source": ("source_id", ("random_index", "phot_g_mean_mag", "parallax")),
    "gaiadr3.tmass_psc_xsc_best_neighbour": ("source_id", ("clean_tmass_psc_xsc_oid",)),
    "gaiadr3.tmass_psc_xsc_join": ("", ("clean_tmass_psc_xsc_oid", "original_psc_source_id")),
    "gaiadr1.tmass_original_valid": ("designation", ("tmass_oid",)),
    "gaiadr3.allwise_best_neighbour": ("source_id", ("allwise_oid",)),
    "gaiadr1.allwise_original_valid": ("allwise_oid", ("designation",)),
}
_ABOUT: Final = {
    "gaiadr3.gaia_source": "Every source that Gaia observed (simulated)",
    "gaiadr3.tmass_psc_xsc_best_neighbour": "The best 2MASS counterpart of Gaia sources (simulated)",
    "gaiadr3.tmass_psc_xsc_join": "From cleaned counterparts to the sources of the 2MASS catalogues (simulated)",
    "gaiadr1.tmass_original_valid": "2MASS point sources (simulated)",
    "gaiadr3.allwise_best_neighbour": "The best AllWISE counterpart of Gaia sources (simulated)",
    "gaiadr1.allwise_original_valid": "AllWISE sources (simulated)",
}
_COLUMNS: Final = dict(
    zip(
        _ABOUT,
        (columns.GAIA, columns.TMASS_MATCH, columns.TMASS_JOIN, columns.TMASS, columns.ALLWISE_MATCH, columns.ALLWISE),
        strict=True,
    )
)
#: The join that brings all of a source together, without its WHERE.
JOIN: Final = """\
SELECT g.*, t.j_m, t.j_msigcom, t.h_m, t.h_msigcom, t.ks_m, t.ks_msigcom, t.ph_qual AS tmass_ph_qual,
       w.w1mpro, w.w1mpro_error, w.w2mpro, w.w2mpro_error, w.w3mpro, w.w3mpro_error, w.w4mpro, w.w4mpro_error,
       w.cc_flags, w.ext_flag, w.ph_qual AS allwise_ph_qual,
       tn.angular_distance AS tmass_angular_distance, wn.angular_distance AS allwise_angular_distance
FROM gaiadr3.gaia_source AS g
LEFT OUTER JOIN gaiadr3.tmass_psc_xsc_best_neighbour AS tn ON tn.source_id = g.source_id
LEFT OUTER JOIN gaiadr3.tmass_psc_xsc_join AS tj ON tj.clean_tmass_psc_xsc_oid = tn.clean_tmass_psc_xsc_oid
LEFT OUTER JOIN gaiadr1.tmass_original_valid AS t ON t.designation = tj.original_psc_source_id
LEFT OUTER JOIN gaiadr3.allwise_best_neighbour AS wn ON wn.source_id = g.source_id
LEFT OUTER JOIN gaiadr1.allwise_original_valid AS w ON w.allwise_oid = wn.allwise_oid"""


def archive_tables(seed: int, rows: int, shares: Mapping[str, float] = SHARES) -> dict[str, TapTable]:
    """Give the first `rows` rows of a simulated sky as tables of the archive, by ``schema.table``.

    Examples
    --------
    >>> tables = archive_tables(1, 100)
    >>> tables["gaiadr3.gaia_source"].rows.num_rows, len(tables)
    (100, 6)
    """
    parts: dict[str, list[dict[str, Array]]] = {name: [] for name in _COLUMNS}
    for block in blocks(seed, 0, rows, shares):
        for name, part in _split(block):
            parts[name].append(part)
    return {
        name: TapTable(table(_COLUMNS[name], iter(parts[name]), _ABOUT[name]), _ABOUT[name], *_PRIMARY[name])
        for name in _COLUMNS
    }


def _split(block: Block) -> Iterator[tuple[str, dict[str, Array]]]:
    """Take the tables' columns from a block."""
    seen = identity(block) | block.measured
    yield "gaiadr3.gaia_source", seen
    tmass = {key: values[seen["in_tmass"]] for key, values in seen.items()}
    yield from _tmass(tmass, block.rows[seen["in_tmass"]].astype(np.int32))
    allwise = {key: values[seen["in_allwise"]] for key, values in seen.items()}
    yield from _allwise(allwise, block.rows[seen["in_allwise"]])


def _tmass(seen: dict[str, Array], rows: Array) -> Iterator[tuple[str, dict[str, Array]]]:
    ra, dec = _moved(seen, 1999.5)
    names = _names(ra, dec, 2, 1, "")
    clean = rows + 1
    match = {"original_ext_source_id": names, "angular_distance": seen["tmass_angular_distance"]}
    flag = {"xm_flag": np.full(len(rows), 9, np.int16), "clean_tmass_psc_xsc_oid": clean}
    yield "gaiadr3.tmass_psc_xsc_best_neighbour", seen | match | flag
    none = np.full(len(rows), "")
    wide = seen["ext_flag"] > 3
    join = {"original_psc_source_id": names, "original_xsc_source_id": np.where(wide, names, none)}
    yield "gaiadr3.tmass_psc_xsc_join", join | flag
    error = np.full(len(rows), 0.06, np.float32)
    own = {
        "tmass_oid": rows + 1_000_000_001, "designation": names, "ra": ra, "dec": dec, "err_maj": error + 0.02,
        "err_min": error, "err_ang": 180.0 * (rows % 7) / 7, "ph_qual": seen["tmass_ph_qual"],
        "ext_key": np.where(wide, clean.astype(float), np.nan), "j_date": 2451300.5 + rows % 900,
    }  # fmt: skip
    yield "gaiadr1.tmass_original_valid", seen | own


def _allwise(seen: dict[str, Array], rows: Array) -> Iterator[tuple[str, dict[str, Array]]]:
    ra, dec = _moved(seen, 2010.5)
    names = _names(ra, dec, 2, 1, "J", dotted=True)
    oid = (np.floor((dec + 90) * 1e6).astype(np.int64) << 28) | rows
    match = {"original_ext_source_id": names, "angular_distance": seen["allwise_angular_distance"]}
    flag = {"xm_flag": np.full(len(rows), 8, np.int16), "allwise_oid": oid}
    yield "gaiadr3.allwise_best_neighbour", seen | match | flag
    error = np.full(len(rows), 0.05, np.float32)
    own = {
        "allwise_oid": oid, "designation": names, "ra": ra, "dec": dec, "ra_error": error, "dec_error": error,
        "ph_qual": seen["allwise_ph_qual"], "var_flag": np.array(["0000", "1100", "nnnn"])[rows % 3],
    }  # fmt: skip
    yield "gaiadr1.allwise_original_valid", seen | own


def _moved(seen: dict[str, Array], epoch: float) -> tuple[Array, Array]:
    """Give positions at another epoch than Gaia's 2016.0."""
    degrees = (epoch - 2016.0) / 3.6e6
    dec = np.clip(seen["dec"] + np.nan_to_num(seen["pmdec"]) * degrees, -90, 90)
    ra = seen["ra"] + np.nan_to_num(seen["pmra"]) * degrees / np.maximum(np.cos(np.radians(dec)), 1e-6)
    return ra % 360, dec


def _names(ra: Array, dec: Array, ra_digits: int, dec_digits: int, head: str, *, dotted: bool = False) -> Array:
    """Write names by position: hours, minutes, seconds; degrees, minutes, seconds; cut, not rounded."""
    hours = np.floor(ra / 15 * 3600 * 10**ra_digits).astype(np.int64)
    degrees = np.floor(np.abs(dec) * 3600 * 10**dec_digits).astype(np.int64)
    left, right = _sixties(hours, ra_digits), _sixties(degrees, dec_digits)
    dot = "." if dotted else ""
    texts = [
        f"{head}{h:02d}{m:02d}{s:02d}{dot}{f:0{ra_digits}d}{'-' if minus else '+'}{d:02d}{n:02d}{r:02d}{dot}{q}"
        for (h, m, s, f), (d, n, r, q), minus in zip(left, right, (dec < 0).tolist(), strict=True)
    ]
    return np.array(texts, dtype=str)


def _sixties(count: Array, digits: int) -> list[Any]:
    whole, rest = np.divmod(count, 10**digits)
    minutes, seconds = np.divmod(whole, 60)
    return list(np.stack([minutes // 60, minutes % 60, seconds, rest], axis=1).tolist())
