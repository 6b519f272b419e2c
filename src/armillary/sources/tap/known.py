"""Archives that are known by a short name."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final
from urllib.parse import urlsplit

from armillary.errors import BadRequest
from armillary.model import Archive
from armillary.sources.connect import check_url, name_from_url


@dataclass(frozen=True, slots=True)
class Known:
    """An archive, its address and what to cite when its data are used."""

    name: str
    url: str
    title: str
    citation: str = ""


KNOWN: Final = {
    one.name: one
    for one in (
        Known("gaia", "https://gea.esac.esa.int/tap-server/tap", "ESA Gaia archive",
              "ESA/Gaia/DPAC; Gaia Collaboration et al. 2016, A&A 595, A1; 2023, A&A 674, A1"),
        Known("vizier", "https://tapvizier.cds.unistra.fr/TAPVizieR/tap", "VizieR of the CDS, Strasbourg",
              "Ochsenbein et al. 2000, A&AS 143, 23 (VizieR, doi:10.26093/cds/vizier); and the catalogue's own paper"),
        Known("irsa", "https://irsa.ipac.caltech.edu/TAP", "NASA/IPAC Infrared Science Archive",
              "NASA/IPAC Infrared Science Archive; and the doi of the table's mission"),
        Known("csa", "https://csa.esac.esa.int/csa-sl-tap/tap", "ESA Cluster Science Archive",
              "Laakso et al. 2010, The Cluster Active Archive, p. 3; and the instrument's own paper"),
    )
}  # fmt: skip


def tap_archive(address: str, taken: Iterable[str] = (), name: str = "") -> Archive:
    """Make the archive of a TAP service from its URL or the short name of a known one.

    Raises
    ------
    BadRequest
        If it is neither, or has a login in it.
    """
    known = KNOWN.get(address.strip().lower()) or next((one for one in KNOWN.values() if one.url == address), None)
    if known is None and "/" not in address:
        close = get_close_matches(address.lower(), KNOWN, 1)
        hint = f"did you mean {close[0]}? " if close else f"known by name: {', '.join(KNOWN)}; "
        raise BadRequest(f"{address!r} is neither the URL of a TAP service nor a known name", f"{hint}else give a URL")
    url = known.url if known else _checked(address)
    wanted, used = name or (known.name if known else name_from_url(url)), set(taken)
    free = next(one for n in range(1, len(used) + 2) if (one := wanted if n == 1 else f"{wanted}-{n}") not in used)
    return Archive(name=name or free, protocol="tap", address=url, title=known.title if known else "")


def _checked(address: str) -> str:
    if "@" in urlsplit(address).netloc:
        hint = "leave it out and set ARMILLARY_TAP_<NAME>_USER and ARMILLARY_TAP_<NAME>_PASSWORD"
        raise BadRequest("the URL of a TAP service has a login in it", hint)
    url = check_url(address)
    for end in ("/sync", "/async", "/capabilities", "/tables"):
        url = url.removesuffix(end)
    return url
