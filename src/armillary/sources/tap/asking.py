"""From a request to ADQL: columns, cone, box, predicate and rows of one table.

Nothing the user wrote is sent as it is: every name is one of the table's columns and every value a literal of ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from armillary.errors import BadExtent, BadParameter, BadPredicate
from armillary.model import Box, Cone, Extent
from armillary.model import predicate as where_language
from armillary.model.predicate import Literal, Name, Node, Operation
from armillary.sources.tap.tables import Column, Naming, quoted, quoted_table

_SIGNS: Final = {"!=": "<>"}
_FREE: Final = "ask freely with `armillary adql`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which columns and rows of one table are wanted.

    Parameters
    ----------
    chosen : tuple of Column
        In the order of the answer.
    tests : tuple of str
        ADQL conditions that all must hold.
    top : int
        At most so many rows, 0 for all.
    order : str
        The column to sort by, or nothing.
    """

    table: str
    naming: Naming
    chosen: tuple[Column, ...]
    tests: tuple[str, ...] = ()
    top: int = 0
    order: str = ""

    @property
    def names(self) -> list[str]:
        """What the columns of the answer are called."""
        return [self.naming.given[one.bare] for one in self.chosen]

    @property
    def row_bytes(self) -> int:
        """About how many octets a row takes."""
        return sum(one.octets for one in self.chosen)

    def text(self) -> str:
        """Write the query."""
        top = f"TOP {self.top} " if self.top else ""
        order = f" ORDER BY {self.order}" if self.order else ""
        return f"SELECT {top}{', '.join(self._item(one) for one in self.chosen)}{self._rest()}{order}"

    def summary(self, *items: str) -> str:
        """Write the query that sums the selection up."""
        return f"SELECT {', '.join(items)}{self._rest()}"

    def also(self, *tests: str) -> "Selection":
        """Give the selection with more conditions."""
        return replace(self, tests=(*self.tests, *tests))

    def _item(self, one: Column) -> str:
        name = self.naming.given[one.bare]
        return quoted(one.name) if name == one.bare else f"{quoted(one.name)} AS {quoted(name)}"

    def _rest(self) -> str:
        tests = f" WHERE {' AND '.join(f'({one})' for one in self.tests)}" if self.tests else ""
        return f" FROM {quoted_table(self.table)}{tests}"


def select(table: str, naming: Naming, extent: Extent, columns: str = "", top: int = 0) -> Selection:
    """Make the selection of an extent without its rows.

    Parameters
    ----------
    columns : str
        Names separated by commas, all if empty.

    Raises
    ------
    BadParameter, BadPredicate
        If a column does not exist; the nearest are named.
    BadExtent
        If a cone or box is given and the table has no position.
    """
    chosen = choose(naming, columns)
    tests = []
    if extent.cone:
        tests.append(cone_test(extent.cone, naming))
    if extent.box:
        tests.append(box_test(extent.box, naming))
    if extent.where:
        tests.append(where_test(extent.where, naming))
    return Selection(table=table, naming=naming, chosen=chosen, tests=tuple(tests), top=top)


def choose(naming: Naming, columns: str) -> tuple[Column, ...]:
    """Give the columns that are named, all if none is."""
    names = [name.strip() for name in columns.split(",") if name.strip()]
    chosen = [naming.need(name) for name in names] or list(naming.columns)
    if not chosen:
        raise BadParameter("no column is known", "refresh the archive")
    return tuple(dict.fromkeys(chosen))


def cone_test(cone: Cone, naming: Naming) -> str:
    """Write a cone as a condition.

    A cone is a geometry of ADQL, for which archives have an index.
    """
    ra, dec = _position(naming, "cone")
    return f"1 = CONTAINS(POINT('ICRS', {ra}, {dec}), CIRCLE('ICRS', {cone.ra!r}, {cone.dec!r}, {cone.radius!r}))"


def box_test(box: Box, naming: Naming) -> str:
    """Write a box as a condition.

    As comparisons: the sides of ADQL's BOX are great circles, those of ours are meridians and parallels.
    """
    ra, dec = _position(naming, "box")
    tests = [f"{dec} BETWEEN {box.south!r} AND {box.north!r}"]
    west, width = box.west % 360, (box.east - box.west) % 360
    if width and west + width <= 360:
        tests.append(f"{ra} BETWEEN {west!r} AND {west + width!r}")
    elif width:
        tests.append(f"({ra} >= {west!r} OR {ra} <= {west + width - 360!r})")
    return " AND ".join(tests)


def where_test(where: str, naming: Naming) -> str:
    """Write a predicate as a condition.

    Raises
    ------
    BadPredicate
        If it cannot be read or names a column that does not exist.
    """
    node = where_language.parse(where)
    columns: dict[str, Column] = {}
    for name in sorted(where_language.names(node)):
        try:
            columns[name] = naming.need(name)
        except BadParameter as unknown:
            raise BadPredicate(unknown.problem, unknown.next_step) from None
    return _condition(node, columns)


def _position(naming: Naming, what: str) -> tuple[str, str]:
    ra, dec = naming.find("ra"), naming.find("dec")
    if not naming.placed or ra is None or dec is None:
        raise BadExtent(f"a {what} does not fit this table: no column is its right ascension", "leave it out")
    return quoted(ra.name), quoted(dec.name)


def _condition(node: Node, columns: Mapping[str, Column]) -> str:
    """Write what is true or false."""
    if isinstance(node, Name):
        if not columns[node.name].is_truth:
            raise BadPredicate(f"{node.name!r} alone is no condition", "compare it with a value")
        return f"{quoted(columns[node.name].name)} = 'true'"
    if isinstance(node, Literal):
        if not isinstance(node.value, bool):
            raise BadPredicate(f"{node.value!r} alone is no condition", "compare it with a column")
        return "1 = 1" if node.value else "1 = 0"
    return _operation(node, columns)


def _operation(node: Operation, columns: Mapping[str, Column]) -> str:
    operator, parts = node.operator, node.parts
    if operator in {"and", "or"}:
        return f"({_condition(parts[0], columns)} {operator.upper()} {_condition(parts[1], columns)})"
    if operator == "not":
        return f"NOT ({_condition(parts[0], columns)})"
    if operator in {"+", "-", "*", "/"}:
        raise BadPredicate("a number alone is no condition", "compare it with a value")
    values = [_value(part, columns) for part in parts]
    if operator == "null":
        return f"{values[0]} IS NULL"
    if operator == "in":
        return f"{values[0]} IN ({', '.join(values[1:])})"
    if operator == "like":
        return _likeness(values[0], parts[1])
    return f"{values[0]} {_SIGNS.get(operator, operator)} {values[1]}"


def _likeness(value: str, shape: Node) -> str:
    """Write a comparison of texts that does not look at their case, as everywhere in the house."""
    text = str(shape.value) if isinstance(shape, Literal) else ""
    return f"LOWER({value}) LIKE {_text(text.lower())}"


def _value(node: Node, columns: Mapping[str, Column]) -> str:
    """Write a number or a text."""
    if isinstance(node, Name):
        return quoted(columns[node.name].name)
    if isinstance(node, Literal):
        return _literal(node)
    if node.operator not in {"+", "-", "*", "/"}:
        raise BadPredicate("a condition stands where a value must", _FREE)
    left, right = (_value(part, columns) for part in node.parts)
    if node.operator == "/" and not any(_is_real(part, columns) for part in node.parts):
        left = f"1.0 * {left}"  # integers are divided without a rest in ADQL, and not here
    return f"({left} {node.operator} {right})"


def _literal(node: Literal) -> str:
    if isinstance(node.value, bool):
        return "'true'" if node.value else "'false'"
    return _text(node.value) if isinstance(node.value, str) else repr(node.value)


def _text(text: str) -> str:
    if any(ord(letter) < 32 for letter in text):
        raise BadPredicate("a text in the predicate has control characters", "leave them out")
    return "'" + text.replace("'", "''") + "'"


def _is_real(node: Node, columns: Mapping[str, Column]) -> bool:
    if isinstance(node, Name):
        return columns[node.name].is_real
    if isinstance(node, Literal):
        return isinstance(node.value, float)
    return any(_is_real(part, columns) for part in node.parts)


def sort_key(columns: Sequence[Column]) -> str:
    """Give the column that puts the rows of a table in an order, "" if none is sure to."""
    whole = [one for one in columns if one.ucd.lower() == "meta.id;meta.main"]
    named = [one for one in columns if one.bare.lower() in {"source_id", "recno", "oid"}]
    found = next(iter([*whole, *named]), None)
    return quoted(found.name) if found else ""
