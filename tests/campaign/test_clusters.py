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


def run_disturbed(bench: Any, launcher: tuple[str, ...], disturb: Callable[[], None]) -> dict[str, str]:
    """Runs the study while it is disturbed, and returns the digests of its predictions."""
    process = bench.start("study", "run", "study.yaml", *launcher, *RETRIES)
    disturbing = threading.Thread(target=disturb)
    disturbing.start()
    _, err = process.communicate()
    disturbing.join()
    assert process.returncode == 0, err
    outcomes = [json.loads(path.read_text()) for path in bench.folder.glob("runs/cells/????????????.json")]
    assert [one["state"] for one in outcomes] == ["done"] * CELLS
    return predictions(bench.folder / "runs")


def kill_one(command: str, number: int, patience: float = 60.0) -> bool:
    """Sends a signal to one of the processes of a command, once there is one; returns whether there was."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        for process in random.sample(found := processes_of(command), len(found)):
            try:
                os.kill(process, number)
            except ProcessLookupError:
                continue
            return True
        time.sleep(0.1)
    return False


@pytest.mark.extra("ray")
def test_a_cluster_that_loses_a_node_and_two_workers_in_every_trial(
    tmp_path: Path, bench_in: Any, undisturbed: tuple[dict[str, str], float], capsys: pytest.CaptureFixture[str]
) -> None:
    wanted, seconds = undisturbed
    finished, killed = 0, 0
    for trial in range(TRIALS):
        cluster = SimulatedCluster(3, dict(os.environ))
        moments = sorted((random.uniform(0, seconds), what) for what in ("node", "worker", "worker"))

        def disturb(cluster: Any = cluster, moments: Any = moments) -> None:
            nonlocal killed
            began = time.monotonic()
            for moment, what in moments:
                time.sleep(max(0.0, began + moment - time.monotonic()))
                if what == "node":
                    cluster.remove()
                    killed += 1
                else:
                    killed += kill_one("ray::_run", signal.SIGKILL)

        bench = study_in(tmp_path / str(trial), bench_in)
        address = ("--launcher", "ray", "--launcher-set", f"address={cluster.address}")
        assert run_disturbed(bench, address, disturb) == wanted, moments
        cluster.close()
        finished += CELLS
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

        def disturb(jobs: str = jobs, moments: Any = moments) -> None:
            nonlocal killed
            began = time.monotonic()
            for moment, what in moments:
                time.sleep(max(0.0, began + moment - time.monotonic()))
                killed += kill_one(jobs, getattr(signal, f"SIG{what}"))

        here = ("--launcher", "slurm", "--launcher-set", "cluster=local", "--jobs", "2")
        assert run_disturbed(bench, here, disturb) == wanted, moments
        told = "".join(path.read_text() for path in bench.folder.glob("runs/cells/slurm/*.out"))
        requeued += told.count("Requeued job")
        finished += CELLS
    assert requeued
    with capsys.disabled():
        print(f"\nsubmitit: {finished} of {TRIALS * CELLS} cells, {requeued} queued again, {killed} signals")  # noqa: T201
