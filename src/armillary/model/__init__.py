"""The nouns: frozen values, their checks and the protocols between rooms. No I/O happens here."""

from armillary.model.extent import Box, Cone, Extent, Interval, Rows
from armillary.model.mission import Archive, EventClass, Mission, Query
from armillary.model.product import Parameter, Product
from armillary.model.protocols import Data, Progress, Source, share, silent
from armillary.model.recipe import Fits, Recipe, recipe
from armillary.model.request import Request, Scalar, read_extent
from armillary.model.times import format_time, parse_time

__all__ = [
    "Archive",
    "Box",
    "Cone",
    "Data",
    "EventClass",
    "Extent",
    "Fits",
    "Interval",
    "Mission",
    "Parameter",
    "Product",
    "Progress",
    "Query",
    "Recipe",
    "Request",
    "Rows",
    "Scalar",
    "Source",
    "format_time",
    "parse_time",
    "read_extent",
    "recipe",
    "share",
    "silent",
]
