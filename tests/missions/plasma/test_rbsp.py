"""Van Allen Probes: real pitch-angle distributions of HOPE; their mean over the sphere is told by the file too."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import armillary as arm
from armillary.errors import BadData
from armillary.missions.plasma.energy_axes import omni
from armillary.missions.plasma.rbsp import hope

FILE = "plasma/spacepy/rbspa_rel04_ect-hope-PA-L3_20121201_v0.0.0.cdf"
SPECIES = [("protons", "FPDU", "FPDO", "Ion"), ("electrons", "FEDU", "FEDO", "Ele")]


@pytest.fixture
def desk(real_data: Path, tmp_path: Path) -> Any:
    (tmp_path / Path(FILE).name).symlink_to(real_data / FILE)
    return arm.open(tmp_path)


@pytest.fixture
def raw(real_data: Path) -> Any:
    import cdflib

    file = cdflib.CDF(real_data / FILE)

    def take(name: str) -> Any:
        values = file.varget(name).astype(float)
        return np.where(values < -1e30, np.nan, values)

    return take


@pytest.mark.real
@pytest.mark.parametrize(("species", "variable", "mean", "kind"), SPECIES)
def test_distributions_are_in_order(desk: Any, raw: Any, species: str, variable: str, mean: str, kind: str) -> None:
    data = desk.get(f"rbsp/a/hope/{species}/pitch_angles")
    assert data["flux"].dims == ("time", "energy", "pitch_angle")
    assert data["pitch_angle"].to_numpy() == pytest.approx(raw("PITCH_ANGLE"))
    assert np.array_equal(data["energy_at_time"].to_numpy(), raw(f"HOPE_ENERGY_{kind}"))
    assert np.array_equal(data["flux"].to_numpy(), raw(variable).swapaxes(1, 2), equal_nan=True)


@pytest.mark.real
@pytest.mark.parametrize(("species", "variable", "mean", "kind"), SPECIES)
def test_the_mean_over_the_sphere_is_the_files_own(
    desk: Any, raw: Any, species: str, variable: str, mean: str, kind: str
) -> None:
    found = desk.get(f"rbsp/a/hope/{species}/omni")["flux"].to_numpy()
    told = raw(mean)
    seen = np.isfinite(raw(variable)).any(1) & np.isfinite(told) & (told > 0)
    assert seen.mean() > 0.5
    assert found[seen] == pytest.approx(told[seen], rel=1e-6)


@pytest.mark.real
def test_raw_and_made_planes_have_what_pitch_angles_allow(desk: Any) -> None:
    names = {"omni", "pitch_angles_at_energy", "energies_at_pitch_angle", "pitch_anisotropy"}
    (raw,) = (one.path for one in desk.search("FPDU") if one.kind == "plane")
    for path in (raw, "rbsp/a/hope/protons/pitch_angles"):
        assert {one.path.rpartition("/")[2] for one in desk.inventory.children(path)} == names
    ours, files = desk.get(f"{raw}/omni"), desk.get("rbsp/a/hope/protons/omni")
    assert ours["omni"].to_numpy() == pytest.approx(files["flux"].to_numpy(), rel=1e-6, nan_ok=True)
    under = {one.path.rpartition("/")[2] for one in desk.inventory.children("simulated/sentry/ions/slice")}
    assert not under & names
    assert desk.product("simulated/sentry/ions/energy_pitch_angle/omni").kind == "spectrogram"


def test_bins_that_saw_nothing_do_not_count() -> None:
    flux = np.array([[[1.0, 3, np.nan]], [[np.nan, np.nan, np.nan]]])
    found = omni(flux, np.array([30.0, 90, 150]))
    # Weights of 0-60, 60-120 degrees: 1/2 and 1.
    assert found[0, 0] == pytest.approx((0.5 * 1 + 1 * 3) / 1.5)
    assert np.isnan(found[1, 0])


def test_data_without_their_axes_are_refused() -> None:
    time = np.array(["2012-12-01", "2012-12-02"], "datetime64[ns]")
    units = {"units": "s^-1 cm^-2 ster^-1 keV^-1"}
    bare = xr.Dataset({"FPDU": (("time", "p", "e"), np.ones((2, 11, 72)), units)}, {"time": time})
    make = next(one for one in hope.RECIPES if one.output.endswith("protons/pitch_angles")).function
    with pytest.raises(BadData, match="pitch angles"):
        make(bare)
    bare["FPDU"].attrs["units"] = "counts"
    with pytest.raises(BadData, match="counts"):
        make(bare)
