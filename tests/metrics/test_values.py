"""Values of queries from outside: measured by hand, resampled by video, refused where they are not as declared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bench.errors import UsageError, VerificationError
from bench.evidence.comparisons import paired
from bench.evidence.kinds import kind_of
from bench.evidence.query_values import QueryValues, measure, values_evidence
from bench.results import Evidence


def of(values: list[float], videos: list[str] | None = None, **told: Any) -> Evidence:
    return values_evidence([QueryValues("a", values, **told)], "pool", 9, videos)


def test_means_and_medians_are_those_of_the_queries() -> None:
    measured = [
        QueryValues("IoU", [10.0, 20.0, 60.0, 70.0], share=True),
        QueryValues("error", [4.0, 1.0, 2.5, 9.0], "median", "score", higher_is_better=False),
    ]
    first, second = measure(values_evidence(measured, "pool", 4))
    assert (first.name, first.value, first.unit, first.n) == ("IoU", 40.0, "percent", 4)
    assert (second.value, second.unit, second.higher_is_better) == (3.25, "score", False)
    assert second.ci95 == (1.0, 9.0)  # of four values a resample can have any as its median


def test_an_interval_resamples_videos_with_their_queries() -> None:
    rng = np.random.default_rng(3)
    sizes = rng.integers(1, 9, 60)
    videos = np.repeat(np.arange(60), sizes)
    values = rng.normal(np.repeat(rng.normal(50, 10, 60), sizes), 1.0)
    [found] = measure(values_evidence([QueryValues("a", values)], "pool", 60, videos.tolist()))
    sums = np.bincount(videos, weights=values)
    drawn = rng.integers(0, 60, (20_000, 60))
    low, high = np.quantile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [0.025, 0.975])
    assert found.value == pytest.approx(values.mean())
    assert found.ci95 == pytest.approx((low, high), abs=0.25)
    [alone] = measure(values_evidence([QueryValues("a", values)], "pool", len(values)))
    assert alone.ci95[1] - alone.ci95[0] < 0.7 * (high - low)  # queries of one video are no videos


def test_a_share_at_the_end_is_no_proof_and_a_score_is_as_it_is() -> None:
    assert measure(of([100.0] * 9, share=True))[0].ci95 == (pytest.approx(100 * 0.025 ** (1 / 9)), 100.0)
    assert measure(of([100.0] * 9))[0].ci95 == (100.0, 100.0)


@pytest.mark.parametrize("better", [True, False])
def test_wins_follow_the_direction_of_the_measurement(better: bool) -> None:
    a, b = (
        of([1.0, 2.0, 3.0], unit="score", higher_is_better=better),
        of([0.0, 2.0, 4.5], unit="score", higher_is_better=better),
    )
    found = paired([a], [b], "a")
    assert (found.wins, found.losses, found.ties) == (1, 1, 1)
    assert found.comparison.difference == pytest.approx(-1 / 6)
    assert paired([b], [of([0.0, 0.0, 0.0], unit="score", higher_is_better=better)], "a").wins == (2 if better else 0)


def test_pairs_are_of_videos_and_their_difference_is_that_of_the_queries() -> None:
    videos = ["v", "v", "v", "w"]
    found = paired([of([100.0, 0.0, 0.0, 100.0], videos, share=True)], [of([0.0] * 4, videos, share=True)], "a")
    assert found.comparison.n == 2
    assert found.comparison.difference == pytest.approx(50.0)


def test_a_median_has_no_value_of_each_query_to_compare() -> None:
    with pytest.raises(UsageError, match="nothing but medians"):
        paired([of([1.0], summary="median")], [of([2.0], summary="median")], "a")


def test_what_has_no_direction_is_measured_and_compared_in_nothing(tmp_path: Any) -> None:
    evidence = of([3.0, 5.0], unit="score", higher_is_better=None)
    [found] = measure(evidence)
    assert (found.value, found.higher_is_better) == (4.0, None)
    assert kind_of(evidence).compared(evidence) == ()
    with pytest.raises(UsageError, match="neither more nor less of it is better"):
        paired([evidence], [evidence], "a")


def test_what_was_saved_is_read_back(tmp_path: Any) -> None:
    evidence = of([1.0, 2.0, 3.0], ["x", "x", "y"])
    evidence.save(tmp_path / "e.safetensors")
    again = Evidence.load(tmp_path / "e.safetensors")
    assert measure(again) == measure(evidence)
    assert kind_of(again).pool_size(again) == 9


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"values": [1.0, np.nan]}, "query 1 has nan"),
        ({"values": []}, r"expected float64 \(n,\)"),
        ({"values": [[1.0]]}, "expected float64"),
        ({"values": [1.0, 101.0], "share": True}, "no share of 0 to 100"),
        ({"values": [1.0], "share": True, "unit": "score"}, "shares are in percent"),
        ({"values": [1.0], "unit": "metres"}, "unit"),
        ({"values": [1.0], "name": "<b>"}, "name"),
        ({"values": [1.0], "name": "video"}, "declares video"),
    ],
)
def test_values_that_cannot_be_are_refused_when_they_are_made(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        values_evidence([QueryValues(**{"name": "a", **change})], "pool", 9)


def test_queries_are_of_no_more_videos_than_the_test_has_and_stand_beside_one_another() -> None:
    with pytest.raises(ValueError, match="queries of 10 videos in a test set of 9"):
        of([1.0] * 10)
    with pytest.raises(ValueError, match="query 2 stands apart"):
        of([1.0] * 3, ["x", "y", "x"])
    with pytest.raises(ValueError, match=r"expected uint32 \(3,\)"):
        of([1.0] * 3, ["x", "y"])


def test_evidence_that_was_edited_is_refused_without_the_plugin() -> None:
    whole = of([1.0, 2.0, 3.0], ["x", "x", "y"])
    edits = [
        replace(whole, about={}),
        replace(whole, about={"measurements": [*whole.about["measurements"]] * 2}),
        replace(whole, counts={**whole.counts, "b": whole.counts["a"]}),
        replace(whole, counts={**whole.counts, "a": whole.counts["a"].astype(np.float32)}),
        replace(whole, counts={**whole.counts, "video": np.array([0, 2, 2], dtype=np.uint32)}),
        replace(whole, n_items={"queries": 3}),
    ]
    for edited in edits:
        with pytest.raises(VerificationError):
            measure(edited)
