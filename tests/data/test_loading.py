"""Batches of feature rows: equal to a naive loop over videos, read ahead without losing errors or threads."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from pretend_device import pretending

from bench.data.declared import FeatureIdentity
from bench.data.loading import READ_AHEAD, FrameVideos, UncutVideos
from bench.errors import InvalidData, MissingData, UsageError
from bench.inputs import View

DIM = 5


class HeldFeatures:
    """Features in memory; `broken` holds what `read` returns instead of the promised rows."""

    kind = "real"
    dim = DIM

    def __init__(self, rows: dict[str, np.ndarray], broken: dict[str, np.ndarray] | None = None) -> None:
        self.rows = rows
        self.broken = broken or {}
        self.reads: list[str] = []

    def lengths(self, ids: Sequence[str]) -> np.ndarray:
        return np.array([len(self.rows[video_id]) for video_id in ids], dtype=np.int64)

    def read(self, video_id: str) -> np.ndarray:
        self.reads.append(video_id)
        return self.broken.get(video_id, self.rows[video_id])

    def identity(self, ids: Sequence[str]) -> FeatureIdentity:
        raise NotImplementedError


def some_videos(count: int = 12, seed: int = 0) -> tuple[UncutVideos, HeldFeatures]:
    rng = np.random.default_rng(seed)
    ids = [f"v{i}" for i in range(count)]
    durations = rng.uniform(1, 60, size=count)
    timestamps = []
    for duration in durations:
        times = np.sort(rng.uniform(0, duration, size=(rng.integers(1, 6), 2)), axis=1)
        timestamps.append(times.tolist())
    rows = {i: rng.standard_normal((rng.integers(1, 200), DIM)).astype(np.float32) for i in ids}
    videos = UncutVideos(tuple(f"opaque-{i}" for i in ids), tuple(ids), durations, tuple(timestamps))
    return videos, HeldFeatures(rows)


def naive(videos: UncutVideos, features: HeldFeatures, index: int, view: str, cap: int):
    """Returns whole video, clips and segments of one video, by the rule of the released HSE code."""

    def capped(rows: np.ndarray) -> np.ndarray:
        if len(rows) <= cap:
            return rows
        return np.stack([rows[math.floor(k * len(rows) / cap)] for k in range(cap)])

    rows = features.rows[videos.sources[index]]
    duration = videos.durations[index]
    if view == "gt":
        segments = videos.timestamps[index]
        spans = [(math.floor(a / duration * len(rows)), math.ceil(b / duration * len(rows))) for a, b in segments]
    else:
        k = 1 if view == "none" else int(view.split("-")[1])
        segments = [[j * duration / k, (j + 1) * duration / k] for j in range(k)]
        spans = [(j * len(rows) // k, -(-(j + 1) * len(rows) // k)) for j in range(k)]
    clips = []
    for start, end in spans:
        end = min(end, len(rows) - 1)
        start = min(start, end)
        clips.append(capped(rows[start : end + 1]))
    return capped(rows), clips, segments


@pytest.mark.parametrize("view", ["gt", "none", "uniform-1", "uniform-3", "uniform-7"])
@pytest.mark.parametrize("cap", [1, 8, 80])
def test_a_batch_equals_a_naive_loop_over_its_videos(view, cap):
    videos, features = some_videos()
    loaded = FrameVideos(videos, features, View(view), cap)
    chosen = [7, 0, 11, 3]
    batch = loaded.batch(chosen)
    frames = batch.frames.values.split(batch.frames.lengths.tolist())
    clips = batch.clip_frames.values.split(batch.clip_frames.lengths.tolist())
    segments = batch.segments.values.split(batch.segments.lengths.tolist())
    at = 0
    for position, index in enumerate(chosen):
        whole, expected_clips, expected_segments = naive(videos, features, index, view, cap)
        assert batch.ids[position] == videos.ids[index]
        assert np.array_equal(frames[position].numpy(), whole)
        np.testing.assert_allclose(segments[position].numpy(), np.float32(expected_segments), rtol=1e-6)
        for clip in expected_clips:
            assert np.array_equal(clips[at].numpy(), clip)
            at += 1
        assert int(loaded.rows[index]) == len(whole) + sum(map(len, expected_clips))
    assert at == len(clips)
    assert batch.frames.values.dtype == batch.clip_frames.values.dtype == torch.float32
    np.testing.assert_allclose(batch.durations.numpy(), videos.durations[chosen], rtol=1e-6)


def test_half_precision_features_become_float32():
    videos, features = some_videos(3)
    features.rows = {i: rows.astype(np.float16) for i, rows in features.rows.items()}
    batch = FrameVideos(videos, features, View("none"), 8).batch([0, 1, 2])
    assert batch.frames.values.dtype == torch.float32


def test_an_unknown_duration_counts_one_second_per_row():
    videos, features = some_videos(2)
    unknown = UncutVideos(videos.ids, videos.sources, np.array([np.nan, 9.0]), ([], []))
    batch = FrameVideos(unknown, features, View("none"), 80).batch([0, 1])
    rows = len(features.rows["v0"])
    assert batch.durations.tolist() == [rows, 9.0]
    assert batch.segments.values.tolist() == [[0, rows], [0, 9]]


def test_no_more_rows_than_one_is_a_usage_error():
    videos, features = some_videos(2)
    with pytest.raises(UsageError, match="max_rows=0"):
        FrameVideos(videos, features, View("gt"), 0)


def test_annotated_segments_that_are_not_there_are_missing_data():
    videos, features = some_videos(3)
    bare = UncutVideos(videos.ids, videos.sources, videos.durations, (videos.timestamps[0], [], []))
    with pytest.raises(MissingData, match=r"2 of 3 videos have no timestamps, such as 'v1'"):
        FrameVideos(bare, features, View("gt"), 8)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_features_that_are_not_finite_name_their_video(value):
    videos, features = some_videos(6)
    broken = features.rows["v4"].copy()
    broken[0, 2] = value
    features.broken["v4"] = broken
    with pytest.raises(InvalidData, match="video 'v4' hold NaN or infinity"):
        FrameVideos(videos, features, View("gt"), 80).batch([1, 4, 5])


def test_features_of_another_dimension_or_length_name_their_video():
    videos, features = some_videos(3)
    loaded = FrameVideos(videos, features, View("gt"), 80)
    for wrong in (features.rows["v1"][:, :4], np.zeros((500, DIM), np.float32), np.zeros(DIM, np.float32)):
        features.broken["v1"] = wrong
        with pytest.raises(InvalidData, match="video 'v1' have shape"):
            loaded.batch([0, 1])


def test_batches_come_in_the_order_of_the_groups():
    videos, features = some_videos()
    loaded = FrameVideos(videos, features, View("gt"), 8)
    groups = [[3, 1], [0], [11, 10, 9], [5]]
    batches = list(loaded.batches(groups, "cpu"))
    assert [batch.ids for batch in batches] == [tuple(videos.ids[i] for i in group) for group in groups]
    assert torch.equal(batches[2].clip_frames.values, loaded.batch([11, 10, 9]).clip_frames.values)


def test_no_groups_give_no_batches():
    videos, features = some_videos(2)
    assert list(FrameVideos(videos, features, View("gt"), 8).batches([], "cpu")) == []


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("bench-reading")]


def test_an_error_while_reading_ahead_is_raised_at_its_batch_and_ends_the_thread():
    videos, features = some_videos()
    features.broken["v2"] = np.full_like(features.rows["v2"], np.nan)
    batches = FrameVideos(videos, features, View("gt"), 8).batches([[0], [1], [2], [3]], "cpu")
    assert next(batches).ids == ("opaque-v0",)
    assert next(batches).ids == ("opaque-v1",)
    with pytest.raises(InvalidData, match="'v2'"):
        next(batches)
    assert readers() == []


def test_a_consumer_that_stops_early_leaves_no_thread_behind():
    videos, features = some_videos()
    batches = FrameVideos(videos, features, View("gt"), 8).batches([[i] for i in range(12)], "cpu")
    next(batches)
    assert len(readers()) == 1
    batches.close()
    assert readers() == []


def test_reading_ahead_is_bounded():
    videos, features = some_videos()
    batches = FrameVideos(videos, features, View("gt"), 8).batches([[i] for i in range(12)], "cpu")
    next(batches)
    batches.close()
    assert len(features.reads) <= READ_AHEAD


@pytest.mark.usefixtures("cuda")
@pytest.mark.parametrize("halves", [0, 5, 12])
def test_batches_on_a_gpu_equal_those_on_the_cpu(halves):
    videos, features = some_videos()
    for name in list(features.rows)[:halves]:
        features.rows[name] = features.rows[name].astype(np.float16)
    loaded = FrameVideos(videos, features, View("gt"), 8)
    groups = [[3, 1], [0], [11, 10, 9], [5]]
    for group, batch in zip(groups, loaded.batches(groups, "cuda:0"), strict=True):
        assert batch.frames.values.is_cuda
        assert batch.frames.values.dtype == torch.float32
        assert torch.equal(batch.clip_frames.values.cpu(), loaded.batch(group).clip_frames.values)
        assert torch.equal(batch.segments.values.cpu(), loaded.batch(group).segments.values)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_no_number_at_all_is_found_in_halves_on_their_way_to_a_gpu(number):
    videos, features = some_videos()
    features.rows = {name: rows.astype(np.float16) for name, rows in features.rows.items()}
    loaded = FrameVideos(videos, features, View("gt"), 1000)
    features.rows["v3"] = np.full_like(features.rows["v3"], 65504.0)
    with pretending():
        next(loaded.batches([[3, 1]], "cuda:0"))
        features.rows["v3"][0, 2] = number
        with pytest.raises(InvalidData, match="v3"):
            next(loaded.batches([[3, 1]], "cuda:0"))
