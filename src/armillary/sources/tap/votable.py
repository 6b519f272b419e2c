"""Reading a VOTable as it comes: a block of rows at a time, never the whole table in memory.

BINARY2, BINARY and TABLEDATA, plain or packed with gzip. An answer that ends before its end is an error, and so are
the states OVERFLOW and ERROR that TAP writes into it.
"""

import binascii
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast
from xml.parsers import expat

from armillary.errors import BadAnswer, DamagedFile
from armillary.model import Progress, silent
from armillary.sources.tap.fields import Field, read_field
from armillary.sources.tap.values import find_rows, read_rows, read_texts

if TYPE_CHECKING:
    import pyarrow as pa

_CHUNK: Final = 2**20
BLOCK_ROWS: Final = 65_536
#: Octets of binary rows that are decoded at once.
_BLOCK_OCTETS: Final = 8 * 2**20
_AGAIN: Final = "ask again; nothing of it was kept"


class Overflow(Exception):
    """The server had more rows than it gave."""


class Refused(Exception):
    """The server said why it did not answer the query."""


def read_votable(path: Path, progress: Progress = silent, block_rows: int = BLOCK_ROWS) -> Iterator["pa.Table"]:
    """Read the first table of a file in blocks of rows; at least one, which may be without rows.

    Memory is one block and a piece of the file, whatever its length.

    Raises
    ------
    DamagedFile
        If it is cut short or a value is broken.
    BadAnswer
        If it is no VOTable.
    Overflow, Refused
        As the answer says, in the end or in the beginning of it.
    """
    document = Document(block_rows)
    size, first = max(path.stat().st_size, 1), True
    with _opened(path) as stream:
        while piece := _read(stream):
            _feed(document, piece, is_first=first)
            first = False
            progress(min(_place(stream) / size, 1.0), "reading the answer")
            yield from document.take()
    _end(document)
    yield from document.take()


class Document:
    """What expat tells, kept until somebody takes it."""

    def __init__(self, block_rows: int = BLOCK_ROWS) -> None:
        self.state = ""
        self.message = ""
        self.root = ""
        self.finished = False
        self._block_rows = block_rows
        self._fields: list[Field] = []
        self._declared: dict[str, str] = {}
        self._null = ""
        self._told = ""
        self._text: list[str] | None = None
        self._path: list[str] = []
        self._names: dict[str, str] = {}
        self._rows: list[list[str | None]] = []
        self._cells: list[str | None] = []
        self._binary = bytearray()
        self._base64 = ""
        self._blocks: list[pa.Table] = []
        self._given = False
        self._tables = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.buffer_size = _CHUNK
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._stop
        self._parser.CharacterDataHandler = self._data

    def feed(self, piece: bytes, *, final: bool = False) -> None:
        """Parse a piece of the file."""
        self._parser.Parse(piece, final)

    def take(self) -> "list[pa.Table]":
        """Give the blocks that are complete."""
        blocks, self._blocks = self._blocks, []
        return blocks

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = self._names.get(tag) or self._names.setdefault(tag, tag.rpartition(" ")[2])
        if name == "TD":  # by far the most
            self._text = []
            return
        self._path.append(name)
        self.root = self.root or name
        if name == "INFO" and attributes.get("name", "").upper() == "QUERY_STATUS":
            self.state = attributes.get("value", "").upper()
            self._text = []
        elif self._tables > 1:
            return
        elif name == "TABLE":
            self._tables += 1
        elif name == "FIELD":
            self._declared, self._null, self._told = attributes, "", ""
        elif name == "VALUES" and "FIELD" in self._path:
            self._null = attributes.get("null", "")
        elif name == "DESCRIPTION":
            self._text = []
        elif name == "STREAM":
            _check_stream(attributes)

    def _stop(self, tag: str) -> None:
        name = self._names[tag]
        if name == "TD":
            if self._tables == 1:
                self._cells.append("".join(self._text or ()))
            self._text = None
            return
        self._path.pop()
        self.finished = not self._path
        text, self._text = "".join(self._text or ()), None
        if name == "INFO" and text:
            self.message = self.message or " ".join(text.split())
        elif self._tables > 1:
            return
        elif name == "DESCRIPTION" and self._path[-1:] == ["FIELD"]:
            self._told = text
        elif name == "FIELD":
            self._fields.append(read_field(self._declared, self._told, self._null))
        elif name == "TR":
            self._row()
        elif name == "STREAM":
            self._decode(final=True)
        elif name == "TABLE":
            self._flush()

    def _data(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)
        elif self._path[-1:] == ["STREAM"] and self._tables == 1:
            self._octets(text)

    def _row(self) -> None:
        missing = len(self._fields) - len(self._cells)
        if missing < 0:
            raise DamagedFile("a row of the answer has more values than there are columns", _AGAIN)
        self._rows.append(self._cells + [None] * missing)
        self._cells = []
        if len(self._rows) >= self._block_rows:
            self._flush_rows()

    def _octets(self, text: str) -> None:
        """Collect base64; four characters are three octets, the rest waits for the next piece."""
        joined = self._base64 + "".join(text.split())
        whole = len(joined) // 4 * 4
        self._base64 = joined[whole:]
        try:
            self._binary += binascii.a2b_base64(joined[:whole])
        except binascii.Error as wrong:
            raise DamagedFile(f"the answer is no base64: {wrong}", _AGAIN) from None
        if len(self._binary) >= _BLOCK_OCTETS:
            self._decode(final=False)

    def _decode(self, *, final: bool) -> None:
        flags = -(-len(self._fields) // 8) if "BINARY2" in self._path else 0
        data, begin = bytes(self._binary), 0
        while True:
            rows = find_rows(data[begin:] if begin else data, self._fields, flags, self._block_rows)
            if not len(rows.starts):
                break
            self._give(read_rows(rows, self._fields, flags))
            begin += rows.end
        self._binary = bytearray(data[begin:])
        if final and (self._binary or self._base64):
            raise DamagedFile("the answer ends in the middle of a row", _AGAIN)

    def _flush_rows(self) -> None:
        columns = list(zip(*self._rows, strict=True)) or [()] * len(self._fields)
        self._give([read_texts(column, field) for column, field in zip(columns, self._fields, strict=True)])
        self._rows = []

    def _flush(self) -> None:
        if self._rows or not self._given:
            self._flush_rows()

    def _give(self, arrays: list[Any]) -> None:
        import pyarrow as pa

        schema = pa.schema([field.arrow_field() for field in self._fields])
        self._blocks.append(pa.Table.from_arrays(arrays, schema=schema))
        self._given = True


def _check_stream(attributes: dict[str, str]) -> None:
    if attributes.get("href"):
        raise BadAnswer("the values of the answer lie in another file", "ask the server for BINARY2 or TABLEDATA")
    if attributes.get("encoding", "base64") != "base64":
        raise BadAnswer(f"the answer is encoded as {attributes['encoding'][:20]!r}", "ask the server for BINARY2")


def _feed(document: Document, piece: bytes, *, is_first: bool) -> None:
    try:
        document.feed(piece)
    except expat.ExpatError as wrong:
        if document.finished:  # octets after the end are nobody's
            return
        if is_first and document.root != "VOTABLE":
            raise _no_votable(piece) from None
        raise DamagedFile(f"the answer is broken: {wrong}", _AGAIN) from None
    if document.root != "VOTABLE":
        raise _no_votable(piece)


def _no_votable(piece: bytes) -> BadAnswer:
    start = " ".join(piece[:120].decode("utf-8", "replace").split())
    return BadAnswer(f"the answer is no VOTable: {start!r}", "check that the URL is that of a TAP service")


def _end(document: Document) -> None:
    """Say what the answer as a whole means."""
    if document.state == "ERROR":
        raise Refused(document.message or "it did not say why")
    if not document.root:
        raise BadAnswer("the answer is empty or no VOTable", "check that the URL is that of a TAP service")
    if not document.finished:
        raise DamagedFile("the answer is cut short", _AGAIN)
    if document.state == "OVERFLOW":
        raise Overflow


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast("IO[bytes]", gzip.open(path, "rb")) if packed else path.open("rb")


def _read(stream: IO[bytes]) -> bytes:
    try:
        return stream.read(_CHUNK)
    except (EOFError, OSError, ValueError) as wrong:
        raise DamagedFile(f"the answer is cut short: {wrong}", _AGAIN) from None


def _place(stream: Any) -> int:
    raw = getattr(stream, "fileobj", stream)  # of gzip, the packed file
    return int(raw.tell())
