"""Progress of requests that a page waits for, and stopping them."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from armillary.errors import Cancelled
from armillary.model import Progress

_MOST: Final = 500


@dataclass(slots=True)
class Ticket:
    """How far one request is."""

    fraction: float = 0.0
    message: str = ""
    stopped: bool = False
    done: bool = False

    def tell(self, fraction: float, message: str = "") -> None:
        """Note how far it is; a `Progress`.

        Raises
        ------
        Cancelled
            If the page has stopped it.
        """
        if self.stopped:
            raise Cancelled("this request was stopped", "ask again; what was finished is kept")
        self.fraction, self.message = fraction, message or self.message


@dataclass(frozen=True, slots=True)
class Tickets:
    """The requests that pages wait for now, by the number that the page chose."""

    _known: OrderedDict[str, Ticket] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, number: str) -> Ticket:
        """Give a ticket; page and request may come in any order. The oldest are forgotten, nameless ones at once."""
        if not number:
            return Ticket()
        with self._lock:
            ticket = self._known.setdefault(number, Ticket())
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
            return ticket

    @contextmanager
    def working(self, number: str) -> Iterator[Progress]:
        """Give the progress of a request; its ticket is done in the end, however that comes."""
        ticket = self.get(number)
        try:
            yield ticket.tell
        finally:
            ticket.done = True

    def stop_all(self) -> None:
        """Stop everything that somebody waits for."""
        with self._lock:
            for ticket in self._known.values():
                ticket.stopped = True
