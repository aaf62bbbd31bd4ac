"""Cells as tasks of a Ray cluster of simulated nodes: workers killed, nodes removed, plugins missing on one of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli.conftest import install
from cli.simulated_cluster import SimulatedCluster
from cli.test_studies import (
    dying,
    has_a_full_disk_said_and_tried_elsewhere,
    is_running,
    predictions,
    ran,
    stops_at_the_second_ctrl_c_and_goes_on,
    wait_until,
)

pytestmark = pytest.mark.extra("ray")

TASK = "anet-retrieval"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedCluster]:
    """Yields a cluster of two nodes that know the models of dying_models.py; the object store of its head is full."""
    models = Path(__file__).with_name("dying_models.py")
    site = install(tmp_path_factory.mktemp("ray") / "site", models, "dying-models")
    started = SimulatedCluster(2, {**os.environ, "PYTHONPATH": found_in(site)})
    started.fill()
    yield started
    started.close()


def found_in(site: Path) -> str:
    return f"{site}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"


@pytest.fixture
def on_ray(cluster: SimulatedCluster) -> tuple[str, ...]:
    """Returns the flags that run cells on the cluster."""
    return ("--launcher", "ray", "--launcher-set", f"address={cluster.address}")


def test_cells_give_what_they_give_here_and_one_that_is_killed_is_tried_again(
    bench_command: Any, on_ray: tuple[str, ...]
) -> None:
    small = ("-m", "fse", "-m", "random", "-t", TASK, "--limit", "30", "--set", "fse.epochs=1", "--set", "fse.hidden=8")
    bench_command("run", *small, "--output", "here")
    env = dying(bench_command)
    once = ("-m", "dying", "--set", f"dying.marker={bench_command.folder / 'once'}")
    _, err = ran(bench_command, "run", *small, *once, *on_ray, "--retries", "1", env=env)
    assert "a Ray cluster of 2 nodes with 2 cpus in all" in err
    assert "failed" not in err
    there = predictions(bench_command.folder / "runs")
    assert len(there) == 3
    assert predictions(bench_command.folder / "here").items() <= there.items()


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_killed_worker_and_a_removed_node_cost_their_own_cells_alone(
    bench_command: Any, cluster: SimulatedCluster, on_ray: tuple[str, ...]
) -> None:
    cluster.add(cpus=2)
    begun = bench_command.folder / "begun"
    slow = ("-m", "slow", "-t", TASK, "--limit", "30", "--set", f"slow.marker={begun}", "--cpus", "2")
    env = dying(bench_command)
    for end_it in ("worker", "node"):
        process = bench_command.start("run", *slow, *on_ray, env=env)
        wait_until(lambda: begun.exists() and begun.read_text() != "", 300)  # a busy machine starts a worker in 20 s
        cell = int(begun.read_text())
        if end_it == "worker":
            os.kill(parent_of(cell), signal.SIGKILL)  # Ray's worker, of this cluster and no other
        else:
            cluster.remove()
        out, err = process.communicate(timeout=300)
        assert process.returncode == 1, f"{out}\n{err}"
        assert "slow" in err
        assert "failed. BenchError: its process was lost: " in err
        wait_until(lambda cell=cell: not is_running(cell), 300)
        begun.unlink()


def test_two_drivers_of_one_command_make_each_run_once(bench_command: Any, on_ray: tuple[str, ...]) -> None:
    small = ("run", "-m", "fse", "-m", "random", "-t", TASK, "--limit", "30", "--set", "fse.epochs=1", *on_ray)
    both = [bench_command.start(*small) for _ in range(2)]
    for process in both:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, f"{out}\n{err}"
        assert "[2 of 2]" in err
    folder = bench_command.folder / "runs"
    assert len(predictions(folder)) == 2
    assert len(list(folder.glob("checkpoints/*"))) == 1


def test_who_asks_twice_to_stop_does_not_wait(bench_command: Any, on_ray: tuple[str, ...]) -> None:
    assert "Traceback" not in stops_at_the_second_ctrl_c_and_goes_on(bench_command, *on_ray)


def test_a_node_whose_disk_is_full_costs_a_try(bench_command: Any, on_ray: tuple[str, ...]) -> None:
    has_a_full_disk_said_and_tried_elsewhere(bench_command, "could not leave word: cannot write ", *on_ray)


def test_what_a_node_lacks_is_said_before_anything_starts(bench_command: Any, on_ray: tuple[str, ...]) -> None:
    site = install(bench_command.folder / "site", Path(__file__).with_name("toy_values.py"), "toy-values")
    env = {"PYTHONPATH": found_in(site)}
    _, err = ran(bench_command, "run", "-m", "random", "-t", TASK, *on_ray, env=env, exit_code=3)
    assert "cannot run these cells: fail cells: the cells were planned with toy-values 1.0" in " ".join(err.split())
    assert not list(bench_command.folder.glob("runs/*/result.json"))


def test_no_cluster_is_one_line(bench_command: Any) -> None:
    nowhere = ("--launcher", "ray", "--launcher-set", "address=127.0.0.1:1")
    _, err = ran(bench_command, "run", "-m", "random", "-t", TASK, *nowhere, exit_code=2)
    assert "--launcher ray: no cluster at the address '127.0.0.1:1' takes us. Start one by `ray start --head`" in err
