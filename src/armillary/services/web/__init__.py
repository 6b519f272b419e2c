"""The web workbench: routes over the desk, and the page that uses them."""

from armillary.services.web.app import build_app
from armillary.services.web.server import serve

__all__ = ["build_app", "serve"]
