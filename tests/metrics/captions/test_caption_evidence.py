"""Evidence of captions: every aggregate follows from it, intervals are those of resampled videos, edits are found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.errors import UsageError, VerificationError
from bench.evidence.comparisons import paired
from bench.evidence.verification import verify
from bench.metrics.captions.evidence import (
    by_tiou,
    item_values,
    measure,
    names_of,
    smallest,
    value_of,
    video_values,
)
from bench.metrics.captions.items import Rules, Sentence, VideoCaptions, rules
from bench.metrics.captions.scoring import score
from bench.results import Evidence

WORDS = ["a", "man", "dog", "runs", "sits", "the", "red", "ball"]


def made_videos(seed: int, videos: int = 60, noise: float = 0.4) -> list[VideoCaptions]:
    """Returns videos whose predictions repeat their references but for a share of the words."""
    rng, wrong = np.random.default_rng(7), np.random.default_rng(seed)
    made = []
    for i in range(videos):
        told, said = [], []
        for k in range(int(rng.integers(1, 5))):
            words = rng.choice(WORDS, rng.integers(4, 11))
            spoken = np.where(wrong.random(len(words)) < noise, wrong.choice(WORDS, len(words)), words)
            told.append(Sentence(" ".join(words), (10.0 * k, 10.0 * k + 9)))
            said.append(Sentence(" ".join(spoken), (10.0 * k, 10.0 * k + 9)))
        made.append(VideoCaptions(f"v{i:03d}", tuple(said), (tuple(told),)))
    return made


@pytest.fixture(scope="module", params=["corpus", "densevid", "paragraph"])
def evidence(request) -> Evidence:
    return score(made_videos(0), replace(rules(request.param), meteor="none")).evidence


@pytest.fixture(scope="module")
def with_meteor() -> Evidence:
    """Returns evidence of a corpus with counts as METEOR gives them."""
    found = score(made_videos(0), rules("corpus", java=False)).evidence
    rng = np.random.default_rng(3)
    counts = np.zeros((len(found.counts["bleu"]), 23), dtype=np.uint8)
    counts[:, :2] = rng.integers(8, 12, (len(counts), 2))
    counts[:, 4:6] = counts[:, 21:23] = rng.integers(1, 8, (len(counts), 1))
    counts[:, 20] = rng.integers(1, 3, len(counts))
    return replace(found, counts={**found.counts, "meteor": counts})


def test_every_measurement_follows_from_saved_evidence(evidence, tmp_path):
    measurements = measure(evidence)
    evidence.save(tmp_path / "e.safetensors")
    again = Evidence.load(tmp_path / "e.safetensors")
    verify(again, measurements)
    assert measure(again) == measurements
    assert all(m.ci95[0] < m.value < m.ci95[1] for m in measurements if m.name != "Vocabulary")


def test_video_values_have_the_score_as_their_mean(evidence, with_meteor):
    for one in (evidence, with_meteor):
        for name in names_of(one):
            assert video_values(one, name).mean() == pytest.approx(value_of(one, name), rel=1e-12)


@pytest.mark.parametrize("name", ["BLEU@4", "METEOR", "ROUGE-L", "CIDEr"])
def test_intervals_are_those_of_resampling_videos_and_scoring_each_resample(with_meteor, name):
    counts, rng = with_meteor.counts, np.random.default_rng(0)
    items = [np.flatnonzero(counts["video"] == v) for v in range(60)]
    drawn = []
    for _ in range(1500):
        rows = np.concatenate([items[v] for v in rng.integers(0, 60, 60)])
        resampled = replace(with_meteor, counts={k: array[rows] for k, array in counts.items()})
        resampled.counts["video"][:] = 0  # one video: only the whole is asked for
        drawn.append(value_of(resampled, name))
    low, high = np.quantile(drawn, [0.025, 0.975])
    found = next(m for m in measure(with_meteor) if m.name == name)
    spread = high - low
    assert found.ci95 == pytest.approx((low, high), abs=0.15 * spread)


@pytest.mark.parametrize("protocol", ["corpus", "densevid", "paragraph"])
def test_perfect_captions_are_no_certainty(protocol):
    """Every caption equals its reference; BLEU of them is 100 but for a term of 1e-9."""
    videos = [replace(video, predicted=video.references[0]) for video in made_videos(0)]
    found = {m.name: m for m in measure(score(videos, rules(protocol, java=False)).evidence)}
    for name in ("BLEU@1", "BLEU@4", "ROUGE-L"):
        assert found[name].value == pytest.approx(100.0)
        assert found[name].ci95 == pytest.approx((100 * 0.025 ** (1 / 60), 100.0)), name


@pytest.mark.parametrize("protocol", ["corpus", "densevid", "paragraph"])
def test_too_few_videos_have_no_interval_and_older_records_of_them_are_read_without(protocol):
    for count in (1, 3):
        scored = score(made_videos(0)[:count], rules(protocol, java=False))
        assert all(m.ci95 is None for m in scored.measurements)
        older = [m.model_copy(update={"ci95": (0.0, 841.9)}) for m in scored.measurements]
        assert verify(scored.evidence, older) == scored.measurements
    enough = score(made_videos(0)[:4], rules(protocol, java=False))
    assert {m.name for m in enough.measurements if m.ci95 is None} <= {"Vocabulary"}
    with pytest.raises(VerificationError, match="ci95"):
        verify(enough.evidence, [m.model_copy(update={"ci95": (0.0, 841.9)}) for m in enough.measurements])


def test_two_models_are_compared_video_by_video(evidence):
    worse = score(made_videos(1, noise=0.7), rules(next(iter(evidence.n_items)), java=False)).evidence
    found = paired([evidence], [worse], "CIDEr")
    assert found.comparison.difference == pytest.approx(value_of(evidence, "CIDEr") - value_of(worse, "CIDEr"))
    assert found.comparison.p_value < 0.01
    assert found.comparison.n == 60


def test_densevid_is_the_mean_over_thresholds():
    evidence = score(made_videos(0), rules("densevid", java=False)).evidence
    assert np.mean(list(by_tiou(evidence, "CIDEr").values())) == pytest.approx(value_of(evidence, "CIDEr"))
    assert item_values(evidence, "CIDEr").shape == (60, 4)


def test_a_metric_that_was_not_measured_is_refused(evidence):
    with pytest.raises(UsageError, match="'METEOR' was not measured"):
        video_values(evidence, "METEOR")


def test_counts_are_kept_in_the_narrowest_type():
    assert [smallest(np.array([top])).dtype.itemsize for top in (0, 255, 256, 70_000)] == [1, 1, 2, 4]


def test_edited_measurements_are_found(evidence):
    measurements = measure(evidence)
    better = measurements[0].model_copy(update={"value": measurements[0].value + 1e-6})
    for changed in (
        (better, *measurements[1:]),
        (*measurements, better.model_copy(update={"name": "METEOR"})),
        (measurements[0].model_copy(update={"n": 7}), *measurements[1:]),
    ):
        with pytest.raises(VerificationError):
            verify(evidence, changed)


def edited(evidence: Evidence, name: str, place: tuple[int, ...], value: float) -> Evidence:
    counts = {key: array.copy() for key, array in evidence.counts.items()}
    counts[name][place] = value
    return replace(evidence, counts=counts)


@pytest.mark.parametrize(
    ("name", "place", "value", "says"),
    [
        ("bleu", (0, 0), 200, "more n-grams match"),
        ("bleu", (0, 8), 200, "other n-grams than its words allow"),
        ("rouge", (0,), 1.1, "rouge holds values outside 0 to 1"),
        ("rouge", (0,), np.nan, "rouge holds values outside"),
        ("cider", (0,), -1.0, "cider holds values outside 0 to 10"),
        ("video", (0,), 3, "not numbered in order"),
        ("meteor", (0, 4), 200, "more words match"),
    ],
)
def test_evidence_that_no_captions_give_is_refused(with_meteor, name, place, value, says):
    with pytest.raises(VerificationError, match=says):
        measure(edited(with_meteor, name, place, value))


def test_evidence_of_other_shape_or_protocol_is_refused(evidence):
    lacking = {key: array for key, array in evidence.counts.items() if key != "cider"}
    wide = {**evidence.counts, "rouge": evidence.counts["rouge"].astype(np.float32)}
    for changed, says in (
        (replace(evidence, counts=lacking), "expected"),
        (replace(evidence, counts=wide), "rouge is float32"),
        (replace(evidence, n_items={"nobody": 3}), "no protocol has that name"),
        (replace(evidence, n_items={next(iter(evidence.n_items)): 3}), "expected"),
    ):
        with pytest.raises(VerificationError, match=says):
            measure(changed)


def test_rules_with_meteor_are_not_those_without():
    assert (
        len({Rules("corpus", "ptb", meteor, "error").parts()["meteor"] for meteor in ("java", "python", "none")}) == 3
    )
