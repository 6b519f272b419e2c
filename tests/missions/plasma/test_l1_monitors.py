"""ACE and OMNI: real files, and recorded answers of CDAWeb's HAPI server, to products in order."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import armillary as arm
from armillary.errors import BadData
from armillary.missions.plasma.ace.epam import ELECTRON_BANDS, ions
from armillary.missions.plasma.omni.hourly import kp
from armillary.testing.hapi_server import HapiServer, Served

RECORDED = "plasma/hapi_recordings/cdaweb.gsfc.nasa.gov_hapi"
TIME = np.array(["2021-11-25T00:30", "2021-11-25T01:30"], "datetime64[ns]")


def served(folder: Path, dataset: str, names: list[str], span: str) -> tuple[Served, Any]:
    """Give what a recorded answer holds, as the server gave it and by hand."""
    info = json.loads((folder / f"{dataset}___.json").read_text("utf-8"))
    first, *rest = info["parameters"]
    info["parameters"] = [first, *(one for one in rest if one["name"] in names)]
    body = (folder / f"{dataset}_{'-'.join(names)}_{span}.bin").read_bytes()
    codes = {"double": "<f8", "integer": "<i4"}
    kind = [(one["name"], codes.get(one["type"], f"S{one.get('length')}"), tuple(one.get("size", ())))
            for one in info["parameters"]]  # fmt: skip
    info = {name: value for name, value in info.items() if name not in {"HAPI", "status"}}
    return Served.of_binary(info, body), np.frombuffer(body, np.dtype(kind))


def desk_of(server: HapiServer) -> Any:
    return arm.open(arm.Archive(name="cdaweb", protocol="hapi", address=server.url))


@pytest.mark.real
def test_electrons_of_epam_by_hapi(real_data: Path) -> None:
    span = "20211125T000000_20211205T000000"
    one, records = served(real_data / RECORDED, "AC_K0_EPM", ["H_lo", "Electron_lo", "Electron_hi"], span)
    with HapiServer({"AC_K0_EPM": one}, version="2.0") as server:
        data = desk_of(server).get("ace/epam/electron_flux", "2021-11-25", "2021-12-05")
    wanted = np.stack([records["Electron_lo"], records["Electron_hi"]], 1)
    assert data["energy"].to_numpy() == pytest.approx(np.sqrt(np.prod(ELECTRON_BANDS, axis=1)))
    assert np.array_equal(data["electron_flux"].to_numpy(), np.where(wanted < -1e30, np.nan, wanted), equal_nan=True)


@pytest.mark.real
def test_dst_of_omni_by_hapi(real_data: Path) -> None:
    span = "20211025T000000_20211201T000000"
    one, records = served(real_data / RECORDED, "OMNI2_H0_MRG1HR", ["DST1800", "Proton_QI1800"], span)
    with HapiServer({"OMNI2_H0_MRG1HR": one}, version="2.0") as server:
        data = desk_of(server).get("omni/hourly/dst", "2021-10-25", "2021-12-01")["dst"]
    known = records["DST1800"] != 99999
    assert known.sum() > 500
    assert np.array_equal(data.to_numpy()[known], records["DST1800"][known].astype(float))
    assert data.attrs["units"] == "nT"


@pytest.mark.real
def test_a_spectrum_whose_energies_the_server_does_not_have_is_refused(real_data: Path) -> None:
    one, _ = served(real_data / RECORDED, "WI_EHSP_3DP", ["FLUX"], "20211125T000000_20211205T000000")
    with HapiServer({"WI_EHSP_3DP": one}, version="2.0") as server, pytest.raises(BadData, match="energies of FLUX"):
        desk_of(server).get("wind/3dp/eh/flux", "2021-11-25", "2021-12-05")


@pytest.mark.real
def test_the_field_of_ace_is_as_in_its_file(real_data: Path, tmp_path: Path) -> None:
    import cdflib

    path = real_data / "plasma/speasy_fixtures/ac_k2_mfi_20220101_v03.cdf"
    (tmp_path / path.name).symlink_to(path)
    desk = arm.open(tmp_path)
    vectors, total = desk.get("ace/mfi/k2/b_gse")["b_gse"], desk.get("ace/mfi/k2/b_total")["b_total"]
    raw = cdflib.CDF(path)
    assert np.array_equal(vectors.to_numpy(), raw.varget("BGSEc").astype(float))
    assert np.array_equal(total.to_numpy(), raw.varget("Magnitude").astype(float))
    # Both are means of an hour, so that the magnitude is the larger one.
    assert (np.linalg.norm(vectors.to_numpy(), axis=1) <= total.to_numpy() + 1e-3).all()


def test_kp_comes_in_thirds() -> None:
    raw = xr.Dataset({"KP1800": ("time", [13, 27], {"units": ""})}, {"time": TIME})
    assert kp.function(raw)["kp"].to_numpy() == pytest.approx([4 / 3, 8 / 3])


def test_channels_of_other_times_or_units_are_refused() -> None:
    one = xr.Dataset({"Ion_lo": ("time", [1.0, 2], {"units": "1/(cm2 s ster MeV)"})}, {"time": TIME})
    later = one.assign_coords(time=TIME + np.timedelta64(1, "s"))
    with pytest.raises(BadData, match="other times"):
        ions.function(one, one, later, one)
    counts = one.assign(Ion_lo=one["Ion_lo"].assign_attrs(units="counts"))
    with pytest.raises(BadData, match="counts"):
        ions.function(one, one, counts, one)
