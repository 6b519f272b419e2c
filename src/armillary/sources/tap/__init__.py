"""A TAP service (IVOA Table Access Protocol 1.0 and 1.1) is an archive; its tables are products."""

from armillary.sources.tap.source import TapSource

__all__ = ["TapSource"]
