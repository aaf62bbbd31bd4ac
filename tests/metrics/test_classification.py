"""Counts of class scores: hand-worked, against a plain loop, against scikit-learn, and against every order of ties."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.metrics.classification import (
    Counted,
    average_precisions,
    count_classes,
    hits,
    label_hits,
    opened,
    truth_of,
)

NAMES = ("a", "b", "c", "d")


def counted(scores: list[list[float]] | np.ndarray, labels: list[tuple[int, ...]]) -> Counted:
    scores = np.array(scores, dtype=np.float32)
    names = [f"class {i}" for i in range(scores.shape[1])]
    return opened(count_classes(scores, truth_of(labels, names), "0" * 64))


def test_a_label_is_counted_against_every_other_class() -> None:
    found = counted([[0.1, 0.9, 0.5, 0.5]], [(2,)])
    assert found.labels[0, :3].tolist() == [2, 1, 1]
    assert found.videos.tolist() == [[1, 1]]
    assert [hits(found, k)[0] for k in (1, 2, 3)] == [0.0, 0.5, 1.0]


def test_a_prediction_counts_when_it_is_among_several_labels() -> None:
    found = counted([[0.9, 0.1, 0.5, 0.0], [0.0, 0.1, 0.5, 0.9]], [(1, 0), (0, 1)])
    assert hits(found, 1).tolist() == [1.0, 0.0]
    assert label_hits(found, 1)[found.starts].tolist() == [0.0, 0.0]


def test_a_constant_model_gets_chance() -> None:
    found = counted(np.zeros((6, 5)), [(0,), (1,), (2,), (3,), (4,), (0,)])
    for k in (1, 2, 3):
        np.testing.assert_allclose(hits(found, k), k / 5)
    assert average_precisions(found)[1].tolist() == pytest.approx([2 / 6, *[1 / 6] * 4])


def test_average_precision_worked_by_hand() -> None:
    # Class 0, by falling score: right, wrong, right, right, wrong. Precisions 1, 2/3, 3/4; the second is lifted to 3/4.
    scores = np.zeros((5, 2))
    scores[:, 0] = [5, 4, 3, 2, 1]
    found = counted(scores, [(0,), (1,), (0,), (0,), (1,)])
    present, precisions = average_precisions(found)
    assert present.tolist() == [0, 1]
    assert precisions[0] == pytest.approx((1 + 3 / 4 + 3 / 4) / 3)


def test_what_is_not_listed_is_never_found() -> None:
    scores = [[-np.inf, 1.0, -np.inf, -np.inf], [-np.inf] * 4, [2.0, 1.0, -np.inf, -np.inf]]
    found = counted(scores, [(0,), (0,), (0,)])
    assert hits(found, 3).tolist() == [0.0, 0.0, 1.0]
    assert found.videos[:, 1].tolist() == [1, 4, 0]
    assert average_precisions(found)[1].tolist() == pytest.approx([1 / 3])


def test_two_labels_of_which_none_is_listed_are_not_found() -> None:
    found = counted([[1.0, -np.inf, -np.inf, -np.inf]], [(1, 2)])
    assert hits(found, 3).tolist() == [0.0]


def by_enumeration(row: np.ndarray, labels: tuple[int, ...], k: int) -> tuple[float, list[float]]:
    """Returns hits of one video, and of each of its labels, averaged over every order of equal scores."""
    groups = [np.flatnonzero(row == value).tolist() for value in np.unique(row)[::-1]]
    orders: list[list[int]] = [[]]
    for group in groups:
        orders = [[*order, *rest] for order in orders for rest in permutations(group)]
    found = [[label in order[:k] for label in labels] for order in orders]
    return float(np.mean([any(one) for one in found])), np.mean(found, axis=0).tolist()


@given(
    scores=st.lists(st.lists(st.integers(0, 2), min_size=5, max_size=5), min_size=1, max_size=4),
    labels=st.lists(st.sets(st.integers(0, 4), min_size=1, max_size=3).map(tuple), min_size=4, max_size=4),
    k=st.integers(1, 4),
)
@settings(max_examples=60, deadline=None)
def test_ties_are_the_mean_over_all_orders(scores: list[list[int]], labels: list[tuple[int, ...]], k: int) -> None:
    labels = labels[: len(scores)]
    found = counted(scores, labels)
    expected = [by_enumeration(np.array(row), own, k) for row, own in zip(scores, labels, strict=True)]
    np.testing.assert_allclose(hits(found, k), [hit for hit, _ in expected], atol=1e-12)
    np.testing.assert_allclose(label_hits(found, k), [one for _, each in expected for one in each], atol=1e-12)


def by_thresholds(scores: np.ndarray, positive: np.ndarray) -> float:
    """Returns interpolated average precision with one threshold for each distinct score, by scikit-learn."""
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(positive, scores)
    lifted = np.maximum.accumulate(precision)  # its curve runs from all videos to none
    return float(-(np.diff(recall) * lifted[:-1]).sum())


@given(seed=st.integers(0, 10_000), levels=st.sampled_from([3, 10, 10_000]))
@settings(max_examples=40, deadline=None)
def test_average_precision_agrees_with_scikit_learns_curve(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, size=(40, 4)).astype(np.float32)
    labels = [tuple(rng.choice(4, size=rng.integers(1, 3), replace=False).tolist()) for _ in range(40)]
    present, precisions = average_precisions(counted(scores, labels))
    for label, precision in zip(present, precisions, strict=True):
        positive = np.array([label in own for own in labels])
        assert precision == pytest.approx(by_thresholds(scores[:, label], positive), abs=1e-12)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_the_order_of_videos_and_classes_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 4, size=(12, 4)).astype(np.float32)
    labels = [tuple(rng.choice(4, size=2, replace=False).tolist()) for _ in range(12)]
    videos, classes = rng.permutation(12), rng.permutation(4)
    place = np.argsort(classes)
    one = counted(scores, labels)
    other = counted(scores[videos][:, classes], [tuple(int(place[i]) for i in labels[v]) for v in videos])
    np.testing.assert_allclose(hits(one, 2)[videos], hits(other, 2))
    assert average_precisions(one)[1].mean() == pytest.approx(average_precisions(other)[1].mean())


def test_names_of_classes_stand_in_the_evidence() -> None:
    names = ("été", "水泳", "a\tb")
    evidence = count_classes(np.eye(3, dtype=np.float32), truth_of([(0,), (1,), (2,)], names), "0" * 64)
    assert opened(evidence).class_names == names
