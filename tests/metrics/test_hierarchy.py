"""Ranks within a video and choices between two, by hand and against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from bench.metrics.hierarchy import preferences, rank_within, unit_rows


def test_ranks_within_two_videos_by_hand():
    # Of the three clips of video 1, sentence 2 is closest to clip 3, and equally close to clips 1 and 2.
    clips = np.array([[1, 0], [0, 1], [1, 1], [1, 0]], dtype=np.float32)
    sentences = np.array([[2, 0], [1, 1], [3, 3], [0, 1]], dtype=np.float32)

    by_sentence, by_clip = rank_within(sentences, clips, np.array([3, 1]))

    assert by_sentence.tolist() == [[0, 0], [1, 1], [0, 0], [0, 0]]
    # Clip 2 is as close to sentence 3 as to sentence 2, clip 3 as close to sentence 2 as to sentence 3.
    assert by_clip.tolist() == [[0, 0], [0, 1], [0, 1], [0, 0]]


def test_ranks_within_agree_with_a_plain_loop(monkeypatch):
    monkeypatch.setattr("bench.metrics.hierarchy.CHUNK", 2)
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 5, size=30)
    queries, items = (rng.standard_normal((counts.sum(), 3)).astype(np.float32) for _ in range(2))
    by_query, by_item = rank_within(queries, items, counts)

    scores = unit_rows(queries) @ unit_rows(items).T
    owner = np.repeat(np.arange(len(counts)), counts)
    for i, of_video in enumerate(owner):
        others = np.flatnonzero(owner == of_video)
        assert by_query[i, 0] == sum(scores[i, j] > scores[i, i] for j in others)
        assert by_item[i, 0] == sum(scores[j, i] > scores[i, i] for j in others)
    assert not by_query[:, 1].any()


def test_equal_vectors_tie_wherever_they_stand():
    rows = np.tile(np.array([[0.1, 0.7, -0.3]], dtype=np.float32), (21, 1))
    by_query, by_item = rank_within(rows, rows, np.array([7, 7, 7]))
    assert (by_query == [0, 6]).all()
    assert (by_item == [0, 6]).all()


@pytest.mark.parametrize(("right", "wrong", "value"), [(0.5, 0.4, 1.0), (0.4, 0.5, 0.0), (0.5, 0.5, 0.5)])
def test_a_preference_is_one_zero_or_a_half(right, wrong, value):
    assert preferences(np.array([right]), np.array([wrong])).tolist() == [value]
