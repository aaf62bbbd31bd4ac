"""What decodes, by name. PyAV counts for all of them; the others give pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.errors import unknown_name
from bench.video import opencv, pyav, stills, torchcodec
from bench.video.index import FrameIndex
from bench.video.packets import Packets


@dataclass(frozen=True)
class Backend:
    """A library that decodes: its releases in words, and the frames of a video at some places of its index."""

    versions: Callable[[], str]
    frames: Callable[[Packets, FrameIndex, Sequence[int]], Iterator[np.ndarray]]


BACKENDS: Mapping[str, Backend] = {
    "pyav": Backend(pyav.versions, pyav.frames),
    "torchcodec": Backend(torchcodec.versions, torchcodec.frames),
    "opencv": Backend(opencv.versions, opencv.frames),
}
DEFAULT = "pyav"


def backend_named(name: str) -> Backend:
    """Returns a backend. Raises: UnknownName for no such one."""
    if name not in BACKENDS:
        raise unknown_name("backend", name, BACKENDS)
    return BACKENDS[name]


def versions(name: str = DEFAULT) -> str:
    """Returns what decodes and counts, with its releases: `PyAV 18.1.0, FFmpeg 8.1.2; images Pillow 13.0.0`.

    Raises: UnknownName for no such backend, MissingData where it is not installed.
    """
    decodes = backend_named(name).versions()
    counts = "" if name == DEFAULT else f"; counted by {pyav.versions()}"
    return f"{decodes}{counts}; images {stills.versions()}"
