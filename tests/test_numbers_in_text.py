"""Numbers in text: what people write is read, what only Python takes for a number is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reading.numbers import number_of, real_in, whole_in

ODD = ["", " 1", "1 ", "1_0", "\N{FULLWIDTH DIGIT ONE}", "\N{ARABIC-INDIC DIGIT THREE}", "nan", "inf", "0x1", "1e", "."]


@pytest.mark.parametrize("text", ODD)
def test_what_only_python_reads_is_no_number(text: str) -> None:
    assert real_in(text) is None
    assert whole_in(text) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_float_is_read_back(number: float) -> None:
    assert real_in(repr(number)) == number
    assert real_in(f"{number:.17e}") == number


@given(st.integers(-(10**18) + 1, 10**18 - 1))
def test_every_whole_number_is_read_back(number: int) -> None:
    assert whole_in(str(number)) == number
    assert whole_in(f"{number:+d}") == number


@pytest.mark.parametrize(("text", "number"), [("1.", 1.0), (".5", 0.5), ("+1e-3", 1e-3), ("1E5", 1e5)])
def test_short_forms_are_read(text: str, number: float) -> None:
    assert real_in(text) == number


def test_what_is_beyond_every_float_is_none() -> None:
    assert real_in("1e999") is None
    assert real_in("-1e999") is None


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [
        (1, ("video",), "1 video"),
        (2990, ("video",), "2,990 videos"),
        (0, ("query",), "0 queries"),
        (2, ("class",), "2 classes"),
        (2, ("key",), "2 keys"),
        (1, ("video is", "videos are"), "1 video is"),
        (1000, ("video is", "videos are"), "1,000 videos are"),
    ],
)
def test_a_number_stands_with_its_noun(count: int, words: tuple[str, ...], text: str) -> None:
    assert number_of(count, *words) == text
