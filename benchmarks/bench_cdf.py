"""Reading CDFs: ours against cdflib and pycdfpp, in milliseconds.

Run ``python benchmarks/bench_cdf.py [FOLDER]``; the folder of real files is else found as the tests find it. Three
tasks for each file: *look* (all attributes and the span of time), *one* (one variable with its times, axes and
attributes) and *all* (the bare values of every variable, where each library does the same work).
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from armillary.model import Extent
from armillary.model.protocols import silent
from armillary.sources.files import cdf
from armillary.sources.files.cdf_records import survey
from armillary.sources.files.cdf_values import values

FILES = {
    "mms1_fpi_dis_moms/mms1_fpi_fast_l2_dis-moms_20151017060000_v3.4.0.cdf": "mms1_dis_energyspectr_omni_fast",
    "spacepy/rbspa_rel04_ect-hope-PA-L3_20121201_v0.0.0.cdf": "FPDU",
    "spacepy/psp_isois-epilo_l2-ic_20190401_v0.0.0.cdf": "H_CountRate_ChanT",
    "sunpy/solo_L2_epd-ept-north-hcad_20200713_V02.cdf": "Ion_Flux",
    "wi_plsp_3dp_19990329_v02.cdf": "MOM.P.VELOCITY",
    "tha_l2_esa_00000000_v01.cdf": "tha_peif_density",
}
Task = Callable[[Path, str], Any]


def our_look(path: Path, _variable: str) -> Any:
    return cdf.describe(path)


def our_one(path: Path, variable: str) -> Any:
    return cdf.read(path, variable, Extent(), silent)


def our_all(path: Path, _variable: str) -> None:
    with survey(path) as file:
        for one in file.variables.values():
            values(file, one)


def cdflib_look(path: Path, _variable: str) -> None:
    import cdflib

    file = cdflib.CDF(path)
    info = file.cdf_info()
    file.globalattsget()
    for name in info.rVariables + info.zVariables:
        file.varattsget(name)
        if "EPOCH" in file.varinq(name).Data_Type_Description or "TT2000" in file.varinq(name).Data_Type_Description:
            cdflib.cdfepoch.to_datetime(np.atleast_1d(file.varget(name)))


def cdflib_one(path: Path, variable: str) -> None:
    import cdflib

    file = cdflib.CDF(path)
    attrs = file.varattsget(variable)
    file.varget(variable)
    cdflib.cdfepoch.to_datetime(np.atleast_1d(file.varget(attrs.get("DEPEND_0", "Epoch"))))
    if attrs.get("DEPEND_1") in file.cdf_info().zVariables:
        file.varattsget(attrs["DEPEND_1"])
        file.varget(attrs["DEPEND_1"])


def cdflib_all(path: Path, _variable: str) -> None:
    import cdflib

    file = cdflib.CDF(path)
    info = file.cdf_info()
    for name in info.rVariables + info.zVariables:
        file.varget(name)


def pycdfpp_look(path: Path, _variable: str) -> None:
    import pycdfpp

    file = pycdfpp.load(str(path))
    for name in file:
        for attribute in file[name].attributes:
            assert file[name].attributes[attribute].value is not None
        if file[name].type.name in {"CDF_EPOCH", "CDF_EPOCH16", "CDF_TIME_TT2000"}:
            pycdfpp.to_datetime64(file[name])


def pycdfpp_one(path: Path, variable: str) -> None:
    import pycdfpp

    file = pycdfpp.load(str(path))
    attributes = file[variable].attributes
    np.asarray(file[variable].values)
    pycdfpp.to_datetime64(file[attributes["DEPEND_0"].value if "DEPEND_0" in attributes else "Epoch"])
    if "DEPEND_1" in attributes and attributes["DEPEND_1"].value in file:
        np.asarray(file[attributes["DEPEND_1"].value].values)


def pycdfpp_all(path: Path, _variable: str) -> None:
    import pycdfpp

    file = pycdfpp.load(str(path))
    for name in file:
        np.asarray(file[name].values)


TASKS: dict[str, tuple[Task, Task, Task]] = {
    "look": (our_look, cdflib_look, pycdfpp_look),
    "one": (our_one, cdflib_one, pycdfpp_one),
    "all": (our_all, cdflib_all, pycdfpp_all),
}


def best(task: Task, path: Path, variable: str) -> float:
    """Milliseconds of the quickest of up to nine runs within two seconds, nan where the library is not installed."""
    times: list[float] = []
    try:
        task(path, variable)
    except ImportError:
        return float("nan")
    while len(times) < 9 and sum(times) < 2:
        start = time.perf_counter()
        task(path, variable)
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def main() -> None:
    default = os.environ.get("ARMILLARY_DATA", str(Path(__file__).parents[2] / "shared" / "data"))
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else default) / "plasma"
    columns = ("MB", "task", "ours ms", "cdflib", "pycdfpp", "cdflib/ours", "ours/pycdfpp")
    print(f"{'file':36}", *(f"{one:>12}" for one in columns))
    for name, variable in FILES.items():
        path = folder / name
        if not path.is_file():
            print(f"{path.name[:36]:36} is not there")
            continue
        for task, contenders in TASKS.items():
            ours, theirs, native = (best(one, path, variable) for one in contenders)
            numbers = (path.stat().st_size / 1e6, ours, theirs, native, theirs / ours, ours / native)
            shown = [f"{one:12.1f}" for one in numbers]
            print(f"{path.name[:36]:36}", shown[0], f"{task:>12}", *shown[1:])


if __name__ == "__main__":
    main()
