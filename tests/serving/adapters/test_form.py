"""Forms: what is read of a body, and which times are understood."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from serving.adapters.form import MOST_FIELDS, BadForm, fields_of, time_of
from serving.schema import YEARS

ZONE = timezone(timedelta(hours=8))
texts = st.text(st.characters(codec="utf-8"))
times = st.datetimes(datetime(YEARS[0], 1, 1), datetime(YEARS[-1], 12, 31), timezones=st.sampled_from([UTC, ZONE]))


@given(st.lists(st.tuples(texts, texts), max_size=MOST_FIELDS))
def test_a_form_is_read_as_it_was_made(fields: list[tuple[str, str]]) -> None:
    assert fields_of(urlencode(fields).encode()) == fields


@given(st.binary())
def test_any_body_is_read_or_refused(body: bytes) -> None:
    with suppress(BadForm):
        assert all(isinstance(value, str) for pair in fields_of(body) for value in pair)


def test_raw_text_that_nobody_encoded_is_read() -> None:
    assert fields_of("a=路灯 不亮&b&&c=1=2".encode()) == [("a", "路灯 不亮"), ("b", ""), ("c", "1=2")]


@given(times)
def test_a_time_is_read_as_it_was_written(time: datetime) -> None:
    assert time_of(time.isoformat(), UTC) == time
    assert time_of(time.isoformat().replace("+", " "), UTC) == time
    plain = time.replace(tzinfo=None, microsecond=0)
    assert time_of(str(plain), ZONE) == plain.replace(tzinfo=ZONE)


@given(st.text())
def test_any_text_is_a_time_or_refused(written: str) -> None:
    with suppress(PydanticCustomError):
        assert time_of(written, UTC).year in YEARS


@pytest.mark.parametrize("written", ["", "20261123", "2026-11-23T25:00", "1700000000", "9999-12-31", "1899-12-31"])
def test_what_is_no_time_here_is_refused(written: str) -> None:
    with pytest.raises(PydanticCustomError):
        time_of(written, UTC)
