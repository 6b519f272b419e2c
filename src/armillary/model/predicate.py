"""The ``where`` language: a small, safe subset of SQL predicates, read once into values that every store can translate.

::

    rating >= 3 AND class IN ('icme', 'shock') AND NOT reviewed
    b_total BETWEEN 10 AND 20 OR title LIKE '%cloud%' OR error IS NULL
    parallax / parallax_error > 10

Names are columns (quoted "like this" if they are not plain words); texts stand in single quotes. Comparisons with a
missing value are false, as in SQL.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from armillary.errors import BadPredicate

_HINT: Final = "write it like: rating >= 3 AND class IN ('icme', 'shock') AND error IS NOT NULL"
_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    |(?P<text>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")+")
    |(?P<word>[A-Za-z_][A-Za-z0-9_.:]*)
    |(?P<mark><=|>=|<>|!=|==|=|<|>|\(|\)|,|\+|-|\*|/)
    )""",
    re.VERBOSE,
)
_KEYWORDS: Final = {"and", "or", "not", "in", "between", "like", "is", "null", "true", "false"}
_COMPARISONS: Final = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_DEEPEST: Final = 50


@dataclass(frozen=True, slots=True)
class Name:
    """A column."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a text, true or false."""

    value: str | int | float | bool


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator on parts: ``+ - * /``, ``= != < <= > >=``, ``and or not``, ``in``, ``like``, ``null``."""

    operator: str
    parts: tuple["Node", ...]


Node: TypeAlias = Name | Literal | Operation


def parse(text: str) -> Node:
    """Read a predicate.

    Raises
    ------
    BadPredicate
        Naming the place that is not understood.

    Examples
    --------
    >>> parse("b > 10")
    Operation(operator='>', parts=(Name(name='b'), Literal(value=10)))
    """
    tokens = _Tokens(text)
    node = _either(tokens)
    if tokens.now != ("end", ""):
        raise tokens.surprise()
    return node


def names(node: Node) -> frozenset[str]:
    """Give all columns that a predicate reads.

    Examples
    --------
    >>> sorted(names(parse("a > 1 AND b / a < 2")))
    ['a', 'b']
    """
    if isinstance(node, Name):
        return frozenset({node.name})
    if isinstance(node, Literal):
        return frozenset()
    return frozenset().union(*(names(part) for part in node.parts))


def mask(node: Node, columns: Mapping[str, Any]) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Say for every row whether the predicate holds.

    Parameters
    ----------
    node : Node
        What :func:`parse` gave.
    columns : mapping of str to 1-D array
        Columns of equal length; NaN, NaT and None are missing.

    Returns
    -------
    ndarray of bool, shape (rows,)

    Raises
    ------
    BadPredicate
        If a column does not exist or types cannot be compared.

    Examples
    --------
    >>> mask(parse("b > 1 AND NOT bad"), {"b": np.array([1.0, 2.0, np.nan]), "bad": np.array([False, False, True])})
    array([False,  True, False])
    """
    for name in sorted(names(node)):
        if name not in columns:
            raise BadPredicate(f"there is no column {name!r}", f"it has: {', '.join(map(str, columns))}")
    try:
        with np.errstate(all="ignore"):
            value, known = _evaluate(node, columns)
            rows = len(next(iter(columns.values()))) if columns else 0
            return np.broadcast_to(np.asarray(value, bool) & known, (rows,)).copy()
    except (TypeError, ValueError) as broken:
        raise BadPredicate(f"the predicate compares things that do not fit: {broken}", _HINT) from None


class _Tokens:
    """A look-ahead of one over the words of a predicate."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._all = self._split(text)
        self._depth = 0
        self.now = next(self._all)

    def _split(self, text: str) -> Iterator[tuple[str, str]]:
        at, end = 0, len(text.rstrip())
        while at < end:
            match = _TOKEN.match(text, at)
            if match is None:
                raise BadPredicate(f"{text[at:].strip()[:30]!r} in the predicate is not understood", _HINT)
            at = match.end()
            kind = str(match.lastgroup)
            word = match[kind]
            keyword = kind == "word" and word.lower() in _KEYWORDS
            yield ("keyword", word.lower()) if keyword else (kind, word)
        while True:
            yield ("end", "")

    def take(self) -> tuple[str, str]:
        taken, self.now = self.now, next(self._all)
        return taken

    def accept(self, *words: str) -> str:
        """Take the next token if it is one of these keywords or marks."""
        if self.now[0] in {"keyword", "mark"} and self.now[1] in words:
            return self.take()[1]
        return ""

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise self.surprise()

    def deeper(self, step: int) -> None:
        self._depth += step
        if self._depth > _DEEPEST:
            raise BadPredicate(f"the predicate is nested more than {_DEEPEST} deep", "write it simpler")

    def surprise(self) -> BadPredicate:
        what = repr(self.now[1]) if self.now[1] else "the end"
        return BadPredicate(f"{what} was not expected in the predicate {self._text!r}", _HINT)


def _either(tokens: _Tokens) -> Node:
    node = _both(tokens)
    while tokens.accept("or"):
        node = Operation("or", (node, _both(tokens)))
    return node


def _both(tokens: _Tokens) -> Node:
    node = _negation(tokens)
    while tokens.accept("and"):
        node = Operation("and", (node, _negation(tokens)))
    return node


def _negation(tokens: _Tokens) -> Node:
    if tokens.accept("not"):
        tokens.deeper(1)
        node = Operation("not", (_negation(tokens),))
        tokens.deeper(-1)
        return node
    return _comparison(tokens)


def _comparison(tokens: _Tokens) -> Node:
    left = _sum(tokens)
    if tokens.now[0] == "mark" and tokens.now[1] in _COMPARISONS:
        return Operation(_COMPARISONS[tokens.take()[1]], (left, _sum(tokens)))
    if tokens.accept("is"):
        negated = bool(tokens.accept("not"))
        tokens.expect("null")
        return _maybe_not(Operation("null", (left,)), negated)
    negated = bool(tokens.accept("not"))
    word = tokens.accept("in", "between", "like")
    if word:
        return _maybe_not({"in": _membership, "between": _range, "like": _likeness}[word](tokens, left), negated)
    if negated:
        raise tokens.surprise()
    return left


def _maybe_not(node: Node, negated: bool) -> Node:
    return Operation("not", (node,)) if negated else node


def _membership(tokens: _Tokens, left: Node) -> Node:
    tokens.expect("(")
    choices = [_sum(tokens)]
    while tokens.accept(","):
        choices.append(_sum(tokens))
    tokens.expect(")")
    return Operation("in", (left, *choices))


def _range(tokens: _Tokens, left: Node) -> Node:
    low = _sum(tokens)
    tokens.expect("and")
    return Operation("and", (Operation(">=", (left, low)), Operation("<=", (left, _sum(tokens)))))


def _likeness(tokens: _Tokens, left: Node) -> Node:
    shape = _atom(tokens)
    if not (isinstance(shape, Literal) and isinstance(shape.value, str)):
        raise tokens.surprise()
    return Operation("like", (left, shape))


def _sum(tokens: _Tokens) -> Node:
    node = _term(tokens)
    while sign := tokens.accept("+", "-"):
        node = Operation(sign, (node, _term(tokens)))
    return node


def _term(tokens: _Tokens) -> Node:
    node = _atom(tokens)
    while sign := tokens.accept("*", "/"):
        node = Operation(sign, (node, _atom(tokens)))
    return node


def _atom(tokens: _Tokens) -> Node:
    if tokens.accept("("):
        tokens.deeper(1)
        node = _either(tokens)
        tokens.expect(")")
        tokens.deeper(-1)
        return node
    if tokens.accept("-"):
        tokens.deeper(1)
        node = _atom(tokens)
        tokens.deeper(-1)
        negative = isinstance(node, Literal) and isinstance(node.value, int | float)
        return Literal(-node.value) if negative else Operation("-", (Literal(0), node))  # type: ignore[union-attr,operator]
    if word := tokens.accept("true", "false"):
        return Literal(word == "true")
    return _leaf(tokens)


def _leaf(tokens: _Tokens) -> Node:
    kind, word = tokens.now
    if kind not in {"number", "text", "quoted", "word"}:
        raise tokens.surprise()
    tokens.take()
    if kind == "number":
        return Literal(int(word) if word.isdigit() else float(word))
    if kind == "text":
        return Literal(word[1:-1].replace("''", "'"))
    return Name(word[1:-1].replace('""', '"') if kind == "quoted" else word)


#: A value and where it is known: SQL's three-valued logic in two arrays.
_Known: TypeAlias = tuple[Any, Any]


def _evaluate(node: Node, columns: Mapping[str, Any]) -> _Known:
    if isinstance(node, Literal):
        return node.value, np.True_
    if isinstance(node, Name):
        values = np.asarray(columns[node.name])
        return values, ~_missing(values)
    return _operate(node.operator, [_evaluate(part, columns) for part in node.parts])


def _operate(operator: str, parts: list[_Known]) -> _Known:
    if operator in {"and", "or", "not"}:
        return _logic(operator, parts)
    if operator == "null":
        return ~np.asarray(parts[0][1]), np.True_
    if operator == "like":
        return _like(parts[0], str(parts[1][0]))
    if operator == "in":
        return _logic_many([_compare("=", parts[0], choice) for choice in parts[1:]])
    return _compare(operator, parts[0], parts[1])


def _missing(values: Any) -> Any:
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind in "mM":
        return np.isnat(values)
    if values.dtype.kind == "O":
        return np.array([one is None or (isinstance(one, float) and one != one) for one in values], bool)  # noqa: PLR0124 - NaN
    return np.zeros(values.shape, bool)


def _logic(operator: str, parts: list[_Known]) -> _Known:
    truths = [(np.asarray(value, bool) & known, known) for value, known in parts]
    if operator == "not":
        value, known = truths[0]
        return ~value, known
    (a, known_a), (b, known_b) = truths
    if operator == "and":
        return a & b, (known_a & known_b) | (known_a & ~a) | (known_b & ~b)
    return a | b, (known_a & known_b) | a | b


def _logic_many(parts: list[_Known]) -> _Known:
    found = parts[0]
    for one in parts[1:]:
        found = _logic("or", [found, one])
    return found


def _compare(operator: str, left: _Known, right: _Known) -> _Known:
    (a, known_a), (b, known_b) = left, right
    a, b = _alike(a, b), _alike(b, a)
    known = known_a & known_b
    if np.asarray(a).dtype.kind == "O" or np.asarray(b).dtype.kind == "O":
        return _compare_objects(operator, a, b, known), known
    return _OPERATORS[operator](a, b), known


def _compare_objects(operator: str, a: Any, b: Any, known: Any) -> Any:
    rows_a, rows_b, rows_known = np.broadcast_arrays(np.asarray(a, object), np.asarray(b, object), known)
    found = np.zeros(rows_a.shape, object if operator in "+-*/" else bool)
    for at in np.flatnonzero(rows_known):
        found[at] = _OPERATORS[operator](rows_a[at], rows_b[at])
    return found


def _alike(value: Any, other: Any) -> Any:
    """Read a text as a time where it is compared with times."""
    if isinstance(value, str) and np.asarray(other).dtype.kind == "M":
        return np.datetime64(value.removesuffix("Z"), "ns")
    return value


def _like(left: _Known, shape: str) -> _Known:
    parts = ["." if c == "_" else ".*" if c == "%" else re.escape(c) for c in shape]
    wanted = re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
    value, known = left
    rows = np.atleast_1d(np.asarray(value, object))
    return np.array([bool(wanted.fullmatch(str(one))) for one in rows], bool), known


_OPERATORS: Final[dict[str, Any]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}
