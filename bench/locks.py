"""One process at a time: the only door to locks. A run, a checkpoint, a pack and a claimed name each have one.

A lock is a file. The kernel holds it (flock), so that a process that was killed holds nothing any more; where a file
system knows no flock, the file's existence is the lock. The file stays when the lock is let go: removing it would split
those who wait from those who come later. It says who held it last, for the message to those who wait.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import Interrupted, SaveError

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK = ".lock"
"""What the lock of a folder is called, in that folder."""
POLL = 0.1
"""Seconds between two looks at a lock that somebody else holds."""
WITHOUT_FLOCK = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK, errno.EINVAL}
"""What flock() answers where a file system does not know it."""


@contextmanager
def held(
    path: Path, say: Callable[[str], None] = lambda line: None, stop_requested: Callable[[], bool] = lambda: False
) -> Iterator[bool]:
    """Holds the lock `path` while its body lasts; yields whether it had to wait for somebody.

    Args:
        say: told once who is waited for.
        stop_requested: asked while waiting; Ctrl-C by itself ends the wait with KeyboardInterrupt.

    Raises: SaveError when the file cannot be written; Interrupted when asked to stop.
    """
    from filelock import FileLock, Timeout

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error
    lock: BaseFileLock = FileLock(path, fallback_to_soft=False)
    waited = False
    while True:
        try:
            lock.acquire(blocking=False)
            break
        except Timeout:
            pass
        except OSError as error:
            if error.errno in WITHOUT_FLOCK and Path(lock.lock_file) == path:
                lock = _existence(path)
                continue
            raise _unwritable(path, error) from error
        if not waited:
            waited = True
            say(f"{path.parent}: waiting for {_holder(Path(lock.lock_file))}, which works here; Ctrl-C stops waiting")
        if stop_requested():
            raise Interrupted(f"stopped while waiting for another process in {path.parent}. Nothing is lost.")
        time.sleep(POLL)
    try:
        if Path(lock.lock_file) == path:
            try:
                path.write_text(f"{os.getpid()}\n{socket.gethostname()}\n", encoding="utf-8")
            except OSError as error:
                raise _unwritable(path, error) from error
        yield waited
    finally:
        lock.release()


def _existence(path: Path) -> BaseFileLock:
    """Returns the lock for a file system without flock; a dead owner's is taken over where names can be exchanged."""
    from filelock import SoftFileLock

    return SoftFileLock(path.with_name(f"{path.name}.held"))


def _holder(path: Path) -> str:
    """Returns who holds a lock, in words; its file says so in two lines."""
    try:
        process, host = path.read_text(encoding="utf-8", errors="replace").split()[:2]
    except (OSError, ValueError):
        return f"another process (if it is gone for good, delete {path})"
    told = f"process {process[:20]} on {host[:80]}"
    return told if path.suffix != ".held" else f"{told} (if it is gone for good, delete {path})"


def _unwritable(path: Path, error: OSError) -> SaveError:
    return SaveError(f"cannot write {path}: {error.strerror or error}. Make the folder writable or choose another.")
