"""Features of the solar wind near Earth: what tells ejecta from streams, and what drives the ring current.

They are made of what hourly OMNI files have: speed, density, the field across the Sun-Earth line, pressure, and the
indices Dst and Kp.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter
from armillary.learn.features import Features
from armillary.learn.features.grids import cells_of, first_cell, series_on_grids
from armillary.learn.features.stretches import cut_in_spans, describe, reach_of_cut
from armillary.learn.samples import column

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Array = np.ndarray[Any, np.dtype[Any]]

#: What is read, and the column it is in unless `names` says otherwise: km/s, cm-3, nT, nT, nPa, nT, 1.
COLUMNS: Final[dict[str, str]] = {
    "speed": "V_km_s",
    "density": "N_cm3",
    "by": "By_nT",
    "bz": "Bz_nT",
    "pressure": "Pdyn_nPa",
    "dst": "Dst_nT",
    "kp": "Kp",
}
#: One solar rotation as seen from Earth.
_ROTATION: Final = "27d"
#: The longest stretch.
_LONGEST: Final = "6d"
#: Samples over which Dst and the electric field are remembered.
_REMEMBERED: Final = 24
#: What stretches are cut by, and how much of each is one unit: about its deviation; the field's parts count half.
_UNITS: Final = {"density": 0.67, "field": 0.5, "speed": 102.0, "roughness": 0.93, "by": 9.5, "bz": 7.7}


def solar_wind(
    samples: "xr.Dataset",
    names: Mapping[str, str] | None = None,
    windows: Sequence[float | str] = ("7h", "13h", "25h", "37h"),
    penalties: Sequence[float] = (8.0, 16.0, 32.0, 64.0),
) -> Features:
    """Say what marks an ejection: strong smooth field, quiet density, falling speed, a shock before, no recurrence.

    It looks ahead as well as back, for making catalogues; use :func:`ring_current` for forecasts.

    Parameters
    ----------
    samples : xarray.Dataset
        Regular in time; groups (spacecraft) do not mix.
    names : mapping of str to str
        Columns that are named otherwise than in `COLUMNS`, ``{speed = "V"}``.
    windows : sequence of float or str
        Lengths of centred windows.
    penalties : sequence of float
        For stretches, see :func:`armillary.learn.features.stretches.cut`; none if empty.

    Returns
    -------
    Features
        Groups: ``level``, ``spread``, ``trend``, ``rotation`` of the field, ``contrast`` with the days around and one
        solar rotation, ``shock``, ``recurrence``, ``stretch``.
    """
    wind = _read(samples, names or {})
    parts = []
    for rows, step in series_on_grids(samples):
        one = _quantities(wind.iloc[rows].reset_index(drop=True))
        made = _ejecta(one, [cells_of(w, step) for w in windows], step)
        if penalties:
            first = first_cell(samples, rows[0], step)
            made["stretch"] = _beside([(f"_{p:g}", _stretch(one, p, step, first)) for p in penalties])
        parts.append((rows, made))
    return _together(parts, len(wind))


def reach_of_solar_wind(options: Mapping[str, Any], cadence: float) -> float:
    """Give how many seconds around a sample its features depend on: a solar rotation, or what decides its stretch."""
    windows = [cells_of(one, cadence) for one in options.get("windows", ("37h",))]
    fixed = cells_of(_ROTATION, cadence) + cells_of("97h", cadence)
    cut = reach_of_cut(cells_of(_LONGEST, cadence)) if options.get("penalties", (8.0,)) else 0
    # beside windows: means of 5 samples before them, the sample before, rounding
    return (max(fixed, max(windows, default=0), cut) + 8) * cadence


def reach_of_ring_current(options: Mapping[str, Any], cadence: float) -> float:
    """Give how many seconds before a sample its features depend on: lags and memory are counted in samples."""
    return max(int(options.get("lags", 6)), _REMEMBERED) * cadence


def ring_current(
    samples: "xr.Dataset", names: Mapping[str, str] | None = None, lags: int = 6, time: str = "time"
) -> Features:
    """Say what drives Dst, from nothing later than each sample: the electric field, pressure, decay, and their past.

    Parameters
    ----------
    samples : xarray.Dataset
        Hourly; groups do not mix.
    names : mapping of str to str
        As for :func:`solar_wind`.
    lags : int
        Samples back that are given one by one, the sample itself counted.
    time : str
        Name of the time: Kp is taken from the last three hours that are over.

    Notes
    -----
    ``driver`` is V Bs in mV/m (Burton et al. 1975, J. Geophys. Res. 80, 4204), ``coupling`` that of Newell et
    al. (2007, J. Geophys. Res. 112, A01206), ``loss`` Dst* / tau with tau = 2.40 exp(9.74 / (4.69 + VBs)) h of O'Brien
    and McPherron (2000, J. Geophys. Res. 105, 7707), Dst* = Dst - 7.26 sqrt(P) + 11.
    """
    wind = _read(samples, names or {})
    hours = (column(samples, time).astype("M8[h]").astype(np.int64) % 24).astype(float)
    parts = []
    for rows, _ in series_on_grids(samples, time):
        parts.append((rows, _driven(wind.iloc[rows].reset_index(drop=True), lags, hours[rows])))
    return _together(parts, len(wind))


def _read(samples: "xr.Dataset", names: Mapping[str, str]) -> "pd.DataFrame":
    import pandas as pd

    unknown = sorted(set(names) - set(COLUMNS))
    if unknown:
        raise BadParameter(f"there is no quantity {unknown[0]!r}", f"names are for {', '.join(COLUMNS)}")
    wind = {name: column(samples, own).astype(float) for name, own in {**COLUMNS, **names}.items()}
    for name in ("speed", "density", "pressure"):
        wind[name] = np.where(wind[name] > 0, wind[name], np.nan)
    return pd.DataFrame(wind)


def _together(parts: "Sequence[tuple[Array, dict[str, pd.DataFrame]]]", count: int) -> Features:
    """Put the features of all series into one table; `parts` are rows and tables by feature group."""
    first = parts[0][1]
    names = tuple(str(name) for table in first.values() for name in table)
    matrix = np.full((count, len(names)), np.nan)
    for rows, tables in parts:
        matrix[rows] = np.concatenate([one.to_numpy() for one in tables.values()], axis=1)
    return Features(matrix, names, tuple(group for group, table in first.items() for _ in table))


def _quantities(wind: "pd.DataFrame") -> "pd.DataFrame":
    """Give what features are made of; field strength is that across the line to the Sun, logarithms are natural."""
    field = np.hypot(wind["by"], wind["bz"])
    turn = np.hypot(wind["by"].diff(), wind["bz"].diff())
    made = wind.drop(columns=["density", "pressure"])
    made["strength"] = field
    made["density"] = np.log(wind["density"])
    made["pressure"] = np.log(wind["pressure"])
    made["field"] = np.log(field + 0.5)
    made["alfven"] = made["field"] - made["density"] / 2
    made["beta"] = made["pressure"] - 2 * made["field"]
    made["roughness"] = np.log(turn + 0.3) - made["field"]
    made["unrest"] = np.log(made["density"].diff().abs() + 0.03)
    made["driver"] = 1e-3 * wind["speed"] * np.maximum(-wind["bz"], 0)
    return made


def _ejecta(wind: "pd.DataFrame", windows: Sequence[int], step: float) -> "dict[str, pd.DataFrame]":
    per_window: dict[str, Callable[[pd.DataFrame, int], pd.DataFrame]] = {
        "level": _level, "spread": _spread, "trend": _trend, "rotation": _rotation,
    }  # fmt: skip
    made = {group: _beside([(f"_{w}", make(wind, w)) for w in windows]) for group, make in per_window.items()}
    made["contrast"] = _contrast(wind, sorted({windows[0], windows[-1]}), step)
    made["shock"] = _shock(wind, step)
    made["recurrence"] = _recurrence(wind, step)
    return made


def _beside(tables: "Sequence[tuple[str, pd.DataFrame]]") -> "pd.DataFrame":
    import pandas as pd

    return pd.concat([one.add_suffix(end) for end, one in tables], axis=1)


def _around(table: Any, window: int) -> Any:
    return table.rolling(window, center=True, min_periods=max(2, window // 2))


def _level(wind: "pd.DataFrame", window: int) -> "pd.DataFrame":
    made: pd.DataFrame = _around(wind, window).mean()
    return made


def _spread(wind: "pd.DataFrame", window: int) -> "pd.DataFrame":
    """Give logarithms of deviations, and of the changes from sample to sample."""
    varied = wind[["speed", "density", "field"]]
    made: pd.DataFrame = np.log(_around(varied, window).std().add([1.0, 0.05, 0.05])).add_prefix("std_")
    changes = varied.assign(by=wind["by"], bz=wind["bz"]).diff() ** 2
    rates = np.log(_around(changes, window).mean().add([1.0, 1e-3, 1e-3, 0.1, 0.1]))
    return made.join(rates.add_prefix("change_"))


def _trend(wind: "pd.DataFrame", window: int) -> "pd.DataFrame":
    """Give slopes of least squares a sample, of gapless windows."""
    clock = np.arange(window) - (window - 1) / 2
    weights = clock / (clock**2).sum()
    made = wind[["speed", "density", "strength"]].copy()
    for name in made:
        made[name] = _slopes(made[name].to_numpy(), weights)
    return made.add_prefix("slope_")


def _slopes(values: Array, weights: Array) -> Array:
    made = np.full(len(values), np.nan)
    if len(values) >= len(weights):
        first = len(weights) // 2
        inner = np.correlate(values, weights, "valid")
        made[first : first + len(inner)] = inner
    return made


def _rotation(wind: "pd.DataFrame", window: int) -> "pd.DataFrame":
    """Say how steady the direction of the field is, and how far its parts swing once they are smoothed."""
    import pandas as pd

    parts = wind[["by", "bz"]]
    mean = _around(parts, window).mean()
    smooth = _around(_around(parts, 5).mean(), window)
    unit = _around(parts.div(wind["strength"] + 0.3, axis=0), window).mean()
    swing = smooth.max() - smooth.min()
    return pd.DataFrame({
        "steady": np.hypot(mean["by"], mean["bz"]) / (_around(wind["strength"], window).mean() + 0.5),
        "vector": np.hypot(mean["by"], mean["bz"]), "direction": np.hypot(unit["by"], unit["bz"]),
        "swing_by": swing["by"], "swing_bz": swing["bz"],
        "south": smooth.min()["bz"], "north": smooth.max()["bz"],
    })  # fmt: skip


def _contrast(wind: "pd.DataFrame", windows: Sequence[int], step: float) -> "pd.DataFrame":
    """Give means of windows minus the medians of four days and of one solar rotation around."""
    chosen = wind[["speed", "density", "field", "alfven", "beta", "roughness", "kp", "dst"]]
    long = [cells_of(one, step) for one in ("97h", _ROTATION)]
    usual = [_around(chosen, one).median() for one in long]
    level = [_around(chosen, one).mean() for one in windows]
    return _beside(
        [
            (f"_{w}_over_{b}", mean - median)
            for w, mean in zip(windows, level, strict=True)
            for b, median in zip(long, usual, strict=True)
        ]
    )


def _shock(wind: "pd.DataFrame", step: float) -> "pd.DataFrame":
    """Give the strongest jump in the hours before and after: of speed, and of speed, density and field together."""
    import pandas as pd

    three = cells_of("3h", step)
    past = wind[["speed", "density", "field"]].rolling(three, min_periods=1).mean()
    jump = (past.shift(1 - three) - past.shift(1)) / [30.0, 0.4, 0.4]
    strength = pd.DataFrame({
        "all": jump.min(axis=1, skipna=False).clip(lower=0), "sum": jump.sum(axis=1, skipna=False).clip(lower=0),
        "speed": jump["speed"],
    })  # fmt: skip
    made = []
    for hours in (12, 24, 48, 72):
        window = cells_of(3600.0 * hours, step)
        most = strength.rolling(window, min_periods=1).max()
        made += [(f"_before_{hours}", most), (f"_after_{hours}", most.shift(1 - window))]
    return _beside(made).add_prefix("shock_")


def _recurrence(wind: "pd.DataFrame", step: float) -> "pd.DataFrame":
    """Compare with one solar rotation ago, when streams have passed already, and tell the course of the speed."""
    day, days = cells_of("25h", step), cells_of("49h", step)
    chosen = wind[["speed", "strength", "density"]]
    mean = _around(chosen, day).mean()
    made: pd.DataFrame = (mean - _around(chosen, days).mean().shift(cells_of(_ROTATION, step))).add_prefix("new_")
    short = _around(wind["speed"], cells_of("7h", step)).mean()
    for hours in range(-48, 49, 12):
        made[f"course_{hours}"] = short.shift(-round(3600 * hours / step)) - mean["speed"]
    return made


def _stretch(wind: "pd.DataFrame", penalty: float, step: float, first: int) -> "pd.DataFrame":
    import pandas as pd

    scaled = wind[list(_UNITS)] / list(_UNITS.values())
    edges = cut_in_spans(scaled.to_numpy(), first, penalty, cells_of("3h", step), cells_of(_LONGEST, step))
    chosen = ["speed", "density", "field", "alfven", "roughness", "unrest", "kp", "dst", "beta"]
    told = describe({name: wind[name].to_numpy() for name in chosen}, edges)
    return pd.DataFrame(told).add_prefix("stretch_")


def _driven(wind: "pd.DataFrame", lags: int, hours: Array) -> "dict[str, pd.DataFrame]":
    plain = wind[["speed", "density", "by", "bz", "pressure", "dst"]]
    force = _forces(wind)
    made: dict[str, pd.DataFrame] = {
        "past": _lagged(plain, lags),
        "force": _lagged(force[["driver", "coupling", "root"]], lags),
    }
    made["loss"] = _lagged(force[["loss"]], 1)
    made["kp"] = _kp_that_is_known(wind["kp"], hours)
    return made | {"memory": _memory(force["driver"], wind["dst"])}


def _forces(wind: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    across = np.hypot(wind["by"], wind["bz"])
    clock = np.arctan2(wind["by"].abs(), wind["bz"])
    driver = 1e-3 * wind["speed"] * np.maximum(-wind["bz"], 0)
    root = np.sqrt(wind["pressure"])
    return pd.DataFrame({
        "driver": driver, "root": root,
        "coupling": 1e-3 * wind["speed"] ** (4 / 3) * across ** (2 / 3) * np.sin(clock / 2) ** (8 / 3),
        "loss": (wind["dst"] - 7.26 * root + 11) / (2.4 * np.exp(9.74 / (4.69 + driver))),
    })  # fmt: skip


def _lagged(table: "pd.DataFrame", lags: int) -> "pd.DataFrame":
    return _beside([(f"_before_{lag}", table.shift(lag)) for lag in range(lags)])


def _kp_that_is_known(kp: "pd.Series[Any]", hours: Array) -> "pd.DataFrame":
    """Give Kp of the last three hours that are over, and of the three before: the present one holds the future."""
    import pandas as pd

    back = (hours + 1) % 3
    known = np.select([back == 0, back == 1], [kp, kp.shift(1)], kp.shift(2))
    last = pd.Series(known, kp.index)
    return pd.DataFrame({"kp_known": last, "kp_known_before": last.shift(3)})


def _memory(driver: "pd.Series[Any]", dst: "pd.Series[Any]") -> "pd.DataFrame":
    import pandas as pd

    made = {f"driver_mean_{hours}": driver.rolling(hours, min_periods=1).mean() for hours in (3, 6, 12)}
    made["dst_least_12"] = dst.rolling(12, min_periods=1).min()
    made["dst_mean_24"] = dst.rolling(_REMEMBERED, min_periods=1).mean()
    return pd.DataFrame(made)
