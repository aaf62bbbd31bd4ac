"""Whatever is in a file, its reader ends with an answer, or one line and a documented exit code, soon.

The command runs in this process: thousands of starts would cost hours.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from random import Random

import forking
import pytest
from further_targets import FURTHER_TARGETS, make_further
from phases import Attempt, Outcome, Phase
from run_targets import FSE, RUN_TARGETS, make_for_runs
from targets import FILE_TARGETS, PREDICTIONS, RECORD, RUN, Target, make_valid, one, put

import bench.cli
from bench.files import sha256

TARGETS = {**FILE_TARGETS, **RUN_TARGETS, **FURTHER_TARGETS}
SLOW, STUCK = 8.0, 60
"""Seconds of the processor that a case may take; seconds after which it is stopped."""
LONGEST = 2_000
"""Characters of an error: whole values of a file never stand in it."""
MOST = 512 << 20
"""Bytes of memory that a file of a few kB may cost."""
MADE = (
    ("data", "pack", "npy", "--output", "packs/npy"),
    ("run", "-m", "random", "-t", "npy-retrieval", "--output", "results"),
    ("run", "--config", "run.yaml", "-m", FSE[0], "-t", *FSE[1:]),
    ("plan", "-m", "random", "-t", "npy-retrieval", "--write", "cells.json"),
)


def make_all(folder: Path) -> None:
    """Fills a folder with valid files of every kind, a run and a pack."""
    make_valid(folder)
    make_for_runs(folder)
    make_further(folder)
    for command in MADE:
        fork = forking.start(folder, *command)
        if fork.wait():
            raise RuntimeError(f"{command}: {fork.said}")
    # METEOR's table is made once and kept, which takes longer than any file may
    warm = forking.start(
        folder,
        *FILE_TARGETS["captions, challenge"].command,
        first=lambda: os.environ.update(XDG_CACHE_HOME=str(folder / "cache")),
    )
    if warm.wait():
        raise RuntimeError(warm.said)
    one(folder, "results/*/result.json").parent.rename(folder / "results" / "run")
    one(folder, "run-runs/checkpoints/*/model.safetensors").rename(folder / "given.safetensors")
    of = {"record": sha256(folder / RECORD), "predictions": sha256(folder / PREDICTIONS)}
    check = {"schema": "bench-check/1", **of, "date": "2026-01-01", "commit": None, "versions": {"vtbench": "0"}}
    (folder / RUN / "result.check.json").write_text(json.dumps(check))


def damaged(folder: Path, name: str, content: bytes) -> Outcome:
    """Returns what came of one file, in place of the valid one, which is put back."""
    target = TARGETS[name]
    valid = one(folder, target.file).read_bytes()
    put(folder, target, content)
    _forget_peak()
    before, started = _peak(), time.process_time()
    try:
        code, said = left_with(folder, target)
    finally:
        put(folder, target, valid)
    seconds, memory = time.process_time() - started, _peak() - before
    wrong = ""
    if code not in target.codes or (code and (len(said) > LONGEST or not said.strip())):
        wrong += f"{name}: {code}: {said[-1500:]}\n"
    if code and said.rstrip("\n").count("\n") > _remarks(said):
        wrong += f"{name}: more than a line: {said[-1500:]}\n"
    if seconds > SLOW:
        wrong += f"{name}: took {seconds:.1f} s of the processor\n"
    if memory > MOST:
        wrong += f"{name}: took {memory >> 20} MiB of memory\n"
    return Outcome(1, wrong, {Path(target.file).name.replace("*", "any"): content})


def _remarks(said: str) -> int:
    """Returns how many lines stand before the error: what a command tells while it works."""
    lines = said.rstrip("\n").split("\n")
    return next((i for i, line in enumerate(lines) if line.partition(":")[0].endswith(("Error", "Data", "Name"))), 99)


def _forget_peak() -> None:
    with suppress(OSError):  # Linux alone
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """Returns the most memory this process has held since it was forgotten, in bytes; 0 where nobody knows."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    return 0


def left_with(folder: Path, target: Target) -> tuple[object, str]:
    """Returns the exit code of the target's command and its standard error; for a traceback, `traceback` and it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder / "site")
        patch.setattr(sys, "argv", ["bench", *target.command])
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        try:
            with redirect_stdout(out), redirect_stderr(err), stopped_after(STUCK):
                bench.cli.main(list(target.command))
        except SystemExit as left:
            err.flush()
            return left.code, err.buffer.getvalue().decode()  # type: ignore[attr-defined]
        except BaseException:  # noqa: BLE001 (whatever it is, it is reported)
            return "traceback", traceback.format_exc()
    raise AssertionError("the command never left")


class StuckError(BaseException):
    """A command gave no answer."""


@contextmanager
def stopped_after(seconds: int) -> Iterator[None]:
    """Raises StuckError in the body when it takes longer."""

    def stop(number: int, frame: object) -> None:
        raise StuckError(f"no answer within {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def prepare(root: Path) -> Attempt:
    """Returns attempts that damage one kind of file after the other."""
    make_all(root)
    valid = {name: one(root, target.file).read_bytes() for name, target in TARGETS.items()}
    names = list(TARGETS)

    def attempt(number: int, random: Random) -> Outcome:
        name = names[number % len(names)]
        outcome = damaged(root, name, TARGETS[name].mutate(random, valid[name]))
        for made in ("study-runs", "run-runs/checkpoints"):
            shutil.rmtree(root / made, ignore_errors=True)
        return outcome

    return attempt


PHASES = [
    Phase(
        "mutated-inputs",
        f"files of {len(TARGETS)} kinds damaged: an answer, or one line and a documented exit code, soon",
        10_000,
        0,
        prepare,
    )
]
