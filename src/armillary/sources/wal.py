"""SQLite files in WAL mode that several processes may open, and make, at the same moment."""

import sqlite3
import time
from typing import Final

_PAUSE: Final = 0.01


def use_wal(db: sqlite3.Connection, patience: float = 30.0) -> None:
    """Switch a file to WAL if it is not there yet.

    SQLite does not wait for its busy timeout here: of several processes that make one file, all but one are told
    that it is locked. So the switch is tried again for `patience` seconds.

    Raises
    ------
    sqlite3.OperationalError
        If the file stays locked.
    """
    end = time.monotonic() + patience
    while True:
        try:
            if db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as broken:
            if broken.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(_PAUSE)
        else:
            return
