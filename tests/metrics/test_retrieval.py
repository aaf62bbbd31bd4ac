"""Recalls and ranks: by hand, against a sort, under ties, and what no ranking can give."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import VerificationError
from bench.evidence.verification import verify
from bench.metrics.rank_statistics import KS, expected_hits, ranks_from_zero
from bench.metrics.retrieval import check_evidence, measure, optimistic_hits, pessimistic_hits, recall, statistics_of
from bench.metrics.statistics import FEWEST
from bench.results import Evidence, Measurement


def evidence_of(counts: list[list[int]] | np.ndarray, n_items: int | None = None) -> Evidence:
    """Returns evidence with the same (greater, equal) counts in both directions."""
    pairs = np.asarray(counts)
    rows = np.concatenate([pairs, np.ones((len(pairs), 1), dtype=pairs.dtype)], axis=1).astype(np.uint32)
    size = len(pairs) if n_items is None else n_items
    return Evidence({"t2v": rows, "v2t": rows.copy()}, pool="p" * 64, n_items={"t2v": size, "v2t": size})


def values(evidence: Evidence) -> dict[str, float]:
    return {measurement.name: measurement.value for measurement in measure(evidence)}


@st.composite
def rankings(draw: st.DrawFn, longest: int = 60) -> np.ndarray:
    """Draws (n, 2) counts of n queries among n items."""
    n = draw(st.integers(1, longest))
    greater = draw(st.lists(st.integers(0, n - 1), min_size=n, max_size=n))
    return np.array([[g, draw(st.integers(0, n - 1 - g))] for g in greater])


def test_recall_and_ranks_by_hand() -> None:
    # Ranks 1, 2, 7 and 1-or-2 (one tie at the top) among 8 items.
    found = values(evidence_of([[0, 0], [1, 0], [6, 0], [0, 1]], n_items=8))
    assert found["t2v/R@1"] == 100 * 1.5 / 4
    assert found["t2v/R@5"] == 75.0
    assert found["t2v/R@10"] == found["t2v/R@50"] == 100.0
    assert found["t2v/MedR"] == 1.0  # from zero: 0, 0.5, 1, 6; floor(0.75) + 1
    assert found["t2v/MeanR"] == 1 + (0 + 0.5 + 1 + 6) / 4


@pytest.mark.parametrize(
    ("greater", "equal", "k", "expected"),
    [(0, 0, 1, 1.0), (1, 0, 1, 0.0), (0, 1, 1, 0.5), (0, 9, 5, 0.5), (3, 3, 5, 0.5), (5, 9, 5, 0.0), (2, 1, 5, 1.0)],
)
def test_expected_hits_by_hand(greater: int, equal: int, k: int, expected: float) -> None:
    assert expected_hits(np.array([[greater, equal]]), k).tolist() == [expected]


def test_expected_recall_is_the_mean_over_all_orders_of_the_tied_items() -> None:
    greater, equal = 3, 5
    for k in range(1, 12):
        places = range(greater, greater + equal + 1)
        assert expected_hits(np.array([[greater, equal]]), k)[0] == pytest.approx(np.mean([p < k for p in places]))


@settings(deadline=None)
@given(st.integers(1, 300))
def test_a_constant_model_gets_exactly_chance(n: int) -> None:
    found = values(evidence_of(np.array([[0, n - 1]] * n)))
    for k in KS:
        assert found[f"v2t/R@{k}"] == pytest.approx(100 * min(k, n) / n, abs=1e-12)
    assert found["v2t/MeanR"] == (n + 1) / 2
    assert found["v2t/MedR"] == (n - 1) // 2 + 1


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(0, 2**31))
def test_without_ties_the_published_scripts_agree(n: int, seed: int) -> None:
    similarities = np.random.default_rng(seed).permutation(n * n).reshape(n, n).astype(np.float64)
    ranks = np.array([np.where(np.argsort(row)[::-1] == i)[0][0] for i, row in enumerate(similarities)])
    greater = (similarities > similarities.diagonal()[:, None]).sum(axis=1)
    found = values(evidence_of(np.stack([greater, np.zeros(n, dtype=int)], axis=1)))
    for k in KS:
        assert found[f"t2v/R@{k}"] == pytest.approx(100.0 * len(np.where(ranks < k)[0]) / n, abs=1e-12)
    assert found["t2v/MedR"] == np.floor(np.median(ranks)) + 1
    assert found["t2v/MeanR"] == pytest.approx(ranks.mean() + 1)


@settings(deadline=None)
@given(rankings())
def test_recalls_rise_with_k_and_lie_between_their_bounds(counts: np.ndarray) -> None:
    for k in KS:
        low, high = recall(counts, k, pessimistic_hits), recall(counts, k, optimistic_hits)
        assert low - 1e-9 <= recall(counts, k) <= high + 1e-9
    for smaller, larger in pairwise(KS):
        assert recall(counts, smaller) <= recall(counts, larger)


@settings(deadline=None)
@given(rankings())
def test_the_order_of_queries_does_not_matter(counts: np.ndarray) -> None:
    straight, reversed_ = statistics_of(counts), statistics_of(counts[::-1])
    for name, statistic in straight.items():
        assert statistic.value() == pytest.approx(reversed_[name].value(), abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(rankings(20))
def test_what_is_measured_verifies(counts: np.ndarray) -> None:
    evidence = evidence_of(counts)
    measured = measure(evidence)
    verify(evidence, measured)
    for measurement in measured:
        assert measurement.n == len(counts)
        if measurement.ci95 is None:  # a few queries show no spread of ranks, nor of hits by chance
            assert len(counts) < FEWEST
        else:
            assert measurement.ci95[0] <= measurement.ci95[1]


def test_counts_beyond_int32_are_not_wrapped() -> None:
    big = np.array([[2**31, 2**31 - 2]], dtype=np.uint32)
    assert ranks_from_zero(big)[0] == 2**31 + (2**31 - 2) / 2
    assert pessimistic_hits(big, 1).tolist() == [0.0]


def edited(measurements: tuple[Measurement, ...], name: str, value: float) -> tuple[Measurement, ...]:
    return tuple(m.model_copy(update={"value": value}) if m.name == name else m for m in measurements)


@pytest.mark.parametrize("name", ["t2v/R@1", "v2t/R@50", "t2v/MedR", "v2t/MeanR"])
def test_an_edited_value_is_found(name: str) -> None:
    evidence = evidence_of([[0, 0], [1, 0], [2, 0]])
    with pytest.raises(VerificationError, match=name):
        verify(evidence, edited(measure(evidence), name, 3.14))


def test_a_measurement_that_a_record_lacks_follows_from_its_evidence() -> None:
    evidence = evidence_of([[0, 0], [1, 0]])
    assert verify(evidence, measure(evidence)[:-1]) == measure(evidence)


def test_a_wrong_number_of_queries_is_found() -> None:
    evidence = evidence_of([[0, 0], [1, 0]])
    wrong = tuple(m.model_copy(update={"n": 5}) for m in measure(evidence))
    with pytest.raises(VerificationError, match="n of t2v/R@1 is 5 in the record, 2 from its evidence"):
        verify(evidence, wrong)


@pytest.mark.parametrize("row", [[3, 0], [0, 3], [2, 1]])
def test_counts_that_no_ranking_gives_are_found(row: list[int]) -> None:
    with pytest.raises(VerificationError, match=r"query 1 has counts"):
        measure(evidence_of([[0, 0], row, [0, 0]]))


def test_one_direction_is_evidence_enough() -> None:
    evidence = evidence_of([[0, 0], [1, 0]])
    alone = Evidence({"t2v": evidence.counts["t2v"]}, evidence.pool, {"t2v": 2})
    assert {m.name.partition("/")[0] for m in measure(alone)} == {"t2v"}


def test_directions_without_a_gallery_size_are_refused() -> None:
    evidence = evidence_of([[0, 0]])
    with pytest.raises(VerificationError, match="expected t2v and v2t"):
        check_evidence(Evidence({"t2v": evidence.counts["t2v"]}, evidence.pool, evidence.n_items))


def test_a_measurement_that_no_evidence_stands_behind_is_found() -> None:
    evidence = evidence_of([[0, 0], [1, 0]])
    measured = measure(evidence)
    for name in ("t2v/R@0", "t2v/R@7[keep=0.2]", "t2v/nDCG", "R@1"):
        with pytest.raises(VerificationError, match="does not follow"):
            verify(evidence, (*measured, measured[0].model_copy(update={"name": name})))


def test_a_recall_at_another_k_follows_and_is_compared() -> None:
    evidence = evidence_of([[0, 0], [1, 0], [2, 0]])
    measured = measure(evidence, ["t2v/R@2"])
    (further,) = [m for m in measured if m.name == "t2v/R@2"]
    assert further.value == pytest.approx(200 / 3)
    assert further in verify(evidence, (*measure(evidence), further))
    with pytest.raises(VerificationError, match=r"t2v/R@2 is 70\.0 in the record"):
        verify(evidence, edited(measured, "t2v/R@2", 70.0))


def several_captions(n_videos: int, captions: int, seed: int = 3) -> Evidence:
    """Returns evidence of videos with equally many captions each; a video's captions are found together or not."""
    found = np.random.default_rng(seed).integers(0, 2, size=n_videos)
    t2v = np.stack([np.repeat(found, captions), np.zeros(n_videos * captions), np.ones(n_videos * captions)], axis=1)
    v2t = np.stack([found, np.zeros(n_videos), np.full(n_videos, captions)], axis=1)
    counts = {"t2v": t2v.astype(np.uint32), "v2t": v2t.astype(np.uint32)}
    return Evidence(counts, "p", {"t2v": n_videos, "v2t": n_videos * captions})


def test_several_right_items_are_named_any_hit() -> None:
    names = {m.name for m in measure(several_captions(30, 2))}
    assert {"t2v/R@1", "v2t/any-hit R@1", "v2t/any-hit MedR"} <= names
    assert "v2t/R@1" not in names


def test_the_interval_over_captions_resamples_videos() -> None:
    found = {m.name: m for m in measure(several_captions(200, 5))}
    by_caption, by_video = found["t2v/R@1"], found["v2t/any-hit R@1"]
    assert by_caption.ci95 is not None
    assert by_video.ci95 is not None
    assert by_caption.ci95 == pytest.approx(by_video.ci95, abs=0.6)  # not narrower by the root of 5
    assert found["t2v/MedR"].ci95 is None


@pytest.mark.parametrize(
    ("best", "says"),
    [
        ([[1, 0, 1], [0, 0, 1]], "1 video above it, by 0 captions"),
        ([[0, 0, 1], [0, 0, 1]], "0 videos above it, by 3 captions"),
        ([[0, 0, 1], [1, 0, 2]], "which no ranking gives"),
        ([[0, 0, 1]], "is of 1 video,"),
    ],
)
def test_counts_by_best_captions_that_contradict_those_by_captions_are_refused(
    best: list[list[int]], says: str
) -> None:
    counts = {
        "t2v": np.array([[0, 0, 1]] * 5, dtype=np.uint32),
        "v2t": np.array([[0, 0, 2], [3, 0, 2]], dtype=np.uint32),
        "v2t/best-caption": np.array(best, dtype=np.uint32),
    }
    evidence = Evidence(counts, "p" * 64, {"t2v": 2, "v2t": 5, "v2t/best-caption": len(best)})
    with pytest.raises(VerificationError, match=says):
        check_evidence(evidence)


def unequal_captions(rows: list[list[int]]) -> Evidence:
    """Returns evidence of videos from the rank (from 0) of each of their captions, among 60 videos."""
    sizes = [len(row) for row in rows]
    t2v = np.array([[rank, 0, 1] for row in rows for rank in row], dtype=np.uint32)
    v2t = np.array([[0, 0, size] for size in sizes], dtype=np.uint32)
    return Evidence({"t2v": t2v, "v2t": v2t}, "p" * 64, {"t2v": 60, "v2t": sum(sizes)})


@pytest.mark.parametrize(
    "rows", [[[0] * 8, [0], [0], [1]], [[1] * 5] * 19 + [[0, 0]], [[0] * 30] + [[2]] * 3], ids=["high", "low", "heavy"]
)
def test_no_interval_of_a_recall_leaves_0_to_100(rows: list[list[int]]) -> None:
    for measurement in measure(unequal_captions(rows)):
        if measurement.unit == "percent":
            assert measurement.ci95 is not None
            assert 0.0 <= measurement.ci95[0] <= measurement.value <= measurement.ci95[1] <= 100.0


def test_a_recall_of_all_captions_counts_videos_by_their_captions() -> None:
    """All captions found: four videos with 8, 1, 1 and 1 of them teach less than four with as many each."""
    found = {m.name: m.ci95 for m in measure(unequal_captions([[0] * 8, [0], [0], [0]]))}["t2v/R@1"]
    assert found is not None
    assert found[0] < 100.0 * 0.025 ** (1 / 4)


def test_evidence_of_another_shape_is_refused() -> None:
    evidence = evidence_of([[0, 0]])
    flat = {name: counts[:, :2] for name, counts in evidence.counts.items()}
    with pytest.raises(VerificationError, match="expected uint32"):
        check_evidence(Evidence(flat, evidence.pool, evidence.n_items))


def test_a_recall_of_nothing_or_all_is_no_certainty() -> None:
    """20 queries, all of them second: R@1 = 0 and R@5 = 100, each with the interval of Clopper and Pearson."""
    found = {m.name: m for m in measure(evidence_of([[1, 0]] * 20))}
    assert found["t2v/R@1"].ci95 == pytest.approx((0.0, 16.843347), abs=1e-6)
    assert found["v2t/R@5"].ci95 == pytest.approx((83.156653, 100.0), abs=1e-6)
    assert found["t2v/MeanR"].ci95 == (2.0, 2.0)
