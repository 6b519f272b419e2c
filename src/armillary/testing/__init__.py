"""Contract tests, given away to who writes a source or a mission.

::

    from armillary.testing import MissionContract, SourceContract

    class TestBeaconSource(SourceContract):
        archive = MISSION.archives[0]

    class TestBeacon(MissionContract):
        door = "beacon:MISSION"

pytest collects the subclasses; nothing here needs pytest itself. See docs/write-a-mission.md.
"""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from armillary.testing.mission_contract import MissionContract
    from armillary.testing.source_contract import SourceContract

_HOMES: Final = {
    "MissionContract": "armillary.testing.mission_contract",
    "SourceContract": "armillary.testing.source_contract",
}

__all__ = ["MissionContract", "SourceContract"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOMES:
        msg = f"module 'armillary.testing' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_HOMES[name]), name)
