"""Models that score pairs run through the command line: tiles are kept when one dies, bad answers are one line."""

import json
import signal
import time
from pathlib import Path

import pytest
from cli.conftest import install


@pytest.fixture
def scorers(tmp_path):
    """Returns a folder in which the models of scoring_models.py are installed."""
    return install(tmp_path / "site", Path(__file__).with_name("scoring_models.py"), "scoring-models")


def run(bench, model, site, *more, exit_code=0):
    arguments = ("run", "-m", model, "-t", "anet-retrieval", "--limit", "100", "--json", *more)
    return bench(*arguments, exit_code=exit_code, path=site)


def test_a_scoring_that_died_goes_on_from_its_tiles_to_equal_numbers(bench_command, bench_in, tmp_path, scorers):
    (bench_command.folder / "die").touch()
    done = run(bench_command, "Counts", scorers, exit_code=3)
    assert "killed in the third tile" in done.stderr
    assert len(list(bench_command.folder.glob("runs/*/tiles/*.safetensors"))) == 2

    (bench_command.folder / "die").unlink()
    record = json.loads(run(bench_command, "Counts", scorers).stdout)[0]

    assert (bench_command.folder / "asked").read_text() == "tile\n" * 4, "a finished tile was computed again"
    assert not list(bench_command.folder.glob("runs/*/tiles"))
    (tmp_path / "other").mkdir()
    whole = json.loads(run(bench_in(tmp_path / "other"), "Counts", scorers).stdout)[0]
    assert record["measurements"] == whole["measurements"]
    assert record["predictions"]["sha256"] == whole["predictions"]["sha256"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_scoring_that_was_killed_goes_on_from_its_tiles(bench_command, scorers, number):
    (bench_command.folder / "wait").touch()
    arguments = ("run", "-m", "Counts", "-t", "anet-retrieval", "--limit", "100", "--json")
    process = bench_command.start(*arguments, env={"PYTHONPATH": str(scorers)})
    deadline = time.monotonic() + 120
    while len(list(bench_command.folder.glob("runs/*/tiles/*.safetensors"))) < 2 and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(number)
    process.communicate(timeout=120)
    assert process.returncode == (130 if number == signal.SIGTERM else -number)

    (bench_command.folder / "wait").unlink()
    run(bench_command, "Counts", scorers)

    assert (bench_command.folder / "asked").read_text() == "tile\n" * 4, "a finished tile was computed again"


def test_scores_rank_as_the_control_that_knows_the_same(bench_command, scorers):
    record = json.loads(run(bench_command, "Scored", scorers, "-m", "count-only").stdout)
    scored, control = ({m["name"]: m["value"] for m in one["measurements"]} for one in record)
    assert scored["t2v/R@1"] == pytest.approx(control["t2v/R@1"])
    assert record[0]["model"]["provides"] == ["VideoTextScorer"]
    assert record[0]["signature"] == record[1]["signature"]


def test_saved_scores_are_scored_again(bench_command, scorers):
    run(bench_command, "Counts", scorers)
    (folder,) = bench_command.folder.glob("runs/Counts--*")
    done = bench_command("rescore", folder, path=scorers)
    assert "the same when scored again" in done.stderr


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("NotANumber", "NaN or infinity"),
        ("WrongShape", "expected (64, 64)"),
        ("Neither", "declares VideoTextEncoder, VideoTextScorer but"),
    ],
)
def test_a_faulty_scorer_is_one_line_and_exit_code_3(bench_command, scorers, model, says):
    done = run(bench_command, model, scorers, exit_code=3)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ModelError:")
    assert says in last
    assert not list(bench_command.folder.glob("runs/*/result.json"))


@pytest.mark.parametrize("model", ["s2vt", "dense"])
@pytest.mark.parametrize("score", ["embedding", "likelihood"])
def test_the_retrievers_by_captioning_run_on_the_sample(bench_command, model, score):
    sizes = [f"--set={key}={value}" for key, value in {"hidden": 8, "word_dim": 8, "epochs": 1}.items()]
    command = ("run", "-m", model, "-t", "anet-retrieval", "--limit", "40", f"--set=score={score}", *sizes, "--json")
    record = json.loads(bench_command(*command).stdout)[0]
    assert record["model"]["settings"]["score"] == score
    assert ("VideoTextScorer" in record["model"]["provides"]) == (score == "likelihood")
    bench_command("rescore", next(bench_command.folder.glob("runs/*--s0--*")))
