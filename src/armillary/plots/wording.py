"""How units, names and times are written beside a picture."""

import re
from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from armillary.model.times import format_time

if TYPE_CHECKING:
    from armillary.plots.view import View

_RAISED: Final = str.maketrans("0123456789+-\u2212", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_SAME: Final = {
    "#/cc": "cm⁻³", "#/cm3": "cm⁻³", "1/cc": "cm⁻³", "cc": "cm³",
    "none": "", "(none)": "", "unitless": "", "dimensionless": "", "n/a": "", "1": "", " ": "",
    "degrees": "°", "degree": "°", "deg": "°", "deg_c": "°C", "celsius": "°C",
    "re": "Rᴇ", "r_e": "Rᴇ", "micron": "µm", "um": "µm",
}  # fmt: skip
_POWER: Final = re.compile(r"(?<=[A-Za-zµ)])\s?(?:\^|\*\*)\s?(?:\{([+-]?\d+)\}|\(([+-]?\d+)\)|([+-]?\d+))")
_PLAIN_POWER: Final = re.compile(r"(?<![A-Za-z\d])(cm|km|mm|m|s|sr|keV|MeV|eV|kpc|pc)(-\d|[23])(?![A-Za-z\d.])")


def tidy_units(units: str) -> str:
    """Write units as a figure does: raised powers, known abbreviations, no words for "none".

    Examples
    --------
    >>> [tidy_units(one) for one in ("cm^-3", "km/s", "#/cc", "cm!E-3!N", "keV/(cm^2 s sr keV)", "unitless", "cm-3")]
    ['cm⁻³', 'km/s', 'cm⁻³', 'cm⁻³', 'keV/(cm² s sr keV)', '', 'cm⁻³']
    """
    text = " ".join(units.split())
    text = re.sub(r"!E([+-]?\d+)!N", r"^\1", text)
    text = re.sub(r"!\w", "", text)
    if text.lower() in _SAME:
        return _SAME[text.lower()]
    text = _POWER.sub(lambda m: next(part for part in m.groups() if part).lstrip("+").translate(_RAISED), text)
    return _PLAIN_POWER.sub(lambda m: m[1] + m[2].translate(_RAISED), text)


def tidy_label(text: object) -> str:
    """Write a name as a figure does: spaces for underscores, no codes of IDL.

    Examples
    --------
    >>> [tidy_label(name) for name in ("DEF_omni", "flux!Ccorrected", None)]
    ['DEF omni', 'flux corrected', '']
    """
    plain = re.sub(r"![A-Z]", " ", str(text or "")).replace("_", " ")
    return " ".join(plain.split())


def log_label(value: float) -> str:
    """Write a mark of a short logarithmic axis.

    Examples
    --------
    >>> [log_label(value) for value in (0.2, 50.0, 4e-6, 1e7)]
    ['0.2', '50', '4·10⁻⁶', '10⁷']
    """
    if 1e-3 <= value < 1e5:
        return f"{value:g}"
    front, power = f"{value:.0e}".split("e")
    raised = str(int(power)).translate(_RAISED)
    return f"10{raised}" if front == "1" else f"{front}·10{raised}"


def shared_label(labels: Sequence[str]) -> str:
    """Give what the labels of components have in common if they differ in one letter only, else nothing.

    Examples
    --------
    >>> shared_label(["Vx GSE", "Vy GSE", "Vz GSE"]), shared_label(["x", "y", "z"]), shared_label(["N", "T para"])
    ('V GSE', '', '')
    """
    if len(labels) < 2 or len({len(label) for label in labels}) > 1:
        return ""
    differ = [len(set(letters)) > 1 for letters in zip(*labels, strict=True)]
    if sum(differ) != 1:
        return ""
    return "".join(letter for letter, other in zip(labels[0], differ, strict=True) if not other).strip(" _-")


def describe(view: "View") -> str:
    """Say in words what a picture shows."""
    parts = [view.title] if view.title else []
    if view.has_time:
        parts.append(f"{format_time(view.start)} to {format_time(view.stop)}")
    for number, panel in enumerate(view.panels, 1):
        colour = f", colour {panel.colour.text}" if panel.colour else ""
        legend = f" ({', '.join(panel.labels[:8])})" if panel.labels else ""
        parts.append(f"panel {number}: {panel.kind} of {panel.y.text or panel.title}{legend}{colour}")
    if view.bands:
        parts.append(f"{len(view.bands)} events")
    return "; ".join(parts)


def fold(text: str, width: int) -> str:
    r"""Fold a text into at most two lines; what does not fit is left out with its whole bracket.

    Examples
    --------
    >>> fold("Particle flow direction (unit vector in RTN) of each pixel", 20)
    'Particle flow\ndirection …'
    """
    lines = wrap(text, width)
    if len(lines) <= 2:
        return "\n".join(lines)
    kept = " ".join(lines[:2])
    for opening, closing in ("()", "[]"):
        if kept.count(opening) > kept.count(closing):
            kept = kept[: kept.rindex(opening)].rstrip()
    return "\n".join(wrap(f"{kept} …", width)[:2])
