"""Ranks from a score matrix: both directions, expected ties, no NaN, blocks of rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import ModelError
from bench.metrics import score_matrix
from bench.metrics.ranking import rank_pairs
from bench.metrics.score_matrix import rank_scores


def naive(scores: np.ndarray, own: np.ndarray) -> tuple[list[list[int]], list[list[int]]]:
    """Counts one entry after the other."""
    queries, items = [], [[0, 0] for _ in range(scores.shape[1])]
    for row, column in enumerate(own):
        right = scores[row, column]
        others = [scores[row, c] for c in range(scores.shape[1]) if c != column]
        queries.append([sum(o > right for o in others), sum(o == right for o in others)])
        above = [scores[r, column] for r in range(len(own)) if r != row]
        items[column] = [sum(o > right for o in above), sum(o == right for o in above)]
    return queries, items


def test_a_matrix_worked_by_hand() -> None:
    # row 0 belongs to column 1, row 1 to column 0, row 2 to column 2
    scores = np.array([[3, 2, 2], [1, 5, 1], [0, 0, 9]], dtype=np.float32)
    counts = rank_scores(scores, np.array([1, 0, 2]))
    assert counts.queries.tolist() == [[1, 1], [1, 1], [0, 0]]
    assert counts.items.tolist() == [[1, 0], [1, 0], [0, 0]]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(0, 10_000), st.integers(1, 4))
def test_it_agrees_with_counting_one_by_one(count: int, seed: int, levels: int) -> None:
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, levels, (count, count)).astype(np.float32)
    own = generator.permutation(count)
    counts = rank_scores(scores, own)
    assert (counts.queries.tolist(), counts.items.tolist()) == naive(scores, own)


def test_blocks_of_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    scores, own = generator.standard_normal((50, 50)).astype(np.float32), generator.permutation(50)
    whole = rank_scores(scores, own)
    monkeypatch.setattr(score_matrix, "BLOCK_BYTES", 50 * 4 * 7)
    parts = rank_scores(scores, own)
    assert (whole.queries == parts.queries).all()
    assert (whole.items == parts.items).all()


def test_it_agrees_with_the_ranking_of_embeddings() -> None:
    queries, items = torch.randn(60, 8), torch.randn(60, 8)
    own = torch.randperm(60)
    unit = torch.nn.functional.normalize
    theirs = rank_pairs(queries, items, own)
    ours = rank_scores((unit(queries).double() @ unit(items).double().t()).numpy(), own.numpy())
    assert (ours.queries == theirs.queries).all()
    assert (ours.items == theirs.items).all()


def test_rows_without_a_column_of_their_own_still_stand_in_the_way_of_others() -> None:
    scores = np.array([[3, 1], [5, 2], [9, 9]], dtype=np.float32)
    counts = rank_scores(scores, np.array([0, 1, 2]))
    assert counts.items.tolist() == [[2, 0], [1, 0]]
    assert counts.queries[:2].tolist() == [[0, 0], [1, 0]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_never_ranked(value: float) -> None:
    scores = np.zeros((4, 4), dtype=np.float32)
    scores[2, 1] = value
    with pytest.raises(ModelError, match="paragraph 2 and video 1"):
        rank_scores(scores, np.arange(4))


def test_two_rows_for_one_column_are_refused() -> None:
    with pytest.raises(ValueError, match="exactly one row"):
        rank_scores(np.zeros((2, 2), dtype=np.float32), np.array([0, 0]))
