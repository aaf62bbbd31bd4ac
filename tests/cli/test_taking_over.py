"""Runs without flock: one whose machine is dead or asleep is taken over from, and nothing is lost or spoilt."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import forking
import pytest
from cli.small_runs import RUN, TASK, left_over, outcome

from bench.locks import lease


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, bench_in: Any) -> Any:
    folder = tmp_path_factory.mktemp("undisturbed")
    bench_in(folder)(*RUN, TASK)
    return outcome(folder)


@pytest.fixture(autouse=True)
def without_flock(monkeypatch: pytest.MonkeyPatch) -> None:
    """No flock, no hard links, and leases that a test can wait for."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr("fcntl.flock", refuse)
    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(lease, "LEASE", 2.0)
    monkeypatch.setattr(lease, "BEAT", 0.1)


def wait_until(holds: Callable[[], bool], fork: forking.Fork) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline, fork.said
        time.sleep(0.005)


@pytest.fixture
def halted(tmp_path: Path) -> Iterator[forking.Fork]:
    """A run that has been halted while it fits."""
    first = forking.start(tmp_path, *RUN, TASK)
    wait_until(lambda: "fitting fse" in first.said, first)
    os.kill(first.process, signal.SIGSTOP)
    yield first
    if first.process:
        first.kill(0)


def test_a_run_of_a_dead_machine_is_taken_over(tmp_path: Path, halted: forking.Fork, undisturbed: Any) -> None:
    halted.kill(0)
    for claim in tmp_path.rglob(".lock.*"):
        process, host, _, *rest = claim.read_text().splitlines()
        claim.write_text("\n".join([process, host, "another machine", *rest, ""]))

    second = forking.start(tmp_path, *RUN, TASK)

    assert second.wait() == 0, second.said
    assert f"waiting for process {halted.process} on " in second.said
    assert f"nothing was heard of process {halted.process} on " in second.said
    assert outcome(tmp_path) == undisturbed
    assert left_over(tmp_path) == []
    halted.process = 0


@pytest.mark.parametrize("woken", ["while the other fits", "when the other is done"])
def test_a_run_that_slept_through_its_lease_takes_what_the_other_made(
    tmp_path: Path, halted: forking.Fork, undisturbed: Any, woken: str
) -> None:
    second = forking.start(tmp_path, *RUN, TASK)
    if woken == "while the other fits":
        wait_until(lambda: "fitting fse" in second.said, second)
        os.kill(halted.process, signal.SIGCONT)
        assert second.wait() == 0, second.said
    else:
        assert second.wait() == 0, second.said
        os.kill(halted.process, signal.SIGCONT)

    assert halted.wait() == 0, halted.said
    halted.process = 0
    assert "another process took over, as nothing was heard of this one" in halted.said
    assert "Traceback" not in halted.said + second.said
    assert outcome(tmp_path) == undisturbed
    assert left_over(tmp_path) == []


def test_of_two_drivers_of_the_same_cells_one_dies_while_it_fits(tmp_path: Path) -> None:
    cells = (*RUN, TASK, "-t", f"{TASK}-val2", "--seeds", "0,1")
    first = forking.start(tmp_path, *cells)
    wait_until(lambda: "fitting fse" in first.said, first)
    second = forking.start(tmp_path, *cells)
    first.kill(0)

    assert second.wait() == 0, second.said
    assert second.said.count("fitting fse") <= 2, "one fit for each seed"
    assert len(list(tmp_path.glob("out/*/result.json"))) == 4
    assert len(list(tmp_path.glob("out/checkpoints/*/model.safetensors"))) == 2
    assert left_over(tmp_path) == []
