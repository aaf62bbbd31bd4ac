"""How long work reports what it does: to nobody, in plain lines, or to whoever else implements `Reporter`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

EVERY = 60.0
"""Seconds between two lines of progress."""


class Reporter(Protocol):
    """Told about every step of long work."""

    def step(self, stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
        """`done` of `total` steps of `stage` are finished; `values` are figures to show, such as the loss."""

    def say(self, line: str) -> None:
        """One line worth keeping, such as 'reusing checkpoint …'."""


class Silent:
    """A reporter that tells nobody."""

    def step(self, stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
        return

    def say(self, line: str) -> None:
        return


class Lines:
    """A reporter in plain lines, for a job's log: what is said, and once a minute how far the stage is.

    Args:
        write: takes a line.
        unit: what is counted, such as `videos`.
        clock: seconds that only rise.
    """

    def __init__(
        self, write: Callable[[str], None], unit: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write, self._unit, self._clock = write, unit, clock
        self._told = clock()
        self._stage, self._began, self._first, self._last = "", self._told, 0, 0

    def say(self, line: str) -> None:
        """Writes a line."""
        self._write(line)

    def step(self, stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
        """Writes stage, done, rate, what remains and the values, where a minute has passed since it last did.

        The rate is that of the stage from its first step on: what was done before does not count into it.
        """
        now = self._clock()
        if stage != self._stage or done < self._last:
            self._stage, self._began, self._first = stage, now, done
        self._last = done
        if now - self._told < EVERY or done >= total:
            return
        self._told = now
        words = [f"{stage}: {done:,} of {total:,}" + (f" {self._unit}" if self._unit else "")]
        if done > self._first and now > self._began:
            rate = (done - self._first) / (now - self._began)
            words += [_rate(rate, self._unit), f"{duration((total - done) / rate)} left"]
        self._write(", ".join([*words, *(f"{name} {value:.4g}" for name, value in values.items())]))


def _rate(rate: float, unit: str) -> str:
    """Returns a rate, given in units a second, over a time in which there is at least one."""
    seconds, a_time = next(((s, t) for s, t in ((1, "s"), (60, "min")) if rate * s >= 1), (3600, "h"))
    return f"{rate * seconds:.3g} {unit}".rstrip() + f"/{a_time}"


def duration(seconds: float) -> str:
    """Returns `40 s`, `12 min`, `3 h 05 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"
