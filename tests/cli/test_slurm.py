"""Cells as jobs of submitit, on its local executor: killed, queued again in the middle of a fit, with equal numbers."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from cli.test_studies import (
    dying,
    has_a_full_disk_said_and_tried_elsewhere,
    predictions,
    ran,
    stops_at_the_second_ctrl_c_and_goes_on,
    wait_until,
)

pytestmark = pytest.mark.extra("slurm")

HERE = ("--launcher", "slurm", "--launcher-set", "cluster=local")
FIT = ("-m", "fse", "-t", "anet-retrieval", "--limit", "150", "--set", "epochs=8", "--set", "hidden=32")
OFTEN = ("--checkpoint-every", "1e-9")


def processes_of(command: str) -> list[int]:
    """Returns the processes whose command line holds a text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        found += [int(path.parent.name)] if command in words else []
    return found


def test_options_of_sbatch_have_values_or_are_switches() -> None:
    from bench.study.launchers.slurm import further_options

    assert further_options("qos=high; --exclusive ;;comment=a=b") == {
        "qos": "high", "exclusive": True, "comment": "a=b"
    }  # fmt: skip


def test_a_killed_cell_is_tried_again_by_bench_alone_and_the_others_are_done(bench_command: Any) -> None:
    env = dying(bench_command)
    cells = ("-m", "dying", "-m", "random", "-t", "anet-retrieval", "--limit", "30", "--set", "dying.marker=once")
    _, err = ran(bench_command, "run", *cells, *HERE, "--jobs", "2", env=env, exit_code=5)
    assert "its process was killed by SIGKILL (out of memory?). Its log: " in err
    assert len(predictions(bench_command.folder / "runs")) == 1
    _, err = ran(bench_command, "run", *cells, *HERE, "--jobs", "2", env=env)
    assert "complete already" in err
    assert len(predictions(bench_command.folder / "runs")) == 2


def test_a_fit_that_is_queued_again_goes_on_from_where_it_saved(bench_command: Any) -> None:
    bench_command("run", *FIT, "--output", "undisturbed")
    process = bench_command.start("run", *FIT, *HERE, *OFTEN)
    wait_until(lambda: bool(list(bench_command.folder.glob("runs/checkpoints/*/training.safetensors"))))
    folder = bench_command.folder / "runs" / "cells" / "slurm"
    jobs = [job for job in processes_of(f"submitit.core._submit {folder}") if job != process.pid]
    os.kill(min(jobs), signal.SIGUSR2)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, f"{out}\n{err}"
    told = "".join(path.read_text() for path in folder.glob("*/*.out"))
    assert "Requeued job" in told
    [log] = bench_command.folder.glob("runs/cells/logs/*.log")
    assert "Interrupted: " in log.read_text()
    assert predictions(bench_command.folder / "runs") == predictions(bench_command.folder / "undisturbed")


def test_who_asks_twice_to_stop_does_not_wait(bench_command: Any) -> None:
    stops_at_the_second_ctrl_c_and_goes_on(bench_command, *HERE)  # submitit's own processes print a traceback


def test_a_machine_whose_disk_is_full_costs_a_try(bench_command: Any) -> None:
    has_a_full_disk_said_and_tried_elsewhere(bench_command, "left no result (a full disk?)", *HERE)
