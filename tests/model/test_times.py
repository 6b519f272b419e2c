"""Times as people write them."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.errors import BadTime
from armillary.model import format_time, parse_time

NS = st.integers(-(9 * 10**18), 9 * 10**18)


@given(NS)
def test_what_is_written_is_read(ns: int) -> None:
    assert parse_time(format_time(ns)) == ns


@given(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)), st.integers(-14, 14))  # noqa: DTZ001
def test_datetimes_with_and_without_zone(when: datetime, hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    assert parse_time(when) == parse_time(when.replace(tzinfo=UTC)) == parse_time(np.datetime64(when, "us"))
    assert parse_time(when.replace(tzinfo=zone)) == parse_time(when) - hours * 3600 * 10**9


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2015-10-17", "2015-10-17T00:00:00Z"),
        ("20151017", "2015-10-17"),
        ("2015-290", "2015-10-17"),
        ("2016-366T23:59:60Z", "2017-01-01"),
        ("2016-12-31T23:59:60.5Z", "2017-01-01"),
        ("2015-10-17 04:30", "2015-10-17T04:30:00.000"),
        ("2015-10-17T04:30:00,5+02:00", "2015-10-17T02:30:00.5Z"),
        ("2015", "2015-01-01"),
        ("2015-10", "2015-10-01"),
    ],
)
def test_forms(text: str, same: str) -> None:
    assert parse_time(text) == parse_time(same)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2015-13-01", "2015-02-30", "2015-367", "2015-10-17T25:00", "NaT", "9999-01-01", 5, None]
)
def test_what_is_not_a_time(text: object) -> None:
    with pytest.raises(BadTime, match="Next step") as caught:
        parse_time(text)  # type: ignore[arg-type]
    assert str(caught.value).count("Next step") == 1
