"""A real TAP server for tests: GAVO DaCHS over a private PostgreSQL, both of Debian.

::

    from armillary.testing.dachs import TapTable, missing, tap_server

    with tap_server({"gaiadr3.gaia_source": TapTable(rows, "Sources", "source_id")}) as server:
        server.url
"""

from armillary.testing.dachs.descriptor import TapTable, descriptor
from armillary.testing.dachs.server import PACKAGES, TapServer, missing, tap_server

__all__ = ["PACKAGES", "TapServer", "TapTable", "descriptor", "missing", "tap_server"]
