"""Space packets: what is written is read again, by us and by space_packet_parser."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadData
from armillary.science import ccsds


@given(st.lists(st.tuples(st.integers(0, 2046), st.integers(0, 16383), st.integers(7, 300)), min_size=1, max_size=20))
def test_headers_travel(fields: list[tuple[int, int, int]]) -> None:
    apid, count, length = np.array(fields).T
    found = ccsds.decode_header(ccsds.encode_header(apid, count, length))
    assert np.array_equal(found.apid, apid)
    assert np.array_equal(found.sequence, count)
    assert np.array_equal(found.length, length)
    assert set(found.flags) == {3}
    assert set(found.secondary) == {1}
    assert not found.version.any()
    assert not found.telecommand.any()


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=10))
def test_a_stream_is_cut_where_it_was_joined(payloads: list[bytes]) -> None:
    packets = [ccsds.encode_header([9], [k], [6 + len(one)]).tobytes() + one for k, one in enumerate(payloads)]
    assert list(ccsds.split(b"".join(packets))) == packets


@pytest.mark.parametrize("length", [3, 6, 10])
def test_a_stream_that_is_cut_short_says_where(length: int) -> None:
    packet = ccsds.encode_header([9], [0], [11]).tobytes() + b"12345"
    with pytest.raises(BadData, match="octet 11 is cut short"):
        list(ccsds.split(packet + packet[:length]))


@given(st.binary(min_size=1, max_size=60), st.integers(0, 10_000))
def test_the_checksum_sees_a_flipped_bit(data: bytes, place: int) -> None:
    octets = np.frombuffer(data, np.uint8)
    whole = np.concatenate([octets, ccsds.checksum(octets[None]).astype(">u2").view(np.uint8)])[None].copy()
    assert ccsds.checksum(whole)[0] == 0
    bit = place % (8 * whole.size)
    whole[0, bit // 8] ^= 1 << bit % 8
    assert ccsds.checksum(whole)[0] != 0


def test_rows_too_short_for_a_header_are_refused() -> None:
    with pytest.raises(BadData, match="no primary header"):
        ccsds.decode_header(np.zeros((2, 5), np.uint8))


def test_lost_packets_are_counted_over_the_wrap() -> None:
    assert ccsds.missing(np.array([16380, 16381, 5, 6])).tolist() == [0, 0, 7, 0]
    assert ccsds.missing(np.zeros(0, int)).tolist() == []
