"""A recipe is a plain function from products to a product; what it declares is checked when it is defined."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from armillary.model.product import Parameter

_HOLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one product, or one family of products, is made.

    Parameters
    ----------
    output : str
        Path of what it makes; ``{name}`` stands for one segment that the inputs have in common.
    inputs : mapping of str to str
        The function's argument -> path of a product, with the same ``{name}`` holes.
    function : callable
        Takes the inputs' data by these argument names and the parameters by keyword, gives data of `kind`.
    title, kind, units, description, citation : str
        As in `Product`; title and description may use the holes too.
    parameters : tuple of Parameter
        Its knobs.
    block : str
        Dimension along which the work may be cut ("time", "row", "y"), empty if it needs all at once.
    pad : float
        Seconds of context needed on both sides of a block cut in time.
    """

    output: str
    inputs: Mapping[str, str] = field(hash=False)
    function: Callable[..., Any]
    title: str
    kind: str
    units: str = ""
    description: str = ""
    citation: str = ""
    parameters: tuple[Parameter, ...] = ()
    block: str = ""
    pad: float = 0.0

    def __post_init__(self) -> None:
        wanted = {*self.inputs, *(one.name for one in self.parameters)}
        has = set(inspect.signature(self.function).parameters)
        if not self.inputs or wanted != has:
            msg = f"recipe {self.output!r} declares {sorted(wanted)} but its function takes {sorted(has)}"
            raise TypeError(msg)
        holes = set(_HOLE.findall(self.output))
        if holes - set(_HOLE.findall(" ".join(self.inputs.values()))):
            msg = f"recipe {self.output!r} has a hole that no input fills"
            raise TypeError(msg)

    def match(self, path: str) -> dict[str, str] | None:
        """Give what fills the holes if `path` fits the first input, else None."""
        found = pattern(next(iter(self.inputs.values()))).fullmatch(path)
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


def pattern(template: str) -> re.Pattern[str]:
    """Give the expression that a path must match to fit a template."""
    parts = _HOLE.split(template)
    texts = [re.escape(part) if i % 2 == 0 else f"(?P<{part}>[^/]+)" for i, part in enumerate(parts)]
    return re.compile("".join(texts))
