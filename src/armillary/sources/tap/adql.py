"""Looking at ADQL before it is sent: one SELECT that only reads, its canonical form, its bound on the rows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from armillary.errors import BadRequest

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
    |(?P<comment>--[^\n]*|/\*.*?\*/)
    |(?P<text>'(?:[^']|'')*')
    |(?P<name>(?:[A-Za-z_][\w]*|"(?:[^"]|"")+")(?:\.(?:[A-Za-z_][\w]*|"(?:[^"]|"")+"))*)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|0[xX][0-9a-fA-F]+)
    |(?P<mark><=|>=|<>|!=|\|\||::|.)""",
    re.VERBOSE | re.DOTALL,
)
#: Words that change something; as names they must be quoted.
_WRITES: Final = frozenset(
    "insert update delete drop create alter truncate grant revoke into exec execute merge copy call vacuum".split()  # noqa: SIM905
)
TABLE_WORDS: Final = frozenset({"from", "join"})
#: Where one of these stands, the answer for a table is not that for its parts put together.
_WHOLE: Final = frozenset(
    """
    count sum avg min max group having distinct top order union except intersect right full not exists offset with limit
    stddev variance median over
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a query and where it begins."""

    kind: str
    text: str
    at: int


def check_query(text: str) -> str:
    """Give the query back, without a semicolon at its end, if it is one SELECT that only reads.

    Raises
    ------
    BadRequest
        Naming line and column.

    Examples
    --------
    >>> check_query("SELECT ra FROM stars; ")
    'SELECT ra FROM stars'
    """
    tokens = [one for one in tokens_of(text) if one.kind not in {"space", "comment"}]
    end = tokens[-1] if tokens and tokens[-1].text == ";" else None
    tokens = tokens[:-1] if end else tokens
    if not tokens:
        raise BadRequest("the query is empty", "write it like: SELECT TOP 10 * FROM gaiadr3.gaia_source")
    if tokens[0].text.lower() not in {"select", "with", "("}:
        raise _wrong(text, tokens[0], "begins with", "begin with SELECT: archives are only read")
    depth = 0
    for one in tokens:
        if one.text == ";":
            raise _wrong(text, one, "has more than one statement, at", "send one SELECT at a time")
        if one.kind == "name" and one.text.lower() in _WRITES:
            raise _wrong(text, one, "has", "archives are only read; a column of this name must be quoted")
        depth += {"(": 1, ")": -1}.get(one.text, 0)
        if depth < 0:
            raise _wrong(text, one, "closes a bracket that is not open, at", "remove it")
    if depth:
        raise BadRequest(f"the query has {depth} brackets that are not closed", "close them")
    return text[: end.at] if end else text


def check_condition(text: str) -> str:
    """Give a condition back if it stays inside the brackets that a query puts around it.

    Raises
    ------
    BadRequest
        If it closes a bracket that it did not open, leaves one open, holds a comment or a second statement, or writes.

    Examples
    --------
    >>> check_condition("g.parallax > 5 AND (g.ruwe < 1.4 OR g.ruwe IS NULL)")
    'g.parallax > 5 AND (g.ruwe < 1.4 OR g.ruwe IS NULL)'
    """
    for one in tokens_of(text):
        if one.kind == "comment":
            raise _wrong(text, one, "has a comment in its condition", "leave it out")
    check_query(f"SELECT {text}")
    return text


def canonical(text: str) -> str:
    r"""Give a text that is the same for queries that mean the same: without comments, one case, single blanks.

    Examples
    --------
    >>> canonical("SELECT  Ra -- of stars\n FROM Stars WHERE name='Vega'")
    "select ra from stars where name = 'Vega'"
    """
    kept = [one for one in tokens_of(check_query(text)) if one.kind not in {"space", "comment"}]
    return " ".join(_folded(one) for one in kept)


def words_of(text: str) -> list[str]:
    """Give the words of a query without blanks, comments and texts."""
    return [one.text for one in tokens_of(text) if one.kind not in {"space", "comment", "text"}]


def top_of(text: str) -> int | None:
    """Give the bound that the query itself sets on its rows, None if it sets none.

    Examples
    --------
    >>> top_of("SELECT DISTINCT TOP 10 ra FROM stars"), top_of("SELECT ra FROM stars")
    (10, None)
    """
    words = [word.lower() for word in words_of(text)]
    start = words[1:4]
    for at, word in enumerate(start):
        if word == "top" and at + 2 < len(words) and words[at + 2].isdigit():
            return int(words[at + 2])
        if word not in {"distinct", "all"}:
            break
    return None


def divisible(text: str, upload: str) -> bool:
    """Say whether the answer for an uploaded table is that for its parts, put together.

    Examples
    --------
    >>> divisible("SELECT * FROM TAP_UPLOAD.mine AS m JOIN stars AS s ON m.id = s.id", "mine")
    True
    >>> divisible("SELECT COUNT(*) FROM TAP_UPLOAD.mine", "mine")
    False
    """
    words = [word.lower().replace('"', "") for word in words_of(text)]
    named = f"tap_upload.{upload.lower()}"
    if words.count(named) != 1 or words.count("select") != 1 or _WHOLE & set(words):
        return False
    first = next((words[at + 1] for at, word in enumerate(words[:-1]) if word == "from"), "")
    return "left" not in words or first == named


def tokens_of(text: str) -> Iterator[Token]:
    """Cut a query into words.

    Raises
    ------
    BadRequest
        If a quote or comment is not closed.
    """
    for match in _TOKEN.finditer(text):
        token = Token(str(match.lastgroup), match[0], match.start())
        if token.kind == "mark" and token.text in {"'", '"'}:
            raise _wrong(text, token, "has a quote that is not closed, at", "close it")
        if token.kind == "mark" and text[token.at : token.at + 2] == "/*":
            raise _wrong(text, token, "has a comment that is not closed, at", "close it")
        yield token


def _folded(token: Token) -> str:
    if token.kind == "text":
        return token.text
    parts = re.split(r'("(?:[^"]|"")+")', token.text)
    return "".join(part if part.startswith('"') else part.lower() for part in parts)


def _wrong(text: str, token: Token, what: str, hint: str) -> BadRequest:
    before = text[: token.at]
    line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
    rest = text[token.at :][:20].partition("\n")[0]
    return BadRequest(f"the query {what} {rest!r}, line {line}, column {column}", hint)
