"""Whatever is in a file, its reader ends with an answer or one line and a documented exit code, and soon."""

from __future__ import annotations

import io
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from random import Random
from typing import Any

import pytest
from run_targets import FSE, RUN_TARGETS, make_for_runs
from targets import FILE_TARGETS, Target, make_valid, one, put

import bench.cli

TARGETS = {**FILE_TARGETS, **RUN_TARGETS}
SLOW, STUCK = 8.0, 60
"""Seconds of the processor that a case may take; seconds after which it is stopped."""
LONGEST = 2_000
"""Characters of an error: whole values of a file never stand in it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, bench_in: Callable[[Path], Any]) -> Path:
    """Returns a folder of valid files of every kind, with a run, a pack, and no home of anybody's."""
    made = tmp_path_factory.mktemp("files")
    make_valid(made)
    make_for_runs(made)
    command = bench_in(made)
    command("data", "pack", "npy", "--output", "packs/npy")
    command("run", "-m", "random", "-t", "npy-retrieval", "--output", "results")
    one(made, "results/*/result.json").parent.rename(made / "results" / "run")
    command("run", "--config", "run.yaml", "-m", FSE[0], "-t", *FSE[1:])
    one(made, "run-runs/checkpoints/*/model.safetensors").rename(made / "given.safetensors")
    return made


@pytest.mark.parametrize("name", TARGETS)
def test_the_valid_file_is_read(name: str, folder: Path) -> None:
    code, said = left_with(folder, TARGETS[name])
    assert code == 0, said


@pytest.mark.parametrize("cases", [5, pytest.param(270, marks=pytest.mark.campaign)])
@pytest.mark.parametrize("name", TARGETS)
def test_a_damaged_file_is_read_or_refused(name: str, cases: int, folder: Path) -> None:
    target = TARGETS[name]
    content = one(folder, target.file).read_bytes()
    wrong, codes = [], Counter[object]()
    try:
        for seed in range(cases):
            put(folder, target, target.mutate(Random(f"{name} {seed}"), content))
            started = time.process_time()
            code, said = left_with(folder, target)
            codes[code] += 1
            if time.process_time() - started > SLOW:
                wrong.append(f"case {seed}: took {time.process_time() - started:.1f} s")
            if code not in target.codes or (code and len(said) > LONGEST):
                wrong.append(f"case {seed}: {code}: {said[-1500:]}")
    finally:
        put(folder, target, content)
    sys.stdout.write(f"{name}: {cases} cases, exit codes {dict(codes)}\n")
    assert not wrong, f"{len(wrong)} of {cases}:\n" + "\n".join(wrong[:5])


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
