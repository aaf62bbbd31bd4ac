"""P@K and nDCG@K of queries with several right items, graded or not, against every order of tied items."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.annotations import RetrievalAnnotations
from bench.errors import UsageError, VerificationError
from bench.evidence.comparisons import paired, values_of
from bench.evidence.verification import measured
from bench.matching import Matching
from bench.predictions import Embeddings, PairScores
from bench.results import Evidence
from bench.tasks.counting import evidence_of

Test = tuple[np.ndarray, dict[str, dict[str, int]]]


def in_every_order(scores: np.ndarray, grades: list[int], k: int) -> tuple[float, float]:
    """Returns P@k and nDCG@k in percent, the mean over all orders in which ties can be broken."""
    precision, gain = [], []
    best = sum(g / math.log2(rank + 1) for rank, g in enumerate(sorted(grades, reverse=True)[:k], 1))
    for order in itertools.permutations(range(len(scores))):
        ranked = sorted(order, key=lambda item: -scores[item])[:k]
        precision.append(sum(grades[item] > 0 for item in ranked) / k)
        gain.append(sum(grades[item] / math.log2(rank + 1) for rank, item in enumerate(ranked, 1)) / best)
    return 100.0 * float(np.mean(precision)), 100.0 * float(np.mean(gain))


@st.composite
def graded_tests(draw: st.DrawFn) -> Test:
    """Returns scores of few values (M, N), and the grades of the right videos of each text; some have none."""
    m, n = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    grades = draw(st.lists(st.lists(st.integers(0, 3), min_size=n, max_size=n), min_size=m, max_size=m))
    grades[0][0] = 1
    values = draw(st.lists(st.integers(0, 2), min_size=m * n, max_size=m * n))
    right = {f"t{i}": {f"v{j}": g for j, g in enumerate(row) if g} for i, row in enumerate(grades)}
    return np.array(values, dtype=np.float32).reshape(m, n), right


def counted(scores: np.ndarray, right: dict[str, dict[str, int]], owners: dict[str, str] | None = None) -> Evidence:
    videos = tuple(f"v{j}" for j in range(scores.shape[1]))
    annotations = RetrievalAnnotations(Matching.of(right, videos, owners), "a" * 64)
    return evidence_of(PairScores(videos, tuple(right), scores), annotations, "cpu")


@settings(max_examples=60, deadline=None)
@given(graded_tests(), st.integers(1, 6))
def test_both_ways_are_the_mean_over_every_order_of_ties(drawn: Test, k: int) -> None:
    scores, right = drawn
    grades = np.array([[right[f"t{i}"].get(f"v{j}", 0) for j in range(scores.shape[1])] for i in range(len(scores))])
    names = [f"{way}/{family}@{k}" for way in ("t2v", "v2t") for family in ("P", "nDCG")]
    found = {m.name: m.value for m in measured(counted(scores, right), names)}
    for way, rows, of_rows in (("t2v", scores, grades), ("v2t", scores.T, grades.T)):
        by_hand = [in_every_order(row, own.tolist(), k) for row, own in zip(rows, of_rows, strict=True) if own.any()]
        for family, expected in zip(("P", "nDCG"), np.mean(by_hand, axis=0), strict=True):
            assert found[f"{way}/{family}@{k}"] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("k", [1, 3, 10, 30])
def test_graded_ndcg_is_that_of_scikit_learn_which_averages_over_ties_too(k: int) -> None:
    from sklearn.metrics import ndcg_score

    rng = np.random.default_rng(k)
    scores = rng.integers(0, 6, size=(40, 25)).astype(np.float32)
    grades = rng.integers(1, 4, size=scores.shape) * (rng.random(scores.shape) < 0.2)
    grades[np.arange(40), rng.integers(0, 25, size=40)] = 2
    right = {f"t{i:02}": {f"v{j}": int(g) for j, g in enumerate(row) if g} for i, row in enumerate(grades)}
    found = {m.name: m.value for m in measured(counted(scores, right), [f"t2v/nDCG@{k}", f"v2t/nDCG@{k}"])}
    assert found[f"t2v/nDCG@{k}"] == pytest.approx(100.0 * ndcg_score(grades, scores, k=k), abs=1e-8)
    asked = grades.any(axis=0)
    expected = ndcg_score(grades.T[asked], scores.T[asked], k=k)
    assert found[f"v2t/nDCG@{k}"] == pytest.approx(100.0 * expected, abs=1e-8)


def test_a_text_goes_with_the_video_that_it_describes_although_another_one_was_judged_right() -> None:
    """Texts 0 and 1 describe v0; v1 was judged right for the second."""
    right = {"t0": {"v0": 1}, "t1": {"v1": 1}, "t2": {"v2": 1}}
    evidence = counted(SCORES[:3], right, {"t0": "v0", "t1": "v0", "t2": "v2"})
    assert evidence.counts["t2v/video"].tolist() == [0, 0, 1]
    assert len(values_of(evidence, "t2v/R@1").values) == 2
    texts, videos = np.eye(3, dtype=np.float32), ("v0", "v1", "v2")
    annotations = RetrievalAnnotations(Matching.of(right, videos, {"t0": "v0", "t1": "v0", "t2": "v2"}), "a" * 64)
    one_pass = evidence_of(Embeddings(videos, texts, tuple(right), texts), annotations, "cpu")
    assert one_pass.counts["t2v/video"].tolist() == [0, 0, 1]


def test_by_hand() -> None:
    """Five videos in the order v0, v1 and v2 tied, v3, v4; grades 0, 3, 0, 1, 0: ranks 2 or 3, and 4."""
    evidence = counted(np.array([[5, 4, 4, 2, 1]], dtype=np.float32), {"t0": {"v1": 3, "v3": 1}})
    found = {m.name: m.value for m in measured(evidence, ["t2v/P@2", "t2v/P@4", "t2v/nDCG@4", "t2v/any-hit R@2"])}
    assert found["t2v/P@2"] == pytest.approx(100 * 0.5 / 2)
    assert found["t2v/P@4"] == pytest.approx(100 * 2 / 4)
    gained = 3 * (1 / math.log2(3) + 1 / math.log2(4)) / 2 + 1 / math.log2(5)
    assert found["t2v/nDCG@4"] == pytest.approx(100 * gained / (3 + 1 / math.log2(3)))
    assert found["t2v/any-hit R@2"] == pytest.approx(50.0)


def test_small_typed_arrays_and_none_where_every_query_has_one_right_answer() -> None:
    assert set(counted(np.eye(3, dtype=np.float32), {f"t{i}": {f"v{i}": 2} for i in range(3)}).counts) == {"t2v", "v2t"}
    several = counted(np.eye(3, dtype=np.float32), {"t0": {"v0": 1, "v1": 1}, "t1": {"v2": 1}, "t2": {"v2": 1}})
    assert {name: (array.dtype.name, array.shape) for name, array in several.counts.items()} == {
        "t2v": ("uint32", (3, 3)),
        "t2v/right": ("uint32", (4, 2)),
        "t2v/video": ("uint32", (3,)),
        "v2t": ("uint32", (3, 3)),
        "v2t/right": ("uint32", (4, 2)),
    }
    graded = counted(np.eye(3, dtype=np.float32), {"t0": {"v0": 1, "v1": 2}})
    assert graded.counts["t2v/gain"].dtype == np.float64


SCORES = np.random.default_rng(7).normal(size=(24, 8)).astype(np.float32)
MANY = {f"t{i:02}": {f"v{i % 8}": 1, f"v{(i + 1) % 8}": 1} for i in range(24)}
"""Three texts describe each video; of each text the next video is right, too."""
OWN = {f"t{i:02}": f"v{i % 8}" for i in range(24)}


def test_texts_of_one_video_are_resampled_and_compared_together_where_they_have_several_right_videos() -> None:
    evidence = counted(SCORES, MANY, OWN)
    assert evidence.counts["t2v/video"].tolist() == [i % 8 for i in range(24)]
    found = {m.name: m for m in measured(evidence, ["t2v/P@2", "t2v/nDCG@3"])}
    for name in ("t2v/any-hit R@1", "t2v/P@2", "t2v/nDCG@3"):
        units = values_of(evidence, name).values
        assert len(units) == 8
        assert 100.0 * units.mean() == pytest.approx(found[name].value)
        # Eight videos of equal weight, drawn with replacement: what 40,000 draws give, to within their noise.
        draws = 100.0 * units[np.random.default_rng(1).integers(0, 8, size=(40_000, 8))].mean(axis=1)
        assert found[name].ci95 == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=2.0)
        assert found[name].n == 24
        assert paired([evidence], [counted(-SCORES, MANY, OWN)], name).comparison.n == 8
    assert (
        found["t2v/any-hit MedR"].ci95 is None
    )  # better none than one that takes texts of one video for as many videos


def test_a_query_that_describes_no_video_goes_with_the_first_of_its_best() -> None:
    right = {"q0": {"v1": 1, "v3": 2, "v5": 2}, "q1": {"v3": 1}, "q2": {"v0": 1}}
    assert counted(SCORES[:3], right).counts["t2v/video"].tolist() == [1, 1, 0]


def older(evidence: Evidence) -> Evidence:
    return Evidence({way: evidence.counts[way] for way in ("t2v", "v2t")}, evidence.pool, evidence.n_items)


def test_older_evidence_gives_what_it_gave_and_says_what_it_lacks() -> None:
    before, now = older(counted(SCORES, MANY, OWN)), counted(SCORES, MANY, OWN)
    found = {m.name: m.value for m in measured(before, ["t2v/nDCG@3"])}
    assert found == {m.name: m.value for m in measured(now)}
    with pytest.raises(UsageError, match=r"from before the evidence kept every right answer; `bench rescore --write"):
        values_of(before, "t2v/nDCG@3")
    with pytest.raises(UsageError, match="resampled over 8 videos in some of these records and over 24 queries"):
        paired([before], [now], "t2v/any-hit R@1")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("t2v/right", lambda array: array + np.uint32(1)),
        ("t2v/right", lambda array: array[:-1]),
        ("t2v/right", lambda array: array[::-1].copy()),
        ("t2v/right", lambda array: array.astype(np.int64)),
        ("t2v/right", lambda array: np.zeros_like(array)),
        ("t2v/video", lambda array: array + np.uint32(1)),
        ("t2v/video", lambda array: array[1:]),
        ("t2v/gain", lambda array: -array),
        ("t2v/gain", lambda array: array * np.nan),
    ],
)
def test_arrays_that_contradict_the_counts_are_refused(name, change) -> None:
    graded = {text: {video: 1 + i for i, video in enumerate(found)} for text, found in MANY.items()}
    whole = counted(SCORES, graded, OWN)
    assert measured(whole)
    with pytest.raises(VerificationError, match=name):
        measured(Evidence({**whole.counts, name: change(whole.counts[name])}, whole.pool, whole.n_items))


def test_grades_without_right_pairs_are_refused() -> None:
    graded = {text: {video: 1 + i for i, video in enumerate(found)} for text, found in MANY.items()}
    whole = counted(SCORES, graded, OWN)
    left = {name: array for name, array in whole.counts.items() if name != "t2v/right"}
    with pytest.raises(VerificationError, match="t2v/gain stands without t2v/right"):
        measured(Evidence(left, whole.pool, whole.n_items))
