"""Small CDFs written by another library than the one that reads them, one for each way a file may be laid out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

N = 40
#: What the variables of each file hold before fill values, order and duplicates are put right.
FILL_INT, FILL_FLOAT = -32768, -1e31
INT2, REAL4, DOUBLE, EPOCH, TT2000, CHAR = 2, 21, 45, 31, 33, 51


def epochs(data_type: int) -> np.ndarray[Any, Any]:
    """One a second from 2016-12-31T23:59:45, through a leap second; one is a fill, the last two are exchanged."""
    from cdflib import cdfepoch

    if data_type == TT2000:
        start = cdfepoch.compute_tt2000([2016, 12, 31, 23, 59, 45, 0, 0, 0])
        ticks = int(start) + np.arange(N) * 1_000_000_000
        ticks[3] = np.iinfo(np.int64).min
    else:
        ticks = cdfepoch.compute_epoch([2016, 12, 31, 23, 59, 45, 0]) + np.arange(N) * 1000.0
        ticks[3] = FILL_FLOAT
    ticks[[N - 2, N - 1]] = ticks[[N - 1, N - 2]]
    return np.asarray(ticks)


def write_cdf(path: Path, time_type: int = TT2000, level: int = 0, **spec: Any) -> None:
    """Write a file as a plasma instrument would; `spec` is of the whole file."""
    from cdflib.cdfwrite import CDF

    cdf = CDF(path, cdf_spec=spec, delete=True)
    cdf.write_globalattrs(
        {
            "Logical_source": {0: "toy_l2_ions"},
            "Logical_source_description": {0: "Ions of a toy"},
            "Acknowledgement": {0: "Thank the toy maker"},
            "DOI": {0: "10.1000/toy"},
        }
    )

    def add(name: str, data_type: int, data: Any, sizes: tuple[int, ...] = (), **attrs: Any) -> None:
        varies, width = attrs.pop("varies", True), attrs.pop("width", 1)
        cdf.write_var(
            {
                "Variable": name, "Data_Type": data_type, "Num_Elements": width, "Rec_Vary": varies,
                "Dim_Sizes": list(sizes), "Compress": level,
            },
            var_attrs=attrs, var_data=data,
        )  # fmt: skip

    step = np.arange(N)
    add("Epoch", time_type, epochs(time_type), VAR_TYPE="support_data")
    density = step.astype(np.int16)
    density[5] = FILL_INT
    add("density", INT2, density, VAR_TYPE="data", DEPEND_0="Epoch", UNITS="cm!E-3!N", CATDESC="Ion density",
        FILLVAL=[FILL_INT, "CDF_INT2"], SCALETYP="LOG", VALIDMIN=[0, "CDF_INT2"], LABLAXIS="n")  # fmt: skip
    add("velocity", DOUBLE, np.arange(N * 3.0).reshape(N, 3), (3,), VAR_TYPE="data", DEPEND_0="Epoch", UNITS="km/s",
        LABL_PTR_1="velocity_labels", DISPLAY_TYPE="time_series")  # fmt: skip
    add("velocity_labels", CHAR, ["Vx", "Vy", "Vz"], (3,), varies=False, width=2, VAR_TYPE="metadata")
    flux = np.arange(N * 12, dtype=np.float32).reshape(N, 12)
    flux[7, 7] = FILL_FLOAT
    add("flux", REAL4, flux, (12,), VAR_TYPE="data", DEPEND_0="Epoch", DEPEND_1="energy", UNITS="1/cm^2",
        DISPLAY_TYPE="spectrogram", FILLVAL=[FILL_FLOAT, "CDF_REAL4"])  # fmt: skip
    energy = np.broadcast_to(np.geomspace(1, 1e4, 12), (N, 12)).astype(np.float32) * (1 + step[:, None]) / 100
    add("energy", REAL4, energy.astype(np.float32), (12,), VAR_TYPE="support_data", DEPEND_0="Epoch", UNITS="eV")
    add("phase_density", REAL4, np.arange(N * 24, dtype=np.float32).reshape(N, 4, 3, 2), (4, 3, 2), VAR_TYPE="data",
        DEPEND_0="Epoch", DEPEND_1="azimuth", DEPEND_2="polar", DEPEND_3="steps", UNITS="s^3/cm^6")  # fmt: skip
    for name, size in (("azimuth", 4), ("polar", 3), ("steps", 2)):
        add(name, REAL4, np.arange(size, dtype=np.float32), (size,), varies=False, VAR_TYPE="support_data", UNITS="deg")
    add("mode", CHAR, np.array(["fast"] * N), varies=True, width=4, VAR_TYPE="data", DEPEND_0="Epoch")
    add("unwritten", DOUBLE, None, VAR_TYPE="data", DEPEND_0="Epoch", VIRTUAL="TRUE", UNITS="None")
    cdf.close()


@pytest.fixture(scope="session")
def written_cdfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files with the same content, laid out in different ways."""
    folder = tmp_path_factory.mktemp("cdf")
    write_cdf(folder / "plain.cdf")
    write_cdf(folder / "column.cdf", Majority="column_major", Encoding=1)
    write_cdf(folder / "gzip.cdf", level=6)
    write_cdf(folder / "whole.cdf", Compressed=6)
    write_cdf(folder / "epoch.cdf", EPOCH, level=3)
    return folder
