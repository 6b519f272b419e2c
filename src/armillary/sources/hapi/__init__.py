"""A HAPI server (https://hapi-server.org, versions 2.0 to 3.3) is an archive."""

from armillary.sources.hapi.source import HapiSource

__all__ = ["HapiSource"]
