"""Packages for archives' own platforms: a folder that ESA Datalabs or any Docker host can build and offer."""

from armillary.services.datalab.about import About
from armillary.services.datalab.package import Content, make_package

__all__ = ["About", "Content", "make_package"]
