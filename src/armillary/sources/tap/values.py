"""Values of a VOTable into Arrow: from its binary rows, many at once, or from texts."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from armillary.errors import DamagedFile
from armillary.sources.tap.fields import NUMBERS, Field

if TYPE_CHECKING:
    import pyarrow as pa

    Array = np.ndarray[Any, Any]

_LENGTH: Final = struct.Struct(">I")
#: Octets of one value; more than this is a broken length and no value.
_LARGEST: Final = 2**26
_TRUE: Final = np.frombuffer(b"TtYy1", np.uint8)
_FALSE: Final = np.frombuffer(b"FfNn0", np.uint8)


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the values of some whole rows lie in a piece of a binary stream.

    Parameters
    ----------
    data : bytes
        The piece.
    starts : ndarray of int64, shape (rows, 1 + variable fields)
        Where each row, and what follows each value of its own length, begins.
    values, sizes : ndarray of int64, shape (rows, variable fields)
        Where the values of their own length begin, and their octets.
    end : int
        Octets that belong to whole rows.
    """

    data: bytes
    starts: "Array"
    values: "Array"
    sizes: "Array"
    end: int

    @property
    def octets(self) -> "Array":
        """The piece as numbers."""
        return np.frombuffer(self.data, np.uint8)


def find_rows(data: bytes, fields: Sequence[Field], flags: int, most: int) -> Rows:
    """Find the whole rows at the start of a piece of a binary stream, `most` of them at most.

    Parameters
    ----------
    flags : int
        Octets before each row that say which values are missing (BINARY2), 0 for BINARY.

    Raises
    ------
    DamagedFile
        If a value claims an absurd length.
    """
    runs, tail = _runs(fields, flags)
    if not runs:
        count = min(len(data) // tail if tail else 0, most)
        starts = (np.arange(count, dtype=np.int64) * tail)[:, None]
        none = np.empty((count, 0), np.int64)
        return Rows(data, starts, none, none, count * tail)
    found, end = _walk(data, runs, tail, most)
    places = np.array(found, np.int64).reshape(-1, 1 + 3 * len(runs))
    starts = places[:, [0, *range(3, places.shape[1], 3)]]
    return Rows(data, starts, places[:, 1::3], places[:, 2::3], end)


def read_rows(rows: Rows, fields: Sequence[Field], flags: int) -> list["pa.Array"]:
    """Read every column of the rows."""
    missing = _flags(rows, len(fields), flags)
    arrays, segment, offset = [], 0, flags
    for number, field in enumerate(fields):
        gone = missing[:, number] if missing is not None else None
        if field.length is None:
            arrays.append(_varying(rows, field, segment, gone))
            segment, offset = segment + 1, 0
        else:
            width = field.octets(field.length)
            arrays.append(_fixed(_gather(rows.octets, rows.starts[:, segment] + offset, width), field, gone))
            offset += width
    return arrays


def read_texts(texts: Sequence[str | None], field: Field) -> "pa.Array":
    """Read one column of texts, as TABLEDATA has them.

    Raises
    ------
    DamagedFile
        If one is no value of the column.
    """
    import pyarrow as pa

    try:
        if field.is_text:
            return _texts(pa.array(texts, pa.string()), field)
        if field.scalar and field.datatype in NUMBERS:
            return _numbers(texts, field)
        if field.scalar:
            return pa.array([_one(text, field) for text in texts], field.arrow_type())
        cells = [None if not (text or "").strip() else [_one(one, field) for one in _parts(str(text), field)]
                 for text in texts]  # fmt: skip
        return pa.array(cells, field.arrow_type())
    except (ValueError, OverflowError, pa.ArrowInvalid) as wrong:
        raise _damaged(field, wrong) from None


def _runs(fields: Sequence[Field], flags: int) -> tuple[list[tuple[int, Field]], int]:
    """Give the octets before each value of its own length, with its field, and the octets after the last."""
    runs, before = [], flags
    for field in fields:
        if field.length is None:
            runs.append((before, field))
            before = 0
        else:
            before += field.octets(field.length)
    return runs, before


def _walk(data: bytes, runs: list[tuple[int, Field]], tail: int, most: int) -> tuple[list[int], int]:
    """Step from row to row: the only loop over rows, as only the lengths say where the next one is."""
    found: list[int] = []
    begin, end, unpack = 0, len(data), _LENGTH.unpack_from
    steps = [(before, field, 0 if field.datatype == "bit" else field.octets(field.step)) for before, field in runs]
    for _ in range(most):
        row, at = [begin], begin
        for before, field, unit in steps:
            at += before
            if at + 4 > end:
                return found, begin
            count = unpack(data, at)[0]
            size = count * unit or field.octets(count * field.step)
            if size > _LARGEST:
                raise DamagedFile(f"a value of {field.name!r} claims {size} octets", "ask for the data again")
            row += (at + 4, size, at + 4 + size)
            at += 4 + size
        at += tail
        if at > end:
            return found, begin
        found += row
        begin = at
    return found, begin


def _flags(rows: Rows, count: int, flags: int) -> "Array | None":
    if not flags:
        return None
    return np.unpackbits(_gather(rows.octets, rows.starts[:, 0], flags), axis=1)[:, :count].astype(bool)


def _gather(octets: "Array", starts: "Array", width: int) -> "Array":
    return octets[starts[:, None] + np.arange(width)]


def _fixed(cells: "Array", field: Field, gone: "Array | None") -> "pa.Array":
    import pyarrow as pa

    if field.is_text:
        return _texts(_decoded([one.tobytes() for one in cells], field), field, gone)
    values, missing = _elements(cells.ravel(), field, len(cells))
    if field.scalar:
        return pa.array(values, mask=missing if gone is None else missing | gone)
    count = (field.length or 0) if len(cells) else 0
    offsets = np.arange(len(cells) + 1, dtype=np.int32) * count
    return _lists(pa.array(values, mask=missing), offsets, gone)


def _varying(rows: Rows, field: Field, segment: int, gone: "Array | None") -> "pa.Array":
    import pyarrow as pa

    starts, sizes, data = rows.values[:, segment], rows.sizes[:, segment], rows.data
    pieces = [data[start:stop] for start, stop in zip(starts.tolist(), (starts + sizes).tolist(), strict=True)]
    if field.is_text:
        return _texts(_decoded(pieces, field), field, gone)
    if field.datatype == "bit":
        flat = [np.unpackbits(np.frombuffer(one, np.uint8)).astype(bool) for one in pieces]
        return pa.array([None if gone is not None and gone[n] else one for n, one in enumerate(flat)],
                        field.arrow_type())  # fmt: skip
    values, missing = _elements(np.frombuffer(b"".join(pieces), np.uint8), field, len(pieces))
    offsets = np.concatenate([[0], np.cumsum(sizes // field.octets(1))]).astype(np.int32)
    return _lists(pa.array(values, mask=missing), offsets, gone)


def _elements(octets: "Array", field: Field, rows: int) -> "tuple[Array, Array]":
    """Give numbers or truths with a mask of the missing ones, element after element."""
    if field.datatype == "bit" and field.scalar:
        return octets != 0, np.zeros(octets.shape, bool)  # some write the one bit as the first, some as the fifth
    if field.datatype == "bit":
        bits = np.unpackbits(octets.reshape(rows, -1) if rows else octets.reshape(0, 1), axis=1)
        values = bits[:, : field.length].ravel().astype(bool)
        return values, np.zeros(values.shape, bool)
    if field.datatype == "boolean":
        true = np.isin(octets, _TRUE)
        return true, ~true & ~np.isin(octets, _FALSE)
    kind = np.dtype(NUMBERS[field.datatype][1])
    numbers = np.ascontiguousarray(octets).view(kind).astype(kind.newbyteorder("="))
    if kind.kind == "f":
        return numbers, np.isnan(numbers)
    null = _null(field)
    return numbers, np.zeros(numbers.shape, bool) if null is None else numbers == null


def _lists(values: "pa.Array", offsets: "Array", gone: "Array | None") -> "pa.Array":
    import pyarrow as pa

    mask = None if gone is None else pa.array(gone)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, mask=mask)


def _text(octets: bytes, field: Field) -> str:
    if field.datatype == "unicodeChar":
        return octets.decode("utf-16-be", "replace").partition("\0")[0]
    plain = octets.partition(b"\0")[0]
    try:
        return plain.decode()
    except UnicodeDecodeError:
        return plain.decode("latin-1")


def _decoded(pieces: list[bytes], field: Field) -> "pa.Array":
    """Decode texts, all at once where they are plain."""
    import pyarrow as pa

    if field.datatype == "char" and b"\0" not in b"".join(pieces):
        try:
            return pa.array(pieces, pa.binary()).cast(pa.string())
        except pa.ArrowInvalid:
            pass
    return pa.array([_text(one, field) for one in pieces], pa.string())


def _texts(texts: "pa.Array", field: Field, gone: "Array | None" = None) -> "pa.Array":
    """Give texts without the blanks that fill them up; instants as such."""
    import pyarrow as pa
    from pyarrow import compute as pc

    kept = pc.utf8_rtrim_whitespace(texts)
    if gone is not None:
        kept = pc.if_else(pa.array(gone), pa.scalar(None, pa.string()), kept)
    if field.null:
        kept = pc.if_else(pc.equal(kept, field.null), pa.scalar(None, pa.string()), kept)
    if not field.is_time:
        return kept
    try:
        bare = pc.replace_substring_regex(pc.utf8_rtrim(kept, "Z"), r"(\.\d{6})\d+$", r"\1")  # no finer than it is kept
        return pc.if_else(pc.equal(bare, ""), pa.scalar(None, pa.string()), bare).cast(pa.timestamp("us"))
    except pa.ArrowInvalid as wrong:
        raise _damaged(field, wrong) from None


def _numbers(texts: Sequence[str | None], field: Field) -> "pa.Array":
    """Read plain numbers all at once; what Arrow does not know, one by one."""
    import pyarrow as pa
    from pyarrow import compute as pc

    words = pc.utf8_trim_whitespace(pa.array(texts, pa.string()))
    none = pc.or_(pc.equal(words, ""), pc.equal(words, field.null)) if field.null else pc.equal(words, "")
    try:
        values = pc.if_else(none, pa.scalar(None, pa.string()), words).cast(field.arrow_type())
    except pa.ArrowInvalid:
        return pa.array([_one(text, field) for text in texts], field.arrow_type())
    if pa.types.is_floating(values.type):
        return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    return values


def _parts(text: str, field: Field) -> list[str]:
    words = text.replace(",", " ").split()
    return list("".join(words)) if field.datatype == "bit" else words


def _one(text: str | None, field: Field) -> Any:
    word = (text or "").strip()
    if not word or word == field.null:
        return None
    if field.datatype in {"boolean", "bit"}:
        return _truth(word)
    if field.datatype in {"float", "double"}:
        number = float(word.replace("Inf", "inf"))
        return None if number != number else number  # noqa: PLR0124 - NaN means that there is none
    return int(word, 16) if word.lower().startswith("0x") else int(word)


def _truth(word: str) -> bool | None:
    first = word[0].lower()
    if first in "ty1fn0":
        return first in "ty1"
    if first == "?":
        return None
    raise ValueError(f"{word!r} is neither true nor false")


def _null(field: Field) -> int | None:
    try:
        return int(field.null, 0) if field.null else None
    except ValueError:
        return None


def _damaged(field: Field, wrong: Exception) -> DamagedFile:
    return DamagedFile(f"a value of {field.name!r} is not of its type: {wrong}", "tell the maintainer of the server")
