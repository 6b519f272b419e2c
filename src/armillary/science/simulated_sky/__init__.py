"""A simulated sky as Gaia, 2MASS and AllWISE see it: eight classes in ten bands, with the truth beside it.

Every source depends on the seed, the mix of classes and its row alone: rows 900,000 to 900,100 are the same whether
they are made alone or among a million. Half of all rows are fainter than G = 19, as on the real sky, so that most of
them lack infrared bands.

::

    from armillary.science.simulated_sky import simulated_sky, simulated_truth

    sky, truth = simulated_sky(seed=1, start=0, stop=100_000), simulated_truth(1, 0, 100_000)
"""

from armillary.science.simulated_sky.bodies import CLASSES
from armillary.science.simulated_sky.columns import FLAT, TRUTH
from armillary.science.simulated_sky.sky import SHARES, Block, blocks, simulated_sky, simulated_truth

__all__ = ["CLASSES", "FLAT", "SHARES", "TRUTH", "Block", "blocks", "simulated_sky", "simulated_truth"]
