"""What a file holds before anything is decoded: the packets of its first video stream, and the frames they promise."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import InvalidData, MissingData, out_of_memory
from bench.reading.outside import Form, one_line, reading, regular_file
from bench.video.index import CodedPicture, FrameIndex, rising

if TYPE_CHECKING:
    import av

VIDEO = Form("a video that FFmpeg can read", remedy="Play it to see what it is, and get it again.")
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,gif,apng,ogg,mxf,rm,dv,nut,wtv,h264,hevc,"
    "obu,ivf"
)
"""Containers that are opened. FFmpeg also knows play lists, which make it open whatever they name."""
NO_TIMES = ("avi",)
"""Containers without presentation times: frames have the order in which the decoder gives them."""
NO_ZERO = ("avi", "mpegts", "mpeg", "mpegvideo", "h264", "hevc", "obu")
"""Containers whose times start anywhere: second 0 is their first frame."""
ONE_FRAME_A_PACKET = ("h264", "hevc", "vp9", "av1")
TIMED = ("mov", "matroska")
"""Containers in which every packet of these codecs is one frame with its own time: their frames need no decoding to be
counted. Whatever is decoded later is compared with what was counted."""
STILL = 64, 0.0025
"""Bytes of a packet, in all or for each pixel, up to which it says that nothing has changed."""


def load_av() -> Any:
    """Returns the module of PyAV. Raises: MissingData where it is not installed."""
    try:
        import av
        import av.error
    except ImportError as error:
        raise MissingData(f"reading videos needs PyAV ({error}): pip install 'vtbench[video]'") from error
    return av


@contextmanager
def opened(path: Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    """Opens a file with its first video stream, to be decoded in one thread.

    Raises: MissingData, InvalidData for what is no video, or has no video stream.
    """
    library = load_av()
    regular_file(path)
    with reading(path, VIDEO):
        options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
        container = library.open(f"file:{path}", options=options, metadata_errors="replace")
    with container:
        if not container.streams.video:
            others = ", ".join(sorted({stream.type for stream in container.streams})) or "no streams"
            raise InvalidData(f"{path} has no video stream (only {others}). Leave it out, or get the video.")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise InvalidData(f"{path}: this FFmpeg has no decoder for its video. Write it anew with another codec.")
        stream.thread_type, stream.codec_context.thread_count = "NONE", 1
        with decoding(path, stream.codec_context.codec.canonical_name):
            yield container, stream


@contextmanager
def decoding(path: Path, codec: str) -> Iterator[None]:
    """Turns whatever FFmpeg raises while it decodes into one line with the name of the codec. Raises: InvalidData."""
    library = load_av()
    try:
        yield
    except library.error.FFmpegError as error:
        advice = "Give it more memory" if out_of_memory(error) else "Get the file again, or leave it out"
        raise InvalidData(f"{path}: the {codec} decoder failed ({one_line(error)}). {advice}.") from error


@dataclass(frozen=True)
class Packets:
    """The packets of a video stream that are shown, in the order of their times.

    Attributes:
        path: the file.
        times, ends, sizes, digests: (n,) of each packet: its time and when it goes, its bytes, a checksum of them.
        keys: (k,) times at which decoding can start, rising.
        time_base: seconds of one unit of time.
        picture: what the pictures are.
        counted: whether the frames are known without decoding: each packet is one.
    """

    path: Path
    times: np.ndarray
    ends: np.ndarray
    sizes: np.ndarray
    digests: np.ndarray
    keys: np.ndarray
    time_base: Fraction
    picture: CodedPicture
    counted: bool

    def index(self, times: np.ndarray) -> FrameIndex:
        """Returns the index of frames with these times."""
        at = min(int(np.searchsorted(self.times, times[-1])), len(self.times) - 1)
        end = int(self.ends[at])
        if end <= times[-1]:
            end = int(times[-1]) + (int(np.median(np.diff(times))) if len(times) > 1 else self._one_frame)
        zero = int(times[0]) if self.picture.container in NO_ZERO else 0
        return FrameIndex(times, self.time_base, zero, end, self.picture)

    @property
    def _one_frame(self) -> int:
        return max(1, round(1 / (self.picture.rate * self.time_base))) if self.picture.rate else 1

    @cached_property
    def promised(self) -> FrameIndex:
        """The index that the packets promise. Raises: InvalidData when there is none."""
        return self.index(rising(self.times.tolist(), str(self.path), self.picture.codec))

    def is_still(self, first: int, last: int) -> bool:
        """Whether the packets between two times say that the picture does not change: tiny ones, or the same again."""
        within = (self.times > first) & (self.times <= last)
        if not within.any():
            return True
        tiny = max(STILL[0], STILL[1] * self.picture.width * self.picture.height)
        return bool(np.median(self.sizes[within]) <= tiny or len(set(self.digests[within].tolist())) == 1)


def scan(path: Path) -> Packets:
    """Returns the packets of a video, of which only the first frame is decoded.

    Raises: MissingData, InvalidData for what is no video, or shows nothing.
    """
    shown: list[tuple[int, int, int, int]] = []
    keys: list[int] = []
    sound = True
    picture: CodedPicture | None = None
    with opened(path) as (container, stream):
        name = container.format.name.partition(",")[0]
        for packet in container.demux(stream):
            if picture is None:
                picture = next((_picture(name, stream, frame) for frame in packet.decode()), None)
            if not packet.size:
                continue
            time = packet.dts if packet.pts is None or name in NO_TIMES else packet.pts
            sound = sound and packet.pts is not None and not packet.is_corrupt
            if time is None:
                continue
            if packet.is_keyframe:
                keys.append(time)
            if not packet.is_discard:
                shown.append((time, time + (packet.duration or 0), packet.size, zlib.crc32(memoryview(packet))))
        if picture is None:
            codec = stream.codec_context.codec.canonical_name
            raise InvalidData(f"{path}: the {codec} decoder gave no frame. Leave it out, or get it again.")
        times, ends, sizes, digests = np.array(sorted(shown), np.int64).reshape(-1, 4).T
        kept = len(times) > 0 and bool((np.diff(times) > 0).all()) and bool(keys) and keys[0] <= times[0]
        counted = sound and kept and name in TIMED and picture.codec in ONE_FRAME_A_PACKET
        key_times = np.array(sorted(keys), np.int64)
        return Packets(path, times, ends, sizes, digests, key_times, Fraction(stream.time_base), picture, counted)


def _picture(container: str, stream: av.VideoStream, frame: av.VideoFrame) -> CodedPicture:
    turned = round(frame.rotation / 90) % 2 != 0
    width, height = (frame.height, frame.width) if turned else (frame.width, frame.height)
    return CodedPicture(
        container=container,
        codec=stream.codec_context.codec.canonical_name,
        pixel_format=frame.format.name,
        width=width,
        height=height,
        rotation=frame.rotation,
        interlaced=bool(frame.interlaced_frame),
        rate=stream.average_rate or None,
    )
