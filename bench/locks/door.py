"""The door: on one machine the kernel tells who works, between machines a lease does.

A lock is a file. The kernel holds it (flock), so that a process that was killed holds nothing any more; the file stays
when the lock is let go, as removing it would split those who wait from those who come later, and says who held it last.
Some file systems know no flock, and some know it on each machine alone: who has the lock therefore takes a lease too.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import Interrupted, SaveError
from bench.locks import lease as leases
from bench.locks.lease import Lease, in_words

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK = ".lock"
"""What the lock of a folder is called, in that folder."""
POLL = 0.1
"""Seconds between two looks at a lock that somebody else holds."""
WITHOUT_FLOCK = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK, errno.EINVAL}
"""What flock() answers where a file system does not know it."""


@dataclass(frozen=True)
class Hold:
    """A lock that this process holds.

    Attributes:
        waited: whether it had to wait for somebody.
        check: raises TakenOver once another machine has taken over, because nothing was heard of this process for
            too long: it was stopped, or cut off. Asked before whatever must not be written twice.
    """

    waited: bool
    check: Callable[[], None]


@contextmanager
def held(
    path: Path, say: Callable[[str], None] = lambda line: None, stop_requested: Callable[[], bool] = lambda: False
) -> Iterator[Hold]:
    """Holds the lock `path` while its body lasts.

    Args:
        say: told once who is waited for, and what ends the wait.
        stop_requested: asked while waiting; Ctrl-C by itself ends the wait with KeyboardInterrupt.

    Raises: SaveError when the file cannot be written; Interrupted when asked to stop.
    """
    from filelock import FileLock

    lock: BaseFileLock = FileLock(path, fallback_to_soft=False)
    lease = Lease(path)
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            waited = _wait(path, (lock, lease), say, stop_requested)
            path.write_text(f"{os.getpid()}\n{socket.gethostname()}\n", encoding="utf-8")
        except OSError as error:
            raise SaveError(
                f"cannot write {path}: {error.strerror or error}. Make the folder writable or choose another."
            ) from error
        yield Hold(waited, lease.check)
    finally:
        lease.release()
        lock.release()


def _wait(
    path: Path, both: tuple[BaseFileLock, Lease], say: Callable[[str], None], stop_requested: Callable[[], bool]
) -> bool:
    """Takes the lock, then the lease; returns whether that took a wait."""
    lock, lease = both
    alone_here = False
    told: set[bool] = set()
    while True:
        alone_here = alone_here or _taken(lock)
        if alone_here and lease.take():
            if lease.remark:
                say(f"{path.parent}: {lease.remark}; this process goes on in its place")
            return bool(told)
        if alone_here not in told:
            told.add(alone_here)
            say(f"{path.parent}: waiting for {_other(lease) if alone_here else _holder(path)}; Ctrl-C stops waiting")
        if stop_requested():
            raise Interrupted(f"stopped while waiting for another process in {path.parent}. Nothing is lost.")
        time.sleep(POLL)


def _taken(lock: BaseFileLock) -> bool:
    """Returns whether no other process of this machine holds a lock, as far as its file system can tell."""
    from filelock import Timeout

    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    except OSError as error:
        if error.errno not in WITHOUT_FLOCK:
            raise
    return True


def _holder(path: Path) -> str:
    """Returns who holds a lock of this machine, in words; its file says so in two lines."""
    try:
        process, host = path.read_text(encoding="utf-8", errors="replace").split()[:2]
    except (OSError, ValueError):
        return "another process, which works here"
    return f"process {process[:20]} on {host[:80]}, which works here"


def _other(lease: Lease) -> str:
    """Returns who holds a lease, in words."""
    return (
        f"{lease.other or 'another process'}, which works here; once nothing is heard of it for "
        f"{in_words(leases.LEASE)}, this one goes on in its place"
    )
