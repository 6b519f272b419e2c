"""Keys of one table of a study: which there are, and what kind of value each takes."""

from collections.abc import Mapping
from datetime import date
from math import inf
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

from armillary.errors import BadParameter

#: By how much the sum of shares may differ from 1.
SHARE_ERROR: Final = 1e-6
_WORDS: Final[dict[Any, str]] = {
    str: "a text", int: "a whole number", float: "a number", bool: "true or false", date: "a date",
    Any: "a value",
}  # fmt: skip


def check_keys(where: str, record: Mapping[str, Any], kinds: Mapping[str, Any], noun: str = "keys") -> None:
    """Check that a table has known keys only, and under each the kind of value that belongs there.

    Parameters
    ----------
    where : str
        Where the table stands, for messages.
    record : mapping
    kinds : mapping of str to type
        The types of the values, written as annotations: `str`, ``tuple[float, ...]``, ``Mapping[str, str]``,
        ``float | str``.
    noun : str
        What messages call the keys.

    Raises
    ------
    BadParameter

    Examples
    --------
    >>> check_keys("[split]", {"folds": 2.5}, {"folds": int})
    Traceback (most recent call last):
    armillary.errors.BadParameter: [split] folds = 2.5 must be a whole number. Next step: mend folds in [split]
    """
    unknown = sorted(str(one) for one in record if one not in kinds)
    if unknown:
        raise BadParameter(f"{where} does not know {unknown[0]!r}", f"its {noun} are {', '.join(sorted(kinds))}")
    for name, value in record.items():
        if not fits(value, kinds[name]):
            told = value if len(repr(value)) <= 60 else type(value).__name__
            raise BadParameter(f"{where} {name} = {told!r} must be {said(kinds[name])}", f"mend {name} in {where}")


def check_shares(shares: Mapping[str, float], *, whole: bool = False) -> None:
    """Check the shares of classes: none below 0, and together not above 1, or 1 if they are of all classes.

    Raises
    ------
    BadParameter

    Examples
    --------
    >>> check_shares({"quiet": 0.9, "storm": 0.9})
    Traceback (most recent call last):
    armillary.errors.BadParameter: the shares of the prior sum to 1.8. Next step: give shares of 0..1 that sum to 1
    """
    wrong = next((name for name, one in shares.items() if not 0 <= one < inf), None)
    if wrong is not None:
        raise BadParameter(f"[prior] {wrong} = {shares[wrong]:g} is no share", "give numbers from 0 to 1")
    total = sum(shares.values())
    if total > 1 + SHARE_ERROR or (whole and total < 1 - SHARE_ERROR):
        raise BadParameter(f"the shares of the prior sum to {total:.6g}", "give shares of 0..1 that sum to 1")


def fits(value: Any, kind: Any) -> bool:
    """Say whether a value is of a kind; lists and tuples are alike, and a text is never read as a list of letters.

    Examples
    --------
    >>> fits(["a"], tuple[str, ...]), fits("a", tuple[str, ...]), fits(True, int), fits(3, float)
    (True, False, False, True)
    """
    inner = get_args(kind)
    origin = get_origin(kind)
    if kind is Any:
        return True
    if origin in {UnionType, Union}:
        return any(fits(value, one) for one in inner)
    if origin is tuple:
        return isinstance(value, list | tuple) and all(fits(one, inner[0]) for one in value)
    if origin is not None:
        return isinstance(value, Mapping) and all(fits(one, inner[1]) for one in value.values())
    if kind in {int, float}:
        return isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
    return isinstance(value, kind)


def said(kind: Any) -> str:
    """Give a kind in words.

    Examples
    --------
    >>> said(tuple[str, ...]), said(float | str)
    ('a list, each a text', 'a number or a text')
    """
    inner = get_args(kind)
    if get_origin(kind) in {UnionType, Union}:
        return " or ".join(said(one) for one in inner)
    if get_origin(kind) is tuple:
        return f"a list, each {said(inner[0])}"
    return _WORDS.get(kind) or (f"a table, each {said(inner[1])}" if inner and inner[1] is not Any else "a table")
