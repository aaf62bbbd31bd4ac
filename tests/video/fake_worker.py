"""A decoder that does by name what a broken codec would do, to nobody's harm: `ok`, `crash`, `hang`, `hungry`, …"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from bench.errors import InvalidData
from bench.video.index import CodedPicture, FrameIndex
from bench.video.worker import serve


class Fake:
    """Ten grey frames; what the file is called says what happens at the fourth."""

    def __init__(self, path: Path, backend: str) -> None:
        self.name = path.name
        picture = CodedPicture("mov", "h264", "yuv420p", 4, 2)
        self.index = FrameIndex(np.arange(10), Fraction(1, 10), 0, 10, picture)

    def take(self, choose: Callable[[FrameIndex], Iterable[int]]) -> Iterator[tuple[int, np.ndarray]]:
        """Yields the frames that are chosen."""
        for place in sorted(set(choose(self.index))):
            if place == 3:
                self.misbehave()
            yield place, np.full((2, 4, 3), 7 if self.name in ("equal", "still") else place, np.uint8)

    def is_still(self, first: int, last: int) -> bool:
        """Whether the file says that nothing changes."""
        return self.name == "still"

    def misbehave(self) -> None:
        """Does what the file is called."""
        if self.name == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif self.name == "hang":
            time.sleep(600)
        elif self.name == "hungry":
            np.zeros(1 << 40, np.uint8)
        elif self.name == "leaves":
            sys.stderr.write("first line\nthe reason\n")
            os._exit(3)
        elif self.name == "prints":
            os.write(1, b"a library says something\n")
        elif self.name == "damaged":
            raise InvalidData(f"{self.name}: the h264 decoder failed.")


if __name__ == "__main__":
    serve(int(sys.argv[1]), Fake)
