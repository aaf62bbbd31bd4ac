"""Counting alone on the official test sets: a run of the control agrees with what the annotations give exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.data.declared import DatasetDeclaration, FeatureDeclaration
from bench.data.readers.activitynet import open_dataset
from bench.execution import Execution
from bench.inputs import View
from bench.tasks.retrieval import ParagraphVideoRetrieval
from bench_controls.count_only import CountOnly


class OneRow:
    """Every video is one row of zeros: counting looks at no frame."""

    dim = 1

    def lengths(self, ids):
        return np.ones(len(ids), dtype=np.int64)

    def read(self, video_id):
        return np.zeros((1, 1), dtype=np.float32)


def test_counting_on_val_1_is_what_the_protocol_says(shared):
    """R@1 / R@5 / R@50 = 0.33 / 1.36 / 9.01; the same for DiDeMo stands with its reader."""
    root = shared("data/activitynet_captions/val_1.json.gz").parent
    simulated = FeatureDeclaration("simulated", "simulated", extractor="simulated")
    dataset = open_dataset(DatasetDeclaration("anet", "activitynet", root, simulated))
    dataset = replace(dataset, features=OneRow())
    counts = np.array([len(sentences) for sentences in dataset.columns("val_1")["sentences"]])
    alike = np.bincount(counts)[counts]
    exact = {k: 100 * np.minimum(1, k / alike).mean() for k in (1, 5, 50)}
    assert [round(exact[k], 2) for k in (1, 5, 50)] == [0.33, 1.36, 9.01]

    task = ParagraphVideoRetrieval("anet-retrieval", "anet", "val_1")
    inputs = dataset.inputs("val_1", View(), max_rows=1)
    predictions = task.predict(CountOnly({}, Execution()), inputs, Execution(), lambda *_: None)
    scored = task.score(predictions, dataset.annotations("val_1"), "cpu")
    values = {measurement.name: measurement.value for measurement in scored.measurements}
    for k, expected in exact.items():
        assert values[f"t2v/R@{k}"] == pytest.approx(expected)
        assert values[f"v2t/R@{k}"] == pytest.approx(expected)
