"""The client for one HAPI server, as the tree and the cache see it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from armillary.errors import BadExtent, SourceFailed, UnknownProduct
from armillary.model import Interval, Product, Progress, Request, format_time, share
from armillary.model.kinds import check
from armillary.model.times import NS_PER_SECOND
from armillary.sources.hapi.client import Dialect, Server
from armillary.sources.hapi.dataset import build
from armillary.sources.hapi.decode import Columns, concatenate, empty
from armillary.sources.hapi.info import Info, read_info
from armillary.sources.hapi.pieces import Question, bring, bring_end
from armillary.sources.hapi.products import coverage, read_address
from armillary.sources.hapi.record import Catalog, Entry, read_catalog, read_entry, write_entry
from armillary.sources.hapi.survey import listing, problems, survey
from armillary.sources.hapi.times import clock, read_duration
from armillary.sources.http import Patience, open_client, shown

if TYPE_CHECKING:
    import xarray as xr

_WEEK: Final = 7 * 86_400.0
#: Information younger than this is not asked for again when a request goes beyond the recorded coverage.
_FRESH: Final = 60 * NS_PER_SECOND


@dataclass(frozen=True, slots=True)
class HapiSource:
    """A HAPI server as a `Source`: cheap to make, safe to use from threads.

    Parameters
    ----------
    name : str
        Of the archive; the first segment of its products' paths.
    url : str
        Of the server, as a rule ending in ``/hapi``; a login in it is used and never shown or recorded.
    state : Path
        Folder for what the server said about itself.
    max_age : float
        Seconds for which that is believed.
    patience : Patience
        How long to wait.
    piece_bytes : int
        How many bytes one answer should have.
    """

    name: str
    url: str
    state: Path
    max_age: float = _WEEK
    patience: Patience = field(default_factory=Patience)
    piece_bytes: int = 20_000_000

    def stamp(self) -> str:
        """Give a text that changes when the recorded inventory has changed; never through the network."""
        catalog = self._recorded()
        return catalog.digest if catalog else f"nothing recorded of {shown(self.url)}"

    def inventory(self, progress: Progress) -> list[Product]:
        """List the products: from the record while it is young, else from the server.

        A server that does not answer is replaced by the record, however old. Datasets whose information fails are
        told in the progress and by `problems`.

        Raises
        ------
        SourceDown, BadAnswer
            If the server does not answer and nothing is recorded.
        """
        catalog = self._recorded()
        if catalog is None or clock() - catalog.asked > self.max_age * NS_PER_SECOND:
            catalog = self._survey(catalog, self.max_age, progress)
        return list(listing(self.name, self.state, catalog))

    def refresh(self, progress: Progress) -> list[Product]:
        """List the products after asking the server for all of it again.

        Raises
        ------
        SourceDown, BadAnswer
            If the server does not answer; the record stays as it is.
        """
        return list(listing(self.name, self.state, self._survey(None, 0.0, progress)))

    def problems(self) -> dict[str, str]:
        """Give the datasets of the record that cannot be used: id -> why."""
        catalog = self._recorded()
        return problems(self.state, catalog) if catalog else {}

    def fetch(self, product: Product, request: Request, progress: Progress) -> "xr.Dataset":
        """Bring the data of one product.

        Raises
        ------
        SourceDown, SourceFailed, BadAnswer, UnknownProduct, BadExtent
            As the server answers; see `armillary.sources.hapi.status`.
        """
        dataset, parameter = read_address(product.address)
        with open_client(self.patience) as client:
            server = Server(self.url, client, self.patience)
            question = self._question(server, dataset, parameter, product, request.extent.time)
            data = _bring(question, request.extent.time, product.coverage, progress)
        return check(product.kind, build(data, question.info, question.columns), product.path)

    def _recorded(self) -> Catalog | None:
        return read_catalog(self.state, shown(self.url))

    def _survey(self, before: Catalog | None, max_age: float, progress: Progress) -> Catalog:
        try:
            with open_client(self.patience) as client:
                return survey(Server(self.url, client, self.patience), self.state, max_age, progress)
        except SourceFailed as down:
            if before is None:
                raise
            progress(1.0, f"{down.problem}; using what was recorded {format_time(before.asked)}")
            return before

    def _question(
        self, server: Server, dataset: str, parameter: str, product: Product, span: Interval | None
    ) -> Question:
        catalog = self._recorded()
        dialect = Dialect(catalog.version, catalog.formats) if catalog else server.capabilities()
        info = self._info(server, dialect, dataset, span)
        try:
            columns = info.wanted(parameter)
        except KeyError:
            raise UnknownProduct(f"{product.path} is no longer on its server", "refresh the archive") from None
        return Question(
            server=server,
            dialect=dialect,
            dataset=dataset,
            info=info,
            columns=columns,
            all_columns=len(columns) == len(info.columns),
            piece_bytes=self.piece_bytes,
        )

    def _info(self, server: Server, dialect: Dialect, dataset: str, span: Interval | None) -> Info:
        """Give the recorded information; ask again if a request goes beyond its coverage, which may have grown."""
        entry = read_entry(self.state, shown(self.url), dataset)
        if entry and entry.info:
            info = read_info(entry.info, dataset)
            known = coverage(info, entry.asked)
            inside = not span or not known or (known.start <= span.start and span.stop <= known.stop)
            if inside or clock() - entry.asked < _FRESH:
                return info
        entry = Entry(dataset=dataset, asked=clock(), info=server.info(dialect, dataset))
        info = read_info(entry.info, dataset)
        write_entry(self.state, shown(self.url), entry)
        return info


def _bring(question: Question, asked: Interval | None, listed: Interval | None, progress: Progress) -> Columns:
    """Bring what lies in both the request and the coverage, and the record at its very end."""
    known = coverage(question.info, clock())
    span = asked or known or listed
    if span is None:
        raise BadExtent(f"{question.dataset!r} does not say its coverage", "give start and stop")
    inside = span & known if known else span
    end = _end(question.info, asked, known)
    main = bring(question, inside, share(progress, 0.0, 0.95 if end else 1.0)) if inside else empty(question.columns)
    if not end:
        return main
    return concatenate([main, bring_end(question, end, share(progress, 0.95, 1.0))], question.columns)


def _end(info: Info, asked: Interval | None, known: Interval | None) -> Interval | None:
    """Give the short time from ``stopDate`` on, which is that of the last record, if it was asked for."""
    if known is None:
        return None
    cadence = read_duration(info.text("cadence")) or 1.0
    end = Interval(known.stop, known.stop + max(int(cadence * NS_PER_SECOND), NS_PER_SECOND))
    return asked & end if asked else end
