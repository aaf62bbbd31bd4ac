"""What runs cells is a plugin's; what is ready, what became of each and what is tried again is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cli.conftest import install

from bench.study.launchers.local import thread_variables

TASK = "anet-retrieval"
SMALL = ("run", "-m", "random", "-m", "count-only", "-t", TASK, "--limit", "20")


@pytest.fixture
def launched(bench_command: Any) -> Any:
    """Returns the command with the launchers of odd_launchers.py installed."""
    site = install(bench_command.folder / "site", Path(__file__).with_name("odd_launchers.py"), "odd-launchers")

    def run(*arguments: str, exit_code: int = 0) -> Any:
        return bench_command(*arguments, exit_code=exit_code, path=site)

    run.folder = bench_command.folder
    return run


def runs(folder: Path) -> list[Path]:
    return sorted(folder.glob("runs/*/result.json"))


def batches(folder: Path, launcher: str = "plain") -> list[list[dict[str, Any]]]:
    path = folder / "runs" / "cells" / launcher / "batches"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_cells_are_run_by_the_launcher_that_is_named(launched: Any) -> None:
    done = launched(*SMALL, "--launcher", "plain")
    assert "2 cells on plain" in done.stderr
    assert "[2 of 2]" in done.stderr
    assert len(runs(launched.folder)) == 2
    assert (launched.folder / "runs" / "cells" / "plain" / "closed").exists()
    again = launched(*SMALL, "--launcher", "plain")
    assert again.stderr.count("complete already") == 2


def test_a_cell_that_is_lost_is_tried_again_as_often_as_asked_and_else_listed_with_its_log(launched: Any) -> None:
    failed = launched(*SMALL, "--launcher", "losing", "--launcher-set", "times=2", "--retries", "1", exit_code=1)
    assert failed.stderr.count("failed. BenchError: its process was lost: its node is gone. Its log: ") == 2
    assert runs(launched.folder) == []
    launched(*SMALL, "--launcher", "losing", "--launcher-set", "times=2", "--retries", "1")
    assert len(runs(launched.folder)) == 2


def test_what_became_of_a_cell_is_read_from_its_record_whatever_the_launcher_says(
    launched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.study.launching.LATE", 0.1)
    lied = launched(*SMALL, "--launcher", "lying", exit_code=1)
    assert lied.stderr.count("failed. BenchError: its process left no result (a full disk?). Its log: ") == 2
    told = launched(*SMALL, "--launcher", "twice")
    assert "failed" not in told.stderr
    assert len(runs(launched.folder)) == 2


def test_cells_that_share_a_fit_wait_for_the_first_of_them(launched: Any) -> None:
    asked = ("-m", "fse", "-m", "random", "-t", TASK, "-t", f"{TASK}-val2", "--limit", "20", "--set", "fse.epochs=1")
    launched("run", *asked, "--launcher", "plain", "--cpus", "3", "--memory", "2")
    first, *later = batches(launched.folder)
    assert sorted((cell["model"], cell["task"]) for cell in first) == [
        *[("fse", TASK)],
        *[("random", TASK), ("random", f"{TASK}-val2")],
    ]
    assert [(cell["model"], cell["task"]) for batch in later for cell in batch] == [("fse", f"{TASK}-val2")]
    assert first[0]["needs"] == "3 cpus, 2 GB"
    assert len(list(launched.folder.glob("runs/checkpoints/*"))) == 1, "and they do share it"


def test_a_plan_says_what_is_done_what_shares_a_fit_and_what_each_cell_needs(launched: Any) -> None:
    asked = ("-m", "fse", "-m", "random", "-t", TASK, "-t", f"{TASK}-val2", "--limit", "20", "--set", "fse.epochs=1")
    launched("run", "-m", "random", "-t", TASK, "--limit", "20", "--launcher", "plain")
    table = launched("plan", *asked, "--seeds", "0,1", "--gpus", "1").stdout
    rows = [line.split() for line in table.splitlines() if " anet-" in line]
    fits = [(row[2], row[5], row[6]) for row in rows if row[2] == "fse"]
    assert fits == [("fse", "0", "1"), ("fse", "1", "2")] * 2, table
    assert [(row[2], row[-1]) for row in rows if row[-1] != "left"] == [("random", "done")]
    assert len(rows) == 8
    assert all(row[-5:-1] == ["1", "cpu,", "1", "gpu"] for row in rows), table
    assert "\n8 cells: 7 left, 1 done; 2 fits, each made once" in table


def test_what_a_machine_lacks_is_said_before_anything_starts(launched: Any) -> None:
    said = launched(*SMALL, "--launcher", "elsewhere", exit_code=3).stderr
    assert "node7 cannot run these cells: fail  cells: the cells were planned with mine 2.0; here it is 1.0" in said
    assert batches(launched.folder, "elsewhere") == []


def test_cells_planned_with_another_release_are_refused(launched: Any) -> None:
    launched("plan", "-m", "random", "-t", TASK, "--limit", "20", "--write", "cells.json")
    assert "1 of cells.json can be run on" in launched("doctor", "--cells", "cells.json").stdout
    path = launched.folder / "cells.json"
    value = json.loads(path.read_text())
    assert value["installed"]["odd-launchers"] == "1.0"
    path.write_text(json.dumps(value | {"installed": value["installed"] | {"odd-launchers": "2.0", "other": "1"}}))
    said = launched("run", "--cells", "cells.json", exit_code=3).stderr
    assert "planned with odd-launchers 2.0; here it is 1.0" in said
    assert "planned with odd-launchers 2.0" in launched("doctor", "--cells", "cells.json", exit_code=1).stdout
    assert runs(launched.folder) == []


def test_ctrl_c_stops_the_launcher_and_the_same_command_goes_on(launched: Any) -> None:
    said = launched(*SMALL, "--launcher", "stopped", exit_code=130).stderr
    assert "the same command goes on" in said
    own = launched.folder / "runs" / "cells" / "stopped"
    assert (own / "stopped").exists()
    assert (own / "closed").exists()


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("--launcher", "plian"), 3, "unknown launcher 'plian'. Did you mean 'plain'"),
        (("--launcher", "failing"), 3, "launcher 'failing' failed: OSError: the queue is closed"),
        (("--launcher", "absent"), 3, "launcher 'absent' cannot start: No module named 'no_such_engine'. Install it: "),
        (("--launcher", "plain", "--launcher-set", "tims=3"), 2, "launcher 'plain' has no setting 'tims'"),
        (("--launcher", "plain", "--launcher-set", "times"), 2, "--launcher-set 'times': is no KEY=VALUE"),
        (("--launcher-set", "times=3"), 2, "--launcher-set without --jobs or --launcher"),
        (("--cpus", "3"), 2, "--cpus with the launcher local"),
        (("--launcher", "plain", "--no-resume"), 2, "--no-resume with --jobs or --launcher"),
    ],
)
def test_what_cannot_be_is_refused(launched: Any, arguments: tuple[str, ...], exit_code: int, words: str) -> None:
    assert words in launched(*SMALL, *arguments, exit_code=exit_code).stderr
    assert runs(launched.folder) == []


def test_launchers_are_listed_with_their_settings(launched: Any) -> None:
    assert "plain" in launched("list", "launchers").stdout
    assert "  times: 1 — how often each cell is lost" in launched("info", "plain").stdout


def test_a_study_is_run_by_a_launcher_and_says_what_its_cells_need(launched: Any) -> None:
    value = {"version": 1, "models": ["random"], "tasks": [TASK], "seeds": [0, 1], "limit": 20, "output": "runs"}
    study = launched.folder / "study.yaml"
    study.write_text(yaml.safe_dump(value | {"resources": {"cpus": 2, "gpus": 1}}))
    assert "2 cells: 2 left" in launched("study", "run", "study.yaml", "--dry-run").stdout
    assert runs(launched.folder) == []
    launched("study", "run", "study.yaml", "--launcher", "plain", "--cpus", "4")
    assert [cell["needs"] for batch in batches(launched.folder) for cell in batch] == ["4 cpus, 1 gpu"] * 2
    assert (launched.folder / "runs" / "cells" / "plain" / "needs").read_text() == "4 cpus, 1 gpu"
    assert "2 cells: 2 done" in launched("study", "run", "study.yaml", "--dry-run").stdout
    study.write_text(yaml.safe_dump(value | {"resources": {"cpu": 2}}))
    assert "resources.cpu: unknown key" in launched("study", "status", "study.yaml", exit_code=2).stderr


def test_threads_that_a_user_set_are_those_of_every_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    numbers = {"OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "2", "MKL_NUM_THREADS": "3"}
    assert thread_variables(8) == numbers, "torch takes what MKL_NUM_THREADS says over OMP_NUM_THREADS"
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert thread_variables(8) == {"OMP_NUM_THREADS": "8", "OPENBLAS_NUM_THREADS": "2", "MKL_NUM_THREADS": "8"}
