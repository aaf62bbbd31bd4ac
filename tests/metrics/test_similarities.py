"""Ranks in a stored matrix against a naive scorer that sorts nothing and keeps everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import InvalidData
from bench.metrics import similarities as module
from bench.metrics.similarities import Pairs, Similarities, count_best_captions, count_ranks


def exact(stored: np.ndarray) -> Similarities:
    return Similarities(stored, lambda part: np.asarray(part, dtype=np.float32), stored.dtype.name)


def naive(scores: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Returns (rows, 3) by the definition, row by row."""
    found = []
    for row, good in zip(scores.astype(np.float64), right, strict=True):
        best = max((s for s, g in zip(row, good, strict=True) if g), default=np.inf)
        wrong = [s for s, g in zip(row, good, strict=True) if not g]
        found.append((sum(s > best for s in wrong), sum(s == best for s in wrong), int(good.sum())))
    return np.array(found)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 25), st.integers(1, 9), st.integers(0, 2**31))
def test_best_captions_rank_videos_as_the_maximum_over_their_captions_does(m: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, own = rng.integers(0, 5, size=(m, n)).astype(np.float16), rng.integers(0, n, size=m)
    asking = np.unique(own)
    best = np.stack([scores[own == video].max(axis=0) for video in asking]).astype(np.float64)
    expected = naive(best.T[asking], np.eye(len(asking), dtype=bool))
    found = count_best_captions(exact(scores), own)
    assert np.array_equal(found[asking], expected)
    assert not found[np.setdiff1d(np.arange(n), asking), 2].any()


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Returns scores of few distinct values, so that they tie, and a right column or more for each row."""
    m, n = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    right = rng.random((m, n)) < draw(st.sampled_from([0.0, 0.2, 0.6]))
    right[np.arange(m), rng.integers(0, n, size=m)] = True
    return rng.integers(-2, 3, size=(m, n)).astype(draw(st.sampled_from([np.float16, np.float32]))) / 8, right


@settings(max_examples=150, deadline=None)
@given(problems(), st.integers(1, 200))
def test_counts_agree_with_the_definition_at_any_tile_height(problem: tuple[np.ndarray, np.ndarray], tile: int) -> None:
    scores, right = problem
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TILE_BYTES", tile)
        found = count_ranks(exact(scores), Pairs(*np.nonzero(right)))
    assert np.array_equal(found.rows, naive(scores, right))
    covered = right.any(axis=0)
    assert np.array_equal(found.columns[covered], naive(scores.T, right.T)[covered])
    assert not found.columns[~covered, 2].any()
    for i, (row, column) in enumerate(zip(*np.nonzero(right), strict=True)):
        score = scores[row, column]
        for line, counts in ((scores[row], found.row_pairs), (scores[:, column], found.column_pairs)):
            assert counts[i].tolist() == [(line > score).sum(), (line == score).sum() - 1]


def test_half_floats_tie_where_their_values_are_equal_and_nowhere_else() -> None:
    scores = np.array([[0.3, 0.3001, 0.3003], [0, 1, 0], [0, 0, 1]], dtype=np.float16)
    assert scores[0, 0] == scores[0, 1] != scores[0, 2]
    counted = count_ranks(exact(scores), Pairs(np.arange(3), np.arange(3)))
    assert counted.rows[0].tolist() == [1, 1, 1]


@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, 1), (4, 4)])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_named_with_its_place(row: int, column: int, value: float) -> None:
    scores = np.zeros((5, 5), dtype=np.float32)
    scores[row, column] = value
    with pytest.raises(InvalidData, match=f"row {row}, column {column} .* is {value}"):
        count_ranks(exact(scores), Pairs(np.arange(5), np.arange(5)))


def test_a_mapped_matrix_is_read_a_tile_at_a_time() -> None:
    seen: list[int] = []

    def read(part: np.ndarray) -> np.ndarray:
        seen.append(part.nbytes)
        return np.asarray(part, dtype=np.float32)

    scores = np.random.default_rng(1).normal(size=(400, 300)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TILE_BYTES", 8 * 300 * 16)
        count_ranks(Similarities(scores, read, "float32"), Pairs(np.arange(400), np.arange(400) % 300))
    assert max(seen) <= 16 * 300 * 4
    assert sum(size == 16 * 300 * 4 for size in seen) == 25  # every tile once
