"""A predicate as SQL over the rows of the store: constant text, every value bound.

A part of a predicate may have several families of types at once (a text may also be a time, an attribute may be a
number in one catalogue and a text in another), so each part is a table from family to SQL; a comparison is made between
the families that fit and is unknown, as SQL's NULL, for rows of another family.
"""

import sqlite3
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from armillary.errors import BadPredicate, BadTime
from armillary.model import parse_time
from armillary.model.predicate import Literal, Name, Node, Operation, parse

if TYPE_CHECKING:
    from collections.abc import Callable

#: SQL text and its bound values.
Sql: TypeAlias = tuple[str, list[Any]]
_Part: TypeAlias = dict[str, Sql]

_FIELDS: Final[dict[str, tuple[str, str]]] = {
    "id": ("text", "e.id"),
    "start": ("time", "e.start"),
    "stop": ("time", "e.stop"),
    "duration": ("number", "((e.stop - e.start) / 1e9)"),
    "ra": ("number", "e.ra"),
    "dec": ("number", "e.dec"),
    "source_id": ("text", "e.source_id"),
    "class": ("text", "e.class"),
    "class_": ("text", "e.class"),
    "tags": ("list", "e.tags"),
    "author": ("text", "e.author"),
    "model": ("text", "e.model"),
    "model_version": ("text", "e.model_version"),
    "rating": ("number", "e.rating"),
    "version": ("number", "e.version"),
    "created": ("time", "e.created"),
    "modified": ("time", "e.modified"),
}
_FAMILY: Final = {"int": "number", "float": "number", "bool": "bool", "str": "text", "time": "time", "list": "list"}
_FITS: Final = (("number", "number"), ("bool", "bool"), ("number", "bool"), ("bool", "number"), ("text", "text"),
                ("time", "time"))  # fmt: skip
_DEEPEST: Final = 200


def where_sql(connection: sqlite3.Connection, text: str, *, lenient: bool = False) -> Sql:
    """Translate a predicate into a condition on the row ``e`` of ``entry``.

    Parameters
    ----------
    connection : sqlite3.Connection
        Asked for the types of the attributes.
    text : str
        See `armillary.model.predicate`; columns are the fields of a row, ``duration`` in seconds and its attributes.
    lenient : bool
        Take an unknown name as always missing, as a dynamic catalogue must before its first row comes.

    Raises
    ------
    BadPredicate
        If it is not understood, names an unknown column or compares things that do not fit.
    """
    names = _Names(connection, lenient=lenient)
    return _truth(_compile(parse(text), names, 0))


def attribute_filters(connection: sqlite3.Connection, text: str) -> list[Sql]:
    """Give queries for the keys of rows that can match at all, one for each attribute compared with a constant.

    Only comparisons that must hold for the whole predicate to hold count; the predicate itself must be asked too.
    """
    names = _Names(connection, lenient=False)
    return [_keys_of(node, names) for node in _conjuncts(parse(text)) if _is_attribute_filter(node)]


def _conjuncts(node: Node) -> list[Node]:
    found, waiting = [], [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Operation) and one.operator == "and":
            waiting += one.parts
        else:
            found.append(one)
    return found


def _is_attribute_filter(node: Node) -> bool:
    if not isinstance(node, Operation) or node.operator not in {"=", "<", "<=", ">", ">="}:
        return False
    left, right = node.parts
    return isinstance(left, Name) and left.name not in _FIELDS and isinstance(right, Literal)


def _keys_of(node: Node, names: "_Names") -> Sql:
    """Ask the index for the entries whose own value compares so; a list is left to the predicate."""
    if not isinstance(node, Operation) or not isinstance(node.parts[0], Name):
        raise TypeError(node)
    keys = names.keys(node.parts[0].name)
    compared = [*_compile(node.parts[1], names, 0).values()]
    either = " OR ".join(f"value {node.operator} {sql}" for sql, _ in compared)
    sql = f"SELECT entry FROM attribute WHERE name IN ({_marks(keys)}) AND ({either})"
    lists = names.keys(node.parts[0].name, "list")
    sql += f" UNION ALL SELECT entry FROM attribute WHERE name IN ({_marks(lists)})" if lists else ""
    return sql, [*keys, *_bound(compared), *lists]


class _Names:
    """What the names in a predicate stand for."""

    def __init__(self, connection: sqlite3.Connection, *, lenient: bool) -> None:
        self._connection = connection
        self._lenient = lenient

    def part(self, name: str) -> _Part:
        if name in _FIELDS:
            family, sql = _FIELDS[name]
            return {family: (sql, [])}
        found = self._connection.execute("SELECT type, key FROM name WHERE name = ?", (name,)).fetchall()
        if found:
            return _attribute_part(found)
        if self._lenient:
            return {family: ("NULL", []) for family in set(_FAMILY.values())}
        known = [row[0] for row in self._connection.execute("SELECT DISTINCT name FROM name ORDER BY name LIMIT 40")]
        raise BadPredicate(f"there is no column {name!r}", f"there are: {', '.join([*_FIELDS, *known])}")

    def keys(self, name: str, *types: str) -> list[Any]:
        """Give the keys of an attribute, of some types or of all."""
        found = self._connection.execute("SELECT type, key FROM name WHERE name = ?", (name,)).fetchall()
        return [key for type_, key in found if not types or type_ in types]


def _attribute_part(found: list[tuple[str, int]]) -> _Part:
    keys: dict[str, list[Any]] = {}
    for type_, key in found:
        keys.setdefault(_FAMILY[type_], []).append(key)
    return {
        family: (f"(SELECT value FROM attribute WHERE name IN ({_marks(some)}) AND entry = e.key)", some)
        for family, some in keys.items()
    }


def _marks(values: list[Any]) -> str:
    return ", ".join("?" * len(values))


def _compile(node: Node, names: _Names, depth: int) -> _Part:
    if depth > _DEEPEST:
        raise BadPredicate(f"the predicate chains more than {_DEEPEST} parts", "use name IN (...) for many values")
    if isinstance(node, Name):
        return names.part(node.name)
    if isinstance(node, Literal):
        return _literal(node.value)
    parts = [_compile(part, names, depth + 1) for part in node.parts]
    return _operation(node, parts)


def _literal(value: str | float) -> _Part:
    if isinstance(value, bool):
        return {"bool": ("?", [int(value)])}
    if not isinstance(value, str):
        return {"number": ("?", [_fitting(value)])}
    try:
        return {"text": ("?", [value]), "time": ("?", [parse_time(value)])}
    except BadTime:
        return {"text": ("?", [value])}


def _fitting(value: float) -> float:
    """Give whole numbers that SQLite cannot hold as floats."""
    return float(value) if abs(value) >= 1 << 63 else value


def _operation(node: Operation, parts: list[_Part]) -> _Part:
    rules: dict[str, Callable[[str, list[_Part]], Sql]] = {
        "and": _logic, "or": _logic, "not": _negate, "null": _null, "in": _membership, "like": _likeness,
    }  # fmt: skip
    if node.operator in {"+", "-", "*", "/"}:
        return {"number": _arithmetic(node.operator, parts)}
    return {"bool": rules.get(node.operator, _comparison)(node.operator, parts)}


def _truth(part: _Part) -> Sql:
    for family in ("bool", "number"):
        if family in part:
            return part[family]
    raise BadPredicate("the predicate uses a text, time or list as true or false", "compare it with something")


def _logic(operator: str, parts: list[_Part]) -> Sql:
    (a, bound_a), (b, bound_b) = map(_truth, parts)
    return f"({a} {operator.upper()} {b})", [*bound_a, *bound_b]


def _negate(_operator: str, parts: list[_Part]) -> Sql:
    sql, bound = _truth(parts[0])
    return f"(NOT {sql})", bound


def _null(_operator: str, parts: list[_Part]) -> Sql:
    each = list(parts[0].values())
    return "(" + " AND ".join(f"{sql} IS NULL" for sql, _ in each) + ")", _bound(each)


def _bound(parts: list[Sql]) -> list[Any]:
    return [value for _, bound in parts for value in bound]


def _comparison(operator: str, parts: list[_Part]) -> Sql:
    left, right = parts
    made = [_pair(operator, left[a], right[b]) for a, b in _FITS if a in left and b in right]
    if operator in {"=", "!="}:
        made += _in_list(operator, left, right) + _in_list(operator, right, left)
    return _first_known(made, f"{_families(left)} cannot be compared by {operator} with {_families(right)}")


def _pair(operator: str, left: Sql, right: Sql) -> Sql:
    return f"({left[0]} {operator} {right[0]})", [*left[1], *right[1]]


def _in_list(operator: str, left: _Part, right: _Part) -> list[Sql]:
    item = right.get("text") or right.get("number") or right.get("bool")
    if "list" not in left or item is None:
        return []
    sql, bound = _any_item(left["list"], f"value = {item[0]}", item[1])
    return [(f"({'NOT ' if operator == '!=' else ''}{sql})", bound)]


def _any_item(part: Sql, condition: str, more: list[Any]) -> Sql:
    sql, bound = part
    found = f"EXISTS (SELECT 1 FROM json_each({sql}) WHERE {condition})"
    return f"(CASE WHEN {sql} IS NOT NULL THEN {found} END)", [*bound, *bound, *more]


def _membership(_operator: str, parts: list[_Part]) -> Sql:
    left, *choices = parts
    made = []
    for family in ("number", "bool", "text", "time"):
        fitting = [one[b] for one in choices for a, b in _FITS if a == family and b in one]
        if family in left and fitting:
            listed = ", ".join(sql for sql, _ in fitting)
            made.append((f"({left[family][0]} IN ({listed}))", [*left[family][1], *_bound(fitting)]))
    if "list" in left:
        items = [one.get("text") or one.get("number") or one.get("bool") for one in choices]
        some = [one for one in items if one]
        made.append(_any_item(left["list"], f"value IN ({', '.join(sql for sql, _ in some)})", _bound(some)))
    return _first_known(made, f"{_families(left)} cannot be found in that list")


def _likeness(_operator: str, parts: list[_Part]) -> Sql:
    left, shape = parts[0], parts[1]["text"]
    made = [_pair("LIKE", left[family], shape) for family in ("text", "number") if family in left]
    if "list" in left:
        made.append(_any_item(left["list"], f"value LIKE {shape[0]}", shape[1]))
    return _first_known(made, f"{_families(left)} cannot be compared by LIKE")


def _arithmetic(operator: str, parts: list[_Part]) -> Sql:
    if operator == "-" and all("time" in part and "number" not in part for part in parts):
        sql, bound = _pair("-", parts[0]["time"], parts[1]["time"])
        return f"({sql} / 1e9)", bound
    if not all("number" in part for part in parts):
        raise BadPredicate(f"{operator} needs numbers on both sides", "write it like: b_max / b_mean > 2")
    (a, bound_a), (b, bound_b) = (part["number"] for part in parts)
    whole = " * 1.0" if operator == "/" else ""
    return f"({a}{whole} {operator} {b})", [*bound_a, *bound_b]


def _first_known(made: list[Sql], problem: str) -> Sql:
    if not made:
        raise BadPredicate(f"the predicate compares things that do not fit: {problem}", "look at the types of columns")
    if len(made) == 1:
        return made[0]
    return f"COALESCE({', '.join(sql for sql, _ in made)})", _bound(made)


def _families(part: _Part) -> str:
    return "a " + " or ".join(sorted(part))
