"""Writing that lasts: files that only grow, and renames that are on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


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


def flush(rows: int, journal: int, lines: Sequence[str]) -> None:
    """Brings rows to disk, and only then the lines of the journal that tell of them."""
    os.fsync(rows)
    write_all(journal, "".join(lines).encode())
    os.fsync(journal)


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
