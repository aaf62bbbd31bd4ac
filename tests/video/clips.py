"""Clips whose frames carry their own number as a bar code, made by PyAV's own encoders: what was read can be read off.

    python tests/video/clips.py FOLDER

writes all of `CLIPS`. A frame has 12 bars across its width, black or white: its number in binary, highest first. A band
below them is grey and moves, so that no two frames are equal.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

BARS = 12
MILLI = Fraction(1, 1000)


def picture(number: int, width: int = 192, height: int = 64) -> np.ndarray:
    """Returns (height, width, 3) uint8: the bars above, a moving band below."""
    frame = np.full((height, width, 3), 128, np.uint8)
    bits = [(number >> (BARS - 1 - bar)) & 1 for bar in range(BARS)]
    edges = np.linspace(0, width, BARS + 1).astype(int)
    for bit, left, right in zip(bits, edges, edges[1:], strict=False):
        frame[: height * 3 // 4, left:right] = 235 if bit else 16
    place = number * 7 % (width - 8)
    frame[height * 7 // 8 :, place : place + 8] = 200
    return frame


def number_of(frame: np.ndarray) -> int:
    """Returns the number that a decoded frame carries. Raises: ValueError for bars that are neither black nor white."""
    height, width = frame.shape[:2]
    edges = np.linspace(0, width, BARS + 1)
    number = 0
    for bar in range(BARS):
        middle = int((edges[bar] + edges[bar + 1]) / 2)
        level = float(frame[height // 8 : height * 5 // 8, middle - 2 : middle + 3].mean())
        if 90 < level < 160:
            raise ValueError(f"bar {bar} is grey: {level:.0f}")
        number = number << 1 | (level > 125)
    return number


@dataclass(frozen=True)
class Clip:
    """How a clip is made.

    Attributes:
        name: of the file.
        codec: of PyAV's encoders.
        times: (n,) when each frame comes up, in units of `unit` seconds.
        size: width and height of the pictures.
        pixels: pixel format.
        options: of the encoder.
        turned: degrees counter-clockwise that players turn it by.
    """

    name: str
    codec: str = "libx264"
    times: tuple[int, ...] = ()
    unit: Fraction = MILLI
    size: tuple[int, int] = (192, 64)
    pixels: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    turned: int = 0


def steady(count: int, step: int = 40, start: int = 0) -> tuple[int, ...]:
    """Returns times with one distance."""
    return tuple(range(start, start + count * step, step))


def varying() -> tuple[int, ...]:
    """Returns 60 frames at 25 a second, then 20 at 5 a second."""
    return (*steady(60), *steady(20, 200, 2400))


def jittered(count: int = 80) -> tuple[int, ...]:
    """Returns times at 1/90000 s that are never the same distance apart."""
    rng = np.random.default_rng(5)
    return tuple((np.arange(count) * 3600 + rng.integers(-1200, 1200, count)).clip(0).tolist())


X264 = {"preset": "veryfast", "threads": "1"}
NO_B = {**X264, "bf": "0"}
GOP = {"g": "20", "keyint_min": "20", "sc_threshold": "0"}
CLIPS = (
    Clip("steady.mp4", times=steady(80), options={**NO_B, **GOP}),
    Clip("with B-frames.mp4", times=steady(80), options={**X264, **GOP, "bf": "3"}),
    Clip("one GOP.mp4", times=steady(80), options={**X264, "g": "250"}),
    Clip("varying.mp4", times=varying(), options={**X264, **GOP}),
    Clip("varying.mkv", times=varying(), options={**X264, **GOP}),
    Clip(
        "varying.webm",
        codec="libvpx-vp9",
        times=varying(),
        options={"deadline": "realtime", "cpu-used": "8", "g": "20"},
    ),
    Clip("jittered.mp4", times=jittered(), unit=Fraction(1, 90000), options={**X264, **GOP}),
    Clip("late.mp4", times=steady(60, start=500), options={**X264, **GOP}),
    Clip("stream.ts", times=steady(80), options={**X264, **GOP}),
    Clip("old.avi", codec="mpeg4", times=steady(80), options={"g": "20", "bf": "2"}),
    Clip("motion.avi", codec="mjpeg", times=steady(40), pixels="yuvj420p"),
    Clip(
        "interlaced.mp4",
        times=steady(60),
        size=(192, 96),
        options={**X264, **GOP, "flags": "+ildct+ilme", "x264-params": "tff=1"},
    ),
    Clip(
        "ten bits.mkv",
        codec="libx265",
        times=steady(50),
        pixels="yuv420p10le",
        options={"preset": "ultrafast", "x265-params": "log-level=none:pools=none:frame-threads=1:keyint=20"},
    ),
    Clip("one frame.mp4", times=(0,), options=X264),
    Clip("odd.mkv", codec="ffv1", times=steady(30), size=(195, 65), pixels="yuv444p"),
    Clip("av1.mp4", codec="libsvtav1", times=steady(60), options={"preset": "12", "g": "20", "svtav1-params": "lp=1"}),
    Clip("cartoon.gif", codec="gif", times=tuple(range(0, 400, 10)), unit=Fraction(1, 100), pixels="rgb8"),
    Clip("turned.mp4", times=steady(40), options={**X264, **GOP}, turned=90),
)


def write(clip: Clip, folder: Path) -> Path:
    """Writes a clip and returns its path."""
    import av

    av.logging.set_level(None)
    path = folder / clip.name
    with av.open(str(path), "w") as container:
        stream = container.add_stream(clip.codec, rate=25, options=clip.options)
        stream.width, stream.height = clip.size
        stream.pix_fmt = clip.pixels
        stream.time_base = stream.codec_context.time_base = clip.unit
        stream.codec_context.thread_count = 1
        if clip.turned:
            stream.set_display_rotation(clip.turned)
        for number, time in enumerate(clip.times):
            frame = av.VideoFrame.from_ndarray(picture(number, *clip.size), format="rgb24")
            frame = frame.reformat(format=clip.pixels)
            frame.pts, frame.time_base = time, clip.unit
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


if __name__ == "__main__":
    for each in CLIPS:
        sys.stdout.write(f"{write(each, Path(sys.argv[1]))}\n")
