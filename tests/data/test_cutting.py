"""Incomplete videos and paragraphs: which clips, rows and sentences are left, by hand and against a plain loop."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data.cutting import UncutVideos, cut
from bench.data.declared import DatasetDeclaration, FeatureDeclaration
from bench.data.digests import kept_positions
from bench.data.lessons import training_set
from bench.data.loading import FrameVideos
from bench.data.readers.activitynet import open_dataset
from bench.data.segments import segment_rows
from bench.errors import MissingData, UsageError
from bench.inputs import View

CLIPS = [[0.0, 2.0], [4.0, 6.0], [7.0, 8.5]]


def uncut(*timestamps, duration=10.0):
    count = len(timestamps)
    ids = tuple(f"v{i}" for i in range(count))
    return UncutVideos(ids, ids, np.full(count, duration), tuple(list(times) for times in timestamps))


def rows(*numbers):
    return np.array(numbers, dtype=np.int64)


class Numbered:
    """Features whose row r of video v is (v, r)."""

    dim = 2

    def __init__(self, lengths):
        self._lengths = lengths

    def lengths(self, ids):
        return np.array(self._lengths)

    def read(self, video_id):
        number = int(video_id.removeprefix("v"))
        length = self._lengths[number]
        return np.stack([np.full(length, number), np.arange(length)], axis=1).astype(np.float32)


@pytest.mark.parametrize(
    ("fields", "says"),
    [({"keep_videos": 0.0}, "fractions"), ({"keep_videos": 1.2}, "fractions"), ({"keep_text": -0.1}, "fractions")],
)
def test_a_fraction_out_of_range_is_a_usage_error(fields, says):
    with pytest.raises(UsageError, match=says):
        View(**fields)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 10, 15, 25, 27])
@pytest.mark.parametrize("fraction", [0.2, 0.4, 0.6, 0.8, 1.0])
@pytest.mark.parametrize("order", ["prefix", "random"])
def test_the_ceiling_of_the_fraction_is_kept(count, fraction, order):
    fifths = round(5 * fraction)
    kept = kept_positions("v", count, fraction, View(order=order))
    assert len(kept) == -(-fifths * count // 5)
    assert kept == sorted(set(kept))
    assert set(kept) <= set(range(count))
    if order == "prefix":
        assert kept == list(range(len(kept)))


def test_smaller_random_parts_lie_in_larger_ones_and_depend_on_seed_and_video():
    parts = [set(kept_positions("v", 9, f, View(order="random"))) for f in (0.2, 0.4, 0.6, 0.8, 1.0)]
    assert all(small < large for small, large in pairwise(parts))
    drawn = {
        tuple(kept_positions(video, 9, 0.4, View(order="random", seed=seed))) for video in "abcd" for seed in range(4)
    }
    assert len(drawn) > 5


def test_a_prefix_ends_with_the_last_kept_clip():
    found = cut(uncut(CLIPS), rows(10), View(keep_videos=0.4))
    assert found.counts.tolist() == [2]
    assert (found.first.tolist(), found.lengths.tolist()) == ([0, 4], [3, 3])
    assert found.segments.tolist() == [[0, 2], [4, 6]]
    assert found.whole.tolist() == [7]
    assert found.durations.tolist() == [7.0]
    assert found.kept.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_the_latest_end_of_the_first_clips_counts():
    found = cut(uncut([[3, 8], [1, 2], [0, 1], [0, 9]]), rows(10), View(keep_videos=0.5))
    assert found.whole.tolist() == [9]
    assert found.first.tolist() == [3, 1]


def test_a_video_that_keeps_all_its_clips_is_whole():
    found = cut(uncut(CLIPS, [[1, 2]]), rows(10, 8), View(keep_videos=0.8))
    assert found.whole.tolist() == [10, 8]
    assert found.durations.tolist() == [10.0, 10.0]
    assert found.counts.tolist() == [3, 1]


def test_windows_are_laid_over_what_is_left():
    view = View("uniform-2", keep_videos=0.4)
    found = cut(uncut(CLIPS), rows(10), view)
    assert found.whole.tolist() == [7]
    assert (found.first.tolist(), found.lengths.tolist()) == ([0, 3], [5, 4])
    assert found.segments.tolist() == [[0.0, 3.5], [3.5, 7.0]]
    none = cut(uncut(CLIPS), rows(10), replace(view, segments="none"))
    assert (none.first.tolist(), none.lengths.tolist(), none.segments.tolist()) == ([0], [7], [[0.0, 7.0]])


def test_five_windows_stand_for_clips_that_nobody_annotated():
    found = cut(uncut([]), rows(10), View("none", keep_videos=0.4))
    assert found.whole.tolist() == [5]
    with pytest.raises(MissingData, match="no timestamps"):
        cut(uncut([]), rows(10), View("gt", keep_videos=0.4))


def naive(lengths, times, view, duration=10.0):
    """Returns, for each video, the stored rows left of it and those of each clip left, by a plain loop."""
    out = []
    for i, (length, own) in enumerate(zip(lengths, times, strict=True)):
        first, last = segment_rows(np.array(own), np.full(len(own), duration), np.full(len(own), length))
        positions = kept_positions(f"v{i}", len(own), view.keep_videos, view)
        clips = [list(range(first[k], last[k] + 1)) for k in positions]
        if math.ceil(round(view.keep_videos * len(own), 6)) == len(own):
            left = list(range(length))
        elif view.order == "prefix":
            left = list(range(max(max(clip) for clip in clips) + 1))
        else:
            left = sorted({row for clip in clips for row in clip})
        out.append((left, clips))
    return out


VIDEO = st.tuples(
    st.integers(1, 40),
    st.lists(st.tuples(st.floats(0, 9.9), st.floats(0, 10)).map(lambda pair: sorted(pair)), min_size=1, max_size=6),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(VIDEO, min_size=1, max_size=5),
    st.sampled_from([0.2, 0.4, 0.6, 0.8, 0.99]),
    st.sampled_from(["prefix", "random"]),
)
def test_batches_hold_the_rows_that_are_left(videos, fraction, order):
    lengths = [length for length, _ in videos]
    times = [own for _, own in videos]
    view = View(keep_videos=fraction, order=order)
    frame_videos = FrameVideos(uncut(*times), Numbered(lengths), view, max_rows=1000)
    batch = frame_videos.batch(list(range(len(videos)))[::-1])
    expected = naive(lengths, times, view)[::-1]
    left = [row for own, _ in expected for row in own]
    clips = [row for _, own in expected for clip in own for row in clip]
    assert batch.frames.values[:, 1].tolist() == left
    assert batch.clip_frames.values[:, 1].tolist() == clips
    assert batch.frames.lengths.tolist() == [len(own) for own, _ in expected]
    assert batch.segments.lengths.tolist() == [len(own) for _, own in expected]
    assert (batch.segments.values[:, 0] >= 0).all()
    ends = batch.segments.values[:, 1]
    assert (ends <= batch.durations[batch.segments.owners()] + 1e-4).all()
    assert frame_videos.rows.tolist()[::-1] == [len(own) + sum(map(len, parts)) for own, parts in expected]


@pytest.fixture(scope="module")
def sample():
    return open_dataset(DatasetDeclaration("anet", "activitynet", None, FeatureDeclaration("sample", "sample")))


def test_inputs_can_be_cut_again_in_the_same_orders(sample):
    whole = sample.inputs("val_1", View(), max_rows=80, limit=30)
    part = whole.under(View(keep_videos=0.4, keep_text=0.2))
    assert (part.videos.ids, part.paragraph_ids) == (whole.videos.ids, whole.paragraph_ids)
    assert part.view == View(keep_videos=0.4, keep_text=0.2)
    assert part.under(View()).paragraphs == whole.paragraphs
    for full, kept in zip(whole.paragraphs, part.paragraphs, strict=True):
        assert kept == full[: math.ceil(len(full) / 5)]


def test_clips_and_sentences_of_the_same_positions_are_kept(sample):
    part = sample.inputs("val_1", View(keep_videos=0.4, keep_text=0.4, order="random"), max_rows=80, limit=30)
    counts = part.videos.batch(range(30)).segments.lengths.tolist()
    matches = sample.annotations("val_1", limit=30).matching.own
    place = {name: i for i, name in enumerate(part.videos.ids)}
    for name, paragraph in zip(part.paragraph_ids, part.paragraphs, strict=True):
        assert counts[place[matches[name]]] == len(paragraph)
    assert part.view.aligned
    assert not View(keep_videos=0.4).aligned


def test_training_sees_whole_videos_whatever_the_view_keeps(sample):
    view = View(keep_videos=0.2, keep_text=0.2, order="random", seed=3)
    chosen, usual = (training_set(sample, "paragraphs", seen) for seen in (view, View()))
    assert sample.training_digest(chosen) == sample.training_digest(usual)
    data, whole = (sample.training(lesson, max_rows=80, limit=20) for lesson in (chosen, usual))
    assert data.paragraphs == whole.paragraphs
    assert data.aligned
    assert (data.videos.rows == whole.videos.rows).all()
