"""What a job's log shows of long work: stage, done, rate and what remains, a line a minute."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bench.runs import progress
from bench.runs.progress import Lines

RUN = ("run", "-m", "mean-pool", "-t", "anet-retrieval", "--set", "epochs=2", "--limit", "40")
A_LINE = re.compile(r"^(\w[^:]*): ([\d,]+) of ([\d,]+), [\d.e+]+/(?:s|min|h), [\w ]+ left(?:, \w+ [\d.e+-]+)*$")


def test_without_a_terminal_a_run_writes_lines_with_stage_done_rate_and_what_remains(
    bench_command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)  # a line at every step instead of one a minute
    said = bench_command(*RUN).stderr

    told = [found.groups() for found in map(A_LINE.match, said.splitlines()) if found]
    assert "fit" in {stage for stage, _, _ in told}, said
    assert all(int(done.replace(",", "")) < int(total.replace(",", "")) for _, done, total in told)


def test_a_line_a_minute_over_all_stages_with_the_rate_of_its_own() -> None:
    now, written = [0.0], list[str]()
    lines = Lines(written.append, clock=lambda: now[0])
    for seconds, stage, done in [
        (30, "read", 400), (50, "read", 600), (61, "fit", 100), (90, "fit", 110), (130, "fit", 123), (150, "fit", 130),
        (199, "fit", 200), (4000, "score", 1), (7600, "score", 3), (7661, "score", 1), (7722, "score", 1000),
    ]:  # fmt: skip
        now[0] = seconds
        lines.step(stage, done, 1000, {"loss": 0.123456} if stage == "fit" else {})
    lines.say("done")

    assert written == [
        "fit: 100 of 1,000, loss 0.1235",  # nothing of it was seen yet
        "fit: 123 of 1,000, 20/min, 44 min left, loss 0.1235",
        "fit: 200 of 1,000, 43.5/min, 18 min left, loss 0.1235",
        "score: 1 of 1,000",
        "score: 3 of 1,000, 2/h, 498 h 30 min left",
        "score: 1 of 1,000",  # another run's
        "done",
    ]


def test_the_lines_say_what_is_counted() -> None:
    now, written = [0.0], list[str]()
    lines = Lines(written.append, "videos", clock=lambda: now[0])
    for seconds, done in [(1, 50), (61, 650)]:
        now[0] = seconds
        lines.step("extracting", done, 1000, {})
    assert written == ["extracting: 650 of 1,000 videos, 10 videos/s, 35 s left"]
