"""Recall with judgements: by hand, at its ends, and against simulations of known false negatives."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.metrics.judged_recall import JudgedStratum, judged_recall


def test_a_sample_by_hand() -> None:
    # 100 queries, R@1 60; of 30 misses of good ranks 10 judged, 4 of them right; of 10 others 5 judged, none right
    strata = [JudgedStratum(30, (1.0,) * 4 + (0.0,) * 6), JudgedStratum(10, (0.0,) * 5)]

    found = judged_recall(60.0, 100, strata)

    assert found is not None
    assert found.value == pytest.approx(60 + 30 * 0.4)
    assert found.judged == 15
    z, n1, n2 = 1.959963984540054, 10 * 29 / 20, 5 * 9 / 5
    centre, half = 0.4 + z * z / (2 * n1), z * math.sqrt(0.4 * 0.6 / n1 + z * z / (4 * n1 * n1))
    low, high = (centre - half) / (1 + z * z / n1), (centre + half) / (1 + z * z / n1)
    none = z * z / n2 / (1 + z * z / n2)
    assert found.ci95[0] == pytest.approx(72 - 30 * (0.4 - low))
    assert found.ci95[1] == pytest.approx(72 + math.hypot(30 * (high - 0.4), 10 * none))


def test_what_was_judged_whole_is_known() -> None:
    found = judged_recall(50.0, 4, [JudgedStratum(1, (1.0,)), JudgedStratum(1, (0.0,))])

    assert found is not None
    assert (found.value, found.ci95) == (75.0, (75.0, 75.0))


def test_no_miss_and_nothing_judged() -> None:
    whole = judged_recall(100.0, 4, [JudgedStratum(0, ())])
    assert whole is not None
    assert (whole.value, whole.ci95) == (100.0, (100.0, 100.0))
    assert judged_recall(50.0, 4, [JudgedStratum(1, ()), JudgedStratum(1, ())]) is None


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_stratum_of_which_nothing_was_judged_is_joined_with_its_neighbour(place: int) -> None:
    gains: list[tuple[float, ...]] = [(1.0, 0.0), (0.0, 0.0), (0.0, 1.0)]
    strata = [JudgedStratum(10, () if i == place else told) for i, told in enumerate(gains)]
    beside = max(place - 1, 0) if place else 1
    joined = [JudgedStratum(20, gains[beside]), JudgedStratum(10, gains[3 - place - beside])]

    assert judged_recall(10.0, 33, strata) == judged_recall(
        10.0, 33, sorted(joined, key=lambda s: gains.index(s.gains))
    )


@pytest.mark.parametrize("shares", [(0.3, 0.15, 0.08, 0.03), (0.05, 0.0, 0.0, 0.0), (0.6, 0.5, 0.4, 0.2)])
@pytest.mark.parametrize("drawn", [(10, 10, 10, 20), (60, 20, 40, 80)])
def test_the_interval_covers_known_false_negatives_about_as_often_as_it_says(
    shares: tuple[float, ...], drawn: tuple[int, ...]
) -> None:
    rng, sizes, n, repeats = np.random.default_rng(1), (300, 60, 200, 400), 1500, 400
    truths = [np.arange(size) < round(size * share) for size, share in zip(sizes, shares, strict=True)]
    recall = 100.0 * (n - sum(sizes)) / n
    truth = recall + 100.0 * sum(map(np.sum, truths)) / n
    covered, values = 0, []
    for _ in range(repeats):
        samples = [rng.choice(told, size, replace=False) for told, size in zip(truths, drawn, strict=True)]
        strata = [JudgedStratum(size, tuple(map(float, s))) for size, s in zip(sizes, samples, strict=True)]
        found = judged_recall(recall, n, strata)
        assert found is not None
        values.append(found.value)
        covered += found.ci95[0] <= truth <= found.ci95[1]
    assert (0.9 if sum(drawn) < 100 else 0.93) <= covered / repeats <= 0.98
    assert np.mean(values) == pytest.approx(truth, abs=4 * np.std(values) / math.sqrt(repeats))
