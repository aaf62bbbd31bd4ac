"""Measurements of class scores: the official tool's figures, intervals, and records that do not hold."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.errors import UsageError, VerificationError
from bench.evidence.comparisons import metrics_of, values_of
from bench.evidence.verification import verify
from bench.metrics.class_measurements import measure
from bench.metrics.classification import count_classes, truth_of
from bench.results import Evidence, Measurement

GOLDEN = Path(__file__).parent.parent / "golden" / "activitynet_tool"
RNG = np.random.default_rng(3)
LABELS = [tuple(RNG.choice(8, size=1 + i % 2, replace=False).tolist()) for i in range(90)]
SCORES = RNG.normal(size=(90, 8)).astype(np.float32)
SCORES[np.arange(90), [own[0] for own in LABELS]] += 1.5


def evidence(scores: np.ndarray = SCORES, labels: list[tuple[int, ...]] = LABELS) -> Evidence:
    return count_classes(scores, truth_of(labels, [f"class {i}" for i in range(scores.shape[1])]), "0" * 64)


def values(found: tuple[Measurement, ...]) -> dict[str, float]:
    return {m.name: m.value for m in found}


def test_figures_are_those_of_the_official_tool() -> None:
    database = json.loads((GOLDEN / "ground_truth.json").read_text())["database"]
    results = json.loads((GOLDEN / "submission.json").read_text())["results"]
    expected = json.loads((GOLDEN / "scores.json").read_text())
    names = sorted(expected["ap"])
    labels = [tuple({names.index(a["label"]): 0 for a in video["annotations"]}) for video in database.values()]
    scores = np.full((len(labels), len(names)), -np.inf)
    for row, video in zip(scores, database, strict=True):
        for said in results.get(video, ()):
            row[names.index(said["label"])] = said["score"]
    found = values(measure(count_classes(scores, truth_of(labels, names), "0" * 64)))
    official = {"top1": "Hit@1", "top5": "Hit@5", "Hit@3": "Hit@3", "AvgHit@3": "AvgHit@3", "mAP": "mAP"}
    for ours, theirs in official.items():
        assert found[ours] == pytest.approx(100 * expected[theirs], abs=1e-9), ours


def test_the_mean_per_class_is_the_mean_of_each_classs_videos() -> None:
    right = [max(SCORES[i, list(own)]) == SCORES[i].max() for i, own in enumerate(LABELS)]
    of_class = [[right[i] for i, own in enumerate(LABELS) if c in own] for c in range(8)]
    expected = 100 * float(np.mean([np.mean(own) for own in of_class]))
    assert values(measure(evidence()))["mean_class/top1"] == pytest.approx(expected)


def test_the_mean_per_class_equals_scikit_learns_balanced_accuracy() -> None:
    from sklearn.metrics import balanced_accuracy_score

    labels = [own[:1] for own in LABELS]
    expected = 100 * balanced_accuracy_score([own[0] for own in labels], SCORES.argmax(axis=1))
    found = values(measure(evidence(labels=labels)))
    assert found["mean_class/top1"] == pytest.approx(expected)
    assert "main/top1" not in found


def test_the_interval_of_the_mean_per_class_is_that_of_resampled_videos() -> None:
    labels = [own[:1] for own in LABELS]
    main, right = np.array([own[0] for own in labels]), SCORES.argmax(axis=1) == [own[0] for own in labels]
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(4000):
        drawn = rng.integers(0, 90, size=90)
        sizes = np.bincount(main[drawn], minlength=8)
        found = np.bincount(main[drawn], weights=right[drawn], minlength=8)
        draws.append(100 * (found[sizes > 0] / sizes[sizes > 0]).mean())
    found = {m.name: m.ci95 for m in measure(evidence(labels=labels))}["mean_class/top1"]
    assert found is not None
    assert found == pytest.approx(np.quantile(draws, [0.025, 0.975]).tolist(), abs=1.5)


def test_a_perfect_model_has_an_interval_all_the_same() -> None:
    scores = np.eye(8, dtype=np.float32)[[own[0] for own in LABELS]]
    found = {m.name: m for m in measure(evidence(scores, [own[:1] for own in LABELS]))}
    assert found["top1"].value == 100.0
    assert found["top1"].ci95 is not None
    assert found["top1"].ci95[0] < 100.0


@pytest.mark.parametrize("n", [30, 60])
def test_a_mean_of_all_right_classes_of_one_size_has_the_interval_of_all_right_videos(n: int) -> None:
    labels = [(i % 3,) for i in range(n)]
    found = {m.name: m.ci95 for m in measure(evidence(np.eye(3)[[own[0] for own in labels]], labels))}
    assert found["mean_class/top1"] == pytest.approx(found["top1"])
    assert found["top1"] == pytest.approx((100 * 0.025 ** (1 / n), 100.0))


def test_a_class_of_few_videos_widens_the_interval_of_a_mean_of_all_right_or_all_wrong() -> None:
    labels = [(0,)] * 28 + [(1,), (2,)]
    right = np.eye(3)[[own[0] for own in labels]]
    for scores, near, far in ((right, 1, 0), (np.roll(right, 1, axis=1), 0, 1)):
        found = {m.name: m.ci95 for m in measure(evidence(scores, labels))}
        low, high = found["mean_class/top1"] or (0.0, 0.0)
        assert (low, high)[near] == 100.0 * near
        # Both single videos may have been right in 1 of sqrt(40): their two thirds of the mean are far from sure.
        assert abs((low, high)[far] - 100.0 * near) > 50.0


def test_classes_of_one_video_each_have_a_spread() -> None:
    labels = [(i,) for i in range(8)]
    found = {m.name: m.ci95 for m in measure(evidence(np.eye(8)[[0, 1, 2, 3, 0, 0, 0, 0]], labels))}
    assert found["mean_class/top1"] == pytest.approx(found["top1"])


@pytest.mark.parametrize(
    ("smallest", "largest", "says"),
    [(20, 30, 94.5), (2, 12, 90.0), pytest.param(2, 2, 83.0, marks=pytest.mark.campaign)],
)
@pytest.mark.parametrize("tests", [200, pytest.param(3000, marks=pytest.mark.campaign)])
def test_the_interval_of_the_mean_per_class_covers_as_often_as_its_protocol_says(
    smallest: int, largest: int, says: float, tests: int
) -> None:
    """20 classes, some of them easy."""
    rng = np.random.default_rng(8)
    sizes = np.arange(20) % (largest - smallest + 1) + smallest
    labels = [(c,) for c in range(20) for _ in range(sizes[c])]
    easy = np.linspace(0.3, 0.95, 20)
    covered = 0
    for _ in range(tests):
        scores = np.zeros((len(labels), 20))
        for row, (label,) in zip(scores, labels, strict=True):
            row[label if rng.random() < easy[label] else (label + 1) % 20] = 1.0
        low, high = {m.name: m.ci95 for m in measure(evidence(scores, labels))}["mean_class/top1"] or (0.0, 0.0)
        covered += low <= 100.0 * easy.mean() <= high
    assert abs(100.0 * covered / tests - says) < 1.0 + 3 * 100.0 * np.sqrt(0.1 * 0.9 / tests)


def test_a_k_beyond_the_classes_is_left_out() -> None:
    found = measure(evidence(SCORES[:, :3], [(own[0] % 3,) for own in LABELS]))
    assert [m.name for m in found] == ["top1", "mean_class/top1", "mAP"]


def test_values_per_video_average_to_the_measurement() -> None:
    found = values(measure(evidence()))
    for metric in metrics_of(evidence()):
        assert 100 * values_of(evidence(), metric).values.mean() == pytest.approx(found[metric])


def test_map_has_no_value_per_video() -> None:
    with pytest.raises(UsageError, match=r"'mAP' has no value for each query or video.*top1"):
        values_of(evidence(), "mAP")


def test_an_edited_measurement_is_found() -> None:
    measurements = measure(evidence())
    edited = (measurements[0].model_copy(update={"value": measurements[0].value + 0.5}), *measurements[1:])
    with pytest.raises(VerificationError, match=r"top1 is .* in the record"):
        verify(evidence(), edited)


def test_what_a_record_lacks_follows_and_what_is_foreign_is_found() -> None:
    measurements = measure(evidence())
    assert verify(evidence(), measurements[1:]) == measurements
    foreign = measurements[0].model_copy(update={"name": "top8"})  # of 8 classes
    with pytest.raises(VerificationError, match="top8 stands in the record and does not follow"):
        verify(evidence(), (*measurements, foreign))


def test_top_k_at_another_k_follows_and_is_compared() -> None:
    further = next(m for m in measure(evidence(), ["top2"]) if m.name == "top2")
    assert further in verify(evidence(), (further,))
    assert 100 * values_of(evidence(), "top2").values.mean() == pytest.approx(further.value)
    with pytest.raises(VerificationError, match="top2 is"):
        verify(evidence(), (further.model_copy(update={"value": further.value + 1}),))


def edited(name: str, place: tuple[int, int], value: int) -> Evidence:
    whole = evidence()
    array = whole.counts[name].copy()
    array[place] = value
    return replace(whole, counts={**whole.counts, name: array})


@pytest.mark.parametrize(
    ("name", "place", "value", "message"),
    [
        ("videos", (0, 0), 3, "labels"),
        ("videos", (0, 1), 9, "beyond its 8"),
        ("labels", (0, 0), 8, "beyond its 8"),
        ("labels", (0, 1), 9, "above or beside it"),
        ("labels", (0, 3), 91, "more videos"),
        ("classes", (0, 0), 90, "sizes of classes"),
        ("names", (0, 6), ord("1"), "names of 8 classes"),
    ],
)
def test_evidence_that_no_scores_give_is_refused(name: str, place: tuple[int, int], value: int, message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        verify(edited(name, place, value), measure(evidence()))


def test_evidence_of_other_shapes_is_refused() -> None:
    whole = evidence()
    with pytest.raises(VerificationError, match="expected kind 'classes'"):
        measure(replace(whole, kind="ranks"))
    with pytest.raises(VerificationError, match="expected uint32"):
        measure(replace(whole, counts={**whole.counts, "videos": whole.counts["videos"].astype(np.int32)}))
