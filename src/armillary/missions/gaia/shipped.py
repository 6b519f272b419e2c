"""The queries that the mission ships, and their knobs."""

from pathlib import Path
from typing import Final

from armillary.model import Parameter, Query

_FOLDER: Final = Path(__file__).parent / "queries"
_CONDITIONS: Final = "WHERE\n"
#: The uploaded table comes first, so that long uploads can be sent in parts.
_UPLOADED: Final = (
    "FROM gaiadr3.gaia_source AS g",
    "FROM TAP_UPLOAD.mine AS u\nJOIN gaiadr3.gaia_source AS g ON g.source_id = u.source_id",
)


def _number(
    name: str, description: str, units: str = "", low: float | None = None, high: float | None = None
) -> Parameter:
    return Parameter(name=name, type="float", default=None, low=low, high=high, units=units, description=description)


_TEXT: Final = (_FOLDER / "photometry.adql").read_text("utf-8")
_PLACE: Final = (
    _number("ra", "middle of a circle on the sky", "deg", 0, 360),
    _number("dec", "middle of a circle on the sky", "deg", -90, 90),
    _number("radius", "of the circle", "deg", 0, 90),
    _number("west", "least right ascension", "deg", 0, 360),
    _number("east", "largest right ascension; use where for a box across 0", "deg", 0, 360),
    _number("south", "least declination", "deg", -90, 90),
    _number("north", "largest declination", "deg", -90, 90),
    Parameter(
        name="first", type="int", default=None, low=0, description="first random_index: a fair sample of the sky"
    ),
    Parameter(name="stop", type="int", default=None, low=1, description="random_index after the last one"),
)
_CUTS: Final = (
    _number("bright", "G magnitude of the brightest", "mag"),
    _number("faint", "G magnitude of the faintest", "mag"),
    _number("parallax_least", "least parallax", "mas"),
    _number("parallax_most", "largest parallax", "mas"),
    _number("parallax_over_error", "least parallax over error"),
    Parameter(name="where", type="str", default=None,
              description="ADQL condition on columns of g (Gaia), t (2MASS), w (AllWISE), tn, wn (their matches)"),
)  # fmt: skip

QUERIES: Final = (
    Query(
        name="photometry", archive="gaia", text=_TEXT, parameters=(*_PLACE, *_CUTS),
        title="Gaia DR3 with 2MASS and AllWISE: ten bands, errors, flags",
        description="Five joins by identifier. Give a circle, a box, a range of random_index or another condition.",
    ),
    Query(
        name="photometry_of_ids", archive="gaia",
        text=_TEXT.partition(_CONDITIONS)[0].replace(*_UPLOADED),
        title="The same for a list: --upload mine=FILE with a column source_id",
        description="Long lists are sent in parts.",
    ),
)  # fmt: skip
