"""Curves over the fraction kept: names that parse back, the area by hand and against NumPy, edits that are noticed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import VerificationError
from bench.evidence.comparisons import has_values, metrics_of, paired, values_of
from bench.evidence.verification import verify
from bench.metrics.curves import (
    CURVE_KS,
    FRACTIONS,
    area_weights,
    curve_values,
    is_curve,
    joined,
    measure_curve,
    parts_of,
)
from bench.metrics.names import MeasurementName, parse_name
from bench.metrics.retrieval import DIRECTIONS, measure
from bench.results import Evidence


def part(ranks):
    """Returns evidence of queries whose right item has so many items above it, in both directions."""
    counts = np.array([[rank, 0, 1] for rank in ranks], dtype=np.uint32)
    return Evidence(dict.fromkeys(DIRECTIONS, counts), "a" * 64, dict.fromkeys(DIRECTIONS, len(ranks)))


def curve(*ranks):
    return joined({keep: part(own) for keep, own in zip(FRACTIONS, ranks, strict=True)})


HALF = curve([1, 1, 1, 1], [0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1])
"""R@1 = 0, 25, 50, 50, 75: an area of (0/2 + 25 + 50 + 50 + 75/2) / 4 = 40.625."""


@given(
    st.sampled_from(DIRECTIONS),
    st.sampled_from(["R@1", "R@50", "MedR", "any-hit R@1"]),
    st.sampled_from([None, *FRACTIONS, "area"]),
)
def test_names_parse_back(direction, metric, keep):
    name = MeasurementName(direction, metric, None if keep == "area" else keep, keep == "area")
    assert parse_name(str(name)) == name
    assert name.of_curve == (keep is not None)


def test_names_read_as_documented():
    assert str(MeasurementName("t2v", "R@1", 0.4)) == "t2v/R@1[keep=0.4]"
    assert str(MeasurementName("v2t", "R@50", area=True)) == "v2t/R@50/AUC"


@pytest.mark.parametrize("text", ["R@1", "t2v", "t2v/R@1[keep=x]", "t2v/R@1[keep=0.4]/AUC", "x/R@1", "t2v/", "top1"])
def test_other_names_are_no_retrieval_measurements(text):
    assert parse_name(text) is None


def test_the_area_is_the_mean_height_of_the_curve():
    assert area_weights(FRACTIONS) == pytest.approx([0.125, 0.25, 0.25, 0.25, 0.125])
    values = {m.name: m.value for m in measure_curve(HALF)}
    assert [values[f"t2v/R@1[keep={f}]"] for f in FRACTIONS] == [0, 25, 50, 50, 75]
    assert values["t2v/R@1/AUC"] == values["v2t/R@1/AUC"] == pytest.approx(40.625)
    assert values["t2v/R@5/AUC"] == 100.0


@given(st.lists(st.floats(0, 100), min_size=2, max_size=7))
def test_the_area_is_the_trapezoidal_rule(heights):
    points = np.linspace(0.2, 1.0, len(heights))
    expected = np.trapezoid(heights, points) / 0.8
    assert area_weights(points) @ np.array(heights) == pytest.approx(expected, abs=1e-9)


def test_every_point_is_what_retrieval_measures_there():
    values = {m.name: m for m in measure_curve(HALF)}
    assert len(values) == len(DIRECTIONS) * len(CURVE_KS) * (len(FRACTIONS) + 1)
    for keep, own in parts_of(HALF).items():
        plain = {m.name: m for m in measure(own)}
        for way in DIRECTIONS:
            for k in CURVE_KS:
                point = values[f"{way}/R@{k}[keep={keep}]"]
                same = plain[f"{way}/R@{k}"]
                assert (point.value, point.ci95, point.n) == (same.value, same.ci95, same.n)


def test_the_area_lies_in_its_interval_which_is_narrower_than_that_of_a_point():
    rng = np.random.default_rng(0)
    found = {m.name: m for m in measure_curve(curve(*(rng.integers(0, 4, size=200) for _ in FRACTIONS)))}
    area, point = found["t2v/R@1/AUC"], found["t2v/R@1[keep=0.6]"]
    assert area.ci95[0] < area.value < area.ci95[1]
    assert area.ci95[1] - area.ci95[0] < point.ci95[1] - point.ci95[0]


def test_the_mean_over_queries_is_the_measurement():
    for measurement in measure_curve(HALF):
        values = curve_values(HALF, parse_name(measurement.name))
        assert 100 * values.mean() == pytest.approx(measurement.value)
        assert has_values(HALF, measurement.name)
        assert (values_of(HALF, measurement.name).values == values).all()
    assert set(metrics_of(HALF)) == {m.name for m in measure_curve(HALF)}


def test_two_curves_can_be_compared():
    better = curve(*([0, 0, 0, 0] for _ in FRACTIONS))
    found = paired([better], [HALF], "t2v/R@1/AUC")
    assert found.comparison.difference == pytest.approx(100 - 40.625)
    assert (found.wins, found.losses) == (4, 0)


def test_what_is_measured_verifies_and_what_was_edited_does_not():
    measured = measure_curve(HALF)
    verify(HALF, measured)
    changed = measured[5].model_copy(update={"value": 99.0})
    with pytest.raises(VerificationError, match="t2v/R@1/AUC is 99"):
        verify(HALF, (*measured[:5], changed, *measured[6:]))
    assert verify(HALF, measured[1:]) == measured  # what is left unsaid follows all the same


def test_broken_evidence_is_refused():
    lacking = {name: counts for name, counts in HALF.counts.items() if name != "t2v[keep=0.2]"}
    with pytest.raises(VerificationError, match="5 fractions"):
        parts_of(replace(HALF, counts=lacking))
    shorter = {**HALF.counts, "t2v[keep=0.2]": HALF.counts["t2v[keep=0.2]"][:2]}
    with pytest.raises(VerificationError, match="other queries"):
        parts_of(replace(HALF, counts=shorter))
    assert is_curve(HALF)
    assert not is_curve(part([0, 1]))
