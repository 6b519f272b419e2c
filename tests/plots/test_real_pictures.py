"""Real files as pictures, read by hand here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from armillary.model import Interval, Product
from armillary.plots import Cells, Line, arrange, save

Reader = Callable[..., tuple[Product, Any]]
MMS = "mms1_fpi_dis_moms/*.cdf"
pytestmark = pytest.mark.real


def test_mms_moments_as_a_plasma_physicist_expects(real_cdf: Reader, tmp_path: Path) -> None:
    names = ("energyspectr_omni", "numberdensity", "bulkv_gse", "temppara", "temptensor_gse")
    items = [real_cdf(MMS, f"mms1_dis_{name}_fast", "series" if k else "spectrogram") for k, name in enumerate(names)]
    interval = Interval.of("2015-10-17T06:00", "2015-10-17T08:00")
    view = arrange(items, interval=interval)
    spectrogram, density, velocity, _, tensor = view.panels
    assert [panel.kind for panel in view.panels] == ["spectrogram", "lines", "lines", "lines", "lines"]
    assert (spectrogram.y.scale, spectrogram.y.units) == ("log", "eV")
    assert 8 < spectrogram.y.low < 15
    assert 25_000 < spectrogram.y.high < 40_000
    assert spectrogram.colour is not None
    assert spectrogram.colour.scale == "log"
    assert spectrogram.colour.units == "keV/(cm² s sr keV)"
    (cells,) = spectrogram.traces
    assert isinstance(cells, Cells)
    assert np.median(cells.right - cells.left) == pytest.approx(4.5e9, rel=0.01)
    assert (density.y.text, velocity.y.text) == ("N [cm⁻³]", "V GSE [km/s]")
    assert velocity.labels == ("Vx GSE", "Vy GSE", "Vz GSE")
    assert tensor.labels == ("xx", "xy", "xz", "yy", "yz", "zz")
    assert all(isinstance(trace, Line) and np.isfinite(trace.y).all() for trace in velocity.traces)
    assert save(view, tmp_path / "mms.png", dpi=60).stat().st_size > 20_000
    assert len(view.to_bytes()) < 2_000_000


def test_hope_energies_change_in_time_and_pitch_angles_are_averaged(real_cdf: Reader) -> None:
    pattern = "spacepy/rbspa*.cdf"
    view = arrange([real_cdf(pattern, "FPDU", "series"), real_cdf(pattern, "FEDO", "spectrogram")])
    protons, electrons = view.panels
    assert "mean over pitch angle" in protons.notes
    assert protons.y.scale == electrons.y.scale == "log"
    for panel in view.panels:
        (cells,) = panel.traces
        assert isinstance(cells, Cells)
        assert cells.values.shape[1] == 72
        assert np.isfinite(cells.values).mean() > 0.5
        finite = np.isfinite(cells.edges)
        assert (np.diff(cells.edges, axis=-1)[finite[..., 1:] & finite[..., :-1]] >= 0).all()


def test_epilo_look_directions_are_averaged(real_cdf: Reader) -> None:
    panel = arrange([real_cdf("spacepy/psp*.cdf", "H_CountRate_ChanT")]).panels[0]
    assert (panel.kind, panel.y.scale, panel.y.units) == ("spectrogram", "log", "keV/nuc")
    assert panel.notes[0] == "mean over Look Bin"


def test_ace_field(real_cdf: Reader) -> None:
    panel = arrange([real_cdf("speasy_fixtures/ac_k2*.cdf", "BGSEc")]).panels[0]
    assert panel.y.units == "nT"
    assert len(panel.traces) == 3
    assert panel.labels == ("Bx GSE", "By GSE", "Bz GSE")
