"""Moment retrieval, the example of a task of its own kind: its metric by hand, and what it shows to models."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.api import Execution, ModelError, VerificationError
from bench.catalogue.config import load
from bench.catalogue.lookup import Session

SOURCE = Path(__file__).resolve().parents[2] / "examples" / "moments" / "src"
CONFIG = """
version: 1
datasets:
  mine:
    reader: activitynet
    root: .
    features: frames
    missing: penalise
    splits: {train: {file: captions.json, take: [0, 3]}, test: {file: captions.json, take: [3, 7]}}
features:
  frames: {reader: npy-folder, path: frames, extractor: toy}
"""
TIMES = [[0, 10], [10, 20], [0, 40]]
SAID = ["zebras come first", "a bird is second", "many things are last"]


class Told:
    """Answers what a test says, and keeps what it was shown."""

    def __init__(self, spans):
        self.spans, self.shown = spans, []

    def find(self, videos, sentences):
        self.shown += list(zip(videos.ids, sentences, strict=True))
        assert videos.segments.lengths.tolist() == [1] * len(sentences)
        return torch.tensor([self.spans[sentence] for sentence in sentences])


@pytest.fixture
def moments(monkeypatch):
    monkeypatch.syspath_prepend(str(SOURCE))
    from vtbench_moments.task import MomentRetrieval

    return MomentRetrieval("mine-moments", "mine", "test")


@pytest.fixture
def dataset(tmp_path):
    """Returns seven videos of 40 seconds; of the four of the test, the last has no features."""
    (tmp_path / "frames").mkdir()
    captions = {}
    for i in range(7):
        captions[f"v{i}"] = {"duration": 40.0, "timestamps": TIMES, "sentences": SAID}
        if i < 6:
            np.save(tmp_path / "frames" / f"v{i}.npy", np.ones((40, 4), np.float32))
    (tmp_path / "captions.json").write_text(json.dumps(captions))
    (tmp_path / "bench.yaml").write_text(CONFIG)
    return Session(load(tmp_path / "bench.yaml")).dataset("mine")


def predicted(task, dataset, model):
    inputs = dataset.inputs(task.split, task.view, max_rows=80, support=task.support)
    return task.predict(model, inputs, Execution(batch_size=4), lambda done, total, values: None)


def test_the_metric_by_hand_where_a_video_without_features_scores_nothing(moments, dataset):
    # Overlaps: 5/10, exactly the threshold; 7/10; 40/40; and three sentences of a video without features.
    said = Told({SAID[0]: [0.0, 5.0], SAID[1]: [13.0, 20.0], SAID[2]: [0.0, 40.0]})

    scored = moments.score(predicted(moments, dataset, said), moments.annotations(dataset), "cpu")

    found = {measurement.name: measurement for measurement in scored.measurements}
    assert found["R1@0.5"].value == pytest.approx(100 * 9 / 12)
    assert found["R1@0.7"].value == pytest.approx(100 * 6 / 12)
    assert found["mIoU"].value == pytest.approx(100 * 3 * (0.5 + 0.7 + 1.0) / 12)
    assert {m.n for m in found.values()} == {12}
    low, high = found["R1@0.5"].ci95
    assert low < 100 * 9 / 12 < high
    assert scored.evidence.counts["video"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [([0, 4], [2, 6], 1 / 3), ([0, 1], [2, 3], 0.0), ([5, 5], [5, 5], 0.0), ([1, 3], [1, 3], 1.0), ([2, 2], [0, 4], 0)],
)
def test_overlap(moments, a, b, expected):
    from vtbench_moments.task import overlap

    assert overlap(np.array([a], dtype=float), np.array([b], dtype=float)).tolist() == [pytest.approx(expected)]


def test_sentences_are_asked_in_the_order_of_the_alphabet(moments, dataset):
    model = Told(dict.fromkeys(SAID, (0.0, 1.0)))

    predicted(moments, dataset, model)

    asked = [sentence for _, sentence in model.shown]
    assert asked == sorted(SAID) * 3
    assert len({video for video, _ in model.shown}) == 3


@pytest.mark.parametrize("span", [[5.0, 1.0], [0.0, float("nan")]])
def test_an_answer_that_is_no_span_is_an_error(moments, dataset, span):
    predictions = predicted(moments, dataset, Told({**dict.fromkeys(SAID, (0.0, 1.0)), SAID[1]: span}))

    with pytest.raises(ModelError, match="3 of 9 spans that are none"):
        predictions.check("told")


def test_spans_are_saved_and_read_back_and_those_of_another_test_set_refused(moments, dataset, tmp_path):
    predictions = predicted(moments, dataset, Told(dict.fromkeys(SAID, (0.0, 1.0))))
    predictions.save(tmp_path / "p.safetensors")

    again = type(predictions).load(tmp_path / "p.safetensors")

    np.testing.assert_array_equal(again.spans, predictions.spans)
    assert (again.video_ids, again.counts) == (predictions.video_ids, predictions.counts)
    half = type(again)(again.video_ids[:1], again.counts[:1], again.spans[:3])
    with pytest.raises(VerificationError, match="another test set"):
        moments.score(half, moments.annotations(dataset), "cpu")
