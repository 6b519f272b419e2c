"""The contract of each mission, on archives with the exact names and shapes of the real ones."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from armillary.model import Archive
from armillary.sources.write import write
from armillary.testing import MissionContract

STEPS = 24
TIME = np.datetime64("2020-01-28T14:00", "ns") + np.arange(STEPS) * np.timedelta64(4, "s")
RNG = np.random.default_rng(5)


def save(folder: Path, dataset: str, **variables: Any) -> None:
    """Write a CDF as an archive has it; a variable is an array, or ``(dimensions, array, attributes)``."""
    found = {}
    for name, one in variables.items():
        values, attrs = (one[1], one[2]) if isinstance(one, tuple) else (one, {"units": ""})
        dims = one[0] if isinstance(one, tuple) else ("time", *(f"{name}_{n}" for n in range(1, values.ndim)))
        found[name] = (dims, values, attrs)
    data = xr.Dataset(found, {"time": TIME}, {"Logical_source": dataset})
    data = data.set_coords([name for name, one in data.variables.items() if "time" not in one.dims])
    write(data, folder / f"{dataset}_20200128_v01.cdf")


def drawn(*shape: int, low: float = 1.0, high: float = 9.0, units: str = "") -> Any:
    dims = ("time", *(f"n{size}" for size in shape))
    return dims, RNG.uniform(low, high, (STEPS, *shape)).astype("f4"), {"units": units}


def vectors(**names: str) -> dict[str, Any]:
    return {name: drawn(3, units=units) for name, units in names.items()}


def scalars(**names: str) -> dict[str, Any]:
    return {name: drawn(units=units) for name, units in names.items()}


def along(name: str, values: Any, units: str = "") -> tuple[Any, ...]:
    return (name,), np.asarray(values, "f4"), {"units": units}


def solo(folder: Path) -> None:
    energy = along("Energy", np.geomspace(20_000, 200, 96), "eV")
    save(
        folder, "solo_L2_swa-pas-vdf",
        vdf=(("time", "Azimuth", "Elevation", "Energy"), RNG.uniform(0, 1e-8, (STEPS, 11, 9, 96)).astype("f4"),
             {"units": "s^3 m^-6", "DEPEND_1": "Azimuth", "DEPEND_2": "Elevation", "DEPEND_3": "Energy"}),
        Azimuth=along("Azimuth", np.arange(11) * 6 - 21, "deg"),
        Elevation=along("Elevation", np.arange(9) * 5 - 20, "deg"),
        Energy=energy, PAS_to_RTN=np.broadcast_to(np.diag([-1.0, 1, -1]), (STEPS, 3, 3)),
        Info=np.ones(STEPS, "u1"), start_CEM=np.zeros(STEPS, "i2"), nb_CEM=np.full(STEPS, 11, "i2"),
        start_elevation=np.zeros(STEPS, "i2"), nb_elevation=np.full(STEPS, 9, "i2"),
        start_energy=np.full(STEPS, 4, "i2"), nb_energy=np.full(STEPS, 64, "i2"),
    )  # fmt: skip
    save(
        folder, "solo_L2_swa-pas-eflux", Energy=energy,
        eflux=(("time", "Energy"), drawn(96)[1], {"units": "eV/cm2-s-sr-eV", "DISPLAY_TYPE": "spectrogram"}),
    )  # fmt: skip
    save(
        folder, "solo_L2_swa-pas-grnd-mom", **scalars(N="cm^-3", T="eV", quality_factor=""),
        **vectors(V_RTN="km/s", V_SRF="km/s", V_SOLO_RTN="km/s"), P_RTN=drawn(6, units="J/cm^3"),
        P_SRF=drawn(6, units="J/cm^3"),
    )  # fmt: skip
    save(
        folder, "solo_L1_swa-pas-mom", **scalars(density="particles cm^-3", temperature="eV"),
        **vectors(velocity="km/s"), pressure=drawn(6, units="J.cm^-3"),
    )  # fmt: skip
    save(folder, "solo_L2_mag-rtn-normal", **vectors(B_RTN="nT"))
    save(folder, "solo_L2_mag-srf-burst", **vectors(B_SRF="nT"))
    low = along("Ion_Bins_Low_Energy", np.geomspace(0.05, 4, 12), "MeV")
    other = along("Electron_Bins_Low_Energy", np.geomspace(0.03, 0.4, 17), "MeV")
    flux = {"units": "particles / (s cm^2 sr MeV)", "DISPLAY_TYPE": "spectrogram"}
    save(
        folder, "solo_L2_epd-ept-sun-rates", Ion_Bins_Low_Energy=low, Electron_Bins_Low_Energy=other,
        Ion_Flux=(("time", "Ion_Bins_Low_Energy"), drawn(12)[1], flux),
        Electron_Flux=(("time", "Electron_Bins_Low_Energy"), drawn(17)[1], flux), **vectors(RTN=""),
    )  # fmt: skip


def psp(folder: Path) -> None:
    anode, level, deflection = np.meshgrid(np.arange(8), np.arange(32), np.arange(8), indexing="ij")
    table = {
        "ENERGY": np.geomspace(20_000, 20, 32)[level], "THETA": -52.5 + 15 * deflection, "PHI": 174.375 - 11.25 * anode,
    }  # fmt: skip
    units = {"ENERGY": "eV", "THETA": "Degrees", "PHI": "Degrees"}
    tables = {name: (("time", "n2048"), np.broadcast_to(one.ravel().astype("f4"), (STEPS, 2048)), {"units": unit})
              for (name, one), unit in zip(table.items(), units.values(), strict=True)}  # fmt: skip
    save(
        folder, "psp_swp_spi_sf00_L2_8Dx32Ex8A", EFLUX=drawn(2048, high=1e9, units="eV/cm2-s-ster-eV"),
        **tables,
    )  # fmt: skip
    save(
        folder, "psp_swp_spi_sf00_L3_mom", **scalars(DENS="cm^-3", TEMP="eV"), T_TENSOR_INST=drawn(6, units="eV"),
        **vectors(VEL_RTN_SUN="km/s", VEL_SC="km/s", VEL_INST="km/s", MAGF_SC="nT", MAGF_INST="nT"),
        QUAT_SC_TO_RTN=drawn(4), EFLUX_VS_ENERGY=drawn(32, units="eV/cm2-s-ster-eV"),
        ENERGY_VALS=(("time", "n32"), np.broadcast_to(np.geomspace(20_000, 20, 32), (STEPS, 32)), {"units": "eV"}),
    )  # fmt: skip
    for frame in ("RTN", "SC"):
        for end in ("", "_1min", "_4_Sa_per_Cyc"):
            save(folder, f"psp_fld_l2_mag_{frame}{end}", **vectors(**{f"psp_fld_l2_mag_{frame}{end}": "nT"}))
    energy = np.where(np.arange(48) < 40, np.geomspace(47_000, 20, 48), np.nan) * np.ones((80, 1))
    save(
        folder, "psp_isois-epilo_l2-ic", Look=(("Look",), np.arange(80), {"units": ""}),
        H_ChanT_Energy=(("Look", "E"), energy.astype("f4"), {"units": "keV/nuc"}),
        H_CountRate_ChanT=(("time", "Look", "E"), drawn(80, 48)[1],
                           {"units": "counts/sec", "DEPEND_1": "Look", "DEPEND_2": "H_ChanT_Energy"}),
    )  # fmt: skip


def wind(folder: Path) -> None:
    names = [f"{begin}{frame}" for begin in ("B", "B3", "B1") for frame in ("GSE", "GSM")]
    save(folder, "WI_H0_MFI", BF1=drawn(units="nT"), **vectors(**dict.fromkeys(names, "nT")))
    save(folder, "WI_H2_MFI", **vectors(BGSE="nT", BGSM="nT"))
    levels = (("time", "n15"), np.broadcast_to(np.geomspace(1150, 8.6, 15), (STEPS, 15)), {"units": "eV"})
    parts = {"DENSITY": drawn(), "AVGTEMP": drawn(), "VELOCITY": drawn(3), "MAGF": drawn(3), "PTENS": drawn(6),
             "VALID": np.ones(STEPS, "i2")}  # fmt: skip
    save(folder, "WI_PLSP_3DP", FLUX=drawn(15), ENERGY=levels, **{f"MOM.P.{name}": one for name, one in parts.items()})
    save(folder, "WI_PM_3DP", **scalars(P_DENS="#/cc", P_TEMP="eV"), **vectors(P_VELS="km/s"))
    angles = (("time", "n8"), np.broadcast_to([15.0, 35, 57, 80, 102, 123, 145, 165], (STEPS, 8)), {"units": "deg"})
    save(folder, "WI_ELPD_3DP", FLUX=drawn(15, 8, units="#/cm2-ster-sec-eV"), ENERGY=levels, PANGLE=angles)


def ace(folder: Path) -> None:
    save(folder, "AC_H0_MFI", Magnitude=drawn(units="nT"), **vectors(BGSEc="nT", BGSM="nT", BRTN="nT"))
    save(folder, "AC_H0_SWE", **scalars(Np="#/cc", Vp="km/s", Tpr="Kelvin"),
         **vectors(V_GSE="km/s", V_GSM="km/s", V_RTN="km/s"))  # fmt: skip
    names = ("Ion_very_lo", "Ion_lo", "Ion_mid", "Ion_hi", "Electron_lo", "Electron_hi")
    save(folder, "AC_K0_EPM", **scalars(**dict.fromkeys(names, "1/(cm2 s ster MeV)")))


def rbsp(folder: Path) -> None:
    angles = (4.5, 18, 36, 54, 72, 90, 108, 126, 144, 162, 175.5)
    levels = (("time", "n72"), np.broadcast_to(np.geomspace(25, 52_000, 72), (STEPS, 72)), {"units": "eV"})
    for dataset in ("rbsp-a_l3_ect-hope", "RBSPA_REL04_ECT-HOPE-PA-L3"):
        flux = {
            name: (("time", "PITCH_ANGLE", "n72"), drawn(11, 72)[1],
                   {"units": "s^-1 cm^-2 ster^-1 keV^-1", "DEPEND_1": "PITCH_ANGLE", "DEPEND_2": "LEVEL"})
            for name in ("FEDU", "FPDU", "FHEDU", "FODU")
        }  # fmt: skip
        save(folder, dataset, PITCH_ANGLE=along("PITCH_ANGLE", angles, "deg"), LEVEL=levels, **flux)
    for frame in ("GSE", "GSM", "SM", "GEO", "GEI"):
        save(folder, f"rbsp-a_magnetometer_1sec-{frame.lower()}_emfisis-L3", **vectors(Mag="nT"))


def omni(folder: Path) -> None:
    fields = ("BX_GSE", "BY_GSE", "BZ_GSE", "BY_GSM", "BZ_GSM")
    save(
        folder, "OMNI_HRO_1MIN", **scalars(
            **dict.fromkeys(fields, "nT"), Vx="km/s", Vy="km/s", Vz="km/s", proton_density="n/cc", T="K",
            flow_speed="km/s", Pressure="nPa", SYM_H="nT", AE_INDEX="nT",
        ),
    )  # fmt: skip
    save(
        folder, "OMNI2_H0_MRG1HR", **scalars(
            **{f"{name}1800": "nT" for name in fields}, N1800="Per cc", V1800="Km/s", T1800="Deg K",
            Pressure1800="nPa", DST1800="nT", AE1800="nT", KP1800="",
        ),
    )  # fmt: skip


class _Contract(MissionContract):
    """On a folder that a builder fills."""

    __test__ = False
    build: Callable[[Path], None]
    lacks = frozenset({"event class", "knob"})
    per_kind = 1

    @classmethod
    @contextmanager
    def opened(cls, state: Path) -> Iterator[tuple[Archive, ...]]:
        folder = state / "archive"
        folder.mkdir()
        cls.build(folder)
        yield (Archive(name="local", protocol="folder", address=str(folder)),)

    def test_no_hole_of_a_template_is_in_the_data(self) -> None:
        """Names and texts of the variables are plain."""
        for case in self.cases:
            data: Any = self.kitchen.make(case.request)
            for name, one in data.variables.items():
                assert "{" not in f"{name} {[*one.attrs.values()]}", case.product.path


class TestSolo(_Contract):
    __test__ = True
    door = "armillary.missions.plasma.solo:MISSION"
    build = staticmethod(solo)


class TestPsp(_Contract):
    __test__ = True
    door = "armillary.missions.plasma.psp:MISSION"
    build = staticmethod(psp)
    lacks = frozenset({"event class"})


class TestWind(_Contract):
    __test__ = True
    door = "armillary.missions.plasma.wind:MISSION"
    build = staticmethod(wind)


class TestAce(_Contract):
    __test__ = True
    door = "armillary.missions.plasma.ace:MISSION"
    build = staticmethod(ace)


class TestRbsp(_Contract):
    __test__ = True
    door = "armillary.missions.plasma.rbsp:MISSION"
    build = staticmethod(rbsp)


class TestOmni(_Contract):
    __test__ = True
    door = "armillary.missions.plasma.omni:MISSION"
    build = staticmethod(omni)


class TestCassini(_Contract):
    __test__ = True
    door = "armillary.missions.plasma.cassini:MISSION"

    @staticmethod
    def build(folder: Path) -> None:
        """Make a file as libeos does, every mode in it."""
        levels = np.full((2, 63), np.inf, ">f4")
        levels[0], levels[1, :32] = np.geomspace(26_040, 0.58, 63), np.geomspace(23_971, 0.58, 32)
        kind = np.dtype([("head", ">u4", 4), ("counts", ">u4", 63)])
        spectra = np.zeros(400, kind)
        spectra["head"][:, 0], spectra["head"][:, 1] = np.arange(400), 141_760_942 + 4 * np.arange(400)
        spectra["head"][:, 2], spectra["head"][:, 3] = 63, 0
        spectra["head"][200:, 2:] = 32, 1
        spectra["counts"] = RNG.integers(0, 9000, (400, 63))
        head = b"EOS_PIMS\xff\xff\xff\x01" + np.array([0, 2, 63, 400], ">u4").tobytes()
        (folder / "ELS_200418018_V01.pim").write_bytes(head + levels.tobytes() + spectra.tobytes())
        (folder / "ELS_200418018_V01.meta").write_text(
            "TIMESTAMP_START: 730120.0\ndata_file: x/ELS_200418018_V01.DAT\nquantity: anode5\n"
        )
