"""Space packets (CCSDS 133.0-B-2) as arrays of octets, one row a packet."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from armillary.errors import BadData

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

#: Octets of the primary header.
HEADER: Final = 6
#: The packet sequence count goes from 0 to one less than this.
COUNTS: Final = 1 << 14
#: The APID of packets that carry nothing.
IDLE: Final = 0x7FF


class Header(NamedTuple):
    """The fields of primary headers, each of shape (n,).

    ``length`` is the whole packet in octets (the header's field is that minus 7).
    """

    version: Array
    telecommand: Array
    secondary: Array
    apid: Array
    flags: Array
    sequence: Array
    length: Array


def encode_header(apid: Array, count: Array, length: Array, *, secondary: bool = True, flags: int = 3) -> Array:
    """Make primary headers of telemetry packets.

    Parameters
    ----------
    apid, count : array, shape (n,)
        Application process identifier (0..2047) and sequence count (taken modulo 16384).
    length : array, shape (n,)
        Octets of the whole packet, at least 7.
    secondary : bool
        Whether a secondary header follows.
    flags : int
        3 for a packet that stands alone.

    Returns
    -------
    array of uint8, shape (n, 6)

    Examples
    --------
    >>> encode_header([100], [5], [20]).tolist()
    [[8, 100, 192, 5, 0, 13]]
    """
    apid, count, length = np.broadcast_arrays(*(np.asarray(one, np.int64) for one in (apid, count, length)))
    words = np.stack(
        [(int(secondary) << 11) | (apid & IDLE), (flags << 14) | (count % COUNTS), length - HEADER - 1], -1
    )
    return words.astype(">u2").view(np.uint8).reshape(-1, HEADER)


def decode_header(octets: Array) -> Header:
    """Read primary headers.

    Parameters
    ----------
    octets : array of uint8, shape (n, m)
        Packets with m >= 6; what follows the header is not looked at.

    Raises
    ------
    BadData
        If the rows are shorter than a header.
    """
    if octets.ndim != 2 or octets.shape[1] < HEADER:
        raise BadData(f"packets of shape {octets.shape} hold no primary header", "give rows of at least 6 octets")
    words = np.ascontiguousarray(octets[:, :HEADER]).view(">u2").astype(np.int64)
    first, second, third = words.T
    return Header(
        first >> 13, first >> 12 & 1, first >> 11 & 1, first & IDLE, second >> 14, second & (COUNTS - 1), third + 7
    )


def split(stream: bytes) -> Iterator[bytes]:
    """Cut a stream into packets by their length fields.

    Raises
    ------
    BadData
        If the last packet is cut short; the packets before it have been given by then.

    Examples
    --------
    >>> one = encode_header([1], [0], [8]).tobytes() + b"ab"
    >>> list(split(one + one)) == [one, one]
    True
    """
    place = 0
    while place < len(stream):
        length = int.from_bytes(stream[place + 4 : place + 6], "big") + HEADER + 1
        if place + length > len(stream) or place + HEADER > len(stream):
            raise BadData(f"the packet at octet {place} is cut short", "read the rest of the stream, or drop its end")
        yield stream[place : place + length]
        place += length


def checksum(octets: Array) -> Array:
    """Give the packet error control of each row: CRC-16 of ECSS-E-ST-70-41C annex B (x^16 + x^12 + x^5 + 1, all ones).

    Parameters
    ----------
    octets : array of uint8, shape (n, m)

    Returns
    -------
    array of uint16, shape (n,)
        A row that ends in its own checksum, high octet first, gives 0.

    Examples
    --------
    >>> hex(checksum(np.frombuffer(b"123456789", np.uint8)[None])[0])
    '0x29b1'
    """
    table = _crc_table()
    found = np.full(len(octets), 0xFFFF, np.uint16)
    for column in octets.T:
        found = (found << np.uint16(8)) ^ table[(found >> np.uint16(8)) ^ column]
    return found


def missing(count: Array) -> Array:
    """Give how many packets are lost before each one, from the sequence counts of one APID; the first gets 0.

    Examples
    --------
    >>> missing(np.array([16382, 16383, 0, 3])).tolist()
    [0, 0, 0, 2]
    """
    return np.concatenate([[0], (np.diff(count) - 1) % COUNTS])[: len(count)]


def _crc_table() -> Array:
    value = np.arange(256, dtype=np.uint16) << np.uint16(8)
    for _ in range(8):
        value = np.where(value & 0x8000, (value << np.uint16(1)) ^ np.uint16(0x1021), value << np.uint16(1))
    return value.astype(np.uint16)
