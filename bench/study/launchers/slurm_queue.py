"""Slurm's queue, as its own commands show it: enough without accounting (sacct), which many clusters lack."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bench.reading.numbers import number_of

PAUSE = 15.0
"""Seconds between two looks at the queue."""
OVER = frozenset(
    ("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "TIMEOUT")
)
"""States of jobs that run no more."""


@dataclass(frozen=True)
class QueuedJob:
    """A job as squeue shows it: its state, and why it waits, in Slurm's words."""

    state: str
    reason: str


class QueueWatch:
    """Tells which jobs Slurm has ended, and says why others wait."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._looked = time.monotonic()
        self._missing: set[str] = set()
        self._waited: set[tuple[str, str]] = set()
        self._told: set[str] = set()

    def over(self, jobs: Mapping[str, str]) -> dict[str, str]:
        """Returns those of the jobs (names with ids) that two looks found ended, or not at all, each with its state.

        Two, as what a job wrote may be late on a shared file system. Looks seldom, and changes nothing where Slurm
        gives no answer.
        """
        if time.monotonic() - self._looked < PAUSE or (queued := queue()) is None:
            return {}
        self._looked = time.monotonic()
        found = {name: queued.get(job, QueuedJob("GONE", "")) for name, job in jobs.items()}
        missing = {name: now.state for name, now in found.items() if now.state in OVER or now.state == "GONE"}
        over = {name: state for name, state in missing.items() if name in self._missing}
        self._missing = set(missing)
        self._say_what_waits({jobs[name]: now.reason for name, now in found.items() if now.state == "PENDING"})
        return over

    def _say_what_waits(self, reasons: Mapping[str, str]) -> None:
        """Says of every reason, once, that jobs wait for it, where one did at the last look too."""
        for reason in sorted({reason for job, reason in reasons.items() if (job, reason) in self._waited}):
            waiting = [job for job, its in reasons.items() if its == reason]
            self.say_once(
                reason,
                f"{number_of(len(waiting), 'job waits', 'jobs wait')} in Slurm's queue: {reason} (`scontrol show job "
                f"{waiting[0]}` says more; Ctrl-C ends the wait)",
            )
        self._waited = set(reasons.items())

    def say_once(self, of: str, line: str) -> None:
        """Says a line, unless one was said of the same."""
        if of not in self._told:
            self._told.add(of)
            self._say(line)


def queue() -> dict[str, QueuedJob] | None:
    """Returns the user's jobs by their ids, ended ones too for some minutes; None where Slurm gives no answer."""
    asked = ("--states=all", "--array", "--noheader", "--format=%i|%T|%r")
    done = _said("squeue", f"--user={os.getuid()}", *asked)
    if done.returncode:
        return None
    lines = [line.strip().split("|", 2) for line in done.stdout.splitlines()]
    return {fields[0]: QueuedJob(fields[1], fields[2]) for fields in lines if len(fields) == 3}


def longest_array() -> int | None:
    """Returns how many jobs an array may have; None where Slurm gives no answer."""
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _said("scontrol", "show", "config").stdout, re.MULTILINE)
    return max(1, int(found[1])) if found else None


def cancel(jobs: Iterable[str]) -> None:
    """Cancels jobs, whole arrays by one name; those that are over stay what they are."""
    if names := sorted({job.partition("_")[0] for job in jobs}):
        _said("scancel", *names)


def _said(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
