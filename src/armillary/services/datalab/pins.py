"""The versions that a package was made with: those of this very installation."""

import sys
from importlib.metadata import PackageNotFoundError, distribution, version
from typing import TYPE_CHECKING, Final

from armillary.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.requirements import Requirement

#: What a notebook server needs beside Armillary; none of it is installed here.
JUPYTER: Final = ("ipykernel==7.4.0", "jupyter-server-proxy==4.6.0", "jupyterlab==4.6.6")


def python_version() -> str:
    """Give the Python of this installation, as images and environments are named: the pins are for it."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def requirements(extras: "Sequence[str]") -> list[str]:
    """Give what is to be installed, each with its version."""
    return [f"armillary[{','.join(sorted(extras))}]=={version('armillary')}", *JUPYTER]


def pins(extras: "Sequence[str]") -> list[str]:
    """Give ``name==version`` of everything that Armillary with these extras needs, as it is installed here.

    Raises
    ------
    MissingExtra
        If something of it is not installed: its version would be a guess.
    """
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [("armillary", extra) for extra in ("", *extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        found[name] = _version(name, extras)
        for one in _needs(name, extra):
            waiting += [(_plain(one.name), more) for more in ("", *sorted(one.extras))]
    found.pop("armillary", None)
    return [f"{name}=={found[name]}" for name in sorted(found)]


def _needs(name: str, extra: str) -> "list[Requirement]":
    from packaging.requirements import Requirement

    wanted = [Requirement(text) for text in distribution(name).requires or ()]
    return [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": extra})]


def _version(name: str, extras: "Sequence[str]") -> str:
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        what = f"armillary[{','.join(extras)}]"
        raise MissingExtra(f"versions cannot be pinned: {name} is not installed", f"pip install '{what}'") from None


def _plain(name: str) -> str:
    from packaging.utils import canonicalize_name

    return str(canonicalize_name(name))
