"""Which classes are taken for which: hand-worked, and against scikit-learn's confusion matrix."""

from __future__ import annotations

import numpy as np
import pytest

from bench.errors import VerificationError
from bench.metrics.class_measurements import measure
from bench.metrics.classification import count_classes, truth_of
from bench.metrics.confusions import Confusion, class_rows, confusions
from bench.results import Evidence

NAMES = ("drink", "run", "swim")


def evidence(predicted: list[int], labels: list[tuple[int, ...]]) -> Evidence:
    return count_classes(np.eye(3, dtype=np.float32)[predicted], truth_of(labels, NAMES), "0" * 64)


def test_a_worked_case() -> None:
    found = evidence([1, 1, 0, 2, 2], [(0,), (0, 2), (0, 1), (1,), (1, 2)])
    assert confusions(found) == [Confusion("drink", "run", 2, 3), Confusion("run", "swim", 1, 2)]
    drink, run, swim = class_rows(found)
    assert (drink.videos, drink.main, drink.top1, drink.predicted, drink.taken_for) == (
        3,
        3,
        pytest.approx(100 / 3),
        1,
        "run",
    )
    assert (run.videos, run.main, run.top1, run.predicted, run.taken_for) == (3, 2, pytest.approx(200 / 3), 2, "swim")
    assert (swim.videos, swim.main, swim.top1, swim.predicted, swim.taken_for) == (2, 0, 50.0, 2, "")


def test_single_labels_give_scikit_learns_matrix() -> None:
    from sklearn.metrics import confusion_matrix

    rng = np.random.default_rng(0)
    true, predicted = rng.integers(0, 3, 200), rng.integers(0, 3, 200)
    found = confusions(evidence(predicted.tolist(), [(int(i),) for i in true]))
    matrix = confusion_matrix(true, predicted)
    for one in found:
        assert one.videos == matrix[NAMES.index(one.true), NAMES.index(one.predicted)]
    assert sum(one.videos for one in found) == matrix.sum() - np.trace(matrix)
    assert [one.videos for one in found] == sorted((one.videos for one in found), reverse=True)


def test_rows_average_to_the_mean_per_class_and_to_map() -> None:
    rng = np.random.default_rng(1)
    labels = [tuple(rng.choice(3, size=1 + i % 2, replace=False).tolist()) for i in range(40)]
    found = count_classes(rng.normal(size=(40, 3)), truth_of(labels, NAMES), "0" * 64)
    measured = {m.name: m.value for m in measure(found)}
    rows = class_rows(found)
    assert np.mean([row.top1 for row in rows]) == pytest.approx(measured["mean_class/top1"])
    assert np.mean([row.average_precision for row in rows]) == pytest.approx(measured["mAP"])


def test_a_class_without_test_videos_has_a_row_without_scores() -> None:
    row = class_rows(evidence([2, 1], [(0,), (1,)]))[2]
    assert (row.videos, row.top1, row.average_precision, row.predicted) == (0, None, None, 1)


def test_what_was_not_predicted_is_no_confusion() -> None:
    scores = np.full((2, 3), -np.inf)
    scores[1, 2] = 1.0
    found = count_classes(scores, truth_of([(0,), (0,)], NAMES), "0" * 64)
    assert confusions(found) == [Confusion("drink", "swim", 1, 2)]


def test_evidence_of_ranks_is_refused() -> None:
    ranks = Evidence({"t2v": np.zeros((3, 3), dtype=np.uint32)}, "0" * 64, {"t2v": 3})
    with pytest.raises(VerificationError, match="expected kind 'classes'"):
        confusions(ranks)
