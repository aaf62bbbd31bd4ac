"""Frames through torchcodec, by index alone: its calls by time differ from one another where frames last unevenly.

Which frame comes up when is counted by PyAV; what torchcodec says of each frame it gives is compared with that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from bench.errors import InvalidData, MissingData
from bench.reading.numbers import number_of
from bench.reading.outside import one_line
from bench.video.index import FrameIndex
from bench.video.packets import NO_TIMES, Packets


def _library() -> Any:
    try:
        import torchcodec
        import torchcodec.decoders
    except (ImportError, RuntimeError, OSError) as error:
        reason = one_line(error)
        raise MissingData(
            f"the backend 'torchcodec' does not load ({reason}). Take the backend 'pyav', or pip install"
            " 'vtbench[torchcodec]' with a release made for this torch, and the shared libraries of FFmpeg 4 to 8"
        ) from error
    return torchcodec


def versions() -> str:
    """Returns what decodes, with its releases. Raises: MissingData where it does not load."""
    library = _library()
    return f"torchcodec {library.__version__}, FFmpeg {library.ffmpeg_major_version}"


def frames(packets: Packets, index: FrameIndex, places: Sequence[int]) -> Iterator[np.ndarray]:
    """Yields (H, W, 3) uint8 RGB of the frames at places.

    Raises: InvalidData where torchcodec sees others or none, and where frames have no times to tell them by (AVI).
    """
    library = _library()
    path, codec = packets.path, index.picture.codec
    advice = "Take the backend 'pyav'."
    if index.picture.container in NO_TIMES:
        raise InvalidData(f"{path}: {index.picture.container} has no times to tell torchcodec's frames by. {advice}")
    try:
        decoder = library.decoders.VideoDecoder(str(path.absolute()), dimension_order="NHWC", num_ffmpeg_threads=1)
        if decoder.metadata.num_frames != len(index):
            counted = (
                f"torchcodec counts {number_of(decoder.metadata.num_frames, 'frame')}, decoding gives {len(index)}"
            )
            raise InvalidData(f"{path}: {counted} ({codec}). {advice}")
        for place in places:
            batch = decoder.get_frames_at([int(place)])
            wanted, came = float(int(index.times[place]) * index.time_base), float(batch.pts_seconds[0])
            if abs(came - wanted) > 1e-6:
                raise InvalidData(
                    f"{path}: torchcodec's frame {place} is of {came} s, not {wanted} s ({codec}). {advice}"
                )
            yield np.asarray(batch.data[0].numpy())
    except (RuntimeError, ValueError, IndexError) as error:
        raise InvalidData(f"{path}: torchcodec failed ({codec}: {one_line(error)}). {advice}") from error
