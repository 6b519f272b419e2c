"""The client of the simulated observatory: it answers as a real archive does, without any network."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from armillary.errors import BadRequest, UnknownProduct
from armillary.missions.simulated.listing import GENERATOR, leaves
from armillary.model import Archive, Data, Product, Progress, Request

_SEED: Final = re.compile(r"(?:seed=)?(\d{1,18})")


class Observatory:
    """A source whose data are computed when they are asked for.

    Parameters
    ----------
    archive : Archive
        Its address is ``seed=N``; another seed is another world. Empty is ``seed=1``.
    state : Path
        Not used: nothing is kept.

    Examples
    --------
    >>> one = Observatory(Archive(name="simulated", protocol="", address="seed=1"), Path())
    >>> next(iter(one.inventory())).path
    'simulated/wind/b_gse'
    """

    def __init__(self, archive: Archive, state: Path) -> None:
        self._name = archive.name
        self._seed = read_seed(archive.address)
        self._state = state

    @property
    def name(self) -> str:
        """Name of the archive."""
        return self._name

    def stamp(self) -> str:
        """Give a text that changes with the seed and the generator."""
        return f"{GENERATOR}.{self._seed}"

    def inventory(self, progress: Progress | None = None) -> Iterable[Product]:
        """List the products."""
        if progress:
            progress(1.0, "simulated")
        return leaves(self._name, self._seed)

    def fetch(self, product: Product, request: Request, progress: Progress) -> Data:
        """Compute the data of a request: O(what is asked for), the same bits in any larger answer.

        Raises
        ------
        UnknownProduct
            If the observatory has no such product.
        """
        make = _maker(product)
        data = make(self._seed, product, request, progress)
        progress(1.0, product.path)
        return data


def read_seed(address: str) -> int:
    """Read ``seed=N``.

    Raises
    ------
    BadRequest
        If it is something else.

    Examples
    --------
    >>> read_seed("seed=42"), read_seed("")
    (42, 1)
    """
    found = _SEED.fullmatch(address.strip() or "seed=1")
    if found is None:
        raise BadRequest(f"the simulated observatory has no address {address!r}", "write seed=N with a whole number")
    return int(found[1])


_Maker = Callable[[int, Product, Request, Progress], Any]


def _maker(product: Product) -> _Maker:
    found = _MAKERS.get(product.address) or _MAKERS.get(product.address.partition("/")[0])
    if found is None or not product.address.partition("/")[2]:
        raise UnknownProduct(f"the simulated observatory has no {product.address!r}", "look at `armillary tree`")
    return found


def _timed(module: str, name: str) -> _Maker:
    """Give a maker that needs the time alone; its module is loaded when it is first used."""

    def make(seed: int, product: Product, request: Request, progress: Progress) -> Any:
        from importlib import import_module

        made = getattr(import_module(f"armillary.missions.simulated.{module}"), name)
        return made(seed, product, request.extent.time, progress)

    return make


def _map(seed: int, product: Product, request: Request, progress: Progress) -> Any:
    from armillary.missions.simulated.maps import cut, raster

    return cut(raster(seed, product, request.extent, progress), request.extent)


def _stars(seed: int, product: Product, request: Request, progress: Progress) -> Any:
    from armillary.missions.simulated.star_field import table
    from armillary.science.trim import trim

    extent = request.extent.only("box", "cone", "rows")
    rows = int(product.read_params(dict(request.params))["n"] or 0)
    found = table(seed, rows, extent, progress, truth=product.address.endswith("truth"))
    return trim(found, extent.only("box", "cone"))


def _sky(seed: int, product: Product, request: Request, progress: Progress) -> Any:
    from armillary.missions.simulated.whole_sky import table

    rows = int(product.read_params(dict(request.params))["n"] or 0)
    extent = request.extent.only("box", "cone", "rows")
    return table(seed, rows, extent, progress, truth=product.address.endswith("truth"))


_MAKERS: Final[dict[str, _Maker]] = {
    "wind": _timed("datasets", "wind"),
    "wind/truth/icme": _timed("truths", "icmes"),
    "wind/truth/shocks": _timed("truths", "shocks"),
    "sentry": _timed("datasets", "sentry"),
    "sentry/b_gse": _timed("datasets", "field"),
    "sentry/ion_omni": _timed("datasets", "omni"),
    "sentry/ion_skymap": _timed("datasets", "skymap"),
    "sentry/truth/crossings": _timed("truths", "boundary_crossings"),
    "sky": _sky,
    "stars": _stars,
    "tile": _map,
    "instrument": _timed("datasets", "housekeeping"),
    "instrument/packets": _timed("datasets", "packets"),
    "instrument/spectrum": _timed("datasets", "spectrum"),
    "instrument/truth/anomalies": _timed("truths", "anomalies"),
}
