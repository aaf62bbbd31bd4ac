"""The same command started several times at once: one works, the others wait, reuse what it made, and say so."""

import json
import os
import signal
import time

import forking
import pytest
from cli.small_runs import RUN, TASK, left_over, outcome


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, bench_in):
    folder = tmp_path_factory.mktemp("undisturbed")
    bench_in(folder)(*RUN, TASK)
    return outcome(folder)


def at_once(folder, count):
    forks = [forking.start(folder, *RUN, TASK) for _ in range(count)]
    codes = [fork.wait() for fork in forks]
    said = [fork.said for fork in forks]
    assert codes == [0] * count, "\n".join(said)
    assert sum("fitting fse" in text for text in said) == 1
    assert sum("reusing it" in text for text in said) == count - 1
    assert all("waiting for process" in text or "already complete" in text for text in said if "reusing" in text)
    assert outcome(folder) is not None
    assert left_over(folder) == []


def test_eight_at_once_fit_once(tmp_path, undisturbed):
    at_once(tmp_path, 8)
    assert outcome(tmp_path) == undisturbed


def test_two_tasks_that_share_a_checkpoint_train_once(tmp_path):
    forks = [forking.start(tmp_path, *RUN, task) for task in (TASK, f"{TASK}-val2")]

    assert [fork.wait() for fork in forks] == [0, 0], "\n".join(fork.said for fork in forks)
    said = "\n".join(fork.said for fork in forks)
    assert said.count("fitting fse") == 1, said
    assert said.count("fitted before") == 1, said
    assert len(list(tmp_path.glob("out/checkpoints/*/model.safetensors"))) == 1
    assert len(list(tmp_path.glob("out/*/result.json"))) == 2


def test_runs_that_reuse_nothing_have_folders_of_their_own(tmp_path, undisturbed):
    forks = [forking.start(tmp_path, *RUN, TASK, "--no-resume") for _ in range(3)]

    assert [fork.wait() for fork in forks] == [0, 0, 0], "\n".join(fork.said for fork in forks)
    records = [json.loads(path.read_text()) for path in tmp_path.glob("out/*/result.json")]
    assert len({record["run"] for record in records}) == 3
    assert [record["measurements"] for record in records] == [undisturbed[0]] * 3


def wait_until(holds, fork):
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, fork.said
        time.sleep(0.005)


@pytest.fixture
def halted(tmp_path):
    """Returns a run that has been halted while it fits, and so holds its locks."""
    first = forking.start(tmp_path, *RUN, TASK)
    wait_until(lambda: "fitting fse" in first.said, first)
    os.kill(first.process, signal.SIGSTOP)
    yield first
    if first.process:
        first.kill(0)


def test_who_waits_says_for_whom_and_goes_on_where_a_killed_process_was(tmp_path, halted, undisturbed):
    second = forking.start(tmp_path, *RUN, TASK)
    wait_until(lambda: "waiting" in second.said, second)
    assert f"waiting for process {halted.process} on " in second.said

    halted.kill(0)
    halted.process = 0

    assert second.wait() == 0, second.said
    assert outcome(tmp_path) == undisturbed
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_wait_can_be_stopped(tmp_path, halted, number):
    second = forking.start(tmp_path, *RUN, TASK)
    wait_until(lambda: "waiting" in second.said, second)

    assert second.kill(0, number) == 130
    assert "Traceback" not in second.said
    assert "Interrupted" in second.said
