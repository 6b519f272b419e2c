"""Random numbers by address: any part equals the same part of the whole."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from armillary.science.noise import generator, smooth, turbulence


@given(st.integers(0, 10**9), st.integers(-5000, 5000), st.integers(1, 400))
def test_any_part_is_bit_for_bit_the_same(seed: int, first: int, count: int) -> None:
    whole = np.arange(-6000, 6000, 7.3)
    part = slice(400 + first // 15, 400 + first // 15 + count)
    assert np.array_equal(smooth(seed, "a", whole / 50, 2)[part], smooth(seed, "a", whole[part] / 50, 2))
    assert np.array_equal(turbulence(seed, "a", whole, 300, 10)[part], turbulence(seed, "a", whole[part], 300, 10))


def test_addresses_do_not_share_numbers() -> None:
    addresses = [(1, "a"), (1, "b"), (2, "a"), (1, "a", 0), (1, "a", 1), (1, "a", 0, 1), (11, "a")]
    assert len({generator(*one).integers(1 << 62) for one in addresses}) == len(addresses)


def test_variance_is_one_and_the_spectrum_falls_as_asked() -> None:
    seconds = np.arange(1 << 17, dtype=float)
    field = turbulence(3, "spectrum", seconds, 4096, 4)[:, 0]
    assert 0.8 < field.std() < 1.2
    power = np.abs(np.fft.rfft(field * np.hanning(field.size))) ** 2
    frequency = np.fft.rfftfreq(field.size)
    chosen = (frequency > 1 / 1500) & (frequency < 1 / 16)
    edges = np.geomspace(1 / 1500, 1 / 16, 9)
    place = np.digitize(frequency[chosen], edges)
    means = [power[chosen][place == k].mean() for k in range(1, 9)]
    slope = np.polyfit(np.log(np.sqrt(edges[1:] * edges[:-1])), np.log(means), 1)[0]
    assert abs(slope + 5 / 3) < 0.25


def test_an_empty_question_has_an_empty_answer() -> None:
    assert smooth(1, "a", np.zeros(0), 3).shape == (0, 3)
