"""Spectral indices of young stars, and the Lada class that they tell."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.missions.gaia.tables import A_V, COLUMNS, LAW, counts, identity_of, numbers, table_of, tables_with, texts
from armillary.model import Parameter, recipe
from armillary.science.photometry.alpha import Index, class_shares, classes, index_between, index_fit
from armillary.science.photometry.columns import find_columns, seds_of
from armillary.science.photometry.extinction import deredden

if TYPE_CHECKING:
    import pyarrow as pa

CITATION: Final = "Lada (1987), IAU Symp. 115, 1; Greene et al. (1994), doi:10.1086/174763"
_PAIRS: Final = (("Ks", "W4"), ("Ks", "W3"), ("W1", "W4"), ("W3", "W4"))
_FIT: Final = "Ks W1 W2 W3 W4"


@recipe(
    "{input}/indices",
    inputs={"table": tables_with("Ks W1 W2 W3", "W2 W3 W4")},
    title="Spectral indices of {title}",
    kind="sources",
    parameters=(
        Parameter(name="by", type="str", default="fit", choices=("fit", *("_".join(one).lower() for one in _PAIRS)),
                  description="the index that tells the class: of a line through Ks to W4, or between two bands"),
        Parameter(name="least", type="int", default=3, low=2, high=5, description="measured bands that a line needs"),
        Parameter(name="colour_correction", type="str", default="table", choices=("none", "table", "interpolated"),
                  description="of WISE bands; 'table' gives indices that compare with published ones"),
        A_V, LAW, COLUMNS,
    ),
    block="row",
    citation=CITATION,
)  # fmt: skip
def indices(
    table: "pa.Table", by: str, least: int, colour_correction: Any, a_v: float, law: Any, columns: str
) -> "pa.Table":
    """``alpha = d log(lambda F_lambda) / d log(lambda)`` from 2 to 22 um and the Lada class; limits tell no class."""
    found = find_columns(table, columns)
    seds = seds_of(table, found, colour_correction=colour_correction)
    seds = deredden(seds, a_v, name=law) if a_v else seds
    line = index_fit(seds, _FIT, least=least)
    made = [*identity_of(table), *_told("alpha", line, f"through {_FIT}")]
    made.append(counts("alpha_bands", line.bands, "Bands that the line goes through"))
    by_name: dict[str, Index] = {"fit": line}
    for blue, red in _PAIRS:
        name = f"{blue}_{red}".lower()
        by_name[name] = index_between(seds, blue, red)
        made += _told(f"alpha_{name}", by_name[name], f"between {blue} and {red}")
    asked = by_name[by]
    made.append(texts("lada_class", classes(asked.alpha), f"I, flat, II or III by the index {by}"))
    sure = np.nanmax(np.nan_to_num(class_shares(asked), nan=-1.0), axis=1, initial=-1.0)
    about = "Share of the index's normal error that lies in this class"
    made.append(numbers("lada_share", np.where(sure < 0, np.nan, sure), "", about))
    return table_of(made, {"by": by, "a_v": a_v, "columns": dict(found.names)})


RECIPES: Final = (indices,)


def _told(name: str, index: Index, about: str) -> list[Any]:
    return [
        numbers(name, index.alpha, "", f"Spectral index {about}"),
        numbers(f"{name}_error", index.error, "", f"Error of {name}"),
    ]
