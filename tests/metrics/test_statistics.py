"""Intervals against a plain bootstrap loop, and paired comparisons against counting by hand."""

from __future__ import annotations

from collections import Counter
from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.metrics import statistics
from bench.metrics.resampling import mean_distribution, mean_interval, resampled_medians, sure_interval
from bench.metrics.statistics import FEWEST, Statistic, compare, exact_binomial, interval, of_clusters

SKEWED = np.floor(np.random.default_rng(5).lognormal(1.5, 1.5, size=301))
QUANTILES = (0.025, 0.25, 0.5, 0.75, 0.975)


def looped(values: np.ndarray, statistic: str, resamples: int = 4000) -> np.ndarray:
    """The bootstrap as textbooks write it."""
    rng = np.random.default_rng(99)
    reduce = {"mean": np.mean, "median": np.median}[statistic]
    return np.array([reduce(rng.choice(values, size=len(values))) for _ in range(resamples)])


def quantile(values: np.ndarray, at: float) -> float:
    """The quantile of the mean of resamples, from its distribution."""
    means, chances = mean_distribution(values)
    return float(means[np.searchsorted(np.cumsum(chances), at)])


@pytest.mark.parametrize("n", [301, 300])
def test_resampled_medians_have_the_distribution_of_a_plain_loop(n: int) -> None:
    drawn = resampled_medians(SKEWED[:n], 10_000, np.random.default_rng(1))
    loop = looped(SKEWED[:n], "median")
    for at in QUANTILES:
        assert np.quantile(drawn, at) == pytest.approx(np.quantile(loop, at), abs=0.12 * loop.std())
    assert drawn.std() == pytest.approx(loop.std(), rel=0.06)


@pytest.mark.parametrize("values", [SKEWED, np.sqrt(SKEWED)], ids=["on a lattice", "on none"])
def test_means_have_the_distribution_of_a_plain_loop(values: np.ndarray) -> None:
    loop = looped(values, "mean")
    for at in QUANTILES:
        assert quantile(values, at) == pytest.approx(np.quantile(loop, at), abs=0.12 * loop.std())


@pytest.mark.parametrize("values", [[0.0, 0.0, 1.0], [0.0, 0.5, 1.0, 1.0], [3.0, 4.0, 4.0, 9.0, 11.0]])
def test_the_distribution_of_means_is_that_of_trying_every_resample(values: list[float]) -> None:
    tried = Counter(round(sum(drawn) / len(drawn), 9) for drawn in product(values, repeat=len(values)))
    means, chances = mean_distribution(np.array(values))
    found = {
        round(float(mean), 9): float(chance) for mean, chance in zip(means, chances, strict=True) if chance > 1e-12
    }
    assert found == pytest.approx({mean: count / len(values) ** len(values) for mean, count in tried.items()})


@given(st.integers(1, 300), st.data())
def test_the_distribution_of_a_share_is_binomial(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    means, chances = mean_distribution(np.repeat([0.0, 100.0], [n - hits, hits]))
    for mean, chance in zip(means, chances, strict=True):
        drawn = round(mean * n / 100)
        if chance > 1e-9:
            assert chance == pytest.approx(
                comb(n, drawn) * (hits / n) ** drawn * (1 - hits / n) ** (n - drawn), rel=1e-6
            )
    assert chances.sum() == pytest.approx(1.0)


def test_a_resample_that_misses_a_rare_value_leaves_it_out() -> None:
    means, chances = mean_distribution(np.array([1.0] * 99 + [201.0]))
    times_drawn = np.rint((means - 1.0) / 2.0)
    assert chances[times_drawn == 0].sum() == pytest.approx(0.99**100)
    assert chances @ times_drawn == pytest.approx(1.0)


def test_values_on_no_lattice_keep_their_mean_and_spread() -> None:
    values = np.random.default_rng(4).standard_normal(700)
    means, chances = mean_distribution(values)
    assert chances @ means == pytest.approx(values.mean(), abs=1e-9)
    assert np.sqrt(chances @ (means - values.mean()) ** 2) == pytest.approx(values.std() / np.sqrt(700), rel=3e-4)


@pytest.mark.parametrize("n", [1, 20, 4917])
def test_a_share_of_nothing_or_all_has_the_exact_interval_of_the_binomial(n: int) -> None:
    """No hit among n has a chance of 2.5 % where the share is the upper end."""
    low, high = interval(Statistic(np.zeros(n), share=True))
    assert low == 0.0
    assert (1 - high / 100) ** n == pytest.approx(0.025)
    assert interval(Statistic(np.full(n, 100.0), share=True)) == pytest.approx((100 - high, 100.0))


def test_a_sure_mean_of_unequal_weights_reaches_as_far_as_its_least_likely_shares() -> None:
    """Two queries of weights 3 and 1: of all shares (p, q) with p q = 2.5 %, those with the smallest 3 p + q."""
    p = np.geomspace(0.025, 1.0, 200_001)
    expected = 100.0 * float((0.75 * p + 0.25 * 0.025 / p).min())
    assert sure_interval(100.0, np.array([3.0, 1.0])) == pytest.approx((expected, 100.0), abs=1e-6)
    assert sure_interval(0.0, np.array([1.0, 3.0])) == pytest.approx((0.0, 100.0 - expected), abs=1e-6)
    # A query that hardly counts is best taken never to fail, and the other alone bears the 2.5 %.
    assert sure_interval(100.0, np.array([1.0, 1e-9])) == pytest.approx((2.5, 100.0), abs=1e-6)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_unequal_weights_never_narrow_a_sure_interval(weights: list[int]) -> None:
    low, high = sure_interval(100.0, np.array(weights, dtype=np.float64))
    alike, _ = sure_interval(100.0, np.ones(len(weights)))
    assert 2.5 - 1e-9 <= low <= alike + 1e-9
    assert high == 100.0
    assert alike == pytest.approx(100.0 * 0.025 ** (1 / len(weights)))


def clusters(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns hits of captions (percent) and how many each of n videos has: 1 to 20, rarer ones easier to find."""
    sizes = rng.integers(1, 21, size=n)
    easy = rng.beta(1.0, 1.0 + sizes / 10)
    return 100.0 * (rng.random(sizes.sum()) < np.repeat(easy, sizes)), sizes


def test_unequal_clusters_have_the_interval_of_a_plain_loop() -> None:
    hits, sizes = clusters(np.random.default_rng(1), 60)
    own = np.split(hits, sizes.cumsum()[:-1])
    rng = np.random.default_rng(7)
    loop = [np.concatenate([own[i] for i in rng.integers(0, 60, size=60)]).mean() for _ in range(4000)]
    found = interval(of_clusters(Statistic(hits, share=True), sizes))
    assert found == pytest.approx(np.quantile(loop, [0.025, 0.975]).tolist(), abs=0.12 * float(np.std(loop)))


def test_the_interval_over_unequal_clusters_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    truth = 100.0 * np.average(1.0 / (2.0 + np.arange(1, 21) / 10), weights=np.arange(1, 21))
    covered = 0
    for _ in range(200):
        hits, sizes = clusters(rng, 60)
        low, high = interval(of_clusters(Statistic(hits, share=True), sizes))
        covered += low <= truth <= high
    assert 180 <= covered <= 199


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=12))
def test_an_interval_over_clusters_stays_within_0_to_100_and_has_a_width(videos: list[tuple[int, int]]) -> None:
    sizes = np.array([size for size, _ in videos])
    hits = np.concatenate([np.arange(size) < found for size, found in videos]) * 100.0
    bounds = interval(of_clusters(Statistic(hits, share=True), sizes))
    if bounds is None:
        assert len(videos) < FEWEST
        return
    assert 0.0 <= bounds[0] <= bounds[1] <= 100.0
    if hits.mean() in (0.0, 100.0):
        assert bounds[1] - bounds[0] > 1.0


def test_one_query_shows_no_spread() -> None:
    assert interval(Statistic(np.array([50.0]), share=True)) is None
    assert interval(Statistic(np.array([3.0]), summary="median rank")) is None
    assert interval(Statistic(np.array([100.0]), share=True)) == pytest.approx((2.5, 100.0))


def test_the_interval_of_a_share_is_that_of_the_binomial() -> None:
    hits = np.repeat([0.0, 100.0], [700, 300])
    low, high = interval(Statistic(hits))
    assert low == pytest.approx(30 - 1.96 * 1.449, abs=0.15)
    assert high == pytest.approx(30 + 1.96 * 1.449, abs=0.15)


@pytest.mark.parametrize("summary", ["mean", "median", "median rank"])
def test_an_interval_repeats(summary: str) -> None:
    assert interval(Statistic(SKEWED, summary=summary)) == interval(Statistic(SKEWED, summary=summary))


@pytest.mark.parametrize("n", [1, 2, FEWEST - 1])
def test_of_few_values_an_end_would_be_a_single_one_so_there_is_none(n: int) -> None:
    values = np.linspace(0.0, 841.9, n)
    assert mean_interval(values) == (values[0], values[-1])
    assert [interval(Statistic(values, summary=summary)) for summary in ("mean", "median")] == [None, None]
    assert compare([values], [values[::-1]]).ci95 is None
    low, high = interval(Statistic(np.linspace(0.0, 841.9, FEWEST)))
    assert 0.0 < low < high < 841.9


@pytest.mark.parametrize("n", [FEWEST, 7])
def test_equal_values_have_no_spread(n: int) -> None:
    assert interval(Statistic(np.full(n, 4.0))) == (4.0, 4.0)
    assert interval(Statistic(np.full(n, 4.0), summary="median rank")) == (5.0, 5.0)
    assert interval(Statistic(np.full(n, 4.0), summary="median")) == (4.0, 4.0)


@example([0.0, 9.5e-296])
@example([0.0, 1e-323, 1.5e-322])
@example([8.0, -2.2e-309])
@given(st.lists(st.floats(-40, 40), min_size=1, max_size=50))
def test_an_interval_of_the_mean_holds_it_and_stays_within_the_values(numbers: list[float]) -> None:
    values = np.array(numbers, dtype=np.float64)
    low, high = mean_interval(values)
    assert values.min() <= low <= high <= values.max()
    last_bits = 1e-9 * np.abs(values).max()
    assert low - last_bits <= values.mean() <= high + last_bits


@pytest.mark.parametrize("values", [[8.0, -2.2e-309], [1.7e308, 0.0, -1.7e308], [5e-324, 1.0, 1.0], [-5e-324] * 3])
def test_an_interval_of_numbers_at_the_ends_of_float64_stays_within_them(values: list[float]) -> None:
    low, high = mean_interval(np.array(values))
    assert min(values) <= low <= high <= max(values)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=50))
def test_resampled_medians_stay_within_the_values(integers: list[int]) -> None:
    values = np.array(integers, dtype=np.float64)
    drawn = resampled_medians(values, 300, np.random.default_rng(0))
    assert drawn.shape == (300,)
    assert values.min() <= drawn.min() <= drawn.max() <= values.max()


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


def test_what_no_draw_reaches_is_told_without_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = np.full(300, 0.75), np.tile([0.0, 0.25, 0.5], 100)
    told = compare([first], [second])
    monkeypatch.setattr(statistics, "OUT_OF_REACH", 0.0)
    assert told == compare([first], [second])
    assert told.p_value == 1 / (statistics.RESAMPLES + 1)


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
    for _ in range(200):
        first, second = (rng.random(400) < 0.35).astype(float), (rng.random(400) < 0.30).astype(float)
        low, high = compare([first], [second]).ci95
        covered += low <= 0.05 <= high
    assert 180 <= covered <= 199
