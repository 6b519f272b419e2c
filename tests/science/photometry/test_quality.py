"""Rules of quality: each takes away what it says, and can be switched."""

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from armillary.errors import BadData, BadParameter, Unknown
from armillary.science.photometry import quality as q
from armillary.science.photometry.archive_columns import photometry_of

TABLE = {
    "source_id": np.arange(4),
    "ruwe": np.array([1.0, 1.5, np.nan, 1.4]),
    "phot_g_mean_mag": np.array([15.0, 15, 15, np.nan]),
    "phot_bp_mean_mag": np.array([15.5, 20.5, 15.5, np.nan]),
    "phot_rp_mean_mag": np.array([14.5, 14.5, 14.5, np.nan]),
    "phot_bp_rp_excess_factor": np.array([1.21685, 1.21685, 2.5, np.nan]),
    "tmass_ph_qual": np.array(["AAA", "AUX", "", "EFB"]),
    "allwise_ph_qual": np.array(["AABU", "AAAA", "", "XZCC"]),
    "cc_flags": np.array(["0000", "hd00", "", "D0PO"]),
    "ext_flag": np.array([0, 1, np.nan, 5]),
    "tmass_angular_distance": np.array([0.1, 1.5, np.nan, 0.2]),
    "allwise_angular_distance": np.array([0.1, 0.1, np.nan, 3.0]),
    "tmass_number_of_mates": np.array([0, 0, np.nan, 1]),
}


def test_each_rule_takes_what_it_says() -> None:
    report = q.apply_rules(TABLE)
    good = report.good
    assert good["ruwe"].tolist() == [True, False, True, True]
    assert good["flux_excess"].tolist() == [[True, True], [False, False], [False, False], [True, True]]
    assert good["bp_faint"][:, 0].tolist() == [True, False, True, True]
    assert good["tmass_quality"].tolist() == [[True] * 3, [True, True, False], [True] * 3, [False, False, True]]
    assert good["allwise_quality"].tolist() == [[True] * 4, [True] * 4, [True] * 4, [False, False, True, True]]
    assert good["allwise_artefacts"].tolist() == [[True] * 4, [True] * 4, [True] * 4, [False, True, False, False]]
    assert good["allwise_extended"].tolist() == [True, True, True, False]
    assert good["tmass_distance"].tolist() == [True, False, True, True]
    assert good["tmass_mates"].tolist() == [True, True, True, False]
    assert set(report.left_out) == {"allwise_false", "allwise_mates"}
    assert report.sources.tolist() == [True, False, True, False]


def test_the_bands_of_a_report() -> None:
    bands = q.apply_rules(TABLE).bands(["G", "BP", "W1", "W3", "W4"])
    assert bands[0].tolist() == [True, True, True, True, True]
    assert bands[3].tolist() == [True, True, False, False, False]
    assert bands[:, 0].all()


def test_rules_are_switched_by_name_and_added() -> None:
    mine = q.Rule("bright", ("phot_g_mean_mag",), lambda table: ~(table["phot_g_mean_mag"] > 10), about="G is below 10")
    report = q.apply_rules(TABLE, ["ruwe", mine])
    assert report.counts() == {"ruwe": 1, "bright": 3}
    assert report.sources.tolist() == [False, False, False, True]
    assert "bright: 3 sources do not pass (G is below 10)" in report.text()
    assert q.apply_rules(TABLE, []).sources.tolist() == []


def test_arrow_tables_and_other_names_of_columns() -> None:
    table = pa.table({"RUWE_": [1.0, None, 3.0], "ph_qual": ["AAA", None, "EAA"]})
    report = q.apply_rules(table, ["ruwe", "tmass_quality"], columns={"ruwe": "RUWE_", "tmass_ph_qual": "ph_qual"})
    assert report.good["ruwe"].tolist() == [True, True, False]
    assert report.good["tmass_quality"][:, 0].tolist() == [True, True, False]


def test_what_is_no_rule() -> None:
    with pytest.raises(Unknown, match="no rule is called 'seeing'"):
        q.apply_rules(TABLE, ["seeing"])
    with pytest.raises(Unknown, match="needs column w3snr"):
        q.apply_rules(TABLE, ["allwise_false"])
    with pytest.raises(BadParameter, match="rows"):
        q.apply_rules({"ruwe": np.ones(2), "ext_flag": np.ones(3)}, ["ruwe", "allwise_extended"])


def test_every_rule_tells_what_it_asks() -> None:
    assert len(q.RULES) >= 11
    assert all(rule.about and rule.columns for rule in q.RULES.values())


@pytest.mark.real
@pytest.mark.parametrize(("band", "real", "false"), [("W3", 0.97, 0.36), ("W4", 0.6, 0.04)])
def test_false_detections_in_orion(real_data: Path, band: str, real: float, false: float) -> None:
    with (real_data / "gaia" / "allwise_w3w4" / f"AllWISE_{band}_training.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    snr, rchi2 = (np.array([float(row[f"{band.lower()}{one}"] or "nan") for row in rows]) for one in ("snr", "rchi2"))
    truth = np.array([row["class"] == "real" for row in rows])
    kept = q.false_w3_w4(snr, rchi2, band)
    assert kept[truth].mean() >= real
    assert kept[~truth].mean() <= false


def test_photometry_of_the_archive() -> None:
    table = TABLE | {
        "phot_g_mean_flux_over_error": np.array([1000.0, 100, 10, np.nan]),
        "j_m": np.array([12.0, 13, np.nan, 12]), "j_msigcom": np.array([0.02, np.nan, np.nan, 0.03]),
        "w4mpro": np.array([8.0, 7, np.nan, 7]), "w4mpro_error": np.array([np.nan, 0.2, np.nan, 0.1]),
    }  # fmt: skip
    found = photometry_of(table)
    assert found.magnitudes.shape == found.errors.shape == found.limits.shape == (4, 10)
    assert found.errors[:3, 0] == pytest.approx([0.0010857, 0.010857, 0.10857], rel=1e-4)
    assert np.isnan(found.errors[:, 1]).all()
    assert found.limits[:, 9].tolist() == [True, False, False, False]
    assert found.limits[1].tolist() == [False] * 4 + [True] + [False] * 5
    assert np.isnan(found.magnitudes[:, 6]).all()


def test_the_same_id_twice() -> None:
    with pytest.raises(BadData, match="1 ids stand in several rows, the first is 7"):
        photometry_of({"source_id": np.array([7, 8, 7]), "j_m": np.ones(3)})


def test_columns_of_another_unit() -> None:
    import xarray as xr

    from armillary.model.kinds import column

    fields = [column("source_id", pa.int64()), column("j_m", pa.float64(), "mJy")]
    with pytest.raises(BadData, match="column j_m is in mJy"):
        photometry_of(pa.table([[1], [3.0]], schema=pa.schema(fields)))
    with pytest.raises(BadData, match="column w1mpro is in Jy"):
        photometry_of(xr.Dataset({"w1mpro": ("row", [1.0], {"units": "Jy"})}))
    assert photometry_of(xr.Dataset({"w1mpro": ("row", [1.0], {"units": "mag"})})).magnitudes[0, 6] == 1.0
