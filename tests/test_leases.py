"""Leases: whose sign of life counts, who takes over, and how an owner that was only asleep finds out. No flock here."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import Interrupted, TakenOver
from bench.locks import LOCK, held
from bench.locks import door as doors
from bench.locks import lease as leases
from bench.locks.owner import Owner

HOUR = 3600
ELSEWHERE = "4711\nnode7\nanother-machine\n99\ntoken\n"
"""The claim of a process of another machine."""


@pytest.fixture(autouse=True)
def without_flock(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", refuse)
    monkeypatch.setattr(doors, "POLL", 0.002)
    monkeypatch.setattr(os, "link", refuse)


class Clock:
    """This process's own clock, which jumps at each look at a lock; `at_each` happens before."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
        self.now, self.jump, self.looks, self.at_each = 0.0, jump, 0, lambda: None
        monkeypatch.setattr(leases.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(doors.time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.looks += 1
        self.now += self.jump
        self.at_each()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, jump=leases.LEASE / 4)


def claims(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(f"{LOCK}.*"))


def in_fork(work: Callable[[Callable[[], None]], None]) -> int:
    """Runs `work` in a fork and returns its process once it has called what it is given."""
    ready, tell = os.pipe()
    process = os.fork()
    if not process:
        code = 1
        try:
            work(lambda: os.write(tell, b"1") and None)
            code = 0
        finally:
            os._exit(code)
    os.close(tell)
    os.read(ready, 1)
    os.close(ready)
    return process


def holding(path: Path) -> int:
    """Returns a process that holds a lock until it is killed."""

    def work(tell: Callable[[], None]) -> None:
        with held(path):
            tell()
            signal.pause()

    return in_fork(work)


def ended(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def shift(path: Path, seconds: float) -> None:
    """Sets when a file was touched by a clock that is wrong by so much."""
    os.utime(path, (time.time() + seconds,) * 2)


def test_many_processes_want_one_lock_and_each_works_alone(tmp_path: Path) -> None:
    path, journal = tmp_path / LOCK, tmp_path / "journal"

    def work(tell: Callable[[], None]) -> None:
        tell()
        for _ in range(5):
            with held(path) as hold, journal.open("a") as lines:
                lines.write(f"{os.getpid()} in\n")
                lines.flush()
                hold.check()
                lines.write(f"{os.getpid()} out\n")

    doors_open = [in_fork(work) for _ in range(8)]

    assert [ended(process) for process in doors_open] == [0] * 8
    lines = journal.read_text().split("\n")[:-1]
    assert len(lines) == 80
    for first, second in zip(lines[::2], lines[1::2], strict=True):
        assert first.replace(" in", " out") == second
    assert claims(tmp_path) == [f"{LOCK}.80.free"]


def test_many_processes_take_over_from_one_that_was_killed_and_one_gets_it(tmp_path: Path) -> None:
    path, journal = tmp_path / LOCK, tmp_path / "journal"
    owner = holding(path)
    os.kill(owner, signal.SIGKILL)
    ended(owner)
    assert claims(tmp_path) == [f"{LOCK}.1"]

    def work(tell: Callable[[], None]) -> None:
        tell()
        with held(path), journal.open("a") as lines:
            lines.write("in\n")
            lines.flush()
            lines.write("out\n")

    waiting = [in_fork(work) for _ in range(8)]

    assert [ended(process) for process in waiting] == [0] * 8
    assert journal.read_text() == "in\nout\n" * 8


def test_a_claim_of_a_process_whose_number_another_has_now_is_over(tmp_path: Path) -> None:
    here = Owner.here()
    recycled = Owner(here.process, here.host, here.machine, here.started + "0", "token")
    (tmp_path / f"{LOCK}.3").write_text(recycled.written())

    with held(tmp_path / LOCK) as hold:
        assert claims(tmp_path) == [f"{LOCK}.4"]
        assert not hold.waited


@pytest.mark.parametrize("wrong", [-HOUR, 0, HOUR])
def test_signs_of_life_keep_a_lease_whatever_the_other_clock_shows(tmp_path: Path, clock: Clock, wrong: float) -> None:
    claim, said = tmp_path / f"{LOCK}.1", []
    claim.write_text(ELSEWHERE)

    def beat() -> None:
        if clock.looks < 50:
            shift(claim, wrong + clock.looks)

    clock.at_each = beat
    with held(tmp_path / LOCK, said.append) as hold:
        assert hold.waited
        assert clock.looks >= 50, "it was alive"
        assert claims(tmp_path) == [f"{LOCK}.2"]

    waits, takes = said
    assert "waiting for process 4711 on node7, which works here; once nothing is heard of it for 2 minutes" in waits
    assert "nothing was heard of process 4711 on node7 for 2 minutes; this process goes on in its place" in takes


@pytest.mark.parametrize("content", ["", "4711\n", "\x00\xff", "process\non\nsome\nother\nhost\n"])
def test_a_claim_that_was_never_written_out_is_over_once_nobody_touches_it(
    tmp_path: Path, clock: Clock, content: str
) -> None:
    (tmp_path / f"{LOCK}.1").write_text(content)
    said: list[str] = []

    with held(tmp_path / LOCK, said.append):
        assert claims(tmp_path) == [f"{LOCK}.2"]

    assert "waiting for another process" in said[0]


def test_an_owner_gives_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BEAT", 0.001)
    with held(tmp_path / LOCK):
        shift(tmp_path / f"{LOCK}.1", -HOUR)
        before = (tmp_path / f"{LOCK}.1").stat().st_mtime
        while (tmp_path / f"{LOCK}.1").stat().st_mtime == before:
            time.sleep(0.001)


def test_an_owner_that_was_stopped_finds_out_before_it_writes(tmp_path: Path, clock: Clock) -> None:
    path, written = tmp_path / LOCK, tmp_path / "written"

    def work(tell: Callable[[], None]) -> None:
        with held(path) as hold:
            hold.check()
            tell()
            while not (tmp_path / "taken").exists():
                os.sched_yield()
            try:
                hold.check()
            except TakenOver as error:
                written.write_text(str(error))

    owner = in_fork(work)
    os.kill(owner, signal.SIGSTOP)
    with held(path) as hold:
        (tmp_path / "taken").touch()
        os.kill(owner, signal.SIGCONT)
        assert ended(owner) == 0
        assert "another process took over, as nothing was heard of this one" in written.read_text()
        hold.check()
        assert claims(tmp_path) == [f"{LOCK}.2"], "what the first let go was not its own any more"


def test_the_later_of_two_that_took_over_is_the_owner(tmp_path: Path) -> None:
    with held(tmp_path / LOCK) as first:
        (tmp_path / f"{LOCK}.2").write_text(ELSEWHERE)
        with pytest.raises(TakenOver):
            first.check()


def test_one_that_acts_on_what_it_saw_long_ago_gets_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{LOCK}.3").write_text(Owner(2**22 + 1, "", Owner.here().machine, "", "").written())
    real, late = os.open, []

    def creating(place: Path, flags: int, *rest: int) -> int:
        if not late and str(place).endswith(f"{LOCK}.4"):  # between its look and its claim two others worked here
            late.append(place)
            (tmp_path / f"{LOCK}.3").rename(tmp_path / f"{LOCK}.7.free")
        return real(place, flags, *rest)

    monkeypatch.setattr(os, "open", creating)
    with held(tmp_path / LOCK):
        assert claims(tmp_path) == [f"{LOCK}.8"]
    assert late


def test_who_waits_for_another_machine_can_stop(tmp_path: Path) -> None:
    (tmp_path / f"{LOCK}.1").write_text(ELSEWHERE)
    said: list[str] = []

    with pytest.raises(Interrupted), held(tmp_path / LOCK, said.append, stop_requested=lambda: bool(said)):
        pytest.fail("it was taken from a living process")

    assert claims(tmp_path) == [f"{LOCK}.1"]


def test_the_lease_of_another_machine_counts_where_flock_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fcntl.flock", lambda *_: None)  # as file systems do that lock on each machine alone
    (tmp_path / f"{LOCK}.1").write_text(ELSEWHERE)
    said: list[str] = []

    with pytest.raises(Interrupted), held(tmp_path / LOCK, said.append, stop_requested=lambda: bool(said)):
        pytest.fail("it was taken from a living process")
