"""Intervals against a plain bootstrap loop, and paired comparisons against counting by hand."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.metrics.statistics import (
    Statistic,
    compare,
    exact_binomial,
    interval,
    resampled_means,
    resampled_medians,
)

SKEWED = np.floor(np.random.default_rng(5).lognormal(1.5, 1.5, size=301))


def looped(values: np.ndarray, statistic: str, resamples: int = 4000) -> np.ndarray:
    """The bootstrap as textbooks write it."""
    rng = np.random.default_rng(99)
    reduce = {"mean": np.mean, "median": np.median}[statistic]
    return np.array([reduce(rng.choice(values, size=len(values))) for _ in range(resamples)])


@pytest.mark.parametrize("n", [301, 300])
@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_resampling_has_the_distribution_of_a_plain_loop(n: int, statistic: str) -> None:
    values = SKEWED[:n]
    draw = {"mean": resampled_means, "median": resampled_medians}[statistic]
    drawn = draw(values, 10_000, np.random.default_rng(1))
    loop = looped(values, statistic)
    for quantile in (0.025, 0.25, 0.5, 0.75, 0.975):
        assert np.quantile(drawn, quantile) == pytest.approx(np.quantile(loop, quantile), abs=0.12 * loop.std())
    assert drawn.std() == pytest.approx(loop.std(), rel=0.06)


def test_a_resample_that_misses_a_rare_value_leaves_it_out() -> None:
    values = np.array([1.0] * 99 + [201.0])
    means = resampled_means(values, 20_000, np.random.default_rng(2))
    times_drawn = np.rint((means - 1.0) / 2.0)
    np.testing.assert_allclose(means, 1.0 + 2.0 * times_drawn, rtol=1e-12)
    assert np.mean(times_drawn == 0) == pytest.approx(0.99**100, abs=0.012)
    assert times_drawn.mean() == pytest.approx(1.0, abs=0.03)


def test_the_interval_of_a_share_is_that_of_the_binomial() -> None:
    hits = np.repeat([0.0, 100.0], [700, 300])
    low, high = interval(Statistic(hits))
    assert low == pytest.approx(30 - 1.96 * 1.449, abs=0.15)
    assert high == pytest.approx(30 + 1.96 * 1.449, abs=0.15)


@pytest.mark.parametrize("median", [False, True])
def test_one_seed_repeats(median: bool) -> None:
    statistic = Statistic(SKEWED, median=median)
    assert interval(statistic) == interval(statistic)
    assert interval(statistic, seed=1) != interval(statistic, seed=2) or median


@pytest.mark.parametrize("n", [1, 2, 7])
def test_equal_values_have_no_spread(n: int) -> None:
    assert interval(Statistic(np.full(n, 4.0))) == (4.0, 4.0)
    assert interval(Statistic(np.full(n, 4.0), median=True)) == (5.0, 5.0)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=50))
def test_resamples_stay_within_the_values(integers: list[int]) -> None:
    values = np.array(integers, dtype=np.float64)
    for draw in (resampled_means, resampled_medians):
        drawn = draw(values, 300, np.random.default_rng(0))
        assert drawn.shape == (300,)
        assert values.min() - 1e-9 <= drawn.min() <= drawn.max() <= values.max() + 1e-9


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(0, 40))
def test_the_binomial_test_equals_adding_up_its_tail(wins: int, losses: int) -> None:
    n = wins + losses
    tail = sum(comb(n, i) for i in range(min(wins, losses) + 1)) / 2**n
    assert exact_binomial(wins, losses) == pytest.approx(min(1.0, 2 * tail), rel=1e-12)


def test_the_binomial_test_of_large_counts_does_not_overflow() -> None:
    assert exact_binomial(2500, 2500) == 1.0
    assert 0.0 <= exact_binomial(4917, 0) < 1e-300
    assert exact_binomial(2600, 2400) == pytest.approx(0.0049, abs=3e-4)


def test_single_runs_without_ties_are_compared_by_the_exact_test() -> None:
    first = np.array([1.0] * 6 + [0.0] * 14)
    second = np.array([0.0] * 6 + [1.0] + [0.0] * 13)
    found = compare([first], [second])
    assert found.test == "exact binomial"
    assert found.p_value == pytest.approx(2 * (1 + 7) / 2**7)
    assert found.difference == pytest.approx(0.25)
    assert found.n == 20


def test_a_model_compared_with_itself_does_not_differ() -> None:
    hits = (np.arange(50) % 3 == 0).astype(np.float64)
    found = compare([hits], [hits])
    assert (found.difference, found.ci95, found.p_value) == (0.0, (0.0, 0.0), 1.0)


def test_sign_flips_agree_with_trying_all_of_them() -> None:
    first = [np.array([1.0, 1.0, 0.5, 1.0, 0.0, 1.0, 0.75, 0.2]), np.array([1.0, 0.0, 1.0, 1.0, 0.5, 1.0, 1.0, 0.3])]
    second = [np.array([0.0, 0.5, 0.5, 0.0, 0.5, 0.0, 0.25, 0.0])]
    differences = np.mean(first, axis=0) - second[0]
    sums = [abs(np.dot(signs, differences)) for signs in product((-1, 1), repeat=len(differences))]
    exact = np.mean(np.array(sums) >= abs(differences.sum()) - 1e-9)
    found = compare(first, second)
    assert found.test == "sign flips"
    assert found.p_value == pytest.approx(exact, abs=0.01)
    assert found.difference == pytest.approx(differences.mean())


def test_swapping_the_models_turns_the_sign() -> None:
    rng = np.random.default_rng(3)
    first, second = (rng.random(200) < 0.5).astype(float), (rng.random(200) < 0.4).astype(float)
    one, other = compare([first], [second]), compare([second], [first])
    assert one.difference == -other.difference
    assert one.p_value == other.p_value
    assert one.ci95 == pytest.approx((-other.ci95[1], -other.ci95[0]), abs=0.01)


def test_the_interval_of_a_difference_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    covered = 0
    for trial in range(200):
        first, second = (rng.random(400) < 0.35).astype(float), (rng.random(400) < 0.30).astype(float)
        low, high = compare([first], [second], resamples=1000, seed=trial).ci95
        covered += low <= 0.05 <= high
    assert 180 <= covered <= 199
