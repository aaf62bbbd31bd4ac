"""Runs survive Ctrl-C, SIGTERM and SIGKILL: the same command goes on, and ends where an undisturbed run ends."""

import json
import signal
import time

import pytest

FIT = (
    "run",
    "-m",
    "fse",
    "-t",
    "anet-retrieval",
    "--limit",
    "150",
    "--set",
    "epochs=8",
    "--set",
    "hidden=32",
    "--checkpoint-every",
    "1e-9",  # after every batch
    "--json",
)


def numbers(done):
    record = json.loads(done.stdout)[0]
    return record["measurements"], record["predictions"]["sha256"]


def disturb(bench, number, after):
    """Starts a fit, sends a signal once `after(folder)` holds, and returns the exit code and what it said."""
    process = bench.start(*FIT)
    deadline = time.monotonic() + 120
    while process.poll() is None and not after(bench.folder) and time.monotonic() < deadline:
        time.sleep(0.01)
    for _ in range(2 if number == signal.SIGTERM else 1):  # as Slurm does where it takes a job's place
        process.send_signal(number)
    _, err = process.communicate(timeout=120)
    return process.returncode, err


def checkpointed(folder):
    return bool(list(folder.glob("runs/checkpoints/*/training.safetensors")))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, bench_in):
    return numbers(bench_in(tmp_path_factory.mktemp("undisturbed"))(*FIT))


def test_a_killed_fit_goes_on_and_ends_with_equal_numbers(bench_command, undisturbed):
    disturb(bench_command, signal.SIGKILL, checkpointed)
    assert not list(bench_command.folder.glob("runs/*/result.json"))

    done = bench_command(*FIT)

    assert numbers(done) == undisturbed
    assert not checkpointed(bench_command.folder), "an unfinished state is left beside the finished model"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_fit_saves_its_state_and_exits_130(bench_command, undisturbed, number):
    code, err = disturb(bench_command, number, lambda folder: bool(list(folder.glob("runs/*/log.txt"))))

    assert code == 130
    assert "Traceback" not in err
    assert not list(bench_command.folder.glob("runs/*/result.json"))
    assert numbers(bench_command(*FIT)) == undisturbed


def test_a_run_that_died_before_its_record_was_written_is_finished(bench_command, undisturbed):
    bench_command(*FIT)
    for name in ("result.json", "*.evidence.safetensors"):
        next(bench_command.folder.glob(f"runs/*/{name}")).unlink()

    assert numbers(bench_command(*FIT)) == undisturbed


def test_half_written_files_are_never_taken_for_whole_ones(bench_command):
    bench_command(*FIT)
    next(bench_command.folder.glob("runs/*/result.json")).unlink()
    checkpoint = next(bench_command.folder.glob("runs/checkpoints/*/model.safetensors"))
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])

    done = bench_command(*FIT, exit_code=4)

    assert "not a whole file written by bench" in done.stderr
    assert str(checkpoint.name) in done.stderr


def test_no_resume_fits_anew(bench_command):
    bench_command(*FIT)
    checkpoint = next(bench_command.folder.glob("runs/checkpoints/*/model.safetensors"))
    checkpoint.write_bytes(b"broken")

    bench_command(*FIT, "--no-resume")

    assert checkpoint.stat().st_size > 1000


def test_a_checkpoint_of_the_first_bf16_is_not_taken_for_one_of_today(bench_command):
    """On CUDA, bf16 once meant recurrences in float16; the key of a checkpoint tells the two apart."""
    for precision in ("bf16", "fp32"):
        bench_command("run", "-m", "fse", "-t", "anet-retrieval", "--limit", "8", "--precision", precision,
                      "--set", "hidden=4", "--set", "epochs=0")  # fmt: skip
    made = [json.loads(p.read_text()) for p in bench_command.folder.glob("runs/checkpoints/*/ingredients.json")]
    assert {ingredients["precision"] for ingredients in made} == {"fp32", "bf16/2"}
