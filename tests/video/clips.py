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
        cut: the second at which it is cut, without encoding it anew; from the picture before it that needs no other,
            if any is, the packets are there, and a container that can say so does not show them.
        lost: how many packets at its beginning are lost, without encoding it anew.
        first: number of the first frame that is shown then.
        second: when that frame comes up; None for the time it was given.
    """

    name: str
    codec: str = "libx264"
    times: tuple[int, ...] = ()
    unit: Fraction = MILLI
    size: tuple[int, int] = (192, 64)
    pixels: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    turned: int = 0
    cut: Fraction | None = None
    lost: int = 0
    first: int = 0
    second: Fraction | None = None

    @property
    def seconds(self) -> np.ndarray:
        """(shown,) float64, when each frame that is shown comes up."""
        shown = [time * self.unit for time in self.times[self.first :]]
        start = shown[0] if self.second is None else self.second
        return np.array([float(time - shown[0] + start) for time in shown])


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
OPEN = {**X264, "x264-params": "open-gop=1:keyint=20:min-keyint=20:scenecut=0:bframes=3"}
HEVC = "log-level=none:pools=none:frame-threads=1:keyint=20"
OPEN_HEVC = {"preset": "ultrafast", "x265-params": f"{HEVC}:min-keyint=20:open-gop=1:bframes=3:scenecut=0"}
ALT_REF = {"deadline": "good", "cpu-used": "5", "g": "40", "auto-alt-ref": "1", "lag-in-frames": "16"}
CUT = Fraction(31, 25)
FRAME, TICKS = Fraction(1, 25), tuple(range(60))
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
    Clip("as MSVD.avi", times=TICKS, unit=FRAME, options={**X264, **GOP, "bf": "3"}),
    Clip("fields.mpg", "mpeg2video", TICKS, FRAME, (192, 96), options={"g": "12", "bf": "2", "flags": "+ildct+ilme"}),
    Clip("flash.flv", times=TICKS, unit=FRAME, options=NO_B | GOP),
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
        options={"preset": "ultrafast", "x265-params": HEVC},
    ),
    Clip("one frame.mp4", times=(0,), options=X264),
    Clip("odd.mkv", codec="ffv1", times=steady(30), size=(195, 65), pixels="yuv444p"),
    Clip("av1.mp4", codec="libsvtav1", times=steady(60), options={"preset": "12", "g": "20", "svtav1-params": "lp=1"}),
    Clip("cartoon.gif", codec="gif", times=tuple(range(0, 400, 10)), unit=Fraction(1, 100), pixels="rgb8"),
    Clip("turned.mp4", times=steady(40), options={**X264, **GOP}, turned=90),
    Clip("upside down.mp4", times=steady(40), options={**X264, **GOP}, turned=180),
    Clip("hidden.webm", codec="libvpx", times=steady(80), options=ALT_REF),
    Clip("hidden 9.webm", codec="libvpx-vp9", times=steady(80), options=ALT_REF),
    Clip("cut.mp4", times=steady(80), options={**X264, **GOP, "bf": "3"}, cut=CUT, first=31, second=Fraction(0)),
    Clip("cut far.mp4", times=steady(80), options={**X264, "g": "250"}, cut=CUT, first=31, second=Fraction(0)),
    Clip("cut.mkv", times=steady(80), options={**X264, **GOP, "bf": "3"}, cut=CUT, first=20, second=Fraction(0)),
    Clip("joined.ts", times=steady(80), options={**X264, **GOP}, lost=7, first=20, second=Fraction(0)),
    Clip("open GOP.mkv", times=steady(80), options=OPEN),
    Clip("open GOP cut.mkv", times=steady(80), options=OPEN, lost=17, first=20),
    Clip("open GOP HEVC cut.mkv", codec="libx265", times=steady(80), options=OPEN_HEVC, lost=17, first=20),
)


def write(clip: Clip, folder: Path) -> Path:
    """Writes a clip and returns its path."""
    path = folder / clip.name
    if clip.cut is None and not clip.lost:
        encode(clip, path)
    else:
        whole = folder / f"whole {clip.name}"
        encode(clip, whole)
        copy(clip, whole, path)
        whole.unlink()
    return path


def encode(clip: Clip, path: Path) -> None:
    """Encodes a clip into a file."""
    import av

    av.logging.set_level(None)
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


COLOURS = ((220, 30, 30), (30, 200, 30), (30, 30, 220), (200, 160, 130))
CODED_COLOURS = {"601.mp4": (5, 1), "709.mp4": (1, 1), "709 from 0.webm": (1, 2)}
"""How a file says its colours: the number of the matrix, and 1 where black is 16 or 2 where it is 0."""


def write_colours(folder: Path, name: str) -> Path:
    """Writes five pictures of four colours side by side, coded as `CODED_COLOURS` has it, and returns the path."""
    import av

    path = folder / name
    matrix, levels = CODED_COLOURS[name]
    patches = np.repeat(np.repeat(np.uint8([COLOURS]), 64, axis=0), 48, axis=1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx-vp9" if path.suffix == ".webm" else "libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 192, 64, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, levels
        frame = av.VideoFrame.from_ndarray(patches, format="rgb24")
        coded = frame.reformat(format="yuv420p", dst_colorspace=matrix, dst_color_range=levels)
        for number in range(5):
            coded.pts = number
            container.mux(stream.encode(coded))
        container.mux(stream.encode())
    return path


def colours_of(frame: np.ndarray) -> np.ndarray:
    """Returns (4, 3), the colour in the middle of each patch of a picture that `write_colours` wrote."""
    return frame[32, 24::48].astype(int)


def copy(clip: Clip, source: Path, target: Path) -> None:
    """Copies the packets of a file that are left after it is cut, as they are."""
    import av

    with av.open(str(source)) as read, av.open(str(target), "w") as written:
        stream = read.streams.video[0]
        added = written.add_stream_from_template(stream)
        moved = 0 if clip.cut is None else int(clip.cut / stream.time_base)
        packets = [packet for packet in read.demux(stream) if packet.size]
        keys = [place for place, packet in enumerate(packets) if packet.is_keyframe and packet.pts <= moved]
        for packet in packets[keys[-1] if clip.cut else clip.lost :]:
            packet.pts, packet.dts = packet.pts - moved, packet.dts - moved
            packet.stream = added
            written.mux(packet)


if __name__ == "__main__":
    for each in CLIPS:
        sys.stdout.write(f"{write(each, Path(sys.argv[1]))}\n")
