"""The walk through the internal records of a CDF: what is in the file, where it lies, and whether that can be true.

A CDF is a graph of records that point at each other (CDF Internal Format Description, NASA GSFC, versions 2.x and 3.x,
https://spdf.gsfc.nasa.gov/pub/software/cdf/doc/). A damaged pointer or count sends a trusting reader into a loop, out
of the file or out of memory. Here every record must have the type that its pointer promises, must lie inside the file,
and all records together may not be longer than the file, so that the whole walk is linear in the size of the file
whatever stands in it.

Formats are written as for `struct`, with ``O`` for an offset and ``N`` for a name, whose widths differ by version.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

import numpy as np

from armillary.sources.files.cdf_octets import Broken, Octets, inflate

#: An attribute's value: a text, several texts, or numbers.
Attribute: TypeAlias = "str | tuple[str, ...] | np.ndarray[Any, Any]"

CDR, GDR, R_VDR, ADR, GR_AEDR, VXR, VVR, Z_VDR, Z_AEDR, CCR, CPR, CVVR = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13
EPOCH, EPOCH16, TT2000 = 31, 32, 33
TIME_TYPES: Final = (EPOCH, EPOCH16, TT2000)
CHAR_TYPES: Final = (51, 52)
#: numpy's name of each CDF data type of fixed width; the two halves of an EPOCH16 are read as a pair.
_DTYPES: Final = {
    1: "i1", 2: "i2", 4: "i4", 8: "i8", 11: "u1", 12: "u2", 14: "u4", 21: "f4", 22: "f8",
    EPOCH: "f8", EPOCH16: "2f8", TT2000: "i8", 41: "i1", 44: "f4", 45: "f8",
}  # fmt: skip
_LITTLE_ENDIAN: Final = (4, 6, 13, 16, 17, 19)
_BIG_ENDIAN: Final = (1, 2, 5, 7, 9, 11, 12, 18)
_MAGIC: Final = {b"\xcd\xf3\x00\x01": 3, b"\xcd\xf2\x60\x02": 2, b"\x00\x00\xff\xff": 2}
_COMPRESSED: Final = b"\xcc\xcc\x00\x01"

_FORMATS: Final = {
    CDR: "OiOiiii",  # size type gdr version release encoding flags
    GDR: "OiOOOOiiiiiOiii",  # size type rVDR zVDR ADR eof rVariables attributes rMaxRec rDims zVariables UIR - leap -
    ADR: "OiOOiiiiiOiiiN",  # size type next grHead scope number grCount grMax - zHead zCount zMax - name
    GR_AEDR: "OiOiiiiiiiii",  # size type next attribute dataType number elements strings - - - -
    Z_VDR: "OiOiiOOiiiiiiiOiN",  # size type next dataType maxRec VXR - flags sparse - - - elements number CPR - name
    VXR: "OiOii",  # size type next entries used
    VVR: "Oi",  # size type
    CCR: "OiOOi",  # size type CPR uncompressedSize -
    CPR: "Oiiii",  # size type compression - parameters
    CVVR: "OiiO",  # size type - compressedSize
}
_SAME: Final = {R_VDR: Z_VDR, Z_AEDR: GR_AEDR}
_OLD_VDR: Final = "OiOiiOOiiiii128xiiOiN"
_MOST_DIMS: Final = 10
_MOST_DEPTH: Final = 16


@dataclass(frozen=True, slots=True)
class Block:
    """Records ``first`` to ``last`` of a variable; ``compression`` is 0 (none), 1 (runs of zeros) or 5 (gzip)."""

    first: int
    last: int
    at: int
    size: int
    compression: int


@dataclass(frozen=True, slots=True)
class CdfVariable:
    """One variable as its descriptor record tells it.

    Parameters
    ----------
    shape : tuple of int
        Sizes of the dimensions that vary, without the record dimension; ``DEPEND_1`` is about the first of these.
    records : int
        0 if nothing was written; at most 1 if the variable does not vary from record to record.
    """

    name: str
    data_type: int
    elements: int
    shape: tuple[int, ...]
    records: int
    varies: bool
    sparse: int
    vxr: int
    cpr: int
    pad: bytes
    attrs: dict[str, Attribute]

    @property
    def is_time(self) -> bool:
        """Whether its values are one of the three epoch types."""
        return self.data_type in TIME_TYPES

    @property
    def is_text(self) -> bool:
        """Whether its values are characters."""
        return self.data_type in CHAR_TYPES

    @property
    def row_bytes(self) -> int:
        """Octets of one record."""
        return item_type(self.data_type, self.elements, ">").itemsize * int(np.prod(self.shape, dtype=object))

    def text(self, name: str) -> str:
        """Give an attribute as one line of text, "" if it is absent."""
        return as_text(self.attrs.get(name, ""))


@dataclass(frozen=True, slots=True)
class CdfFile:
    """What the walk found; ``octets`` is the open (perhaps inflated) file, closed with :meth:`close`."""

    octets: Octets
    version: int
    order: str
    row_major: bool
    attrs: dict[str, list[Attribute]]
    variables: dict[str, CdfVariable]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self.octets.close()

    def text(self, name: str) -> str:
        """Give a global attribute as text, its entries joined by a space, "" if it is absent."""
        return " ".join(filter(None, map(as_text, self.attrs.get(name, ())))).strip()


@dataclass(slots=True)
class _Walk:
    """Reads records once each and keeps account, so that no damage makes the walk longer than the file."""

    octets: Octets
    version: int
    old: bool = False
    spent: int = 0
    seen: set[int] = field(default_factory=set)

    def record(self, at: int, *kinds: int) -> tuple[int, tuple[Any, ...], bytes]:
        """Give the type, the fixed fields and the rest of the record at an offset."""
        size, kind = self.octets.unpack(_layout("Oi", self.version), at)
        if kind not in kinds:
            raise Broken(f"the record at {at} has type {kind}, not {' or '.join(map(str, kinds))}")
        layout = self.layout(kind)
        if size < layout.size or at + size > self.octets.size:
            raise Broken(f"the record at {at} claims {size} octets, the file has {self.octets.size}")
        self.account(at, size)
        body = self.octets.take(at, layout.size if kind in {VVR, CVVR, CCR} else size)
        return kind, layout.unpack_from(body), body[layout.size :]

    def layout(self, kind: int) -> struct.Struct:
        """Give the fixed part of a record of this type."""
        kind = _SAME.get(kind, kind)
        return _layout(_OLD_VDR if self.old and kind == Z_VDR else _FORMATS[kind], self.version)

    def account(self, at: int, size: int) -> None:
        """Refuse a record that was read before and records that must overlap."""
        self.spent += size
        if at in self.seen or self.spent > self.octets.size:
            raise Broken(f"the record at {at} is pointed at twice or lies over another")
        self.seen.add(at)

    def chain(self, at: int, count: int, *kinds: int) -> Iterator[tuple[tuple[Any, ...], bytes]]:
        """Follow `count` records by their third field."""
        for _ in range(count):
            _, fields, rest = self.record(at, *kinds)
            yield fields, rest
            at = fields[2]


def survey(path: Path) -> CdfFile:
    """Walk through a file: its attributes and its variables, but none of their values.

    Linear in the number of records. Whole-file compression is undone in memory first.

    Raises
    ------
    Broken
        If what the file says about itself cannot be true.
    """
    octets = Octets.of(path)
    try:
        return _survey(octets)
    except BaseException:
        octets.close()
        raise


def blocks(cdf: CdfFile, variable: CdfVariable) -> list[Block]:
    """Find where the records of a variable lie, in order; records in no block hold the pad value.

    Raises
    ------
    Broken
        If an index or value record cannot be true, or blocks are out of order.
    """
    if not variable.records:
        return []
    walk = _Walk(cdf.octets, cdf.version)
    compression = walk.record(variable.cpr, CPR)[1][2] if variable.cpr > 0 else 0
    found: list[Block] = []
    for first, last, at in _index(walk, variable.vxr, 0):
        if first > last or first <= (found[-1].last if found else -1):
            raise Broken(f"the index of {variable.name!r} is out of order at record {first}")
        found.append(_block(walk, variable, (first, last, at), compression))
    return found


def item_type(data_type: int, elements: int, order: str) -> "np.dtype[Any]":
    """Give the numpy type of one value.

    Examples
    --------
    >>> item_type(44, 1, "<"), item_type(51, 4, ">")
    (dtype('float32'), dtype('S4'))
    """
    if data_type in CHAR_TYPES:
        if not 0 < elements <= 1 << 24:
            raise Broken(f"a text of {elements} characters")
        return np.dtype(f"S{elements}")
    if data_type not in _DTYPES:
        raise Broken(f"there is no data type {data_type}")
    return np.dtype(f"{order}{_DTYPES[data_type]}" if data_type != EPOCH16 else (f"{order}f8", 2))


def as_text(value: Attribute) -> str:
    """Write an attribute's value as one line."""
    if isinstance(value, str):
        return value.strip()
    return " ".join(str(one).strip() for one in (value if isinstance(value, tuple) else value.tolist()))


def decode(raw: bytes) -> str:
    """Read characters: UTF-8 as the later writers do, else Latin-1, without the padding."""
    raw = raw.partition(b"\0")[0]
    try:
        return raw.decode("utf-8").rstrip()
    except UnicodeDecodeError:
        return raw.decode("latin-1").rstrip()


@lru_cache(maxsize=64)
def _layout(form: str, version: int) -> struct.Struct:
    offset, name = ("q", "256s") if version == 3 else ("i", "64s")
    return struct.Struct(">" + form.replace("O", offset).replace("N", name))


def _survey(octets: Octets) -> CdfFile:
    version = _MAGIC.get(octets.take(0, 4))
    if version is None:
        raise Broken("it does not begin like a CDF")
    if octets.take(4, 4) == _COMPRESSED:
        octets.become(_inflated(_Walk(octets, version)))
    walk = _Walk(octets, version)
    _, (_, _, gdr_at, edition, release, encoding, flags), _ = walk.record(8, CDR)
    if not flags & 2:
        raise Broken("its variables lie in separate files (multi-file CDF)")
    walk.old = version == 2 and (edition, release) < (2, 5)
    order = _order(encoding)
    _, gdr, dims = walk.record(gdr_at, GDR)
    if gdr[5] > octets.size:
        raise Broken(f"it is cut short: {octets.size} of {gdr[5]} octets are there")
    attrs, of_r, of_z = _attributes(walk, gdr, order)
    variables = {one.name: one for one in _variables(walk, gdr, dims, (of_r, of_z))}
    return CdfFile(octets, version, order, bool(flags & 1), attrs, variables)


def _inflated(walk: _Walk) -> bytes:
    _, (size, _, cpr_at, plain_size, _), _ = walk.record(8, CCR)
    compression = walk.record(cpr_at, CPR)[1][2]
    head = walk.layout(CCR).size
    return walk.octets.take(0, 8) + inflate(walk.octets.take(8 + head, size - head), compression, plain_size)


def _order(encoding: int) -> str:
    if encoding in _LITTLE_ENDIAN:
        return "<"
    if encoding in _BIG_ENDIAN:
        return ">"
    raise Broken(f"numbers in encoding {encoding} (VAX floats or unknown) are not read")


_Attributes: TypeAlias = dict[int, dict[str, Attribute]]


def _attributes(
    walk: _Walk, gdr: tuple[Any, ...], order: str
) -> tuple[dict[str, list[Attribute]], _Attributes, _Attributes]:
    everywhere: dict[str, list[Attribute]] = {}
    of_r: _Attributes = {}
    of_z: _Attributes = {}
    for fields, _ in walk.chain(gdr[4], gdr[7], ADR):
        name = decode(fields[13])
        general = dict(_entries(walk, fields[3], fields[6], order, GR_AEDR))
        if fields[4] in {1, 3}:
            everywhere[name] = [general[number] for number in sorted(general)]
            continue
        for number, value in general.items():
            of_r.setdefault(number, {})[name] = value
        for number, value in _entries(walk, fields[9], fields[10], order, Z_AEDR):
            of_z.setdefault(number, {})[name] = value
    return everywhere, of_r, of_z


def _entries(walk: _Walk, at: int, count: int, order: str, kind: int) -> Iterator[tuple[int, Attribute]]:
    for fields, raw in walk.chain(at, count, kind):
        yield fields[5], _value(raw, fields[4], fields[6], fields[7], order)


def _value(raw: bytes, data_type: int, elements: int, strings: int, order: str) -> Attribute:
    if data_type in CHAR_TYPES:
        if not 0 <= elements <= len(raw):
            raise Broken(f"an attribute of {elements} characters in {len(raw)} octets")
        text = decode(raw[:elements])
        return tuple(text.split("\\N ")) if strings > 1 else text
    dtype = item_type(data_type, 1, order)
    if not 0 <= elements * dtype.itemsize <= len(raw):
        raise Broken(f"an attribute of {elements} values in {len(raw)} octets")
    return np.frombuffer(raw, dtype, elements).astype(dtype.newbyteorder("="))


def _variables(
    walk: _Walk, gdr: tuple[Any, ...], dims: bytes, attrs: tuple[_Attributes, _Attributes]
) -> Iterator[CdfVariable]:
    r_sizes = _integers(dims, gdr[9])
    for fields, rest in walk.chain(gdr[2], gdr[6], R_VDR):
        yield _variable(fields, r_sizes, rest, attrs[0])
    for fields, rest in walk.chain(gdr[3], gdr[10], Z_VDR):
        count = _integers(rest, 1)[0]
        yield _variable(fields, _integers(rest[4:], count), rest[4 + 4 * count :], attrs[1])


def _integers(raw: bytes, count: int) -> tuple[int, ...]:
    if not 0 <= count <= _MOST_DIMS or 4 * count > len(raw):
        raise Broken(f"a variable of {count} dimensions")
    return struct.unpack_from(f">{count}i", raw)


def _variable(fields: tuple[Any, ...], sizes: tuple[int, ...], rest: bytes, attrs: _Attributes) -> CdfVariable:
    _, _, _, data_type, most, vxr, _, flags, sparse, _, _, _, elements, number, cpr, _, name = fields
    varying = _integers(rest, len(sizes))
    if min(sizes, default=1) < 1 or most < -1:
        raise Broken(f"the variable {decode(name)!r} has {most + 1} records of {sizes}")
    width = item_type(data_type, elements, ">").itemsize
    pad = rest[4 * len(sizes) : 4 * len(sizes) + width] if flags & 2 else b""
    return CdfVariable(
        name=decode(name).strip(),
        data_type=data_type,
        elements=elements,
        shape=tuple(size for size, varies in zip(sizes, varying, strict=True) if varies),
        records=most + 1 if flags & 1 else min(most + 1, 1),
        varies=bool(flags & 1),
        sparse=sparse,
        vxr=vxr,
        cpr=cpr if flags & 4 else 0,
        pad=pad if len(pad) == width else b"",
        attrs=attrs.get(number, {}),
    )


def _index(walk: _Walk, at: int, depth: int) -> Iterator[tuple[int, int, int]]:
    """List first record, last record and offset of all value records; an index may point at further indices."""
    if depth > _MOST_DEPTH:
        raise Broken(f"the index at {at} is nested too deeply")
    while at > 0:
        _, (_, _, following, entries, used), rest = walk.record(at, VXR)
        width = _layout("O", walk.version).size
        if not 0 <= used <= entries or entries * (8 + width) > len(rest):
            raise Broken(f"the index at {at} claims {used} of {entries} entries")
        firsts, lasts = struct.unpack_from(f">{used}i", rest), struct.unpack_from(f">{used}i", rest, 4 * entries)
        offsets = struct.unpack_from(f">{used}{'q' if width == 8 else 'i'}", rest, 8 * entries)
        for first, last, offset in zip(firsts, lasts, offsets, strict=True):
            if walk.octets.unpack(_layout("Oi", walk.version), offset)[1] == VXR:
                yield from _index(walk, offset, depth + 1)
            else:
                yield first, last, offset
        at = following


def _block(walk: _Walk, variable: CdfVariable, entry: tuple[int, int, int], compression: int) -> Block:
    first, last, at = entry
    kind, fields, _ = walk.record(at, VVR, CVVR)
    head, size = walk.layout(kind).size, fields[0]
    if kind == VVR:
        if (last - first + 1) * variable.row_bytes > size - head:
            raise Broken(f"records {first} to {last} of {variable.name!r} do not fit in {size} octets")
        return Block(first, last, at + head, size - head, 0)
    if not 0 <= fields[3] <= size - head:
        raise Broken(f"the compressed record at {at} claims {fields[3]} octets")
    return Block(first, last, at + head, fields[3], compression)
