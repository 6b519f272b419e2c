"""The simulated observatory keeps the contracts that we give away."""

from armillary.missions.simulated import MISSION
from armillary.testing import MissionContract, SourceContract


class TestObservatory(SourceContract):
    archive = MISSION.archives[0]
    per_kind = 2


class TestSimulated(MissionContract):
    door = "armillary.missions.simulated:MISSION"
    per_kind = 1
