"""A recipe is a plain function from products to a product; what it declares is checked when it is defined."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, Final

from armillary.model.product import Parameter, Product

_HOLE: Final = re.compile(r"\{(\w+)\}")
#: A template that begins so fits at any place of the tree.
_ANYWHERE: Final = "**/"
#: Holes of a generic recipe: what of its input a text may name.
_OF_INPUT: Final = ("input", "title", "name", "units")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """What a leaf must be like to be the input of a generic recipe, wherever it hangs.

    Parameters
    ----------
    kinds : tuple of str
        One of these kinds.
    shapes : tuple of tuple of int
        One of these sizes after time; empty for any.
    units : tuple of str
        One of these units, capitals and blanks apart; empty for any.
    axes : tuple of str
        Words that must each stand in what the leaf says of an axis of its own (`Product.axes`), in any order, capitals
        apart; empty for any. A leaf that does not know its axes does not fit then.
    columns : tuple of tuple of str
        Of each of these groups one must be the name or the UCD of a column of the table, capitals apart; empty for any.

    Examples
    --------
    >>> field = Product(path="a/b", title="B", kind="series", units="nT", shape=(3,))
    >>> Fits(kinds=("series",), shapes=((3,),), units=("nT", "T")).match(field)
    True
    >>> flux = Product(path="a/f", title="F", kind="plane", axes=("PITCH_ANGLE", "E Energy"))
    >>> [Fits(kinds=("plane",), axes=axes).match(flux) for axes in (("energy", "pitch"), ("energy", "phase"))]
    [True, False]
    >>> stars = Product(path="a/s", title="S", kind="sources", columns=("ra", "dec", "Jmag phot.mag;em.IR.J"))
    >>> [Fits(kinds=("sources",), columns=(names,)).match(stars) for names in (("j_m", "jmag"), ("hmag",))]
    [True, False]
    """

    kinds: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...] = ()
    units: tuple[str, ...] = ()
    axes: tuple[str, ...] = ()
    columns: tuple[tuple[str, ...], ...] = ()

    def match(self, leaf: Product) -> bool:
        """Say whether a leaf fits."""
        units = {_plain(one) for one in self.units}
        return (
            leaf.kind in self.kinds
            and (not self.shapes or leaf.shape in self.shapes)
            and (not units or _plain(leaf.units) in units)
            and _has_axes(leaf.axes, self.axes)
            and _has_columns(leaf.columns, self.columns)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one product, or one family of products, is made.

    Parameters
    ----------
    output : str
        Path of what it makes; ``{name}`` stands for one segment that the inputs have in common. For a generic recipe
        ``{input}/segment``: it appears under every leaf that fits.
    inputs : mapping of str to str or Fits
        The function's argument -> path of a product, with the same ``{name}`` holes. A template that begins with
        ``**/`` fits at any place, its dataset in any spelling (``MMS1_FGM_SRVY_L2`` as ``mms1/fgm/srvy/l2``).
        A `Fits` as the first and only input makes the recipe generic.
    function : callable
        Takes the inputs' data by these argument names and the parameters by keyword, gives data of `kind`.
        A parameter of type "product" arrives as data, or as None if it was left empty.
    title, kind, units, description, citation : str
        As in `Product`; title and description may use the holes too, and a generic recipe's title and units
        ``{title}``, ``{name}`` and ``{units}`` of its input.
    optional : tuple of str
        Inputs that need not be there; the function is given None for them. Never the first one.
    parameters : tuple of Parameter
        Its knobs.
    block : str
        Dimension along which the work may be cut ("time", "row", "y"), empty if it needs all at once.
    pad : float or str
        Seconds of context needed on both sides of a block cut in time, or the name of a parameter that says so.
    shape : tuple of int, optional
        As in `Product`. A generic recipe that keeps the kind and the units (``{units}``) keeps the shape too if it says
        nothing else.
    axes : tuple of str
        As in `Product`, kept as the shape is.
    cadence : str
        Name of the parameter that says how many seconds lie between two samples; empty if it is as the first input's.
    sizes : tuple of str
        Parameters that say how many values there are along each dimension after time: ("size", "size") for a square
        plane. Work is cut so that such answers fit into memory; empty if they are no larger than the input.
    """

    output: str
    inputs: Mapping[str, str | Fits] = field(hash=False)
    function: Callable[..., Any]
    title: str
    kind: str
    units: str = ""
    description: str = ""
    citation: str = ""
    optional: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    block: str = ""
    pad: float | str = 0.0
    shape: tuple[int, ...] | None = None
    axes: tuple[str, ...] = ()
    cadence: str = ""
    sizes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wanted = {*self.inputs, *(one.name for one in self.parameters)}
        has = set(inspect.signature(self.function).parameters)
        if not self.inputs or wanted != has:
            msg = f"recipe {self.output!r} declares {sorted(wanted)} but its function takes {sorted(has)}"
            raise TypeError(msg)
        _check_texts(self)
        _check_names(self)

    @property
    def generic(self) -> Fits | None:
        """What its input must be like, if it is a generic recipe."""
        first = next(iter(self.inputs.values()))
        return first if isinstance(first, Fits) else None

    def match(self, path: str) -> dict[str, str] | None:
        """Give what fills the holes if `path` fits the first input, else None; a generic recipe fits no path."""
        first = next(iter(self.inputs.values()))
        if isinstance(first, Fits):
            return None
        found = pattern(first).fullmatch(canonical(path) if first.startswith(_ANYWHERE) else path)
        return found.groupdict() if found else None


def recipe(output: str, **declared: Any) -> Callable[[Callable[..., Any]], Recipe]:
    """Turn a function into a `Recipe`; the keywords are those of `Recipe`.

    Raises
    ------
    TypeError
        When the module is imported, if the declaration and the function's arguments differ.

    Examples
    --------
    >>> @recipe("toy/{craft}/double", inputs={"b": "toy/{craft}/b"}, title="Twice b", kind="series", block="time")
    ... def double(b):
    ...     return 2 * b
    >>> double.match("toy/mms1/b")
    {'craft': 'mms1'}
    """

    def build(function: Callable[..., Any]) -> Recipe:
        text = inspect.getdoc(function) or ""
        return Recipe(output=output, function=function, **{"description": text, **declared})

    return build


def fill(template: str, holes: Mapping[str, str]) -> str:
    """Put values into the ``{name}`` holes of a template."""
    return _HOLE.sub(lambda hole: holes.get(hole[1], hole[0]), template)


def canonical(path: str) -> str:
    """Write a path so that the spellings of a dataset's name are one: small letters, ``/`` for ``_`` before the leaf.

    Examples
    --------
    >>> canonical("cdaweb/MMS1_FGM_SRVY_L2@0/mms1_fgm_b_gse_srvy_l2")
    'cdaweb/mms1/fgm/srvy/l2/mms1_fgm_b_gse_srvy_l2'
    """
    place, slash, leaf = path.rpartition("/")
    return re.sub(r"@\d+(?=/|$)", "", place).replace("_", "/").lower() + slash + leaf.lower()


def pattern(template: str) -> re.Pattern[str]:
    """Give the expression that a path must match to fit a template; a hole that comes again must be the same again."""
    begin, template = (r"(?:.*/)?", canonical_template(template)) if template.startswith(_ANYWHERE) else ("", template)
    parts = _HOLE.split(template)
    seen: set[str] = set()
    texts = []
    for i, part in enumerate(parts):
        texts.append(re.escape(part) if i % 2 == 0 else f"(?P={part})" if part in seen else f"(?P<{part}>[^/]+?)")
        seen |= {part} if i % 2 else set()
    return re.compile(begin + "".join(texts))


def canonical_template(template: str) -> str:
    """Give a template without ``**/``, its fixed text as `canonical` writes paths."""
    place, slash, leaf = template.removeprefix(_ANYWHERE).rpartition("/")
    return _outside_holes(place, lambda text: text.replace("_", "/").lower()) + slash + _outside_holes(leaf, str.lower)


def _outside_holes(template: str, change: Callable[[str], str]) -> str:
    parts = _HOLE.split(template)
    return "".join(change(part) if i % 2 == 0 else f"{{{part}}}" for i, part in enumerate(parts))


def _check_texts(made: Recipe) -> None:
    given = [one for one in made.inputs.values() if isinstance(one, str)]
    if made.generic and (len(made.inputs) > 1 or not made.output.startswith("{input}/")):
        msg = f"recipe {made.output!r} is generic: it has one input, and its output begins with {{input}}/"
        raise TypeError(msg)
    known = {*_OF_INPUT} if made.generic else set(_HOLE.findall(" ".join(given)))
    if set(_HOLE.findall(made.output)) - known:
        msg = f"recipe {made.output!r} has a hole that no input fills"
        raise TypeError(msg)


def _check_names(made: Recipe) -> None:
    knobs = {one.name for one in made.parameters}
    named = [name for name in (made.pad, made.cadence, *made.sizes) if isinstance(name, str) and name]
    wrong = [name for name in named if name not in knobs] + [name for name in made.optional if name not in made.inputs]
    if wrong or next(iter(made.inputs)) in made.optional:
        msg = f"recipe {made.output!r} names {wrong or list(made.optional)}, which it does not have or cannot spare"
        raise TypeError(msg)


def _has_axes(told: tuple[str, ...], words: tuple[str, ...]) -> bool:
    known = [one.lower() for one in told]
    wanted = [one.lower() for one in words]
    return any(all(map(str.__contains__, order, wanted)) for order in permutations(known, len(wanted)))


def _has_columns(told: tuple[str, ...], groups: tuple[tuple[str, ...], ...]) -> bool:
    if not groups:
        return True
    known = {word for one in told for word in (one.lower(), *one.lower().rsplit(" ", 1))}
    return all(any(name.lower() in known for name in group) for group in groups)


def _plain(units: str) -> str:
    return units.replace(" ", "").replace("**", "^").lower()
