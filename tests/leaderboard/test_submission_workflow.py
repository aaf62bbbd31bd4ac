"""The workflow that checks a pull request: its steps are run here, in a repository made for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOW = Path(__file__).resolve().parents[2] / ".github" / "workflows" / "submission.yml"
ADDED = "leaderboards/results/anet-retrieval/toy--anet-retrieval--s0--0123abcd"


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))


@pytest.fixture
def steps(workflow: dict[str, Any], tmp_path: Path) -> Callable[[Callable[[Path], None]], list[int]]:
    """Returns a function that submits what its argument does to a checkout, and gives the exit code of each step."""

    def git(*arguments: str, cwd: Path) -> str:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        done = subprocess.run(["git", *who, *arguments], cwd=cwd, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def submit(change: Callable[[Path], None]) -> list[int]:
        work, runner = tmp_path / "work", tmp_path / "runner"
        runner.mkdir()
        (work / "leaderboards" / "results" / "anet-retrieval").mkdir(parents=True)
        (work / "leaderboards" / "results" / "anet-retrieval" / "old--a--s0--1.json").write_text("old")
        git("init", "--quiet", ".", cwd=work)
        git("add", ".", cwd=work)
        git("commit", "--quiet", "-m", "base", cwd=work)
        base = git("rev-parse", "HEAD", cwd=work)
        shutil.copytree(work, tmp_path / "theirs")
        change(tmp_path / "theirs")
        git("add", "--all", cwd=tmp_path / "theirs")
        git("commit", "--quiet", "-m", "submission", cwd=tmp_path / "theirs")
        head = git("rev-parse", "HEAD", cwd=tmp_path / "theirs")
        git("update-ref", "refs/pull/7/head", head, cwd=tmp_path / "theirs")
        git("remote", "add", "origin", str(tmp_path / "theirs"), cwd=work)
        environment = {**os.environ, "BASE": base, "HEAD": head, "NUMBER": "7", "RUNNER_TEMP": str(runner)}
        codes = []
        for step in workflow["jobs"]["check"]["steps"]:
            if "git " in step.get("run", ""):
                command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
                codes.append(subprocess.run(command, cwd=work, env=environment, check=False).returncode)
        return codes

    return submit


def write(path: Path, text: str = "{}") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_workflow_gives_a_submission_no_token_and_no_secret(workflow: dict[str, Any]) -> None:
    text = WORKFLOW.read_text(encoding="utf-8")
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets" not in text
    checkouts = [step for step in workflow["jobs"]["check"]["steps"] if "checkout" in step.get("uses", "")]
    assert [step["with"]["ref"] for step in checkouts] == ["${{ github.event.pull_request.base.sha }}"]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)
    # What a submitter can name freely never becomes a part of a script.
    assert all("${{" not in step.get("run", "") for step in workflow["jobs"]["check"]["steps"])


def test_new_files_of_a_record_are_laid_out_for_the_check(steps: Any, tmp_path: Path) -> None:
    endings = (".json", ".check.json", ".evidence.safetensors", ".predictions.jsonl")

    def change(folder: Path) -> None:
        for ending in endings:
            write(folder / f"{ADDED}{ending}", ending)

    assert steps(change) == [0, 0]
    place = Path(ADDED).relative_to("leaderboards/results")
    assert {path.name for path in (tmp_path / "runner" / "new").rglob("*.*")} == {f"{place.name}{e}" for e in endings}
    assert (tmp_path / "runner" / "all" / f"{place}.check.json").read_text() == ".check.json"
    assert (tmp_path / "runner" / "all" / "anet-retrieval" / "old--a--s0--1.json").read_text() == "old"


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: write(folder / "bench" / "evil.py"),
        lambda folder: write(folder / ".github" / "workflows" / "x.yml"),
        lambda folder: write(folder / "leaderboards" / "index.html"),
        lambda folder: write(folder / "leaderboards/results/anet-retrieval/old--a--s0--1.json", "changed"),
        lambda folder: (folder / "leaderboards/results/anet-retrieval/old--a--s0--1.json").unlink(),
        lambda folder: (folder / f"{ADDED}.json").symlink_to("/etc/passwd"),
        lambda folder: (write(folder / f"{ADDED}.json"), (folder / f"{ADDED}.json").chmod(0o755)),
        lambda folder: write(folder / "leaderboards/results/anet-retrieval/a\nb.json"),
        lambda folder: write(folder / "leaderboards/results/anet-retrieval/$(touch x).json"),
        lambda folder: write(folder / "leaderboards/results/a/b/c.json"),
        lambda folder: write(folder / "leaderboards/results/anet-retrieval/model.pkl"),
    ],
)
def test_anything_else_stops_the_check_at_its_first_step(steps: Any, change: Callable[[Path], None]) -> None:
    assert steps(change)[0] == 1
