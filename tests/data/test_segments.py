"""The row arithmetic of the released HSE code, against hand-worked cases and plain loops."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.data.segments import kept_rows, ranges, segment_rows, window_rows, window_times


def rows_of(segment: tuple[float, float], duration: float, rows: int) -> tuple[int, int]:
    first, last = segment_rows(np.array([segment]), np.array([duration]), np.array([rows]))
    return int(first[0]), int(last[0])


def test_a_segment_covers_floor_of_its_start_to_ceiling_of_its_end_inclusive():
    assert rows_of((2.0, 4.0), 10.0, 10) == (2, 4)
    assert rows_of((2.1, 3.9), 10.0, 10) == (2, 4)
    assert rows_of((0.0, 5.0), 10.0, 100) == (0, 50)


def test_a_segment_to_the_end_of_the_video_stops_at_the_last_row():
    assert rows_of((9.5, 10.0), 10.0, 10) == (9, 9)
    assert rows_of((0.0, 10.0), 10.0, 10) == (0, 9)


def test_an_empty_segment_at_the_very_end_still_has_a_row():
    assert rows_of((10.0, 10.0), 10.0, 7) == (6, 6)


def test_a_video_of_one_row_gives_that_row_to_every_segment():
    assert rows_of((3.0, 4.0), 10.0, 1) == (0, 0)


def test_rows_above_the_cap_are_kept_at_floor_of_k_n_over_cap():
    kept = kept_rows(np.array([10]), np.array([7]), 3)
    assert kept.tolist() == [10 + 0, 10 + 2, 10 + 4]


def test_rows_up_to_the_cap_are_all_kept():
    assert kept_rows(np.array([5, 0]), np.array([3, 2]), 3).tolist() == [5, 6, 7, 0, 1]


@given(
    st.lists(
        st.tuples(st.floats(0, 1000), st.floats(0, 1000), st.floats(0.1, 1000), st.integers(1, 3000)),
        min_size=1,
        max_size=20,
    )
)
def test_segments_equal_the_rule_applied_one_by_one(cases):
    cases = [(min(a, b, d), min(max(a, b), d), d, t) for a, b, d, t in cases]
    segments = np.array([[a, b] for a, b, _, _ in cases])
    first, last = segment_rows(segments, np.array([c[2] for c in cases]), np.array([c[3] for c in cases]))
    for (a, b, duration, rows), got in zip(cases, zip(first.tolist(), last.tolist(), strict=True), strict=True):
        start = min(math.floor(a / duration * rows), rows - 1)
        end = min(math.ceil(b / duration * rows), rows - 1)
        assert got == (start, max(start, end))


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 500)), max_size=20), st.integers(1, 90))
def test_kept_rows_equal_a_plain_loop(sequences, cap):
    expected = []
    for first, length in sequences:
        kept = min(length, cap)
        expected += [first + math.floor(Fraction(k * length, kept)) for k in range(kept)]
    first = np.array([s[0] for s in sequences], dtype=np.int64)
    lengths = np.array([s[1] for s in sequences], dtype=np.int64)
    assert kept_rows(first, lengths, cap).tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 9)), max_size=20))
def test_ranges_equal_a_plain_loop(pairs):
    expected = [first + k for first, count in pairs for k in range(count)]
    first = np.array([p[0] for p in pairs], dtype=np.int64)
    counts = np.array([p[1] for p in pairs], dtype=np.int64)
    assert ranges(first, counts).tolist() == expected


@given(st.lists(st.integers(1, 400), min_size=1, max_size=10), st.integers(1, 12))
def test_windows_follow_the_same_rule_in_exact_arithmetic(rows, windows):
    first, last = window_rows(windows, np.array(rows))
    expected = []
    for t in rows:
        for j in range(windows):
            start = math.floor(Fraction(j * t, windows))
            end = min(math.ceil(Fraction((j + 1) * t, windows)), t - 1)
            expected.append((start, end))
            assert 0 <= start <= end < t
    assert list(zip(first.tolist(), last.tolist(), strict=True)) == expected


def test_window_times_cut_the_video_evenly():
    assert window_times(2, np.array([10.0, 3.0])).tolist() == [[0, 5], [5, 10], [0, 1.5], [1.5, 3]]
