"""Frames by their place, read off the bar codes of generated clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import CLIPS, Clip, number_of, write

from bench.errors import InvalidData, MissingData
from bench.video import Sampler, VideoFile

pytestmark = pytest.mark.extra("video")


def numbers(frames: object, clip: Clip) -> list[int]:
    """Returns the numbers that frames carry; of a clip that is turned, turned back."""
    return [number_of(np.rot90(frame, -clip.turned // 90)) for frame in frames]


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_no_frame_is_wrong_at_200_random_times(clip: Clip, tmp_path: Path) -> None:
    video = VideoFile(write(clip, tmp_path))
    start = float(clip.times[0] * clip.unit) if video.index.zero else 0.0
    true = np.array([float(time * clip.unit) for time in clip.times]) - start
    rng = np.random.default_rng(3)
    asked = rng.uniform(true[0], float(video.index.duration), 200).round(4)
    wanted = np.maximum(np.searchsorted(true, asked + 1e-9, side="right") - 1, 0)
    clear = np.abs(true[:, None] - asked).min(axis=0) > 0.002  # containers round times to milliseconds, at worst

    assert len(video.index) == len(clip.times)
    places = [video.index.at(float(second)) for second in asked]
    assert numbers(video.read(places), clip) == places
    assert np.array_equal(np.array(places)[clear], wanted[clear])


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_all_ways_to_the_frames_are_one(clip: Clip, tmp_path: Path) -> None:
    """In order, backwards, and by a sampler before anything is counted."""
    path = write(clip, tmp_path)
    video, places = VideoFile(path), range(len(clip.times))
    in_order = list(video.read(places))
    assert numbers(in_order, clip) == list(places)
    assert all(np.array_equal(a, b) for a, b in zip(video.read(places[::-9]), in_order[::-9], strict=True))
    sampler = Sampler.parse("frames=7 repeat")
    fresh = VideoFile(path)
    taken = dict(fresh.take(lambda index: sampler.places(index).tolist()))
    assert sorted(taken) == sorted(set(sampler.places(fresh.index).tolist()))
    assert all(np.array_equal(frame, in_order[place]) for place, frame in taken.items())


def test_a_file_that_is_no_video_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video\n" * 100)
    with pytest.raises(InvalidData, match=r"a\.mp4 is not a video that FFmpeg can read"):
        VideoFile(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(InvalidData, match=r"b\.mp4 is not a video that FFmpeg can read"):
        VideoFile(tmp_path / "b.mp4")
    with pytest.raises(MissingData, match="no such file"):
        VideoFile(tmp_path / "c.mp4")
