"""Frames are rotations, agree with IDL SPEDAS and geopack, and with astropy as far as their series reach."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData, BadParameter
from armillary.science.coordinates import frames, sun
from armillary.science.coordinates.precession import mean_of_date, true_of_mean

NS = st.integers(
    int(np.datetime64("1901-01-02", "ns").astype(np.int64)), int(np.datetime64("2029-12-31", "ns").astype(np.int64))
)
FRAME = st.sampled_from(frames.FRAMES)
#: geopack's documented test, 2001-01-01T02:03:04 (Fortran and the IDL module agree to the digits that are compared).
GEOPACK = {"GEO": (2.80124, -2.40482, 4.50665), "GSE": (-5.1, 0.90565, 2.66642), "SM": (-2.967, 0.3, 5.00469)}


def degrees_between(a: Any, b: Any) -> Any:
    a, b = (one / np.linalg.norm(one, axis=-1, keepdims=True) for one in (a, b))
    return np.degrees(2 * np.arcsin(np.linalg.norm(a - b, axis=-1) / 2))


@given(st.lists(NS, min_size=1, max_size=4), FRAME, FRAME)
def test_every_matrix_is_a_rotation(ns: list[int], source: str, target: str) -> None:
    found = frames.matrices(np.array(ns), source, target)
    assert np.abs(found @ np.swapaxes(found, 1, 2) - np.eye(3)).max() < 1e-12
    assert np.abs(np.linalg.det(found) - 1).max() < 1e-12


@given(NS, FRAME, FRAME, FRAME)
def test_frames_are_a_group(ns: int, a: str, b: str, c: str) -> None:
    time = np.array([ns])
    by_way_of_b = frames.matrices(time, b, c) @ frames.matrices(time, a, b)
    assert np.abs(by_way_of_b - frames.matrices(time, a, c)).max() < 1e-12


@given(st.lists(NS, min_size=2, max_size=5), FRAME, FRAME, st.integers(0, 2**32))
def test_there_and_back_is_nothing(ns: list[int], source: str, target: str, seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(len(ns), 3))
    there = frames.transform(vectors, np.array(ns), source, target)
    assert np.abs(frames.transform(there, np.array(ns), target, source) - vectors).max() < 1e-12


@given(st.lists(NS, min_size=2, max_size=5), FRAME, FRAME)
def test_transform_is_the_matrix(ns: list[int], source: str, target: str) -> None:
    vectors = np.arange(3.0 * len(ns)).reshape(-1, 3) - 4
    by_matrix = np.einsum("tij,tj->ti", frames.matrices(np.array(ns), source, target), vectors)
    assert np.abs(frames.transform(vectors, np.array(ns), source, target) - by_matrix).max() < 1e-12


def test_pieces_do_not_show() -> None:
    time = np.arange(40_000) * 10**12
    vectors = np.random.default_rng(1).normal(size=(40_000, 3))
    whole = frames.transform(vectors, time, "GSE", "SM")
    assert np.array_equal(
        whole[20_000:20_010], frames.transform(vectors[20_000:20_010], time[20_000:20_010], "GSE", "SM")
    )
    assert np.allclose(frames.transform(vectors, time[:1], "GSE", "SM")[0], whole[0], atol=1e-12)


@pytest.mark.real
def test_gei_and_gse_are_those_of_idl_spedas(real_data: Path) -> None:
    import cdflib

    with_answers = cdflib.CDF(str(real_data / "plasma" / "idl_spedas" / "thm_gei2gse_validate.cdf"))
    time = ((with_answers.varget("Epoch") - 62167219200000.0) * 1e6).astype(np.int64)
    for axis in "xyz":
        vectors = with_answers.varget(f"basis_{axis}")
        there = frames.transform(vectors, time, "GEI", "GSE")
        back = frames.transform(vectors, time, "GSE", "GEI")
        assert degrees_between(there, with_answers.varget(f"basis_{axis}_gei2gse")).max() < 1.3e-5
        assert degrees_between(back, with_answers.varget(f"basis_{axis}_gse2gei")).max() < 1.3e-5


@pytest.mark.parametrize("frame", GEOPACK)
def test_dipole_frames_are_those_of_geopack(frame: str) -> None:
    time = np.array(["2001-01-01T02:03:04"], "datetime64[ns]")
    found = frames.transform(np.array([[-5.1, 0.3, 2.8]]), time, "GSM", frame)[0]
    assert found == pytest.approx(GEOPACK[frame], abs=2e-5)


def test_definitions() -> None:
    time = np.array(["2003-07-11T04:05:06", "1999-12-31T23:59:59"], "datetime64[ns]")
    x, y, z = np.eye(3)
    geo_pole = frames.transform(np.tile(z, (2, 1)), time, "GEO", "MAG")
    assert np.abs(geo_pole[:, 1]).max() < 1e-15
    assert (geo_pole[:, 0] < 0).all()
    assert np.allclose(frames.transform(np.tile(x, (2, 1)), time, "GSE", "GSM"), x, atol=1e-15)
    dipole = frames.transform(np.tile(z, (2, 1)), time, "SM", "GSM")
    assert np.abs(dipole[:, 1]).max() < 1e-15
    assert np.allclose(np.arcsin(dipole[:, 0]), frames.dipole_tilt(time), atol=1e-14)
    assert np.allclose(frames.transform(np.tile(z, (2, 1)), time, "SM", "MAG"), z, atol=1e-14)
    assert np.abs(frames.transform(np.tile(x, (2, 1)), time, "GSE", "SM")[:, 1]).max() < 1e-15
    assert np.abs(frames.transform(np.tile(y, (2, 1)), time, "GSE", "GSM")[:, 0]).max() < 1e-15


def test_precession_and_nutation_are_those_of_erfa() -> None:
    import erfa

    time = np.arange("1950-01-01", "2050-01-01", np.timedelta64(97, "D"), dtype="datetime64[D]")
    days = time.astype(float) + 2440587.5
    assert np.abs(mean_of_date(time) - erfa.pmat76(days, 0.0)).max() < 1e-12
    left = true_of_mean(time) @ np.swapaxes(erfa.nutm80(days, 0.0), 1, 2)
    assert np.degrees(np.abs(left - np.eye(3)).max()) * 3600 < 0.1
    turned = np.degrees(erfa.gmst82(days, 0.0) - sun.sidereal_time(*sun.days_since_1900(time)))
    assert np.abs((turned + 180) % 360 - 180).max() < 0.002


@pytest.fixture
def astropy_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    from astropy.utils import iers

    monkeypatch.setattr(iers.conf, "auto_download", False)
    monkeypatch.setattr(iers.conf, "iers_degraded_accuracy", "ignore")


@pytest.mark.filterwarnings("ignore:.*dubious year", "ignore:.*leap-second", "ignore:Tried to get polar motions")
@pytest.mark.usefixtures("astropy_offline")
@pytest.mark.parametrize(
    ("source", "target", "theirs", "limit"),
    [("J2000", "GEO", "itrs", 0.006), ("J2000", "GEI", "precessedgeocentric", 1e-4), ("J2000", "TOD", "tete", 1e-4)],
)
def test_equatorial_frames_are_those_of_astropy(source: str, target: str, theirs: str, limit: float) -> None:
    import astropy.coordinates as ac
    from astropy.time import Time

    time = np.arange("1975-01-01", "2026-01-01", np.timedelta64((371 * 24 + 5) * 3600, "s"), dtype="datetime64[s]")
    vectors = np.random.default_rng(3).normal(size=(len(time), 3))
    moment = Time(time, scale="utc")
    given = ac.GCRS(ac.CartesianRepresentation(vectors.T), obstime=moment)
    frame = ac.frame_transform_graph.lookup_name(theirs)
    more = {"equinox": moment} if target == "GEI" else {}
    asked = given.transform_to(frame(obstime=moment, **more)).cartesian.xyz.value.T
    assert degrees_between(frames.transform(vectors, time, source, target), asked).max() < limit


@pytest.mark.filterwarnings("ignore:.*dubious year", "ignore:.*leap-second", "ignore:Tried to get polar motions")
@pytest.mark.usefixtures("astropy_offline")
def test_the_sun_is_that_of_astropy() -> None:
    import astropy.coordinates as ac
    from astropy.time import Time

    time = np.arange("1901-01-01", "2026-01-01", np.timedelta64(37, "D"), dtype="datetime64[D]")
    asked = ac.get_sun(Time(time, scale="utc"))
    ours = frames.transform(np.tile([1.0, 0, 0], (len(time), 1)), time, "GSE", "J2000")
    assert degrees_between(ours, asked.cartesian.xyz.value.T).max() < 0.01
    distance = sun.distance(sun.days_since_1900(time)[0])
    assert np.abs(asked.distance.to_value("AU") - distance / 149_597_870.7).max() < 3e-4


def test_what_cannot_be_turned_is_refused() -> None:
    time, one = np.array(["2000-01-01"], "datetime64[ns]"), np.zeros((1, 3))
    with pytest.raises(BadParameter, match="no frame 'DBCS'"):
        frames.transform(one, time, "DBCS", "GSE")
    with pytest.raises(BadData, match="none"):
        frames.transform(one, np.array(["NaT"], "datetime64[ns]"), "GEI", "GSE")
    with pytest.raises(BadData, match="do not fit"):
        frames.transform(np.zeros((3, 3)), np.repeat(time, 2), "GEI", "GSE")
    with pytest.raises(BadData, match="do not fit"):
        frames.transform(np.zeros((3, 2)), np.repeat(time, 3), "GEI", "GSE")
    with pytest.raises(BadData, match="1900 to 2030"):
        frames.transform(one, np.array(["2031-01-01"], "datetime64[ns]"), "GSE", "GSM")
    assert np.isfinite(frames.transform(one, np.array(["2031-01-01"], "datetime64[ns]"), "GEI", "GSE")).all()


def test_a_missing_component_stays_missing_and_hurts_no_neighbour() -> None:
    time = np.array(["2000-01-01", "2000-01-02"], "datetime64[ns]")
    found = frames.transform(np.array([[1.0, np.nan, 0.0], [1.0, 0.0, 0.0]]), time, "GEI", "GSM")
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


def test_nothing_is_fetched_when_the_room_is_entered_and_used() -> None:
    code = """
import socket
def closed(*args, **kwargs):
    raise AssertionError("a socket was opened")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = closed
import numpy as np
from armillary.science.coordinates import frames, geomagnetic, igrf, local, precession, sun, t89, tracing
time = np.array(["2020-01-01"], "datetime64[ns]")
field = geomagnetic.field_at(time)
assert tracing.field_lines(field, np.array([[-5.0, 0.0, 0.0]])).closed.all()
import sys
assert not {"astropy", "scipy", "xarray", "pandas"} & set(sys.modules), "a heavy library was loaded"
"""
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=60)


@pytest.fixture
def moon() -> Any:
    """Where astropy's own series put the Moon, J2000, km."""
    import astropy.coordinates as ac
    from astropy.time import Time

    def at(time: Any) -> Any:
        return ac.get_body("moon", Time(time, scale="utc"), ephemeris="builtin").cartesian.xyz.to_value("km").T

    return at


@pytest.mark.real
@pytest.mark.filterwarnings("ignore:.*dubious year", "ignore:.*leap-second", "ignore:Tried to get polar motions")
@pytest.mark.usefixtures("astropy_offline")
def test_the_moon_of_sscweb_and_dscovr_is_where_it_was(real_data: Path, moon: Any) -> None:
    answers = real_data / "plasma" / "hapi_recordings"
    ssc = (
        answers
        / "hapi-server.org_servers_SSCWeb_hapi"
        / "moon_X_GEO-Y_GEO-Z_GEO_20220101T000000000_20220110T000000000.bin"
    )
    rows = np.fromfile(ssc, [("time", "S18"), ("geo", "<f8", 3)])[::60]
    days = [np.datetime64("2022-01-01T00:00") + np.timedelta64(60 * n, "m") for n in range(len(rows))]
    time = np.array(days, "datetime64[ns]")
    assert degrees_between(frames.transform(rows["geo"], time, "GEO", "J2000"), moon(time)).max() < 0.01
    dscovr = (
        answers
        / "cdaweb.gsfc.nasa.gov_hapi"
        / "DSCOVR_ORBIT_PRE_GSE_POS-MOON_GSE_POS_20211125T000000_20211205T000000.bin"
    )
    rows = np.fromfile(dscovr, [("time", "S24"), ("craft", "<f8", 3), ("moon", "<f8", 3)])[::60]
    time = np.array([one.decode().strip("Z\0") for one in rows["time"]], "datetime64[ns]")
    assert degrees_between(frames.transform(rows["moon"], time, "GSE", "J2000"), moon(time)).max() < 0.005
