"""A folder of real files is an archive: found, looked into once, then served by time and place."""

from armillary.sources.folder.source import FolderSource

__all__ = ["FolderSource"]
