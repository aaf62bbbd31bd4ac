"""Frames by their place, read off the bar codes of generated clips."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clips import (
    BARS,
    CLIPS,
    CODED_COLOURS,
    COLOURS,
    Clip,
    colours_of,
    number_of,
    picture,
    write,
    write_colours,
)

from bench.errors import InvalidData, MissingData, UnknownName
from bench.video import FrameRequest, Recounted, Sampler, VideoFile, decoded, versions
from bench.video.decoded import Taking
from bench.video.index import rising
from bench.video.packets import Packets, scan

pytestmark = pytest.mark.extra("video")


def numbers(frames: object, clip: Clip) -> list[int]:
    """Returns the numbers that frames carry, from that of the first that is shown; turned back, where it is turned."""
    return [number_of(np.rot90(frame, -clip.turned // 90)) - clip.first for frame in frames]


@pytest.mark.parametrize("name", CODED_COLOURS)
def test_colours_are_what_the_file_says_they_are(name: str, tmp_path: Path) -> None:
    (frame,) = VideoFile(write_colours(tmp_path, name)).read([2])
    assert np.abs(colours_of(frame) - COLOURS).max() <= 5


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_no_frame_is_wrong_at_200_random_times(clip: Clip, tmp_path: Path) -> None:
    video, true = VideoFile(write(clip, tmp_path)), clip.seconds
    asked = np.random.default_rng(3).uniform(0, float(video.index.duration), 200).round(4)
    wanted = np.maximum(np.searchsorted(true, asked, side="right") - 1, 0)
    clear = np.abs(true[:, None] - asked).min(axis=0) > 0.001  # containers round times to milliseconds, at worst

    assert len(video.index) == len(true)
    assert np.abs(video.index.seconds - true).max() <= 0.001
    places = [video.index.at(float(second)) for second in asked]
    assert numbers(video.read(places), clip) == places
    assert np.array_equal(np.array(places)[clear], wanted[clear])


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_all_ways_to_the_frames_are_one(clip: Clip, tmp_path: Path) -> None:
    """In order, backwards, and by a sampler before anything is counted."""
    path = write(clip, tmp_path)
    video, places = VideoFile(path), range(len(clip.seconds))
    in_order = list(video.read(places))
    assert numbers(in_order, clip) == list(places)
    assert all(np.array_equal(a, b) for a, b in zip(video.read(places[::-9]), in_order[::-9], strict=True))
    sampler = Sampler.parse("frames=7 repeat")
    fresh = VideoFile(path)
    taken = dict(fresh.take(lambda index: sampler.places(index).flat))
    assert sorted(taken) == sorted(set(sampler.places(fresh.index).tolist()))
    assert all(np.array_equal(frame, in_order[place]) for place, frame in taken.items())


def test_frames_that_do_not_fit_into_memory_are_read_once_the_file_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.video.video_file.HELD", 0)
    clip = next(clip for clip in CLIPS if clip.name == "joined.ts")
    video = VideoFile(write(clip, tmp_path))
    taken = dict(video.take(lambda index: Sampler.parse("linspace-floor frames=4").places(index).flat))
    assert list(taken) == [0, 19, 39, 59]
    assert numbers(taken.values(), clip) == list(taken)


def test_a_file_that_is_no_video_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video\n" * 100)
    with pytest.raises(InvalidData, match=r"a\.mp4 is not a video that FFmpeg can read"):
        VideoFile(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(InvalidData, match=r"b\.mp4 is not a video that FFmpeg can read"):
        VideoFile(tmp_path / "b.mp4")
    with pytest.raises(MissingData, match="no such file"):
        VideoFile(tmp_path / "c.mp4")


def test_a_clip_that_is_turned_stands_as_players_show_it(tmp_path: Path) -> None:
    clip = next(clip for clip in CLIPS if clip.turned == 90)
    video = VideoFile(write(clip, tmp_path))
    (frame,) = video.read([5])
    width, height = clip.size
    assert frame.shape == (width, height, 3)
    assert (video.index.picture.width, video.index.picture.height, video.index.picture.rotation) == (height, width, 90)
    # counter-clockwise: what was on the right is at the top, and the number 5 ends in 101
    bar = width // BARS
    levels = [float(frame[bar * i + bar // 2, height // 4].mean()) for i in range(3)]
    assert [level > 125 for level in levels] == [True, False, True]


def test_half_a_file_shows_what_is_left_of_it(tmp_path: Path) -> None:
    clip = replace(CLIPS[0], name="half.mkv")
    content = write(clip, tmp_path).read_bytes()
    (tmp_path / "half.mkv").write_bytes(content[: len(content) // 2])
    video = VideoFile(tmp_path / "half.mkv")
    assert 0 < len(video.index) < len(clip.times)
    assert numbers(video.read(range(len(video.index))), clip) == list(range(len(video.index)))


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "song.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(InvalidData, match=r"song\.mp4 has no video stream \(only audio\)"):
        VideoFile(tmp_path / "song.mp4")


def test_equal_frames_of_a_still_clip_are_no_fault(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "still.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 192, 64, "yuv420p"
        for _ in range(50):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(77), format="rgb24")))
        container.mux(stream.encode())
    answer = decoded(FrameRequest(tmp_path / "still.mp4", Sampler.parse("frames=8")))
    assert [number_of(frame) for frame in answer.frames] == [77] * 8
    moving = next(clip for clip in CLIPS if clip.codec == "mjpeg")
    assert not VideoFile(write(moving, tmp_path)).is_still(3, 30)


def test_what_is_taken_is_the_same_in_a_process_of_its_own(tmp_path: Path) -> None:
    """Two segments and a name with spaces, dots and letters of elsewhere; where the packets are not frames, too."""
    for clip in (CLIPS[0], next(clip for clip in CLIPS if clip.name == "joined.ts")):
        path = write(clip, tmp_path).rename(tmp_path / f"größer .. {clip.name}")
        answer = decoded(FrameRequest(path, Sampler.parse("linspace-round frames=4"), ((0.0, 1.0), (0.5, 1.5))))
        places = [int(answer.places[row]) for rows in answer.rows for row in rows]
        assert places == [0, 8, 16, 24, 13, 21, 29, 37]
        assert numbers(answer.frames, clip) == answer.places.tolist()
        assert answer.seconds.tolist() == pytest.approx([place * 0.04 for place in answer.places])
        assert (answer.total, answer.picture.codec) == (len(clip.seconds), "h264")


def test_versions_name_all_that_decodes() -> None:
    assert re.fullmatch(r"PyAV \d+\.\S+, FFmpeg \S+; images Pillow \S+", versions())
    with pytest.raises(UnknownName, match="unknown backend 'decord'"):
        versions("decord")


def test_a_file_that_shows_other_frames_than_its_packets_promise_is_counted_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = CLIPS[0]

    def with_a_packet_too_many(path: Path) -> Packets:
        packets = scan(path)
        times = np.insert(packets.times, 41, packets.times[40] + 1)
        return replace(packets, times=times, ends=times + 1, sizes=times, digests=times)

    monkeypatch.setattr("bench.video.video_file.scan", with_a_packet_too_many)
    video = VideoFile(write(clip, tmp_path))
    assert numbers(video.read([3, 38]), clip) == [3, 38]  # nothing is wrong yet
    assert len(video.index) == 81
    with pytest.raises(Recounted, match="shows 80 frames, not the 81 that it says"):
        list(video.read([3, 50]))
    assert numbers(video.read([3, 50, 79]), clip) == [3, 50, 79]
    answer = Taking(VideoFile(video.path), FrameRequest(video.path, Sampler.parse("fps=1")))
    with pytest.raises(Recounted):
        list(answer)


def test_times_that_do_not_rise_are_an_error_with_the_codec() -> None:
    with pytest.raises(
        InvalidData, match=r"a\.mp4: the times of its frames do not rise \(h264: frame 1 at 40, the next at 40"
    ):
        rising([0, 40, 40], "a.mp4", "h264")
    with pytest.raises(InvalidData, match=r"the h264 decoder gave no frame"):
        rising([], "a.mp4", "h264")


def test_real_clips_are_read_in_the_order_that_they_decode_in(shared) -> None:
    """MSVD's: H.264 in AVI, without times; those that FFmpeg makes up for one of them do not rise."""
    import av

    sampler = Sampler.parse("linspace-round frames=5")
    paths = sorted(shared("data/msvd_clips").glob("*.avi"))
    assert len(paths) == 24
    for path in paths:
        with av.open(str(path)) as container:
            every = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        video = VideoFile(path)
        taken = dict(video.take(lambda index: sampler.places(index).flat))
        assert len(video.index) == len(every)
        assert not video.is_still(0, len(every) - 1)
        assert all(np.array_equal(frame, every[place]) for place, frame in taken.items())
