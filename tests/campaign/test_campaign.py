"""A sample of every phase of the campaign, each in a process of its own; and the campaign's own promises."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from random import Random

import pytest
from all_phases import PHASES
from figures import BEGIN, END, PAGE, rows_of, write
from journal import Journal
from phases import Attempt, Outcome, Phase
from working import carry_out

SAMPLED = [phase for phase in PHASES.values() if phase.sample]


@pytest.mark.parametrize("phase", SAMPLED, ids=lambda phase: phase.name)
def test_a_sample_of_each_phase_finds_no_fault(phase: Phase, tmp_path: Path) -> None:
    if lacking := phase.lacks():
        pytest.skip(f"not run {lacking}")
    journal = done(phase, tmp_path, phase.sample)

    assert journal.faults == {}
    assert journal.hits >= phase.sample


def done(phase: Phase, folder: Path, size: int, minutes: float = 5) -> Journal:
    return carry_out(phase, Journal.of(folder, phase.name, 1), size, time.monotonic() + 60 * minutes)


def phase_of(attempt: Attempt, longest: int = 60) -> Phase:
    return Phase("toy", "nothing", 4, 4, lambda folder: attempt, longest=longest)


def test_a_phase_goes_on_where_it_was_stopped_with_the_same_dice(tmp_path: Path) -> None:
    def attempt(number: int, random: Random) -> Outcome:
        (tmp_path / f"{number}-{random.random()}").touch()
        return Outcome()

    phase = phase_of(attempt)
    assert done(phase, tmp_path / "halves", 2).figures["hits"] == "2"
    assert done(phase, tmp_path / "halves", 4).figures["hits"] == "4"
    made = {path.name for path in tmp_path.glob("[0-9]-*")}
    assert len(made) == 4
    done(phase, tmp_path / "at-once", 4)
    assert {path.name for path in tmp_path.glob("[0-9]-*")} == made


def test_a_process_that_dies_or_says_nothing_costs_one_attempt_and_is_a_fault(tmp_path: Path) -> None:
    def attempt(number: int, random: Random) -> Outcome:
        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 2:
            time.sleep(60)
        return Outcome()

    journal = done(phase_of(attempt, longest=1), tmp_path, 4)
    assert len(journal.lines) == 4
    assert journal.faults == {1: "the process ended with -9", 2: "no answer within 1 s"}


def test_a_fault_is_kept_with_the_command_that_repeats_it(tmp_path: Path) -> None:
    def attempt(number: int, random: Random) -> Outcome:
        return Outcome(1, "it is wrong" if number == 1 else "", {"a/file.bin": b"content"})

    assert done(phase_of(attempt), tmp_path, 3).faults == {1: "it is wrong"}
    [kept] = (tmp_path / "faults").iterdir()
    assert (kept / "file.bin").read_bytes() == b"content"
    assert (kept / "fault.txt").read_text() == "python tests/campaign toy --seed 1 --only 1\n\nit is wrong\n"


def test_what_an_attempt_raises_is_a_fault(tmp_path: Path) -> None:
    def attempt(number: int, random: Random) -> Outcome:
        raise KeyError("there")

    assert "KeyError: 'there'" in done(phase_of(attempt), tmp_path, 1).faults[0]


def test_a_phase_that_cannot_be_prepared_is_told(tmp_path: Path) -> None:
    def broken(folder: Path) -> Attempt:
        raise RuntimeError("no flour")

    with pytest.raises(SystemExit, match="toy: cannot be prepared"):
        done(Phase("toy", "nothing", 1, 1, broken), tmp_path, 1)


def test_figures_replace_those_of_the_same_phase_and_leave_the_others(tmp_path: Path) -> None:
    page, toy = tmp_path / "page.md", phase_of(lambda number, random: Outcome())
    other = Phase("other", "something else", 1, 1, toy.prepare)
    page.write_text(f"Before.\n\n{BEGIN}{END}\nAfter.\n")
    phases = {"toy": toy, "other": other}
    for phase, size in ((toy, 2), (other, 1), (toy, 4)):
        write([done(phase, tmp_path / "journals", size)], phases, page)

    text = page.read_text()
    rows = rows_of(text)
    assert {name: row["hits"] for name, row in rows.items()} == {"toy": "4", "other": "1"}
    assert text.startswith("Before.")
    assert text.endswith("After.\n")
    assert "- `other` (1): something else." in text


def test_the_page_has_a_row_of_every_phase_that_was_run() -> None:
    assert set(rows_of(PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0])) == set(PHASES)
