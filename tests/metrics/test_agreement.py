"""Kendall's tau-b: worked out by hand, as scipy has it, and its interval by resampling groups."""

from __future__ import annotations

import numpy as np
import pytest

from bench.metrics.agreement import BLOCK, agreement


def test_pairs_in_order_and_ties_are_counted():
    # grades 1 2 3 against labels 1 3 2: two pairs in order, one against
    assert agreement([1, 2, 3], [1, 3, 2], "abc").tau == pytest.approx(1 / 3)
    # a tie in the grades: five pairs untied there, six in the labels, all five in order
    assert agreement([1, 1, 2, 3], [1, 2, 3, 4], "abcd").tau == pytest.approx(5 / np.sqrt(5 * 6))
    assert agreement([5, 5], [1, 2], "ab").tau is None
    assert agreement([], [], "").n == 0


def test_it_is_scipys_for_more_items_than_are_compared_at_a_time():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    labels = rng.integers(1, 5, BLOCK + 40)
    grades = labels * 10 + rng.integers(0, 40, len(labels))
    found = agreement(grades, labels, range(len(labels)))
    assert found.tau == pytest.approx(stats.kendalltau(grades, labels).statistic, rel=1e-12)
    drawn = [rng.integers(0, len(labels), len(labels)) for _ in range(300)]
    low, high = np.percentile([stats.kendalltau(grades[d], labels[d]).statistic for d in drawn], [2.5, 97.5])
    assert found.ci95 == pytest.approx((low, high), abs=0.02)


def test_items_of_one_group_are_drawn_together():
    grades, labels = [1, 2, 3, 4, 5, 6] * 4, [1, 3, 2, 4, 6, 5] * 4
    alone = agreement(grades, labels, range(24)).ci95
    assert agreement(grades, labels, [0] * 24).ci95 is None
    together = agreement(grades, labels, [place // 6 for place in range(24)]).ci95
    assert together[1] - together[0] < alone[1] - alone[0]  # every group is the same
