"""One question to a service and its answer as tables, block by block: at once or by a job, whichever serves."""

import hashlib
import json
import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from armillary.errors import BadAnswer, BadRequest
from armillary.model import Progress, share
from armillary.sources.tap.capabilities import Capabilities
from armillary.sources.tap.jobs import job_answer
from armillary.sources.tap.record import Record
from armillary.sources.tap.refusals import explain
from armillary.sources.tap.service import Query, Service, UploadTooLarge, form_of
from armillary.sources.tap.votable import Overflow, Refused, read_votable

if TYPE_CHECKING:
    import pyarrow as pa

Mode = Literal["auto", "sync", "async"]
_LATE: Final = re.compile(r"time[d]?[ -]?out|took too long|exceed\w* .*(time|duration)|abort", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asker:
    """A service that is open, what is known of it, and the record."""

    service: Service
    record: Record
    capabilities: Capabilities

    def blocks(self, query: Query, progress: Progress, mode: Mode = "auto") -> Iterator["pa.Table"]:
        """Give the answer in blocks.

        Parameters
        ----------
        mode : "auto", "sync" or "async"
            "auto" asks at once, and by a job where the service has no time or too many rows for that.

        Raises
        ------
        Overflow, Refused, UploadTooLarge
            As the service says.
        SourceDown, BadAnswer, DamagedFile
        """
        if mode != "auto":
            yield from self._one(query, progress, by_job=mode == "async")
            return
        given = 0
        try:
            for block in self._one(query, progress, by_job=False):
                given += 1
                yield block
        except (Overflow, Refused) as wrong:
            if given or not (is_late(wrong) or isinstance(wrong, Overflow)):
                raise
        else:
            return
        yield from self._one(query, progress, by_job=True)

    def table(self, query: Query, progress: Progress, mode: Mode = "auto") -> "pa.Table":
        """Give the answer as a whole."""
        import pyarrow as pa

        try:
            blocks = list(self.blocks(query, progress, mode))
        except Overflow:
            if mode != "auto":
                raise
            blocks = list(self.blocks(query, progress, "async"))
        return pa.concat_tables(blocks) if len(blocks) > 1 else blocks[0]

    def small(self, text: str, maxrec: int, progress: Progress) -> "pa.Table":
        """Ask for something of TAP_SCHEMA, or a count."""
        return self.table(Query(text=text, maxrec=maxrec), progress)

    def told(self, wrong: Exception, query: Query) -> Exception:
        """Turn what the service says into an error of ours, with the place in the query."""
        if isinstance(wrong, Overflow):
            bound = f"more than {query.maxrec:,} rows" if query.maxrec else "more rows than the service gives"
            hint = "ask for less (--where, --cone, TOP), or more of it (--maxrec)"
            return BadAnswer(f"{self.service.name}: the answer has {bound} and would be incomplete", hint)
        if isinstance(wrong, UploadTooLarge):
            return BadRequest(f"{self.service.name} refuses the uploaded table: {wrong}", "upload fewer rows")
        return BadRequest(*explain(self.service.name, str(wrong), query.text, self.record))

    def _one(self, query: Query, progress: Progress, *, by_job: bool) -> Iterator["pa.Table"]:
        with self._answer(query, share(progress, 0.0, 0.9), by_job=by_job) as path:
            yield from read_votable(path, share(progress, 0.9, 1.0))

    def _answer(self, query: Query, progress: Progress, *, by_job: bool) -> AbstractContextManager[Path]:
        form = form_of(query, self.capabilities)
        if not by_job:
            return self.service.sync(query, form, progress)
        key = key_of(self.service.url, query)
        return job_answer(self.service, self.record, key, query, form, time.time_ns(), progress)


def is_late(wrong: Exception) -> bool:
    """Say whether a service had no time for a query, rather than nothing to say to it."""
    return isinstance(wrong, Refused) and bool(_LATE.search(str(wrong)))


def key_of(url: str, query: Query) -> str:
    """Give what tells questions apart, for the record of jobs; no login is in it."""
    uploads = {name: hashlib.sha256(octets).hexdigest() for name, octets in query.uploads.items()}
    told: list[Any] = [url, query.text, query.maxrec, uploads]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
