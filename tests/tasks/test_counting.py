"""Any matching through the one ranker: against the definition, with missing videos, unequal numbers, distractors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.annotations import RetrievalAnnotations
from bench.matching import Matching
from bench.predictions import Embeddings, PairScores
from bench.tasks.counting import evidence_of


def by_definition(scores: np.ndarray, right: list[list[int]]) -> tuple[list[list[int]], list[list[int]]]:
    """Returns [above, equal, right] of each row and each column with a right partner, by comparing one with another."""

    def counted(values: np.ndarray, own: list[int]) -> list[int]:
        best = max(values[i] for i in own)
        wrong = [value for i, value in enumerate(values) if i not in own]
        return [sum(v > best for v in wrong), sum(v == best for v in wrong), len(own)]

    rows = [counted(scores[i], own) for i, own in enumerate(right) if own]
    owners = [[i for i, own in enumerate(right) if column in own] for column in range(scores.shape[1])]
    columns = [counted(scores[:, j], own) for j, own in enumerate(owners) if own]
    return rows, columns


@st.composite
def any_form_of_test(draw: st.DrawFn) -> tuple[np.ndarray, list[list[int]]]:
    """Returns scores of few different values (M, N), and the right columns of each row; some have none."""
    m, n = draw(st.integers(1, 9)), draw(st.integers(1, 6))
    right = draw(st.lists(st.lists(st.integers(0, n - 1), unique=True, max_size=3), min_size=m, max_size=m))
    if not any(right):
        right[0] = [0]
    values = draw(st.lists(st.integers(-2, 2), min_size=m * n, max_size=m * n))
    return np.array(values, dtype=np.float32).reshape(m, n), [sorted(own) for own in right]


@settings(max_examples=100, deadline=None)
@given(any_form_of_test())
def test_pair_scores_are_counted_as_the_definition_says(drawn: tuple[np.ndarray, list[list[int]]]) -> None:
    scores, right = drawn
    texts = tuple(f"t{i:02}" for i in range(len(scores)))
    videos = tuple(f"v{j:02}" for j in range(scores.shape[1]))
    annotations = RetrievalAnnotations(Matching(texts, videos, tuple(map(tuple, right))), "a" * 64)
    evidence = evidence_of(PairScores(videos, texts, scores), annotations, "cpu")
    rows, columns = by_definition(scores, right)
    assert sorted(evidence.counts["t2v"].tolist()) == sorted(rows)
    assert evidence.counts["v2t"].tolist() == columns
    assert (evidence.n_items["t2v"], evidence.n_items["v2t"]) == (len(videos), len(texts))


def embeddings(counts: list[int], seed: int, dim: int = 24) -> tuple[Embeddings, dict[str, list[str]]]:
    """Returns vectors of videos and, in another order, of `counts` captions of each, with the video of each caption."""
    rng = np.random.default_rng(seed)
    videos = rng.normal(size=(len(counts), dim)).astype(np.float32)
    owners = np.repeat(np.arange(len(counts)), counts)
    texts = (videos[owners] + 2.0 * rng.normal(size=(len(owners), dim))).astype(np.float32)
    order = rng.permutation(len(owners))
    names = [f"t{i:04}" for i in range(len(owners))]
    ids = tuple(names[i] for i in order)
    video_ids = tuple(f"v{j:04}" for j in range(len(counts)))
    right = {names[i]: [video_ids[owners[i]]] for i in range(len(owners))}
    return Embeddings(video_ids, videos, ids, texts[order]), right


@pytest.mark.parametrize("counts", [[3, 1, 4, 1, 5], [2] * 40, [1, 0, 2, 7], [*range(1, 40)] * 20])
def test_captions_are_ranked_by_cosine_as_the_definition_says_whatever_their_numbers(counts: list[int]) -> None:
    said, right = embeddings(counts, seed=len(counts))
    matching = Matching.of(right, said.video_ids)
    evidence = evidence_of(said, RetrievalAnnotations(matching, "a" * 64, unit="caption"), "cpu")

    order = sorted(range(len(said.paragraph_ids)), key=lambda i: (right[said.paragraph_ids[i]], said.paragraph_ids[i]))
    texts = said.paragraphs[order].astype(np.float64)
    videos = said.videos.astype(np.float64)
    cosines = (texts / np.linalg.norm(texts, axis=1, keepdims=True)) @ (
        videos / np.linalg.norm(videos, axis=1, keepdims=True)
    ).T
    owners = [said.video_ids.index(right[said.paragraph_ids[i]][0]) for i in order]
    rows, columns = by_definition(cosines, [[owner] for owner in owners])
    # Cosines that float32 cannot tell apart may change places: at most a few of half a million.
    assert np.abs(evidence.counts["t2v"].astype(int) - np.array(rows)).sum() <= 3
    assert np.abs(evidence.counts["v2t"].astype(int) - np.array(columns)).sum() <= 3
    assert evidence.counts["v2t"][:, 2].tolist() == [count for count in counts if count]


def test_equal_captions_tie_wherever_they_stand() -> None:
    """Every vector is the same: each query ties with all wrong partners, in every tile."""
    counts = [3] * 400
    said, right = embeddings(counts, seed=1)
    constant = Embeddings(said.video_ids, np.ones_like(said.videos), said.paragraph_ids, np.ones_like(said.paragraphs))
    evidence = evidence_of(constant, RetrievalAnnotations(Matching.of(right), "a" * 64), "cpu")
    assert (evidence.counts["t2v"] == [0, 399, 1]).all()
    assert (evidence.counts["v2t"] == [0, 1197, 3]).all()


def test_videos_without_features_are_found_behind_all_others() -> None:
    """v1 has no features: its captions come last among three videos, and it finds them behind all other captions."""
    said, right = embeddings([1, 2, 1], seed=3)
    matching = Matching.of(right, said.video_ids)
    kept = Embeddings(("v0000", "v0002"), said.videos[[0, 2]], said.paragraph_ids, said.paragraphs)
    annotations = RetrievalAnnotations(matching, "a" * 64, missing=frozenset({"v0001"}), unit="caption")
    evidence = evidence_of(kept, annotations, "cpu")
    assert evidence.counts["t2v"][1:3].tolist() == [[2, 0, 1], [2, 0, 1]]
    assert evidence.counts["v2t"][1].tolist() == [2, 0, 2]
    assert evidence.n_items == {"t2v": 3, "v2t": 4}


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(0, 1000))
def test_one_to_one_gives_the_same_by_either_way(count: int, seed: int) -> None:
    said, right = embeddings([1] * count, seed)
    matching = Matching.of(right, said.video_ids)
    annotations = RetrievalAnnotations(matching, "a" * 64)
    fast = evidence_of(said, annotations, "cpu")
    from bench.tasks import counting

    slow = counting._count_all(said, annotations, "cpu")
    assert {way: counts.tolist() for way, counts in fast.counts.items()} == {
        way: counts.tolist() for way, counts in slow.items()
    }
