"""The octets of a CDF: read through a window, inflated within bounds."""

import re
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

#: One octet of gzip or of run lengths cannot stand for more than this.
MOST_RATIO: Final = 1032
#: A whole-file compressed CDF may become this large in memory.
MOST_INFLATED: Final = 2 << 30
_WINDOW: Final = 1 << 18
_RUN = re.compile(rb"\0(.)", re.DOTALL)


class Broken(Exception):
    """What the file says about itself cannot be true; becomes `armillary.errors.DamagedFile` at the door."""


class Octets:
    """A file's octets, read through a window so that many small records cost few reads.

    Not memory-mapped: a file that another process cuts short would then end this one.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size = file, size
        self._start, self._window = 0, b""

    @classmethod
    def of(cls, path: Path) -> "Octets":
        """Open a file."""
        size = path.stat().st_size
        return cls(path.open("rb", buffering=0), size)

    def become(self, content: bytes) -> None:
        """Go on with other octets, those that the file holds in compressed form."""
        self.close()
        self.file, self.size = BytesIO(content), len(content)
        self._start, self._window = 0, b""

    def take(self, at: int, count: int) -> bytes:
        """Give `count` octets from offset `at`."""
        if at < 0 or count < 0 or at + count > self.size:
            raise Broken(f"octets {at} to {at + count} are asked for, the file has {self.size}")
        if count > _WINDOW // 2:
            return self._read(at, count)
        if not self._start <= at <= at + count <= self._start + len(self._window):
            self._window, self._start = self._read(at, min(_WINDOW, self.size - at)), at
        return self._window[at - self._start : at - self._start + count]

    def unpack(self, layout: struct.Struct, at: int) -> tuple[Any, ...]:
        """Read numbers from offset `at`."""
        return layout.unpack(self.take(at, layout.size))

    def close(self) -> None:
        """Let the file go."""
        self.file.close()

    def _read(self, at: int, count: int) -> bytes:
        self.file.seek(at)
        pieces = []
        while count and (piece := self.file.read(count)):
            pieces.append(piece)
            count -= len(piece)
        if count:
            raise Broken(f"it ends {count} octets too early; somebody else may be writing it")
        return b"".join(pieces)


def inflate(raw: bytes, compression: int, size: int) -> bytes:
    r"""Undo a compression, up to the `size` octets that are wanted.

    Parameters
    ----------
    compression : int
        As CDF numbers them: 0 none, 1 run lengths of zeros, 5 gzip.

    Raises
    ------
    Broken
        If fewer come out, if more are wanted than can be in there, or the compression is another.

    Examples
    --------
    >>> inflate(b"a\x00\x02b", 1, 5)
    b'a\x00\x00\x00b'
    """
    if not 0 <= size <= min(MOST_RATIO * len(raw), MOST_INFLATED):
        raise Broken(f"{len(raw)} compressed octets cannot become {size}")
    if compression not in {0, 1, 5}:
        raise Broken(f"compression {compression} (Huffman or unknown) is not read")
    plain = raw if compression == 0 else _runs(raw) if compression == 1 else _gunzip(raw, size)
    if len(plain) < size:
        raise Broken(f"{len(plain)} octets come out of a compressed record instead of {size}")
    return plain[:size]


def _runs(raw: bytes) -> bytes:
    return _RUN.sub(lambda run: bytes(run[1][0] + 1), raw)


def _gunzip(raw: bytes, size: int) -> bytes:
    stream = zlib.decompressobj(wbits=47)
    try:
        plain = stream.decompress(raw, size) if size else b""
        # One more octet: at the end of the stream this makes zlib compare its checksum.
        stream.decompress(stream.unconsumed_tail, 1)
    except zlib.error as broken:
        raise Broken(f"a compressed record cannot be read: {broken}") from None
    return plain
