"""`bench plugin check`: a report to paste, and an exit code."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.conftest import install

from bench.testing.report import CheckFailed, Finding, Report

CLI = Path(__file__).resolve().parents[1] / "cli"


def report(*findings: Finding) -> Report:
    return Report("mine", "mine-dist 1.0", ("vtbench 0.1.0", "Python 3.12"), findings)


PASSED = Finding("model mine", "order", "passed", "largest difference 0")
FAILED = Finding("model mine", "batch size", "failed", "a | b\n<script>")


def test_a_report_is_a_table_that_nothing_breaks_out_of():
    lines = report(PASSED, FAILED).markdown().splitlines()

    assert lines[0] == "### Plugin `mine` (mine-dist 1.0): 1 passed, 1 failed, 0 skipped"
    assert "| model mine | order | passed | largest difference 0 |" in lines
    assert lines[-1] == "| model mine | batch size | failed | a \\| b &lt;script> |"


def test_requiring_names_what_failed():
    report(PASSED).require()
    with pytest.raises(CheckFailed, match="'mine' failed 1 check: model mine: batch size: a"):
        report(PASSED, FAILED).require()


def test_the_controls_pass_and_the_report_can_be_kept(bench_command):
    done = bench_command("plugin", "check", "count-only", "--output", "report.md")

    assert done.stdout == (bench_command.folder / "report.md").read_text(encoding="utf-8")
    assert ", 0 failed, " in done.stdout.splitlines()[0]
    assert "| plugin controls | import cost | passed |" in done.stdout


def test_an_unknown_plugin_lists_those_there_are(bench_command):
    done = bench_command("plugin", "check", "hs", exit_code=3)

    assert "unknown plugin 'hs'. Did you mean 'hse'" in done.stderr


def test_a_model_that_looks_at_frames_and_asks_an_endpoint_is_offered_both(bench_command):
    done = bench_command("plugin", "check", "video-llm", "--set", "model=any")

    found = outcomes(done)
    assert all(outcome == "passed" or detail == "it does not train" for outcome, detail in list(found.values())[2:])
    assert found["model video-llm", "shape, float32, finite"] == ("passed", "choose 3, score 10")
    assert found["model video-llm", "no network"][0] == "passed"


def test_what_lacks_a_setting_of_the_user_is_not_checked_and_says_so(bench_command):
    whole = bench_command("plugin", "check", "video-llms")
    outcome, detail = outcomes(whole)["model video-llm", "loads"]
    assert outcome == "skipped"
    assert detail.startswith("not checked: video-llm asks an endpoint (--set model=ID)")
    alone = bench_command("plugin", "check", "video-llm", exit_code=2)
    assert "name one of them" in alone.stderr


def test_weights_that_were_not_fetched_are_no_fault_of_a_model(bench_command, tmp_path):
    site = install(tmp_path / "site", CLI / "dying_models.py", "dying-models")

    done = bench_command("plugin", "check", "unfetched", path=site, exit_code=4)

    assert done.stderr.endswith("unfetched: its weights are not here. Fetch them: fetch unfetched\n")
    assert "failed" not in done.stdout


def outcomes(done):
    """Returns (outcome, detail) by (subject, check) of a printed report."""
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    return {(row[0], row[1]): (row[2].strip(" |"), " ".join(row[3:])) for row in rows if len(row) > 2}


def test_a_task_is_taken_to_the_board_and_told_where_it_stops(bench_command, tmp_path):
    site = install(tmp_path / "site", CLI / "own_kind.py", "own-kind")

    found = outcomes(bench_command("plugin", "check", "own-kind", path=site, exit_code=6))

    guess, cheat = "task anet-guess", "task anet-cheat"
    assert found[guess, "bench run"] == ("passed", "error: nothing (seed 0) 35.5, random (seed 0) 35.5")
    assert found[guess, "bench rescore"] == ("passed", "every measurement is the same; word guesses")
    assert found[guess, "bench leaderboard add"][0] == "failed"
    assert "evidence of kind 'guesses'" in found[guess, "bench leaderboard add"][1]
    assert found[guess, "bench compare"] == ("skipped", "the step before did not go well")
    assert found[cheat, "bench run"][0] == "failed"
    assert "asks to be handed just that" in found[cheat, "bench run"][1]


FOUR = """
\"\"\"Retrieval from four equal windows.\"\"\"
from bench.api import View, hookimpl
from bench.task_api import ParagraphVideoRetrieval

@hookimpl
def bench_tasks(datasets):
    view = View("uniform-4")
    return [ParagraphVideoRetrieval("anet-four", "anet", "val_1", view, view)]
"""


def test_a_task_that_keeps_its_promises_gets_its_rows(bench_command, tmp_path):
    (tmp_path / "four.py").write_text(FOUR)
    site = install(tmp_path / "site", tmp_path / "four.py", "four")

    found = outcomes(bench_command("plugin", "check", "four", path=site))

    steps = ("bench run", "bench rescore", "bench leaderboard add", "bench leaderboard build", "bench compare")
    assert [found["task anet-four", step][0] for step in steps] == ["passed"] * 5
    assert found["task anet-four", "bench leaderboard build"][1].startswith("2 rows with t2v/R@1, ")
