"""Clips and sentences in another order: what moves, what goes with it, and what stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data.declared import DatasetDeclaration, FeatureDeclaration
from bench.data.digests import shuffled_positions
from bench.data.readers.activitynet import open_dataset
from bench.inputs import View

CLIPS, SENTENCES = View(shuffle="clips", seed=3), View(shuffle="sentences", seed=3)


@pytest.fixture(scope="module")
def sample():
    return open_dataset(DatasetDeclaration("anet", "activitynet", None, FeatureDeclaration("sample", "sample")))


@given(st.text(max_size=8), st.integers(0, 12), st.integers(0, 5))
def test_a_shuffle_is_a_permutation_that_moves_two_or_more(video_id, count, seed):
    positions = shuffled_positions(video_id, count, "clip", seed)
    assert sorted(positions) == list(range(count))
    assert (positions != list(range(count))) == (count > 1)


def test_clips_and_sentences_of_a_video_are_shuffled_independently():
    drawn = {side: [shuffled_positions(f"v{i}", 5, side, 0) for i in range(9)] for side in ("clip", "sentence")}
    assert drawn["clip"] != drawn["sentence"]


def test_a_clip_moves_with_its_rows_and_times_and_the_whole_video_stays(sample):
    plain = sample.inputs("val_1", View(), max_rows=80, limit=12).videos
    moved = sample.inputs("val_1", CLIPS, max_rows=80, limit=12).videos
    assert moved.ids == plain.ids
    assert (moved.rows == plain.rows).all()
    for i in range(len(plain)):
        before, after = plain.batch([i]), moved.batch([i])
        assert (after.frames.values == before.frames.values).all()
        assert clips_of(after) != clips_of(before)
        assert sorted(clips_of(after)) == sorted(clips_of(before))


def clips_of(batch):
    """Returns for each segment its times and its rows, as plain values."""
    rows = np.split(batch.clip_frames.values.numpy(), np.cumsum(batch.clip_frames.lengths.numpy())[:-1])
    return [(times, part.tolist()) for times, part in zip(batch.segments.values.tolist(), rows, strict=True)]


def test_sentences_move_and_videos_stay(sample):
    plain, moved = (sample.inputs("val_1", view, max_rows=80, limit=12) for view in (View(), SENTENCES))
    assert moved.paragraph_ids == plain.paragraph_ids
    for before, after in zip(plain.paragraphs, moved.paragraphs, strict=True):
        assert sorted(after) == sorted(before)
    assert moved.paragraphs != plain.paragraphs
    assert clips_of(moved.videos.batch([0])) == clips_of(plain.videos.batch([0]))


@pytest.mark.parametrize("view", [CLIPS, SENTENCES])
def test_a_shuffled_view_is_not_aligned_and_training_never_sees_it(view):
    assert not view.aligned
    assert view.complete == View()
