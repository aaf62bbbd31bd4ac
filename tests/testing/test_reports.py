"""`bench plugin check`: a report to paste, and an exit code."""

from __future__ import annotations

import pytest

from bench.testing.report import CheckFailed, Finding, Report


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
    with pytest.raises(CheckFailed, match="'mine' failed 1 checks: model mine: batch size: a"):
        report(PASSED, FAILED).require()


def test_the_controls_pass_and_the_report_can_be_kept(bench_command):
    done = bench_command("plugin", "check", "count-only", "--output", "report.md")

    assert done.stdout == (bench_command.folder / "report.md").read_text(encoding="utf-8")
    assert ", 0 failed, " in done.stdout.splitlines()[0]
    assert "| plugin controls | import cost | passed |" in done.stdout


def test_an_unknown_plugin_lists_those_there_are(bench_command):
    done = bench_command("plugin", "check", "hs", exit_code=3)

    assert "unknown plugin 'hs'. Did you mean 'hse'" in done.stderr
