"""The client for one TAP service, as the tree and the cache see it."""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from armillary.errors import SourceFailed, UnknownProduct
from armillary.model import Product, Progress, Request, share
from armillary.model.kinds import check
from armillary.sources.http import Patience, open_client, shown
from armillary.sources.tap.answers import Asker, Mode
from armillary.sources.tap.capabilities import Capabilities
from armillary.sources.tap.fetching import bring, cut_request
from armillary.sources.tap.jobs import delete_job
from armillary.sources.tap.known import KNOWN
from armillary.sources.tap.login import login_of
from armillary.sources.tap.record import Record
from armillary.sources.tap.service import Query, Service, UploadTooLarge
from armillary.sources.tap.survey import ask_columns, survey
from armillary.sources.tap.tables import Column, Table, product_of
from armillary.sources.tap.votable import Overflow, Refused

if TYPE_CHECKING:
    import pyarrow as pa

_WEEK: Final = 7 * 86_400.0
_NS: Final = 10**9
_TRIES: Final = 6
#: A query may think so many times as long as any other question before its answer begins.
_LONGER: Final = 4
#: The most rows that are asked for where the service names no limit.
_MOST: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class TapSource:
    """A TAP service as a `Source`: cheap to make, safe to use from threads.

    Parameters
    ----------
    name : str
        Of the archive; the first segment of its products' paths.
    url : str
        Of the service, what comes before ``/sync``.
    state : Path
        Folder for what the service said about itself, and for answers on their way.
    max_age : float
        Seconds for which that is believed.
    patience : Patience
        How long to wait.
    """

    name: str
    url: str
    state: Path
    max_age: float = _WEEK
    patience: Patience = field(default_factory=Patience)

    def stamp(self) -> str:
        """Give a text that changes when the recorded inventory has changed; never through the network."""
        told = self._told()
        return str(told.get("digest") or f"nothing recorded of {shown(self.url)}")

    def inventory(self, progress: Progress) -> list[Product]:
        """List the tables: from the record while it is young, else from the service.

        A service that does not answer is replaced by the record, however old.

        Raises
        ------
        SourceDown, BadAnswer
            If it does not answer and nothing is recorded.
        """
        told = self._told()
        if not told or time.time_ns() - int(told["asked"]) > self.max_age * _NS:
            try:
                return self.refresh(progress)
            except SourceFailed as down:
                if not told:
                    raise
                progress(1.0, f"{down.problem}; using what was recorded")
        return self._listing()

    def refresh(self, progress: Progress) -> list[Product]:
        """List the tables after asking the service for all of it again."""
        with self._service() as service:
            progress(0.0, f"asking {shown(self.url)} what it can do")
            able = service.capabilities(progress)
            asker = Asker(service, self._record, able)
            found = survey(service, asker.small, share(progress, 0.1, 0.9))
        told: dict[str, Any] = {
            "url": self.url,
            "asked": time.time_ns(),
            "able": able.to_record(),
            "lazy": not found.columns,
        }
        told["digest"] = hashlib.sha256(
            repr([self.url, found.tables, sorted(found.columns.items())]).encode()
        ).hexdigest()
        self._record.keep_survey(told, found.tables, found.columns, time.time_ns())
        return self._listing()

    def columns(self, product: Product, progress: Progress) -> tuple[Column, ...]:
        """Give the columns of a table: from the record, else from the service."""
        known = self._record.columns(product.address)
        if known:
            return known
        with self._asker() as asker:
            return self._columns(asker, product.address, progress)

    def pages(self, product: Product, request: Request, progress: Progress, *, offline: bool = False) -> list[Request]:
        """Cut a request into requests that together are the same: each is fetched and kept by itself.

        What was cut stays so for a week, so that a download that was broken off goes on where it was.
        """
        key = hashlib.sha256(f"{product.version} {request.key}".encode()).hexdigest()
        known = self._record.pages(key, time.time_ns() - int(_WEEK) * _NS)
        if known is None:
            if offline:
                return [request]
            with self._asker() as asker:
                columns = self._columns(asker, product.address, share(progress, 0.0, 0.2))
                known = cut_request(asker, product, request, columns, share(progress, 0.2, 1.0))
            self._record.keep_pages(key, known, time.time_ns())
        if not known:
            return [request]
        return [replace(request, params={**request.params, "page": page}) for page in known]

    def fetch(self, product: Product, request: Request, progress: Progress) -> "pa.Table":
        """Bring the rows of one table.

        Raises
        ------
        BadRequest
            What the service says about the query.
        SourceDown, BadAnswer, DamagedFile
            Also where more rows are wanted than the service gives: an incomplete answer is none.
        """
        with self._asker() as asker:
            columns = self._columns(asker, product.address, share(progress, 0.0, 0.05))
            data = bring(asker, product, request, columns, share(progress, 0.05, 1.0))
        return check(product.kind, data, product.path)

    def query(
        self,
        text: str,
        progress: Progress,
        *,
        uploads: Mapping[str, bytes] | None = None,
        maxrec: int | None = None,
        mode: Mode = "auto",
    ) -> Iterator["pa.Table"]:
        """Ask a free query and give its answer in blocks.

        Raises
        ------
        UploadTooLarge
            If the service refuses the tables that are sent along for their size.
        BadRequest, BadAnswer, SourceDown, DamagedFile
            As `fetch`.
        """
        with self._asker() as asker:
            bound = maxrec or asker.capabilities.hard_rows or _MOST
            asked = Query(text=text, maxrec=bound, uploads=dict(uploads or {}))
            try:
                for block in asker.blocks(asked, progress, mode):
                    yield _promised(block)
            except UploadTooLarge:
                raise
            except (Overflow, Refused) as wrong:
                raise asker.told(wrong, asked) from None

    def capabilities(self) -> Capabilities:
        """Give what the service can do, as recorded."""
        told = self._told()
        return Capabilities.from_record(told["able"]) if told else Capabilities()

    def forget_jobs(self) -> int:
        """Delete the jobs that were left behind on the service, and give their number."""
        left = self._record.jobs_by_key()
        with self._service() as service:
            for key, url in left.items():
                delete_job(service, url)
                self._record.forget_job(key)
        return len(left)

    @property
    def _record(self) -> Record:
        return Record(self.state / "record.sqlite")

    def _told(self) -> dict[str, Any]:
        told = self._record.told()
        return told if told.get("url") == self.url else {}

    def _listing(self) -> list[Product]:
        known = KNOWN.get(self.name)
        citation = known.citation if known and known.url == self.url else ""
        # what was asked for later is not part of the inventory, which is the same until it is listed anew
        columns = {} if self._told().get("lazy") else self._record.all_columns()
        return [
            product_of(self.name, self.url, one, columns.get(one.name), citation)
            for one in _apart(self._record.tables())
        ]

    def _columns(self, asker: Asker, table: str, progress: Progress) -> tuple[Column, ...]:
        known = self._record.columns(table)
        if known is None:
            known = ask_columns(asker.service, asker.small, table, progress)
            self._record.keep_columns(table, known, time.time_ns())
        if not known:
            raise UnknownProduct(f"{table} is no longer at {self.name}", "refresh the archive")
        return known

    @contextmanager
    def _service(self) -> Iterator[Service]:
        login = login_of(self.name, self.url)
        long = replace(
            self.patience,
            read=self.patience.read * _LONGER,
            whole=self.patience.whole * _LONGER,
            tries=max(self.patience.tries, _TRIES),
        )
        with open_client(long) as client:
            yield Service(self.name, self.url, client, long, login, self.state)

    @contextmanager
    def _asker(self) -> Iterator[Asker]:
        with self._service() as service:
            told = self._told()
            able = Capabilities.from_record(told["able"]) if told else service.capabilities()
            yield Asker(service, self._record, able)


def _promised(block: "pa.Table") -> "pa.Table":
    """Give another name to a column ``time`` that is no instant: under that name a time is promised."""
    import pyarrow as pa

    is_time = "time" in block.column_names and pa.types.is_timestamp(block.schema.field("time").type)
    if is_time or "time" not in block.column_names:
        return block
    return block.rename_columns(["time_value" if name == "time" else name for name in block.column_names])


def _apart(tables: Sequence[Table]) -> list[Table]:
    """Leave out tables that are listed twice under one place."""
    from armillary.sources.tap.tables import place_of

    return list({place_of(one): one for one in tables}.values())
