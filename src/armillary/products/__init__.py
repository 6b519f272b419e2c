"""From a request to data: `plan` says what is needed, `make` and `blocks` do it."""

from armillary.products.make import MissingPartsWarning, Workshop, blocks, is_empty, lazy_blocks, make
from armillary.products.plan import Cost, Plan, Step, plan

__all__ = [
    "Cost",
    "MissingPartsWarning",
    "Plan",
    "Step",
    "Workshop",
    "blocks",
    "is_empty",
    "lazy_blocks",
    "make",
    "plan",
]
