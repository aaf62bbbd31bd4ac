"""A study on a Ray cluster that loses a node and workers, and on submitit with cells queued again: nothing is lost.

Each trial begins anew; its figures are compared with those of one undisturbed run on this machine. Run it in the
environment of the extra: `.venv-extras/ray/bin/python -m pytest --campaign tests/campaign/test_clusters.py -s`.
`BENCH_TRIALS=2` makes fewer trials.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cli.simulated_cluster import SimulatedCluster
from cli.test_slurm import processes_of
from cli.test_studies import predictions

pytestmark = pytest.mark.campaign

TRIALS = int(os.environ.get("BENCH_TRIALS", "10"))
SMALL = {"epochs": 3, "hidden": [8, 16]}
STUDY = {
    "version": 1,
    "models": {"fse": SMALL, "hse": SMALL, "s2vt": {**SMALL, "frame_dim": 16, "word_dim": 16}},
    "tasks": ["anet-retrieval", "anet-retrieval-val2"],
    "seeds": [0, 1, 2],
    "limit": 60,
    "output": "runs",
}
CELLS = 36
RETRIES = ("--retries", "20", "--checkpoint-every", "epoch")


def study_in(folder: Path, bench_in: Any) -> Any:
    folder.mkdir()
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
    return bench_in(folder)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, bench_in: Any) -> tuple[dict[str, str], float]:
    """Returns the digests of the study's predictions, and how long it takes two processes."""
    bench = study_in(tmp_path_factory.mktemp("clusters") / "undisturbed", bench_in)
    clock = time.monotonic()
    process = bench.start("study", "run", "study.yaml", "--jobs", "2")
    _, err = process.communicate()
    assert process.returncode == 0, err
    wanted = predictions(bench.folder / "runs")
    assert len(wanted) == CELLS
    return wanted, time.monotonic() - clock


def run_disturbed(bench: Any, launcher: tuple[str, ...], disturb: Callable[[threading.Event], None]) -> dict[str, str]:
    """Runs the study while it is disturbed until it is over, and returns the digests of its predictions."""
    over = threading.Event()
    process = bench.start("study", "run", "study.yaml", *launcher, *RETRIES)
    disturbing = threading.Thread(target=disturb, args=(over,))
    disturbing.start()
    _, err = process.communicate()
    over.set()
    disturbing.join()
    assert process.returncode == 0, err
    outcomes = [json.loads(path.read_text()) for path in bench.folder.glob("runs/cells/????????????.json")]
    assert [one["state"] for one in outcomes] == ["done"] * CELLS
    return predictions(bench.folder / "runs")


def kill_one(
    over: threading.Event, command: str, number: int, mine: Callable[[int], bool] = lambda process: True
) -> bool:
    """Sends a signal to one of my processes of a command, once there is one; returns whether there was."""
    while not over.wait(0.1):
        for process in random.sample(found := processes_of(command), len(found)):
            if not mine(process):
                continue
            try:
                os.kill(process, number)
            except ProcessLookupError:
                continue
            return True
    return False


@pytest.mark.extra("ray")
def test_a_cluster_that_loses_a_node_and_two_workers_in_every_trial(
    tmp_path: Path, bench_in: Any, undisturbed: tuple[dict[str, str], float], capsys: pytest.CaptureFixture[str]
) -> None:
    wanted, seconds = undisturbed
    finished, killed = 0, 0
    cluster = SimulatedCluster(3, dict(os.environ))
    for trial in range(TRIALS):
        moments = sorted((random.uniform(0, seconds), what) for what in ("node", "worker", "worker"))

        removed = 0

        def disturb(over: threading.Event, moments: Any = moments) -> None:
            nonlocal killed, removed
            began = time.monotonic()
            for moment, what in moments:
                over.wait(max(0.0, began + moment - time.monotonic()))
                if what == "worker":
                    killed += kill_one(over, "ray::_run", signal.SIGKILL, cluster.owns)
                elif not over.is_set():
                    cluster.remove()
                    removed += 1

        bench = study_in(tmp_path / str(trial), bench_in)
        address = ("--launcher", "ray", "--launcher-set", f"address={cluster.address}")
        assert run_disturbed(bench, address, disturb) == wanted, moments
        killed += removed
        for _ in range(removed):
            cluster.add(cpus=1)
        finished += CELLS
    cluster.close()
    with capsys.disabled():
        print(f"\nray: {finished} of {TRIALS * CELLS} cells finished, {killed} losses, digests equal")  # noqa: T201 (a campaign is read)


@pytest.mark.extra("slurm")
def test_jobs_of_submitit_are_queued_again_and_killed_in_every_trial(
    tmp_path: Path, bench_in: Any, undisturbed: tuple[dict[str, str], float], capsys: pytest.CaptureFixture[str]
) -> None:
    wanted, seconds = undisturbed
    finished, killed, requeued = 0, 0, 0
    for trial in range(TRIALS):
        bench = study_in(tmp_path / str(trial), bench_in)
        jobs = f"submitit.core._submit {bench.folder}"
        moments = sorted((random.uniform(0, seconds), what) for what in ("USR2", "USR2", "KILL"))

        def disturb(over: threading.Event, jobs: str = jobs, moments: Any = moments) -> None:
            nonlocal killed
            began = time.monotonic()
            for moment, what in moments:
                over.wait(max(0.0, began + moment - time.monotonic()))
                killed += kill_one(over, jobs, getattr(signal, f"SIG{what}"))

        here = ("--launcher", "slurm", "--launcher-set", "cluster=local", "--jobs", "2")
        assert run_disturbed(bench, here, disturb) == wanted, moments
        told = "".join(path.read_text() for path in bench.folder.glob("runs/cells/slurm/*/*.out"))
        requeued += told.count("Requeued job")
        finished += CELLS
    assert requeued
    with capsys.disabled():
        print(f"\nsubmitit: {finished} of {TRIALS * CELLS} cells, {requeued} queued again, {killed} signals")  # noqa: T201
