"""What a command asks of the file system below a folder, counted; and ways to interfere at one of these operations.

Python tells an audit hook of every file that is opened, made, renamed, linked and removed, just before it is. A hook
cannot be taken away again: all of this is for forks.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

NAMED = {"os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove", "os.rmdir", "os.truncate", "os.chmod"}
"""Events whose first argument is a path that is changed; `open` is another, for writing."""
Interference = Callable[[], object]


def at_operations(place: Path, do: Callable[[int], object]) -> None:
    """Calls `do` with 0, 1, 2, … before each operation that changes something below `place`."""
    count, inside = 0, f"{place.resolve()}{os.sep}"

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if event != "open" and event not in NAMED:
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            return
        path = arguments[0]
        if isinstance(path, int | None):
            return
        if (os.path.abspath(os.fsdecode(path)) + os.sep).startswith(inside):  # noqa: PTH100 (touches no disk)
            count += 1
            do(count - 1)

    sys.addaudithook(hook)


def counting(place: Path, tally: Path) -> Interference:
    """Returns what makes a fork count its operations: `tally` grows by a byte for each."""

    def start() -> None:
        file = os.open(tally, os.O_WRONLY | os.O_CREAT)
        at_operations(place, lambda number: os.write(file, b"."))

    return start


def killed_before(place: Path, operation: int) -> Interference:
    """Returns what makes a fork kill itself just before one operation."""

    def do(number: int) -> None:
        if number == operation:
            os.kill(os.getpid(), signal.SIGKILL)

    return partial(at_operations, place, do)


def failing_from(place: Path, operation: int, error: int) -> Interference:
    """Returns what makes every operation of a fork fail from one on, as on a disk that is full or became read-only."""

    def do(number: int) -> None:
        if number >= operation:
            raise OSError(error, os.strerror(error))

    return partial(at_operations, place, do)


def cut_at(size: int) -> Interference:
    """Returns what makes a fork's writes fail in the middle: no file may grow beyond `size` bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def refusing(error: int, *names: str) -> Interference:
    """Returns what makes calls of a fork fail always: `os.link`, `fcntl.flock`."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(error, os.strerror(error))

    def start() -> None:
        for name in names:
            module, _, function = name.rpartition(".")
            setattr(__import__(module), function, refuse)

    return start
