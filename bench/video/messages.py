"""What a process that decodes says to the one that asked it: JSON after its length, and pixels after that.

Whoever reads does not trust it: a decoder that hostile media took over can say anything, and gets no further.
"""

from __future__ import annotations

import json
import os
import select
import struct
import time
from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from typing import IO, Any

import numpy as np

from bench.video.decoded import Decoded, Taking
from bench.video.index import CodedPicture

LENGTH = struct.Struct(">I")
LONGEST = 64 << 20
"""Bytes of JSON in one message."""


class Silence(Exception):
    """Nothing came in the time that there was."""


class Nonsense(Exception):
    """What came is no message."""


def send(pipe: IO[bytes], message: Mapping[str, Any], pixels: np.ndarray | None = None) -> None:
    """Writes a message, and after it the bytes of a frame."""
    text = json.dumps(message).encode()
    pipe.write(LENGTH.pack(len(text)) + text)
    if pixels is not None:
        pipe.write(pixels.data)
    pipe.flush()


class Listener:
    """Reads messages from a pipe, waiting no longer in all than it may."""

    def __init__(self, pipe: IO[bytes], seconds: float) -> None:
        """Takes a pipe, and the seconds that may be waited for it."""
        self._pipe, self._seconds = pipe, seconds

    def message(self) -> dict[str, Any]:
        """Returns the next message. Raises: EOFError at the end, Silence, Nonsense."""
        (length,) = LENGTH.unpack(self.read(LENGTH.size))
        if length > LONGEST:
            raise Nonsense
        try:
            message = json.loads(self.read(length))
        except (ValueError, RecursionError) as error:
            raise Nonsense from error
        if not isinstance(message, dict):
            raise Nonsense
        return message

    def read(self, size: int) -> bytearray:
        """Returns so many bytes. Raises: EOFError, Silence."""
        content = bytearray(size)
        view, have, descriptor = memoryview(content), 0, self._pipe.fileno()
        while have < size:
            started = time.monotonic()
            ready, _, _ = select.select([descriptor], [], [], max(0.0, self._seconds))
            self._seconds -= time.monotonic() - started
            if not ready:
                raise Silence
            got = os.readv(descriptor, [view[have:]])
            if not got:
                raise EOFError
            have += got
        return content


def head_of(taking: Taking) -> dict[str, Any]:
    """Returns what is known before the first frame, as JSON."""
    index = taking.index
    picture = asdict(index.picture) | {"rate": str(index.picture.rate or 0)}
    return {
        "places": taking.places.tolist(),
        "times": index.times[taking.places].tolist(),
        "rows": [row.tolist() for row in taking.rows],
        "time_base": str(index.time_base),
        "zero": index.zero,
        "total": len(index),
        "picture": picture,
    }


def decoded_of(head: Mapping[str, Any], frames: list[Any], sha256: str) -> Decoded[Any]:
    """Returns what a decoder said, checked. Raises: Nonsense."""
    try:
        rate = Fraction(head["picture"]["rate"])
        picture = CodedPicture(**head["picture"] | {"rate": rate or None})
        places, times = (np.array(head[name], np.int64) for name in ("places", "times"))
        rows = tuple(np.array(row, np.int64) for row in head["rows"])
        if not len(places) == len(times) == len(frames) or any(
            row.max() >= len(frames) or row.min() < 0 for row in rows
        ):
            raise Nonsense
        base, zero, total = Fraction(head["time_base"]), int(head["zero"]), int(head["total"])
        return Decoded(tuple(frames), rows, places, times, base, zero, total, picture, str(sha256)[:64])
    except (KeyError, TypeError, ValueError, OverflowError, ZeroDivisionError) as error:
        raise Nonsense from error
