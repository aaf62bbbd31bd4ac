"""Film strips: a few frames of a video side by side, as small JPEG pictures that stand inside a page."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from bench.data.declared import VideoFolder
from bench.data.video_folders import videos_in
from bench.errors import BenchError
from bench.video import FrameRequest, Sampler, Workers

if TYPE_CHECKING:
    from PIL.Image import Image

FRAMES = "linspace-round frames=5 repeat"
SIZE = (160, 120)
"""Of one frame of a strip, in pixels; frames of other shapes are fitted into it."""
GROUND = (128, 128, 128)
QUALITY = 72


def film_strips(videos: VideoFolder, ids: Iterable[str], workers: int = 1) -> tuple[dict[str, bytes], list[str]]:
    """Returns a JPEG strip of five frames for each of `ids`, fewer where a video has fewer, and why others have none.

    Raises: MissingData, InvalidData when the folder cannot be read; ToolError without the library that decodes.
    """
    files = videos_in(videos.folder, videos.pattern)
    wanted = [video_id for video_id in ids if video_id in files]
    sampler = Sampler.parse(FRAMES)
    requests = [FrameRequest(files[video_id], sampler, backend=videos.backend) for video_id in wanted]
    strips, failures = {}, []
    with Workers(workers) as decoding:
        for video_id, answer in zip(wanted, decoding.decode(requests, _fitted), strict=True):
            if isinstance(answer, BenchError):
                failures.append(str(answer))
            else:
                strips[video_id] = _side_by_side(answer.frames)
    return strips, failures


def _fitted(frame: np.ndarray) -> Image:
    """Returns a frame (H, W, 3) as a picture of `SIZE`, its shape kept, what is left over grey."""
    from PIL import Image, ImageOps

    return ImageOps.pad(Image.fromarray(frame), SIZE, color=GROUND)


def _side_by_side(frames: Iterable[Image]) -> bytes:
    from PIL import Image

    pictures = list(frames)
    strip = Image.new("RGB", (SIZE[0] * len(pictures), SIZE[1]))
    for place, picture in enumerate(pictures):
        strip.paste(picture, (place * SIZE[0], 0))
    file = io.BytesIO()
    strip.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
