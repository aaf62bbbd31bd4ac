"""OpenCV gives what PyAV gives, in order; where it cannot, it says so. Each row here is one of docs/decoding.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import CLIPS, CODED_COLOURS, Clip, colours_of, write, write_colours

from bench.errors import InvalidData
from bench.video import FrameRequest, Sampler, VideoFile, decoded, versions

pytestmark = pytest.mark.extra("opencv")

CANNOT = dict.fromkeys(["interlaced.mp4", "fields.mpg"], "OpenCV reads as black")
MAY_NOT = {"av1.mp4": "OpenCV reads 0 frames, decoding gives 60"}
"""Releases since 5.0 have no AV1 decoder in software; 4.14 has."""
COLOURS = {"ten bits.mkv": 28}
"""The largest difference that is known of: how 10 bits become 8."""


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_frames_are_those_of_pyav(clip: Clip, tmp_path: Path) -> None:
    path = write(clip, tmp_path)
    video, opencv = VideoFile(path), VideoFile(path, "opencv")
    places = np.random.default_rng(3).integers(0, len(video.index), 20).tolist()
    if clip.name in CANNOT:
        with pytest.raises(InvalidData, match=CANNOT[clip.name]):
            list(opencv.read(places))
        return
    try:
        frames = list(opencv.read(places))
    except InvalidData as error:
        if MAY_NOT.get(clip.name, "no such error") in str(error):
            return
        raise
    for ours, theirs in zip(video.read(places), frames, strict=True):
        assert np.abs(ours.astype(int) - theirs).max() <= COLOURS.get(clip.name, 0)


@pytest.mark.parametrize("name", CODED_COLOURS)
def test_colours_are_those_of_pyav(name: str, tmp_path: Path) -> None:
    path = write_colours(tmp_path, name)  # releases before 4.13 take all for 601.mp4
    ours, theirs = (colours_of(*VideoFile(path, backend).read([2])) for backend in ("pyav", "opencv"))
    assert np.abs(ours - theirs).max() <= 2


def test_opencv_decodes_in_a_process_of_its_own_and_says_its_release(tmp_path: Path) -> None:
    path = write(CLIPS[0], tmp_path)
    sampler = Sampler.parse("frozen-opencv frames=4")
    digests = {decoded(FrameRequest(path, sampler, backend=backend)).sha256 for backend in ("pyav", "opencv")}
    assert len(digests) == 1
    assert versions("opencv").startswith("OpenCV ")
    assert "counted by PyAV" in versions("opencv")
