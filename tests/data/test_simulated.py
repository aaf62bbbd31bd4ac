"""Features simulated from annotations: deterministic, of the stated lengths, with the text where its segment is."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from bench.data.features.simulated import DIM, ROWS_OF_UNKNOWN_DURATION, SimulatedFeatures
from bench.data.segments import segment_rows
from bench.data.tables import AnnotatedVideos, Tables
from bench.errors import MissingData


def annotated(**changes) -> AnnotatedVideos:
    content = {
        "ids": ("a", "b", "c"),
        "durations": (100.0, 0.1, None),
        "timestamps": ([[0.0, 40.0], [50.0, 80.0]], [[0.0, 0.1]], []),
        "sentences": (["a red dog runs", "somebody opens the old door"], ["a cat"], ["one caption", "another caption"]),
    }
    return AnnotatedVideos(**{**content, **changes})


def simulated(videos: AnnotatedVideos | None = None, **others: AnnotatedVideos) -> SimulatedFeatures:
    splits = {"train": videos or annotated(), **others}
    return SimulatedFeatures(Tables("toy", {name: partial(lambda kept: kept, made) for name, made in splits.items()}))


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_rows_follow_the_duration():
    assert simulated().lengths(["a", "b", "c"]).tolist() == [350, 1, ROWS_OF_UNKNOWN_DURATION]


def test_features_are_float32_and_finite():
    rows = simulated().read("a")
    assert rows.shape == (350, DIM)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()


def test_the_same_annotations_give_the_same_features():
    assert np.array_equal(simulated().read("a"), simulated().read("a"))


def test_reading_twice_does_not_change_what_is_read():
    source = simulated()
    first = source.read("a")
    expected = first.copy()
    first += 1
    assert np.array_equal(source.read("a"), expected)


def test_rows_of_a_segment_carry_its_text_and_undescribed_rows_do_not():
    source = simulated()
    rows = source.read("a")
    other = simulated(annotated(sentences=(["a blue fish", "rain falls hard today"], ["a cat"], ["x", "y"]))).read("a")
    first, last = segment_rows(np.array([[0.0, 40.0], [50.0, 80.0]]), np.full(2, 100.0), np.full(2, 350))
    described = np.zeros(350, dtype=bool)
    for begin, end in zip(first, last, strict=True):
        described[begin : end + 1] = True
    assert np.array_equal(rows[~described], other[~described])
    assert not np.isclose(rows[described], other[described]).all(axis=1).any()


def test_a_segment_looks_like_another_with_the_same_words():
    sentences = (["a red dog runs", "somebody opens the old door"], ["red dog"], ["a red dog runs"])
    source = simulated(
        annotated(durations=(100.0, 50.0, None), sentences=sentences, timestamps=([[0, 40], [50, 80]], [[0, 50]], []))
    )
    a, c = source.read("a"), source.read("c")
    same = cosine(a[:100].mean(axis=0), c.mean(axis=0))
    different = cosine(a[200:270].mean(axis=0), c.mean(axis=0))
    assert same > different + 0.3


def test_segments_move_the_features_and_the_digest():
    moved = annotated(timestamps=([[10.0, 40.0], [50.0, 80.0]], [[0.0, 0.1]], []))
    assert not np.array_equal(simulated(moved).read("a"), simulated().read("a"))
    assert simulated(moved).identity(["a"]).digest != simulated().identity(["a"]).digest
    assert simulated(moved).identity(["c"]).digest == simulated().identity(["c"]).digest


def test_the_identity_says_simulated():
    identity = simulated().identity(["a", "b"])
    assert (identity.extractor, identity.dim, identity.kind) == ("simulated", DIM, "simulated")


def test_of_two_annotations_of_a_video_the_first_declared_decides():
    second = annotated(sentences=(["other", "words"], ["a cat"], ["x"]))
    assert np.array_equal(simulated(annotated(), val_2=second).read("a"), simulated().read("a"))


def test_a_video_nobody_annotated_is_missing():
    with pytest.raises(MissingData, match="1 of 2 videos has no features: z"):
        simulated().lengths(["a", "z"])
    with pytest.raises(MissingData, match="z"):
        simulated().read("z")
