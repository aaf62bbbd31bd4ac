"""torchcodec by index gives what PyAV gives; where it raises, or gives another frame, that is an error of one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import CLIPS, Clip, write

from bench.errors import InvalidData, MissingData
from bench.video import FrameRequest, Sampler, VideoFile, decoded, versions

pytestmark = pytest.mark.extra("torchcodec")

MAY_FAIL = (
    *("stream.ts", "joined.ts", "old.avi", "motion.avi", "as MSVD.avi", "cut far.mp4"),
    *("fields.mpg", "open GOP cut.mkv", "open GOP HEVC cut.mkv"),
)
"""Clips that 0.13.0 does not read right: rows of docs/decoding.md. Others have to be right, these right or an error."""


@pytest.fixture(autouse=True)
def _loads() -> None:
    """Skips where the shared libraries of FFmpeg, which no Python package brings, are not there."""
    try:
        versions("torchcodec")
    except MissingData as error:
        pytest.skip(str(error)[:200])


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_frames_are_those_of_pyav(clip: Clip, tmp_path: Path) -> None:
    path = write(clip, tmp_path)
    video = VideoFile(path)
    places = np.random.default_rng(3).integers(0, len(video.index), 20).tolist()
    try:
        frames = list(VideoFile(path, "torchcodec").read(places))
    except InvalidData as error:
        if clip.name in MAY_FAIL and str(error).endswith("Take the backend 'pyav'."):
            return
        raise
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(video.read(places), frames, strict=True))


def test_torchcodec_decodes_in_a_process_of_its_own(tmp_path: Path) -> None:
    path, sampler = write(CLIPS[0], tmp_path), Sampler.parse("frames=4")
    digests = {decoded(FrameRequest(path, sampler, backend=name)).sha256 for name in ("pyav", "torchcodec")}
    assert len(digests) == 1
