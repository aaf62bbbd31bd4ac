"""Writing that lasts: files that only grow, a lock that a killed process does not keep, renames that are on disk."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import SaveError

LOCK = "lock"


@contextmanager
def locked(part: Path) -> Iterator[None]:
    """Holds the lock of an unfinished pack. Raises: SaveError when another process holds it or has just finished."""
    path = part / LOCK
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SaveError(
                f"{part}: another process is packing here. Wait for it, or choose another --output."
            ) from None
        if not path.exists() or not os.path.samestat(os.fstat(descriptor), path.stat()):
            raise SaveError(f"{part}: another process has just finished here. Look at {part.with_suffix('')}.")
        yield
    finally:
        os.close(descriptor)


@contextmanager
def appending(path: Path) -> Iterator[int]:
    """Yields a file descriptor that writes at the end of `path`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes | memoryview) -> None:
    """Writes all of `content`; a single call to the system may write less."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def readable(size: int) -> str:
    """Returns a number of bytes in words: `6.1 GB`."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"
