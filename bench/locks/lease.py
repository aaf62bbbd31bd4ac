"""A lease: a lock kept by signs of life, for file systems that many machines share, whatever else those lack.

A claim is a file `NAME.N` beside the lock; the highest number is who works. It is made by exclusive creation, so of
several that want a number one gets it. Its owner touches it every `BEAT` seconds. Whoever waits watches, on a clock of
its own, whether the touching goes on: the clocks of two machines are never compared. Where it stopped for `LEASE`
seconds, or the owner is known to be dead, the next number is claimed. An owner that was only asleep finds that number
before it writes (`Lease.check`). A claim that is let go is renamed `NAME.N+1.free`: numbers only grow, so no process
acts on what the folder held a while ago.
"""

from __future__ import annotations

import os
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.errors import TakenOver
from bench.locks.owner import Owner

LEASE = 120.0
"""Seconds without a sign of life after which a claim is over. All machines of a folder are to agree on it."""
BEAT = 10.0
"""Seconds between two signs of life."""
FREE = "free"


@dataclass(frozen=True)
class _Claim:
    number: int
    free: bool
    path: Path


class Lease:
    """The lease of one lock, for one process that wants it."""

    def __init__(self, lock: Path) -> None:
        self._lock = lock
        self._owner = Owner.here()
        self._held: _Claim | None = None
        self._stop = threading.Event()
        self._sign: tuple[object, ...] = ()
        self._since = 0.0
        self.other: Owner | None = None
        """Who was found at work, as far as its claim says so."""
        self.remark = ""
        """Why this process took over from one that may be alive, in words."""

    def take(self) -> bool:
        """Returns whether this process has the lease now; it is asked again and again by who waits. Raises: OSError."""
        claims = self._claims()
        if not claims:
            return self._claim(1)
        last = claims[-1]
        if not ((last.free or self._is_over(last)) and self._claim(last.number + 1)):
            return False
        if not last.free and not (self.other and self.other.gone):
            self.remark = f"nothing was heard of {self.other or 'another process'} for {in_words(LEASE)}"
        return True

    def check(self) -> None:
        """Makes sure that nobody took over meanwhile. Raises: TakenOver."""
        if self._held is None:
            return
        try:
            own = self._held.path.read_text(encoding="utf-8") == self._owner.written()
            last = self._claims()[-1].number if own else 0
        except OSError:
            own, last = False, 0
        if not own or last > self._held.number:
            raise TakenOver(
                f"{self._lock.parent}: another process took over, as nothing was heard of this one for "
                f"{in_words(LEASE)}. Nothing is lost: the same command goes on."
            )

    def release(self) -> None:
        """Lets the lease go, where it is still this process's."""
        self._stop.set()
        if self._held is not None:
            with suppress(OSError):  # somebody took over, or the folder is gone
                self._held.path.rename(self._path(self._held.number + 1, free=True))
            self._held = None

    def _claim(self, number: int) -> bool:
        claim = _Claim(number, False, self._path(number))
        try:
            descriptor = os.open(claim.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            return False
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(self._owner.written())
            others = [other for other in self._claims() if other.path != claim.path]
        except BaseException:
            claim.path.unlink(missing_ok=True)
            raise
        if any(other.number >= number for other in others):  # the folder is further than it was when it was looked at
            claim.path.unlink(missing_ok=True)
            return False
        for other in others:
            with suppress(OSError):
                other.path.unlink()
        self._held = claim
        threading.Thread(target=self._live, args=(claim.path,), name="bench-lease", daemon=True).start()
        return True

    def _live(self, claim: Path) -> None:
        """Gives signs of life until the claim is let go or gone."""
        while not self._stop.wait(BEAT) and claim.exists():
            with suppress(OSError):  # a server that does not answer may answer the next time
                os.utime(claim)

    def _is_over(self, claim: _Claim) -> bool:
        """Returns whether the owner of a claim is gone, or gave no sign of life for as long as `LEASE`."""
        try:
            with claim.path.open(encoding="utf-8", errors="replace") as file:  # opened: else a network may answer late
                now, text = os.fstat(file.fileno()), file.read(1000)
        except FileNotFoundError:
            return False
        self.other = Owner.read(text)
        sign = (claim.number, text, now.st_mtime_ns, now.st_ctime_ns)
        if sign != self._sign:
            self._sign, self._since = sign, time.monotonic()
        return (self.other is not None and self.other.gone) or time.monotonic() - self._since >= LEASE

    def _claims(self) -> list[_Claim]:
        """Returns the claims in the folder, the highest last, one that is held after one of its number that is free."""
        form = re.compile(rf"{re.escape(self._lock.name)}\.(\d{{1,18}})(\.{FREE})?")
        with os.scandir(self._lock.parent) as entries:
            found = [form.fullmatch(entry.name) for entry in entries]
        claims = (_Claim(int(one[1]), bool(one[2]), self._lock.with_name(one[0])) for one in found if one)
        return sorted(claims, key=lambda claim: (claim.number, not claim.free))

    def _path(self, number: int, *, free: bool = False) -> Path:
        return self._lock.with_name(f"{self._lock.name}.{number}" + (f".{FREE}" if free else ""))


def in_words(seconds: float) -> str:
    """Returns a time as a message says it."""
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
