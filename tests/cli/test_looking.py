"""Commands that look, and the leaderboard from the command line."""

import json
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def finished(bench_command, control_runs):
    """Returns a copy of one finished run's folder."""
    source = next(path.parent for path in control_runs.glob("*/result.json"))
    folder = bench_command.folder / "runs" / source.name
    shutil.copytree(source, folder)
    return folder


def test_the_doctor_finds_nothing_wrong_here(bench_command):
    shown = bench_command("doctor").stdout

    assert "fail" not in shown
    for name in ("python", "torch", "java", "configuration", "plugins", "runs folder"):
        assert f"ok    {name}:" in shown
    assert not (bench_command.folder / "runs").exists()


def test_the_doctor_reports_a_broken_configuration(bench_command):
    (bench_command.folder / "bench.yaml").write_text("version: 7\n")

    assert "fail  configuration:" in bench_command("doctor", exit_code=1).stdout


def test_runs_are_listed_with_what_they_took(bench_command, finished):
    made = json.loads((finished / "result.json").read_text())["provenance"]
    spent = made["spent"]
    assert spent["tokens_in"] is spent["cost"] is None
    (listed,) = json.loads(bench_command("list", "runs", "--spent", "--json").stdout)
    assert list(listed)[3:-1] == ["fit s", "predict s", "host MiB", "GPU MiB", "tokens in", "tokens out", "cost"]
    host = spent["peak_memory"].get("host")  # Linux tells
    assert listed["host MiB"] == ("–" if host is None else f"{host:,}")
    assert float(listed["predict s"]) == pytest.approx(made["seconds"]["predict"], abs=0.05 + 1e-9)
    assert listed["cost"] == "–"
    assert "are of the machine that ran it" in bench_command("list", "runs", "--spent").stdout


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells")
def test_the_most_memory_is_that_since_it_was_last_watched():
    from bench.runs.provenance import peak_memory, watch_memory

    held = bytearray(b"1" * (200 << 20))
    del held
    before = peak_memory("cpu")["host"]
    watch_memory("cpu")
    assert before - peak_memory("cpu")["host"] > 50


def test_runs_are_listed_finished_unfinished_and_unreadable(bench_command, finished):
    for name, record in (("stopped", None), ("broken", "{}")):
        folder = finished.with_name(name)
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        if record:
            (folder / "result.json").write_text(record)

    listed = json.loads(bench_command("list", "runs", "--json").stdout)

    assert {row["run"]: row["status"] for row in listed} == {
        finished.name: "complete",
        "stopped": "unfinished",
        "broken": "unreadable",
    }


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("hse", "margin"),
        ("anet-retrieval", "Ties"),
        ("anet-retrieval:segments=none", "segments=none"),
        ("anet", "val_1"),
    ],
)
def test_info_tells_what_is_known_of_a_name(bench_command, name, says):
    assert says in bench_command("info", name).stdout


def test_a_run_added_twice_is_on_the_leaderboard_once(bench_command, finished):
    first = bench_command("leaderboard", "add", finished)
    again = bench_command("leaderboard", "add", finished)
    bench_command("leaderboard", "build")

    assert "scored again, added" in first.stdout
    assert "already" in again.stdout
    assert len(list(bench_command.folder.glob("leaderboards/results/anet-retrieval/*.check.json"))) == 1
    assert "random" in (bench_command.folder / "leaderboards" / "anet-retrieval.html").read_text()


def test_another_record_of_the_same_run_is_refused_and_spoils_nothing(bench_command, finished):
    bench_command("leaderboard", "add", finished)
    stored = {path: path.read_bytes() for path in bench_command.folder.glob("leaderboards/results/*/*")}
    path = finished / "result.json"
    record = json.loads(path.read_text())
    record["provenance"]["started"] = "2000-01-01T00:00:00Z"
    path.write_text(json.dumps(record))

    done = bench_command("leaderboard", "add", finished, exit_code=1)

    assert "never overwritten" in done.stderr
    assert {path: path.read_bytes() for path in stored} == stored


def test_a_limited_run_is_not_added(bench_command):
    bench_command("run", "-m", "random", "-t", "anet-retrieval", "--limit", "20")
    folder = next(bench_command.folder.glob("runs/*/result.json")).parent

    assert "never ranked" in bench_command("leaderboard", "add", folder, exit_code=2).stderr


def test_a_leaderboard_without_results_says_where_they_come_from(bench_command):
    assert "no such folder" in bench_command("leaderboard", "build", exit_code=2).stderr
