"""Magnitudes, errors and limits of the ten bands from the columns of the Gaia archive."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from armillary.errors import BadData
from armillary.model.kinds import column_unit
from armillary.science.photometry.bands import BANDS
from armillary.science.photometry.quality import column_names, column_values, limits_from_quality
from armillary.science.photometry.seds import PER_MAGNITUDE
from armillary.science.plasma import Array

#: Magnitude, and its error or (for Gaia, which lists none) flux over error.
COLUMNS: Final = {
    "G": ("phot_g_mean_mag", "phot_g_mean_flux_over_error"),
    "BP": ("phot_bp_mean_mag", "phot_bp_mean_flux_over_error"),
    "RP": ("phot_rp_mean_mag", "phot_rp_mean_flux_over_error"),
    "J": ("j_m", "j_msigcom"),
    "H": ("h_m", "h_msigcom"),
    "Ks": ("ks_m", "ks_msigcom"),
    "W1": ("w1mpro", "w1mpro_error"),
    "W2": ("w2mpro", "w2mpro_error"),
    "W3": ("w3mpro", "w3mpro_error"),
    "W4": ("w4mpro", "w4mpro_error"),
}


class Photometry(NamedTuple):
    """What `seds.build` takes: magnitudes and errors (n, 10), NaN where missing, and which are upper limits."""

    magnitudes: Array
    errors: Array
    limits: Array


def photometry_of(table: Any, *, columns: Mapping[str, str] | None = None) -> Photometry:
    """Take the ten bands from a table; bands that it does not have are missing.

    Parameters
    ----------
    table : pyarrow.Table, xarray.Dataset or mapping of str to array
    columns : mapping, optional
        From the archive's names to the table's, where they differ.

    Notes
    -----
    An error of Gaia is 1.0857 over ``flux_over_error``. The same ``source_id`` in two rows is an error: a
    cross-match with mates was joined without care; so is a column that says another unit than mag.
    """
    called, names = dict(columns or {}), column_names(table)
    rows = _rows(table, called.get("source_id", "source_id"), names)
    found = np.full((2, rows, len(BANDS)), np.nan)
    for place, band in enumerate(BANDS):
        magnitude, error = (called.get(one, one) for one in COLUMNS[band.name])
        if magnitude in names:
            _check_unit(table, magnitude, "mag")
            found[0, :, place] = column_values(table, magnitude)
        if error in names:
            _check_unit(table, error, "" if error.endswith("flux_over_error") else "mag")
            given = np.asarray(column_values(table, error), float)
            with np.errstate(divide="ignore"):
                found[1, :, place] = 1 / PER_MAGNITUDE / given if error.endswith("flux_over_error") else given
    quality = [called.get(one, one) for one in ("tmass_ph_qual", "allwise_ph_qual")]
    letters = (column_values(table, one) if one in names else None for one in quality)
    limits = np.zeros((rows, len(BANDS)), bool)
    for name, flags in limits_from_quality(*letters).items():
        limits[:, [band.name for band in BANDS].index(name)] = flags
    return Photometry(found[0], found[1], limits)


def _check_unit(table: Any, name: str, wanted: str) -> None:
    """Refuse a column that says another unit than the wanted one; most columns say none."""
    fields = getattr(table, "schema", None)
    if fields is not None:
        said = column_unit(fields.field(name))
    else:
        said = str(getattr(table[name], "attrs", {}).get("units", ""))
    if said not in ("", "1", wanted):
        raise BadData(
            f"column {name} is in {said}, not in {wanted or 'units of its error'}", "convert it, or use from_fluxes"
        )


def _rows(table: Any, identity: str, names: set[str]) -> int:
    if identity in names:
        numbers = column_values(table, identity)
        many, counts = np.unique(numbers, return_counts=True)
        if (counts > 1).any():
            problem = f"{int((counts > 1).sum())} ids stand in several rows, the first is {many[counts > 1][0]}"
            raise BadData(problem, "keep one row for each source, for example the nearest match")
        return len(numbers)
    return len(column_values(table, next(iter(sorted(names))))) if names else 0
