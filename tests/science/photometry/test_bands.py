"""The table of bands against the curves it comes from."""

from pathlib import Path

import numpy as np
import pytest

from armillary.errors import BadData, BadParameter, Unknown
from armillary.science.photometry import bands as b
from armillary.science.photometry.vega import GAIA_SCALE, vega

SVO = {
    "G": "GAIA.GAIA3.G", "BP": "GAIA.GAIA3.Gbp", "RP": "GAIA.GAIA3.Grp", "J": "2MASS.2MASS.J", "H": "2MASS.2MASS.H",
    "Ks": "2MASS.2MASS.Ks", "W1": "WISE.WISE.W1", "W2": "WISE.WISE.W2", "W3": "WISE.WISE.W3", "W4": "WISE.WISE.W4",
}  # fmt: skip


def test_every_band_is_complete_and_in_order() -> None:
    assert [band.name for band in b.BANDS] == [*SVO]
    pivots = [band.pivot for band in b.bands("BP G RP J H Ks W1 W2 W3 W4")]
    assert pivots == sorted(pivots)
    assert all(band.source and band.floor > 0 and "doi" in band.source for band in b.BANDS)


def test_names_are_found_in_any_case_and_others_refused() -> None:
    assert b.bands("ks W1") == (b.BANDS[5], b.BANDS[6])
    assert b.bands([b.W4_BROWN, "j"])[0] is b.W4_BROWN
    with pytest.raises(Unknown, match="'k'"):
        b.bands("J K")


def test_ab_offsets_are_the_published_ones() -> None:
    found = {band.name: band.ab_offset for band in b.BANDS}
    assert found["G"] == pytest.approx(25.8010446445 - 25.6873668671, abs=1e-9)
    # Explanatory Supplement of WISE, IV.4.h; Blanton and Roweis (2007) for 2MASS.
    assert [found[one] for one in ("W1", "W2", "W3", "W4")] == pytest.approx([2.699, 3.339, 5.174, 6.620], abs=0.03)
    assert [found[one] for one in ("J", "H", "Ks")] == pytest.approx([0.91, 1.39, 1.85], abs=0.03)


@pytest.mark.real
@pytest.mark.parametrize("name", [*SVO])
def test_the_table_follows_from_the_curves(real_data: Path, name: str) -> None:
    band = b.bands(name)[0]
    path = real_data / "gaia" / "svo_filters_votable" / f"{SVO[name]}.xml"
    curve, read = b.read_svo(path), b.band_from_svo(path)
    assert read.pivot == pytest.approx(band.pivot, rel=1e-5)
    if name in ("G", "BP", "RP"):
        official = (band.photon_zero_point, band.photon_zero_point_ab)
        # 0.4 % are 0.0043 magnitudes.
        assert b.gaia_zero_points(curve.wavelength, curve.response) == pytest.approx(official, abs=0.0015)
        found = b.vega_zero_point(curve.wavelength, curve.response, "photon") * GAIA_SCALE
    else:
        found = b.vega_zero_point(curve.wavelength, curve.response, curve.detector)
    assert found == pytest.approx(band.zero_point, rel=0.025 if name == "W4" else 0.004)


def test_a_box_has_the_pivot_of_the_formula() -> None:
    place = np.linspace(1.0, 2.0, 20001)
    photon = b.band_from_curve("box", place, np.ones_like(place))
    energy = b.band_from_curve("box", place, np.ones_like(place), detector="energy")
    assert photon.pivot == pytest.approx(np.sqrt(1.5 / np.log(2)), rel=1e-6)
    assert energy.pivot == pytest.approx(np.sqrt(2.0), rel=1e-6)
    assert 1.0 < photon.effective < photon.pivot


def test_a_narrow_band_has_the_flux_of_vega() -> None:
    place = np.linspace(2.19, 2.21, 101)
    narrow = b.band_from_curve("narrow", place, np.ones_like(place), detector="energy")
    assert narrow.zero_point == pytest.approx(float(vega(2.2)) * 1e20 * 2.2**2 / b.LIGHT, rel=1e-4)
    assert b.band_from_curve("narrow", place, np.ones_like(place), zero_point=640.0).zero_point == 640.0


@pytest.mark.parametrize(
    ("wavelength", "response", "said"),
    [
        ([1.0, 2.0], [1.0, 1.0], "three"),
        ([1.0, 3.0, 2.0], [1.0, 1.0, 1.0], "ascend"),
        ([1.0, 2.0, 3.0], [0.0, -1.0, 0.0], "below zero"),
        ([60.0, 70.0, 80.0], [1.0, 1.0, 1.0], "Vega"),
    ],
)
def test_curves_that_are_none(wavelength: list[float], response: list[float], said: str) -> None:
    with pytest.raises(BadParameter, match=said):
        b.band_from_curve("mine", np.array(wavelength), np.array(response))


def test_a_file_that_is_no_curve(tmp_path: Path) -> None:
    path = tmp_path / "half.xml"
    path.write_text("<VOTABLE><RESOURCE>", "utf-8")
    with pytest.raises(BadData, match=r"half\.xml"):
        b.read_svo(path)
