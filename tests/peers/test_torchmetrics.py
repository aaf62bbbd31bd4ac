"""Our measurements equal those of torchmetrics where both define the same thing; what differs is said."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytestmark = pytest.mark.extra("peers")


@pytest.fixture
def scores() -> np.ndarray:
    """Returns (40, 40) float32 similarities without ties, the diagonal a little ahead."""
    rng = np.random.default_rng(4)
    return (rng.permutation(1600).reshape(40, 40) / 1600 + 0.4 * np.eye(40)).astype(np.float32)


@pytest.mark.parametrize("k", [1, 5, 10])
def test_recall_at_k_is_the_hit_rate(bench_command, scores, k):
    import torch
    from torchmetrics.retrieval import RetrievalHitRate

    np.save(bench_command.folder / "scores.npy", scores)
    printed = json.loads(bench_command("score", "retrieval", "--similarity", "scores.npy", "--json").stdout)
    ours = {measurement["name"]: measurement["value"] for measurement in printed["measurements"]}

    for direction, matrix in (("t2v", scores), ("v2t", scores.T)):
        queries = torch.arange(40).repeat_interleave(40)
        theirs = RetrievalHitRate(top_k=k)(
            torch.from_numpy(np.ascontiguousarray(matrix)).flatten(), torch.eye(40, dtype=torch.bool).flatten(), queries
        )
        assert ours[f"{direction}/R@{k}"] == pytest.approx(100 * float(theirs), abs=1e-4)


def test_class_measurements_are_the_accuracies_and_the_mean_average_precision(bench_command):
    import torch
    from torchmetrics.functional.classification import (
        multiclass_accuracy,
        multiclass_average_precision,
        multiclass_precision_recall_curve,
    )

    rng = np.random.default_rng(5)
    names, labels = [f"class {i}" for i in range(8)], rng.permutation(np.arange(60) % 8)
    scores = (rng.permutation(480).reshape(60, 8) / 480 + 0.3 * np.eye(8)[labels]) / 1.4  # torchmetrics takes other
    scores = scores.astype(np.float32)  # numbers than those from 0 to 1 through a softmax, which moves videos
    predictions = {f"v{i:02}": dict(zip(names, map(float, row), strict=True)) for i, row in enumerate(scores)}
    (bench_command.folder / "said.json").write_text(json.dumps(predictions))
    rows = [f"v{i:02},test,{names[label]}" for i, label in enumerate(labels)]
    (bench_command.folder / "labels.csv").write_text("\n".join(["video_id,subset,labels", *rows]) + "\n")
    files = ("--predictions", "said.json", "--labels", "labels.csv")
    printed = json.loads(bench_command("score", "classification", *files, "--json").stdout)
    ours = {measurement["name"]: measurement["value"] for measurement in printed["measurements"]}

    told, true = torch.from_numpy(scores), torch.from_numpy(labels)
    for name, k, average in (("top1", 1, "micro"), ("top5", 5, "micro"), ("mean_class/top1", 1, "macro")):
        theirs = multiclass_accuracy(told, true, num_classes=8, top_k=k, average=average)
        assert ours[name] == pytest.approx(100 * float(theirs), abs=1e-4)
    areas = []
    for precision, recall, _ in zip(*multiclass_precision_recall_curve(told, true, num_classes=8), strict=True):
        best = torch.cummax(precision, 0).values  # as the ActivityNet tool: the best precision at this recall or more
        areas.append(float(((recall[:-1] - recall[1:]) * best[:-1]).sum()))
    assert ours["mAP"] == pytest.approx(100 * np.mean(areas), abs=1e-4)
    assert ours["mAP"] > 100 * float(multiclass_average_precision(told, true, num_classes=8))  # without that step
