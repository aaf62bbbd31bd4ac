"""What is measured of ranks: by hand, and against every order of tied items."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import VerificationError
from bench.evidence.comparisons import metrics_of, paired
from bench.evidence.verification import measured, verify
from bench.metrics.rank_statistics import RankMetric, parse_metric, statistic_of
from bench.results import Evidence

COUNTS = np.array([[0, 0, 1], [2, 0, 1], [1, 2, 1]], dtype=np.uint32)
"""First; third; second to fourth with equal chances."""
SEVERAL = np.array([[0, 0, 2], [3, 0, 1], [1, 2, 1]], dtype=np.uint32)
BY_HAND = {
    "R@1": (1 + 0 + 0) / 3,
    "R@3": (1 + 1 + 2 / 3) / 3,
    "P@3": (1 / 3 + 1 / 3 + 2 / 9) / 3,
    "P@100": 1 / 100,
    "nDCG@1": 1 / 3,
    "nDCG@3": (1 + 1 / 2 + (1 / math.log2(3) + 1 / 2) / 3) / 3,
    "nDCG@1000000": (1 + 1 / 2 + (1 / math.log2(3) + 1 / 2 + 1 / math.log2(5)) / 3) / 3,
    "MRR": (1 + 1 / 3 + (1 / 2 + 1 / 3 + 1 / 4) / 3) / 3,
}


def value(counts: np.ndarray, name: str) -> float:
    metric = parse_metric(name)
    assert metric is not None
    statistic = statistic_of(counts, metric)
    assert statistic is not None
    return statistic.value()


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name: str) -> None:
    assert value(COUNTS, name) == pytest.approx(100 * BY_HAND[name], abs=1e-12)


def test_ranks_by_hand() -> None:
    assert value(COUNTS, "MedR") == 3.0
    assert value(COUNTS, "MeanR") == pytest.approx((1 + 3 + 3) / 3)


@pytest.mark.parametrize("text", ["R@1", "R@100", "P@7", "nDCG@10", "MRR", "MedR", "MeanR"])
def test_names_are_read_and_written_back(text: str) -> None:
    assert str(parse_metric(text)) == text


@pytest.mark.parametrize("text", ["R@0", "R@01", "R@-1", "R@", "R", "MRR@3", "r@1", "R@1 ", "R@٣", "R@1000000000", ""])
def test_other_texts_are_no_names(text: str) -> None:
    assert parse_metric(text) is None


@given(st.lists(st.integers(0, 3), min_size=2, max_size=6), st.integers(1, 8))
def test_expectations_are_means_over_every_order_of_ties(scores: list[int], k: int) -> None:
    """The right item is the first; every order of all items decides ties once."""
    ranks = []
    for order in itertools.permutations(range(len(scores))):
        ranked = sorted(order, key=lambda item: -scores[item])
        ranks.append(1 + ranked.index(0))
    above = sum(score > scores[0] for score in scores[1:])
    equal = sum(score == scores[0] for score in scores[1:])
    counts = np.array([[above, equal, 1]], dtype=np.uint32)
    expected = {
        f"R@{k}": np.mean([rank <= k for rank in ranks]),
        f"P@{k}": np.mean([(rank <= k) / k for rank in ranks]),
        f"nDCG@{k}": np.mean([1 / math.log2(1 + rank) if rank <= k else 0.0 for rank in ranks]),
        "MRR": np.mean([1 / rank for rank in ranks]),
    }
    for name, share in expected.items():
        assert value(counts, name) == pytest.approx(100 * share, abs=1e-9)
    assert value(counts, "MeanR") == pytest.approx(np.mean(ranks))


def test_measures_of_all_right_items_are_not_made_up_from_the_best_of_them() -> None:
    assert statistic_of(SEVERAL, RankMetric("P", 3)) is None
    assert statistic_of(SEVERAL, RankMetric("nDCG", 3)) is None
    assert value(SEVERAL, "MRR") == pytest.approx(100 * (1 + 1 / 4 + 13 / 36) / 3)


def evidence(counts: np.ndarray = COUNTS) -> Evidence:
    return Evidence({"t2v": counts, "v2t": counts[::-1].copy()}, "p", {"t2v": 9, "v2t": 9})


def test_what_is_named_follows_and_nothing_else() -> None:
    usual = [m.name for m in measured(evidence())]
    found = [m.name for m in measured(evidence(), ["t2v/R@100", "v2t/MRR", "t2v/nDCG@3", "t2v/P@3", "x", "t2v/R@0"])]
    assert usual[:6] == ["t2v/R@1", "t2v/R@5", "t2v/R@10", "t2v/R@50", "t2v/MedR", "t2v/MeanR"]
    assert set(found) - set(usual) == {"t2v/R@100", "v2t/MRR", "t2v/nDCG@3", "t2v/P@3"}
    assert [name for name in found if name in usual] == usual
    assert found.index("t2v/R@50") + 1 == found.index("t2v/R@100") < found.index("t2v/P@3")


def test_what_is_named_is_verified() -> None:
    ranked = evidence(np.concatenate([COUNTS, COUNTS]))
    [stated] = [m for m in measured(ranked, ["t2v/MRR"]) if m.name == "t2v/MRR"]
    assert stated.ci95 is not None
    assert stated in verify(ranked, [stated])
    with pytest.raises(VerificationError, match="t2v/MRR is "):
        verify(ranked, [stated.model_copy(update={"value": stated.value + 1})])
    with pytest.raises(VerificationError, match="t2v/any-hit MRR stands in the record and does not follow"):
        verify(ranked, [stated.model_copy(update={"name": "t2v/any-hit MRR"})])


@pytest.mark.parametrize("metric", ["t2v/MRR", "t2v/P@2", "t2v/nDCG@2", "t2v/R@2", "t2v/MeanR"])
def test_models_are_compared_in_any_of_them(metric: str) -> None:
    found = paired([evidence()], [evidence(COUNTS + np.array([1, 0, 0], dtype=np.uint32))], metric)
    assert (found.wins > 0, found.losses) == (True, 0)
    by_name = {m.name: m.value for m in measured(evidence(), [metric])}
    assert found.values[0][0] == pytest.approx(by_name[metric])
    assert metric not in metrics_of(evidence())
