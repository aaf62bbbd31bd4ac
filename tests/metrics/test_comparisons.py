"""Holm by hand, tiers that open where they should, and values that several captions share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.evidence.comparisons import has_values, metrics_of, paired, values_of
from bench.metrics.comparisons import holm, mean_and_std, tiers
from bench.results import Evidence


def evidence_of(greater: np.ndarray) -> Evidence:
    counts = np.stack([greater, np.zeros_like(greater), np.ones_like(greater)], axis=1).astype(np.uint32)
    return Evidence({"t2v": counts, "v2t": counts}, "p", {"t2v": len(greater), "v2t": len(greater)})


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_the_raw_value_and_bonferroni_and_keeps_the_order(raw: list[float]) -> None:
    adjusted = holm(raw)
    for p, q in zip(raw, adjusted, strict=True):
        assert p <= q <= min(1.0, len(raw) * p) + 1e-12
    order = sorted(range(len(raw)), key=lambda i: raw[i])
    assert [adjusted[i] for i in order] == sorted(adjusted)


def hits(found: int, n: int = 400) -> np.ndarray:
    return (np.arange(n) < found).astype(float)


def test_a_row_opens_a_tier_where_it_differs_from_the_first_of_the_tier() -> None:
    rows = [[hits(200)], [hits(197)], [hits(150)], [hits(149)], [hits(10)]]
    assert tiers(rows) == [1, 1, 2, 2, 3]


def test_neighbours_that_are_not_told_apart_still_open_a_tier_against_its_first_row() -> None:
    rows = [[hits(200)], [hits(195)], [hits(190)], [hits(185)]]
    assert tiers(rows) == [1, 1, 2, 2]  # 10 losses to none: 0.002, thrice; 5 to none: 0.06


def test_the_correction_grows_with_the_rows_compared() -> None:
    # 6 losses to none: p = 0.031, significant alone, not among three of the same size.
    assert tiers([[hits(200)], [hits(194)]]) == [1, 2]
    assert tiers([[hits(200)], [hits(194)], [hits(194)], [hits(194)]]) == [1, 1, 1, 1]


@pytest.mark.parametrize("rows", [[], [[hits(3)]]])
def test_no_comparison_makes_no_tier(rows: list[list[np.ndarray]]) -> None:
    assert tiers(rows) == [1] * len(rows)


def test_a_pair_by_hand() -> None:
    a, b = evidence_of(np.array([0, 0, 0, 0, 3])), evidence_of(np.array([0, 1, 1, 1, 0]))
    found = paired([a], [b], "t2v/R@1")
    assert (found.wins, found.losses, found.ties) == (3, 1, 1)
    assert found.comparison.difference == pytest.approx(40.0)
    assert found.comparison.test == "exact binomial"
    assert found.comparison.p_value == pytest.approx(0.625)
    assert found.effect == pytest.approx(0.4 / np.std([0, 1, 1, 1, -1], ddof=1))


def test_a_lower_mean_rank_is_a_win() -> None:
    found = paired([evidence_of(np.array([0, 2]))], [evidence_of(np.array([5, 2]))], "v2t/MeanR")
    assert (found.wins, found.losses, found.ties) == (1, 0, 1)
    assert found.comparison.difference == pytest.approx(-2.5)
    assert found.unit == "rank"


def test_equal_models_have_no_effect_size() -> None:
    same = evidence_of(np.array([0, 4, 9]))
    found = paired([same], [same, same], "t2v/R@5")
    assert (found.effect, found.comparison.p_value, found.ties) == (None, 1.0, 3)


def test_the_captions_of_a_video_count_as_one_unit() -> None:
    t2v = np.array([[0, 0, 1], [0, 0, 1], [1, 0, 1]], dtype=np.uint32)
    v2t = np.array([[0, 0, 2], [0, 0, 1]], dtype=np.uint32)
    values = values_of(Evidence({"t2v": t2v, "v2t": v2t}, "p", {"t2v": 2, "v2t": 3}), "t2v/R@1").values
    assert values == pytest.approx([2 * 2 / 3, 0.0])  # its mean is that of the three captions


@pytest.mark.parametrize("metric", ["t2v/MedR", "t2v/R@0", "R@1", "x2y/R@1", "t2v/R@-1", "t2v/r@1"])
def test_what_has_no_value_for_each_query_is_refused(metric: str) -> None:
    assert not has_values(evidence_of(np.array([0, 1])), metric)
    with pytest.raises(UsageError, match="no value for each query or video"):
        values_of(evidence_of(np.array([0, 1])), metric)


def test_all_recalls_are_compared_unless_told() -> None:
    assert metrics_of(evidence_of(np.array([0])))[:2] == ("t2v/R@1", "t2v/R@5")


def test_the_deviation_over_seeds_is_that_of_a_sample() -> None:
    assert mean_and_std([10.0, 14.0, 12.0]) == (12.0, 2.0)
    assert mean_and_std([3.0]) == (3.0, None)


def test_a_difference_over_unequal_captions_stays_within_100_points() -> None:
    """A finds nearly every caption and B none; single videos hold most of the captions."""
    sizes = [40, 1, 1, 1, 1]
    v2t = np.array([[0, 0, size] for size in sizes], dtype=np.uint32)

    def evidence(ranks: list[int]) -> Evidence:
        t2v = np.array([[rank, 0, 1] for rank in ranks], dtype=np.uint32)
        return Evidence({"t2v": t2v, "v2t": v2t}, "p" * 64, {"t2v": 5, "v2t": 44})

    comparison = paired([evidence([0] * 43 + [1])], [evidence([1] * 44)], "t2v/R@1").comparison
    assert comparison.difference == pytest.approx(100 * 43 / 44)
    assert -100.0 <= comparison.ci95[0] <= comparison.difference <= comparison.ci95[1] <= 100.0
