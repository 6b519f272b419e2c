"""Prepares a database for DaCHS and tells it of tables in one process: ``dachs init``, then ``dachs imp`` for each.

It is run by the system's Python, which has DaCHS::

    python3 publishing.py DSN DESCRIPTOR...

The commands of their own would take three times as long, most of it to start Python and to read the same files.
"""

import os
import sys
from importlib import import_module


def main(database: str, descriptors: list[str]) -> None:
    """Do as the commands would; what goes wrong is told by the exit status."""
    os.umask(0o002)
    _command("gavo.user.initdachs", "dachs init", "-d", database)
    import_module("gavo.user.plainui").PlainUI(import_module("gavo.base").ui)
    for one in descriptors:
        _command("gavo.user.importing", "dachs imp", one)


def _command(module: str, *words: str) -> None:
    sys.argv = list(words)
    try:
        import_module(module).main()
    except SystemExit as ended:
        if ended.code:
            raise


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
