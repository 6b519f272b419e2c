"""Armillary: one workbench for the data of space missions.

>>> import armillary as arm
>>> sorted(arm.__all__)[:4]
['Archive', 'ArmillaryError', 'Box', 'Cone']
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from armillary.errors import ArmillaryError
    from armillary.model import (
        Archive,
        Box,
        Cone,
        Extent,
        Interval,
        Mission,
        Parameter,
        Product,
        Recipe,
        Request,
        recipe,
    )
    from armillary.services.desk import Desk, open  # noqa: A004 - arm.open reads well
    from armillary.sources import write

__version__: Final = "0.1.0"

#: Where each public name lives; it is imported when it is first asked for, so that `import armillary` stays light.
_HOMES: Final = {
    "Archive": "armillary.model",
    "ArmillaryError": "armillary.errors",
    "Box": "armillary.model",
    "Cone": "armillary.model",
    "Desk": "armillary.services.desk",
    "Extent": "armillary.model",
    "Interval": "armillary.model",
    "Mission": "armillary.model",
    "Parameter": "armillary.model",
    "Product": "armillary.model",
    "Recipe": "armillary.model",
    "Request": "armillary.model",
    "open": "armillary.services.desk",
    "recipe": "armillary.model",
    "write": "armillary.sources",
}

__all__ = [
    "Archive",
    "ArmillaryError",
    "Box",
    "Cone",
    "Desk",
    "Extent",
    "Interval",
    "Mission",
    "Parameter",
    "Product",
    "Recipe",
    "Request",
    "open",
    "recipe",
    "write",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module 'armillary' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
