"""Carries a phase out in a process of its own: one that dies or says nothing costs one attempt, and is a fault."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path

from journal import Journal
from phases import Outcome, Phase, dice, tried


def carry_out(phase: Phase, journal: Journal, size: int, deadline: float) -> Journal:
    """Makes attempts until there are `size` hits or the time is over; returns the journal.

    Args:
        deadline: seconds of `time.monotonic()`.
    """
    while unfinished(journal, size) and time.monotonic() < deadline:
        wrong = _watched(_worker(phase, journal, size, deadline), phase, journal.path)
        journal = Journal.read(journal.path) or journal
        if wrong and not journal.path.with_suffix(".begun").exists():
            raise SystemExit(f"{phase.name}: cannot be prepared: {wrong}")
        if wrong:
            journal.add(Outcome(1, wrong), 0.0)
    return journal


def unfinished(journal: Journal, size: int) -> bool:
    """True while there are too few hits, unless nearly all attempts miss."""
    return journal.hits < size and len(journal.lines) < 20 * size


def _worker(phase: Phase, journal: Journal, size: int, deadline: float) -> int:
    """Starts a process that makes attempts, and returns its number."""
    sys.stdout.flush()
    begun = journal.path.with_suffix(".begun")
    begun.unlink(missing_ok=True)
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        os.setpgid(0, 0)
        folder = journal.path.parent / "work" / phase.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        attempt = phase.prepare(folder)
        begun.touch()
        while unfinished(journal, size) and time.monotonic() < deadline:
            number, before = len(journal.lines), _cpu()
            outcome = tried(attempt, number, dice(phase.name, journal.told["seed"], number))
            if outcome.fault:
                keep(journal, number, outcome)
            journal.add(outcome, _cpu() - before)
        shutil.rmtree(folder, ignore_errors=True)
        code = 0
    except BaseException:  # noqa: BLE001 (as Python ends a program)
        traceback.print_exc()
    finally:
        os._exit(code)


def _watched(worker: int, phase: Phase, path: Path) -> str:
    """Waits for a worker; returns how it failed, or ""."""
    begun = time.time()
    try:
        while True:
            done, status = os.waitpid(worker, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                return f"the process ended with {code}" if code else ""
            if time.time() - max(begun, path.stat().st_mtime) > phase.longest:
                return f"no answer within {phase.longest} s"
            time.sleep(0.1)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(worker, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(worker, 0)


def keep(journal: Journal, number: int, outcome: Outcome) -> Path:
    """Keeps what failed, with the command that repeats it; returns the folder."""
    folder = journal.path.parent / "faults" / f"{journal.told['phase']}-{journal.told['seed']}-{number}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in outcome.kept.items():
        (folder / Path(name).name).write_bytes(content)
    told = f"python tests/campaign {journal.told['phase']} --seed {journal.told['seed']} --only {number}"
    (folder / "fault.txt").write_text(f"{told}\n\n{outcome.fault}\n", "utf-8", "backslashreplace")
    return folder


def _cpu() -> float:
    """Returns the seconds of the processor that this process and its ended children have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
