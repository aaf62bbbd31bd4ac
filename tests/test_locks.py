"""One process at a time: who waits, for whom, and what a killed process leaves."""

import errno
import os
import signal
import threading

import pytest

from bench.errors import Interrupted, SaveError
from bench.locks import LOCK, held


def test_it_is_held_by_one_at_a_time(tmp_path):
    path, inside, most = tmp_path / "run" / LOCK, [], []

    def work():
        with held(path):
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == [1] * 6


def test_who_waits_is_told_for_whom_and_can_be_asked_to_stop(tmp_path):
    said, path = [], tmp_path / LOCK

    with (
        held(path),
        pytest.raises(Interrupted, match="Nothing is lost"),
        held(path, said.append, stop_requested=lambda: bool(said)),
    ):
        pytest.fail("the lock was given twice")

    [line] = said
    assert f"waiting for process {os.getpid()} on " in line


def test_a_killed_process_holds_nothing(tmp_path):
    path, said = tmp_path / LOCK, []
    ready, tell = os.pipe()
    process = os.fork()
    if not process:
        with held(path):
            os.write(tell, b"1")
            signal.pause()
    os.read(ready, 1)
    os.kill(process, signal.SIGSTOP)

    with pytest.raises(Interrupted), held(path, said.append, stop_requested=lambda: bool(said)):
        pytest.fail("the lock was given twice")
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    with held(path):
        pass

    assert f"process {process} on " in said[0]
    os.close(ready)
    os.close(tell)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK])
def test_without_flock_a_lease_is_the_lock(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    path, said = tmp_path / LOCK, []

    with held(path), pytest.raises(Interrupted), held(path, said.append, stop_requested=lambda: bool(said)):
        pytest.fail("the lock was given twice")

    assert f"process {os.getpid()} on " in said[0]
    assert "once nothing is heard of it for 2 minutes, this one goes on in its place" in said[0]
    assert [one.name for one in tmp_path.glob(f"{LOCK}.*")] == [f"{LOCK}.2.free"]


def test_a_folder_where_no_lock_can_be_is_one_line(tmp_path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(SaveError, match="cannot write"), held(tmp_path / "file" / LOCK):
        pytest.fail("there is no such folder")
