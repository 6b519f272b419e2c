"""Columns found by name, capitals, UCD and by what the user says; what is in other units; what is wrong."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter, Unknown
from armillary.science.photometry.bands import BANDS
from armillary.science.photometry.columns import NAMES, check_once, find_columns, light_of, names_of, seds_of


def table(**columns: object) -> pa.Table:
    """Make a table; a column is values, or values with its unit and UCD."""
    fields, values = [], []
    for name, one in columns.items():
        given, unit, ucd = one if isinstance(one, tuple) else (one, "", "")
        values.append(pa.array(given))
        fields.append(pa.field(name, values[-1].type, metadata={"unit": unit, "ucd": ucd}))
    return pa.table(values, schema=pa.schema(fields))


@given(st.data())
def test_any_known_name_is_found(data: st.DataObject) -> None:
    chosen = {role: data.draw(st.sampled_from(names)) for role, names in NAMES.items()}
    found = find_columns({name: np.zeros(1) for name in chosen.values()}).names
    for role, name in chosen.items():
        assert found[role] == name


def test_the_nearest_name_counts_and_capitals_may_differ() -> None:
    assert find_columns({"J_M": [1.0], "jmag": [2.0]}).names["J"] == "J_M"
    assert "G" not in find_columns({"gmag": [1.0]}).names  # that of SDSS
    both = find_columns({name: [1.0] for name in ("rgeo", "b_rgeo", "B_rgeo")})
    assert (both.names["r_lo_geo"], both.names["r_hi_geo"]) == ("b_rgeo", "B_rgeo")


def test_a_ucd_tells_an_infrared_band_if_one_column_has_it() -> None:
    one = table(aa=([1.0], "mag", "phot.mag;em.IR.K"), bb=([0.1], "mag", "stat.error;phot.mag;em.IR.K"))
    assert dict(find_columns(one).names) == {"Ks": "aa", "Ks_error": "bb"}
    two = table(aa=([1.0], "mag", "phot.mag;em.IR.K"), cc=([0.1], "mag", "phot.mag;em.IR.K"))
    assert not find_columns(two).names


def test_the_user_has_the_last_word() -> None:
    data = {"j_m": [1.0], "mine": [2.0], "w4mpro": [3.0]}
    found = find_columns(data, "J=mine, W4=")
    assert dict(found.names) == {"J": "mine"}
    assert find_columns(data, {"j_m": "mine"}).names["J"] == "mine"
    assert found.archive == {"j_m": "mine"}
    with pytest.raises(BadParameter, match="names no column"):
        find_columns(data, "J")
    with pytest.raises(Unknown, match=r"'mime'.*mine"):
        find_columns(data, "J=mime")
    with pytest.raises(Unknown, match="no column is for 'X'"):
        find_columns(data, "X=mine")
    with pytest.raises(Unknown, match="columns='W1=YOURS'"):
        find_columns(data).values(data, "W1")


def test_fluxes_become_magnitudes() -> None:
    ks = BANDS[5]
    flux = table(ks_m=([66.68, -1.0, -1.0, None], "mJy", ""), ks_msigcom=([6.668, 0.5, None, 1.0], "mJy", ""))
    magnitude, error, limit = light_of(flux, find_columns(flux))
    assert magnitude[0, 0] == pytest.approx(-2.5 * np.log10(0.06668 / ks.zero_point))
    assert error[0, 0] == pytest.approx(0.1 * 2.5 / np.log(10))
    assert magnitude[1, 0] == pytest.approx(-2.5 * np.log10(0.0015 / ks.zero_point))
    assert limit[:, 0].tolist() == [False, True, False, False]
    assert np.isnan(magnitude[2:, 0]).all()


def test_wrong_units_errors_and_texts_are_told() -> None:
    for bad, text in (
        (table(ks_m=([1.0], "K", "")), "'K'"),
        (table(ks_m=([1.0], "mag", ""), ks_msigcom=([1.0], "Jy", "")), "its error ks_msigcom in Jy"),
        (table(ks_m=[1.0], ks_msigcom=[-0.1]), "below zero"),
        (table(ks_m=["10.1"]), "holds texts"),
        (xr.Dataset({"ks_m": ("row", [1.0], {"units": "s"})}), "'s'"),
    ):
        with pytest.raises(BadData, match=text):
            light_of(bad, find_columns(bad))


def test_a_missing_column_of_errors_is_no_limit() -> None:
    one = table(ks_m=[10.0, 11.0], j_m=[11.0, 12.0], j_msigcom=[0.1, None])
    made = seds_of(one, find_columns(one))
    assert made.measured[:, made.column("Ks")].all()
    assert made.limit[:, made.column("J")].tolist() == [False, True]
    assert len(made.bands) == 10


def test_flux_over_error_is_an_error() -> None:
    one = table(phot_g_mean_mag=[15.0], phot_g_mean_flux_over_error=[100.0])
    assert light_of(one, find_columns(one))[1][0, 0] == pytest.approx(0.010857, rel=1e-4)


def test_repeated_identities_are_told() -> None:
    check_once(np.array([1, 2, 3]))
    with pytest.raises(BadData, match="1 values of source_id stand in several rows, the first is 2"):
        check_once(np.array([1, 2, 2]))


def test_names_for_recipes_leave_out_what_capitals_tell() -> None:
    assert "Gmag" not in names_of("G")
    assert "phot.mag;em.IR.J" in names_of("J")


@pytest.mark.real
def test_a_real_table_of_labelled_sources_is_understood(real_data: Path) -> None:
    import pandas as pd

    frame = pd.read_csv(real_data / "gaia" / "real_labelled_sed.csv.gz")
    real = pa.Table.from_pandas(frame, preserve_index=False)
    found = find_columns(real)
    assert len(found.bands) == 10
    assert {f"{band.name}_error" for band in found.bands} <= set(found.names)
    seds = seds_of(real, found)
    known = frame[["J", "H", "Ks"]].notna().to_numpy() & frame[["e_J", "e_H", "e_Ks"]].notna().to_numpy()
    assert (seds.measured[:, 3:6] == known).mean() > 0.99
    assert not (seds.f_nu_error < 0).any()
