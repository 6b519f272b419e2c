"""Photospheres fitted to optical and near-infrared light, and the infrared excess above them."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import BadParameter
from armillary.missions.gaia.distances import distances
from armillary.missions.gaia.tables import COLUMNS, LAW, counts, identity_of, numbers, table_of, tables_with
from armillary.model import Parameter, recipe
from armillary.science.photometry.columns import find_columns, seds_of
from armillary.science.photometry.photospheres import Grid, excess, fit_photosphere, read_grid

if TYPE_CHECKING:
    import pyarrow as pa

CITATION: Final = "Castelli and Kurucz (2004), arXiv:astro-ph/0405087; Engelke (1992), doi:10.1086/116315"
_INFRARED: Final = ("Ks", "W1", "W2", "W3", "W4")
_STEP: Final = 0.25


@recipe(
    "{input}/photosphere",
    inputs={"table": tables_with("G BP J", "RP H Ks")},
    title="Photospheres and infrared excess of {title}",
    kind="sources",
    parameters=(
        Parameter(name="grid", type="str", default="",
                  description="file of model fluxes as ARIADNE has them; black bodies if left out"),
        Parameter(name="logg", type="float", default=4.5, low=0.0, high=5.0, description="log10 of gravity, cm s-2"),
        Parameter(name="metallicity", type="float", default=0.0, low=-2.5, high=0.5, description="[Fe/H]"),
        Parameter(name="a_v", type="float", default=0.0, low=0.0, high=100.0, units="mag",
                  description="extinction in V that all sources have at least"),
        Parameter(name="a_v_most", type="float", default=0.0, low=0.0, high=100.0, units="mag",
                  description=f"extinctions up to this are tried in steps of {_STEP}; only a_v if it is less"),
        LAW, COLUMNS,
    ),
    block="row",
    citation=CITATION,
)  # fmt: skip
def photosphere(
    table: "pa.Table", grid: str, logg: float, metallicity: float, a_v: float, a_v_most: float, law: Any, columns: str
) -> "pa.Table":
    """Temperature and extinction fitted to G BP RP J H Ks, and what shines beyond in the infrared."""
    found = find_columns(table, columns)
    seds = seds_of(table, found)
    tried = np.arange(a_v, a_v_most + _STEP / 2, _STEP) if a_v_most > a_v else a_v
    star = fit_photosphere(seds, _grid(grid) if grid else None, logg=logg, metallicity=metallicity, a_v=tried, name=law)
    sigma, magnitudes = excess(seds, star)
    made = [
        *identity_of(table),
        numbers("teff", star.teff, "K", "Temperature of the photosphere", "phys.temperature.effective"),
        numbers("teff_error", star.teff_error, "K", "Error of teff", "stat.error;phys.temperature.effective"),
        numbers("a_v", star.a_v, "mag", "Extinction in V", "phys.absorption;em.opt.V"),
        numbers("chi2", star.chi2, "", "Chi squared of the fit", "stat.fit.chi2"),
        counts("fitted_bands", star.bands, "Bands that were fitted"),
    ]
    if found.has("parallax", "parallax_error") or found.has("r_med_geo", "r_lo_geo", "r_hi_geo"):
        far = distances(table, found, "auto", 5.0, zero_point=True)
        made.append(numbers("radius", star.radius(far.pc), "solRad", "Radius of the photosphere", "phys.size.radius"))
    for name in _INFRARED:
        if found.has(name):
            at, small = seds.column(name), name.lower()
            made.append(
                numbers(
                    f"{small}_excess",
                    magnitudes[:, at],
                    "mag",
                    f"Light in {name} beyond the photosphere; at most so much for an upper limit",
                )
            )
            made.append(numbers(f"{small}_excess_sigma", sigma[:, at], "", f"The same in {name} over its error"))
    source = Path(grid).name if grid else "black bodies"
    return table_of(made, {"models": source, "logg": logg, "metallicity": metallicity, "columns": dict(found.names)})


RECIPES: Final = (photosphere,)


def _grid(path: str) -> Grid:
    file = Path(path).expanduser()
    if not file.is_file():
        raise BadParameter(f"there is no file {path!r} with photospheres", "give grid=FILE, or leave it out")
    return _read(str(file), file.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read(path: str, _mtime: int) -> Grid:
    """Keep the grid between blocks; a file that was changed is read again."""
    return read_grid(path)
