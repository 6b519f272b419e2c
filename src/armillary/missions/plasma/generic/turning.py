"""The frames that vectors are in, as their data tell, and the way from one to another; never a guess."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from armillary.errors import BadData
from armillary.missions.plasma.generic.reading import craft_of, frame_of, main_of
from armillary.model import Parameter
from armillary.science.coordinates.frames import FRAMES, frame_named, transform

if TYPE_CHECKING:
    import xarray as xr

    from armillary.science.plasma import Array

#: A name's part that tells its frame: ``b_gse``, ``BGSEc``, ``XYZ_GSM``. MAG is no such part: it means magnetometer.
_TELLS: Final = re.compile(
    r"(?:[BVEXR]|XYZ|POS)?(GSE|GSM|GEI|GEO|J2000|TOD|SM|RTN|LMN|DBCS|DMPA|BCS|DSL|ISR2|SCS|SSL)C?"
)

#: What to do where nobody tells a frame.
UNDECLARED: Final = Parameter(
    name="undeclared", type="str", default="refuse", choices=("refuse", "accept"),
    description="What to do with vectors whose frame nothing tells: refuse them, or take them to be in the frame that "
    "they are needed in",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of vectors.

    Parameters
    ----------
    name : str
        One of `armillary.science.coordinates.frames.FRAMES`, the name of a spacecraft's own frame in capitals, or ""
        if nothing tells it.
    craft : str
        Whose frame it is, "" if that is not known or makes no difference.
    """

    name: str
    craft: str = ""

    def is_same(self, other: "Frame") -> bool:
        """Say whether vectors in the one are vectors in the other.

        Frames of a spacecraft's own are those of that spacecraft only. DBCS, DMPA and DSL of MMS are taken for one
        another; DSL of THEMIS is not.

        Examples
        --------
        >>> Frame("DSL", "MMS1").is_same(Frame("DBCS")), Frame("DSL", "THA").is_same(Frame("DBCS", "MMS1"))
        (True, False)
        """
        one, two = _despun(self), _despun(other)
        return bool(one) and one == two and (one in FRAMES or _is_same_craft(self.craft, other.craft))

    def __str__(self) -> str:
        """Give the name for a message."""
        of = f" of {self.craft}" if self.craft and self.name not in FRAMES else ""
        return f"{self.name}{of}" if self.name else "no known frame"


def frame_told(data: "xr.Dataset") -> Frame:
    """Give the frame that the metadata of vectors tell, else their name, else the words of their title.

    Examples
    --------
    >>> import xarray as xr
    >>> time = np.array(["2020-01-01"], "datetime64[ns]")
    >>> frame_told(xr.Dataset({"b_gsm": (("time", "xyz"), np.ones((1, 3)))}, {"time": time}))
    Frame(name='GSM', craft='')
    """
    main = _main(data)
    told = frame_of(data) or ("" if main is None else _in_name(str(main.name)) or _in_words(main))
    parts = [one.strip() for one in told.split(">")]
    name = next(filter(None, map(frame_named, parts)), parts[0].upper())
    if name == "GEI" and main is not None and "J2000" in _words(main):
        # Archives call both by one name, and tell only in words that the equinox is that of J2000.
        name = "J2000"
    return Frame(name, "" if name in FRAMES else craft_of(data))


def turned_into(
    target: Frame, source: Frame, vectors: "Array", time: "Array", name: str, *, undeclared: str = "refuse",
    beside: "xr.Dataset | None" = None,
) -> "Array":  # fmt: skip
    """Turn vectors of one frame into another.

    Parameters
    ----------
    target, source : Frame
        As `frame_told` gives them.
    vectors : array, shape (t, 3)
        At these times, any units.
    time : array of datetime64[ns], shape (t,)
        UTC.
    name : str
        What they are called in messages.
    undeclared : str
        As `UNDECLARED`.
    beside : Dataset, optional
        A skymap in the target frame, whose matrices ``to_gse`` and ``to_rtn`` lead there.

    Raises
    ------
    BadData
        If one of the frames is not told, or there is no way from the one to the other.
    """
    if not (target.name and source.name):
        if undeclared == "accept":
            return vectors
        lacks = f"the frame of {name}" if target.name else f"the frame that {name} is needed in"
        knows = f"{target}, where it is needed" if target.name else f"{source}, that of {name}"
        raise BadData(f"nothing tells {lacks}{f', only {knows}' if target.name or source.name else ''}",
                      "choose products that tell their frames, or give undeclared=accept if you know it is one"
                      )  # fmt: skip
    if source.is_same(target):
        return vectors
    if source.name in FRAMES and target.name in FRAMES:
        return transform(vectors, time, source.name, target.name)
    found = _by_matrices(source, vectors, time, beside)
    if found is None:
        needs = "a position" if {source.name, target.name} & {"RTN", "LMN"} else "a matrix"
        raise BadData(f"{name} is in {source}, which cannot be turned into {target}",
                      f"choose a product in {target}; in_frame can turn one if you give it {needs}")  # fmt: skip
    return found


def _is_same_craft(one: str, other: str) -> bool:
    """Say whether two names may be those of one spacecraft: PSP and PSP_FLD, C1 and Cluster-1, THA and nobody's."""
    first, second = (re.sub(r"[^A-Z0-9]", "", name.upper()) for name in (one, other))
    if not (first and second) or first.startswith(second) or second.startswith(first):
        return True
    return first[0] == second[0] and first[-1] == second[-1]


def _despun(frame: Frame) -> str:
    """Give one name to the despun frames of MMS, which differ by 0.1 to 0.2 degrees."""
    mms = frame.name == "DMPA" or (frame.name == "DSL" and frame.craft.startswith("MMS"))
    return "DBCS" if mms else frame.name


def _by_matrices(source: Frame, vectors: "Array", time: "Array", beside: "xr.Dataset | None") -> "Array | None":
    if beside is None:
        return None
    if source.name in FRAMES and "to_gse" in beside:
        matrix, vectors = "to_gse", transform(vectors, time, source.name, "GSE")
    elif source.name == "RTN" and "to_rtn" in beside:
        matrix = "to_rtn"
    else:
        return None
    return np.asarray(np.einsum("tji,tj->ti", beside[matrix].to_numpy(), vectors))


def _main(data: "xr.Dataset") -> "xr.DataArray | None":
    for components in (1, 2):
        try:
            return main_of(data, components)
        except BadData:
            continue
    return None


def _in_name(name: str) -> str:
    parts = (_TELLS.fullmatch(part.upper()) for part in reversed(re.split(r"[^A-Za-z0-9]+", name)))
    return next((one[1] for one in parts if one), "")


def _in_words(main: "xr.DataArray") -> str:
    found = _words(main) & {"GSE", "GSM", "GEI", "GEO", "J2000"}
    return found.pop() if len(found) == 1 else ""


def _words(main: "xr.DataArray") -> set[str]:
    texts = (str(main.attrs.get(name, "")) for name in ("long_name", "CATDESC", "FIELDNAM", "LABLAXIS"))
    return set(re.split(r"[^A-Za-z0-9]+", " ".join(texts)))
