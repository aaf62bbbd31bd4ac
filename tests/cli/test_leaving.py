"""How a command leaves where the machine fails it: a full disk, a deleted folder, too little memory. One line each."""

import os
import subprocess
import sys
from pathlib import Path

import forking
import pytest

FULL = Path("/dev/full")  # every write to it fails as on a full disk


def into_full(descriptor):
    return lambda: os.dup2(os.open(FULL, os.O_WRONLY), descriptor)


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("list", "models"),
        ("info", "hse", "--json"),
        ("data", "verify"),
        ("run", "--help"),
        ("run", "-m", "random", "-t", "anet-retrieval", "--json"),
        ("plugin", "list"),
    ],
)
def test_output_that_cannot_be_written_is_one_line_and_exit_code_1(tmp_path, arguments):
    fork = forking.start(tmp_path, *arguments, first=into_full(1))

    assert fork.wait() == 1, fork.said
    last = fork.said.splitlines()[-1]
    assert last.startswith("SaveError: the output cannot be written: No space left on device. Free space")
    assert "Traceback" not in fork.said
    if arguments[0] == "run" and "--json" in arguments:
        assert list(tmp_path.glob("runs/*/result.json"))


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("arguments", "code"), [(("lst",), 2), (("info", "nothing"), 3), (("run", "-m", "random"), 2), (("--version",), 0)]
)
def test_a_reason_that_nobody_hears_keeps_its_exit_code(tmp_path, arguments, code):
    assert forking.start(tmp_path, *arguments, first=into_full(2)).wait() == code


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_the_interpreter_adds_nothing_when_it_ends(tmp_path):
    command = [sys.executable, "-m", "bench", "list", "tasks"]
    with FULL.open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr.splitlines() == [done.stderr.strip()]
    assert done.stderr.startswith("SaveError")


@pytest.mark.parametrize(
    "arguments", [("list", "models"), ("run", "-m", "random", "-t", "anet-retrieval"), ("doctor",), ("plugin", "list")]
)
def test_a_deleted_working_directory_is_one_line(tmp_path, arguments):
    gone = tmp_path / "gone"
    gone.mkdir()

    fork = forking.start(gone, *arguments, first=gone.rmdir)

    assert fork.wait() == 2, fork.said
    assert fork.said.startswith("UsageError: the working directory has been deleted. Go to one that exists")
    assert len(fork.said.splitlines()) == 1


def test_help_needs_no_working_directory(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()

    assert forking.start(gone, "--help", first=gone.rmdir).wait() == 0


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("TooLarge", "trying to predict. Use --batch-size 32 or lower (now 64)"),
        ("TooLargeToTrain", "trying to fit. Use --set batch=8 or lower (now 16)"),
        ("TooLargeToLoad", "trying to load. Use smaller settings (`bench info TooLargeToLoad` lists them)"),
    ],
)
def test_a_model_that_needs_too_much_memory_is_told_what_to_make_smaller(bench_command, outside, model, says):
    more = ("--set", "batch=16") if model == "TooLargeToTrain" else ()
    run = ("run", "-m", model, "-t", "anet-retrieval", *more)

    last = bench_command(*run, exit_code=3, path=outside).stderr.strip().splitlines()[-1]

    assert last.startswith("ModelError:")
    assert says in last


def test_a_model_that_needs_too_much_memory_stops_no_other(bench_command, outside):
    run = ("run", "-m", "TooLarge", "-m", "Honest", "-t", "anet-retrieval")

    assert "1 of 2 runs failed" in bench_command(*run, exit_code=5, path=outside).stderr


def test_too_little_memory_for_scoring_is_one_line_and_keeps_the_predictions(bench_command, monkeypatch):
    def too_much(*_, **__):
        raise MemoryError("Unable to allocate 7.00 TiB for an array")

    monkeypatch.setattr("bench.tasks.retrieval.ParagraphVideoRetrieval.score", too_much)

    done = bench_command("run", "-m", "random", "-t", "anet-retrieval", exit_code=1)

    last = done.stderr.strip().splitlines()[-1]
    assert "memory was not enough to load or to score (Unable to allocate 7.00 TiB for an array)" in last
    assert "--limit" in last
    assert list(bench_command.folder.glob("runs/*/predictions*"))


def test_too_little_memory_anywhere_else_is_one_line(bench_command, monkeypatch):
    def too_much(*_, **__):
        raise MemoryError

    monkeypatch.setattr("bench.catalogue.lookup.Session.__init__", too_much)

    done = bench_command("data", "verify", exit_code=1)

    assert done.stderr.splitlines() == [done.stderr.strip()]
    assert done.stderr.startswith("MemoryError: there is too little memory. Use fewer videos (--limit)")
