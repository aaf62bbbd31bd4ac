"""A board of one's own: a repository from one command, whose workflows run here, and rows that come as a branch."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import SpaceCard
from installing import process

from bench.scaffolding.board import BOARD
from bench.scaffolding.writing import TEMPLATES, rendered

PROJECT = Path(__file__).resolve().parents[2]
TASK = "anet-retrieval"


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git knows who commits, and nothing of this machine's configuration."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "somebody")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "somebody@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def board(bench_command: Any) -> Path:
    """Returns a new board's repository with its first commit."""
    bench_command("leaderboard", "init", "board", "--title", 'Ours: "video"')
    folder: Path = bench_command.folder / "board"
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A board")
    return folder


@pytest.fixture
def run(bench_command: Any) -> Path:
    """Returns the folder of a finished run of `random`."""
    bench_command("run", "-m", "random", "-t", TASK)
    [folder] = bench_command.folder.glob("runs/*/result.json")
    return folder.parent


def steps(workflow: Path, job: str, programs: Path, cwd: Path, **variables: str | Path) -> dict[str, int]:
    """Runs every command of a job with the programs of an environment first; returns the exit code of each."""
    environment = {**os.environ, **{name: str(value) for name, value in variables.items()}}
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    for name in ("PYTHONPATH", "BENCH_CONFIG"):
        environment.pop(name, None)
    codes = {}
    for step in yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"][job]["steps"]:
        if command := step.get("run"):
            shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command]
            codes[command] = subprocess.run(shell, cwd=cwd, env=environment, check=False).returncode
    return codes


@pytest.mark.slow
def test_the_workflows_of_a_new_board_check_a_submission_and_build_its_page(
    installed: Path, board: Path, run: Path, bench_command: Any, tmp_path: Path
) -> None:
    said = bench_command("submit", run, "--repository", "board").stdout
    branch = f"submission/{run.name}"
    assert f"branch {branch}: Add random on {TASK}" in said
    assert "t2v/R@1 0.0 (0.0 to 0.7)" in said

    runner = tmp_path / "runner"
    runner.mkdir()
    git(board, "remote", "add", "origin", str(board))
    git(board, "update-ref", "refs/pull/7/head", branch)
    given = {"BASE": git(board, "rev-parse", "main"), "HEAD": git(board, "rev-parse", branch), "NUMBER": "7"}
    workflow = board / ".github" / "workflows" / "submission.yml"
    codes = steps(workflow, "check", installed, board, RUNNER_TEMP=runner, **given)
    assert list(codes.values()) == [0] * 6

    git(board, "merge", "--quiet", branch)
    codes = steps(board / ".github" / "workflows" / "pages.yml", "build", installed, board)
    assert list(codes.values()) == [0, 0, 0]
    assert "random" in (board / "leaderboards" / f"{TASK}.html").read_text(encoding="utf-8")
    assert git(board, "status", "--porcelain") == "", "built pages are not committed"
    process(installed / "bench", "leaderboard", "check", cwd=board)


def test_the_workflow_of_our_own_board_is_the_one_that_others_get() -> None:
    ours = rendered(
        TEMPLATES / BOARD, {"install": "-c constraints.txt .", "strict": " --strict", "title": "", "space": ""}
    )
    name = ".github/workflows/submission.yml"
    assert (PROJECT / name).read_text(encoding="utf-8") == ours[name]


def test_a_space_is_a_static_one_and_shows_the_committed_page(bench_command: Any, run: Path) -> None:
    bench_command("leaderboard", "init", "space", "--title", 'Ours: "video"', "--space")
    space = bench_command.folder / "space"
    data = SpaceCard.load(space / "README.md").data
    assert (data.title, data.sdk, data.app_file) == ('Ours: "video"', "static", "leaderboards/index.html")
    assert not (space / ".github").exists()
    git(space, "init", "--quiet")
    bench_command("leaderboard", "add", run, "--board", "space/leaderboards")
    bench_command("leaderboard", "build", "--config", "space/bench.yaml")
    git(space, "add", "--all")
    assert data.app_file in git(space, "ls-files").splitlines()


@pytest.mark.parametrize("title", ["", " ", "two\nlines"])
def test_a_title_is_one_line(bench_command: Any, title: str) -> None:
    said = bench_command("leaderboard", "init", "board", "--title", title, exit_code=2).stderr
    assert "give one line of text" in said
    assert not (bench_command.folder / "board").exists()


def test_nothing_that_is_there_is_overwritten(bench_command: Any) -> None:
    folder = bench_command.folder / "clone"
    folder.mkdir()
    (folder / "LICENSE").write_text("kept")
    (folder / "README.md").write_text("mine")
    assert "README.md exists" in bench_command("leaderboard", "init", "clone", exit_code=1).stderr
    assert sorted(path.name for path in folder.iterdir()) == ["LICENSE", "README.md"]
    (folder / "README.md").unlink()
    bench_command("leaderboard", "init", "clone")
    assert (folder / "LICENSE").read_text() == "kept"
    assert (folder / "README.md").read_text().startswith("# clone\n")


def test_a_submission_leaves_the_checkout_as_it_is(bench_command: Any, board: Path, run: Path) -> None:
    (board / "README.md").write_text("changed, not committed")
    (board / "new.txt").write_text("staged")
    git(board, "add", "new.txt")
    before = git(board, "status", "--porcelain=v2", "--branch")
    bench_command("submit", run, "--repository", "board", "--branch", "mine", "--no-predictions")
    assert git(board, "status", "--porcelain=v2", "--branch") == before
    changed = git(board, "diff", "--name-status", "main", "mine").splitlines()
    endings = (".evidence.safetensors", ".json")
    assert changed == [f"A\tleaderboards/results/{TASK}/{run.name}{ending}" for ending in endings]
    assert git(board, "worktree", "list").count("\n") == 0


def test_a_branch_is_pushed_when_asked_and_its_pull_request_is_named(
    bench_command: Any, board: Path, run: Path, tmp_path: Path
) -> None:
    bench_command("submit", run, "--repository", "board", "--push", "--branch", "lonely", exit_code=2)
    git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    git(board, "remote", "add", "origin", str(tmp_path / "origin.git"))
    bench_command("submit", run, "--repository", "board", "--push", "--branch", "mine")
    assert git(tmp_path / "origin.git", "branch", "--list").split() == ["mine"]
    git(board, "remote", "set-url", "origin", "git@github.com:someone/board.git")
    said = bench_command("submit", run, "--repository", "board", "--branch", "other").stdout
    assert "https://github.com/someone/board/compare/other?expand=1" in said


def _partial(bench: Any, _: Path) -> list[str]:
    bench("run", "-m", "random", "-t", TASK, "--limit", "30", "--output", "small")
    [folder] = bench.folder.glob("small/*/result.json")
    return [str(folder.parent)]


def _there_already(bench: Any, run: Path) -> list[str]:
    bench("leaderboard", "add", run, "--board", "board/leaderboards")
    git(bench.folder / "board", "add", "--force", "leaderboards/results")
    git(bench.folder / "board", "commit", "--quiet", "--message", "a row")
    return [str(run)]


def _elsewhere(bench: Any, run: Path) -> list[str]:
    (bench.folder / "board" / "bench.yaml").write_text("version: 1\ndatasets: {}\nleaderboard: ../outside\n")
    git(bench.folder / "board", "commit", "--quiet", "--all", "--message", "elsewhere")
    return [str(run)]


@pytest.mark.parametrize(
    ("prepare", "exit_code", "words"),
    [
        (_partial, 2, "is partial, 30 of 500 videos"),
        (_there_already, 2, "is on its board already"),
        (_elsewhere, 2, "lies outside"),
        (lambda _, run: [str(run), "--branch", "a..b"], 2, "is no name that git takes"),
        (lambda _, run: [str(run), "--branch", "main"], 1, "has a branch main already"),
        (lambda _, run: [str(run), "nothing"], 4, "nothing"),
    ],
)
def test_what_cannot_be_submitted_leaves_no_branch(
    bench_command: Any, board: Path, run: Path, prepare: Callable[[Any, Path], list[str]], exit_code: int, words: str
) -> None:
    given = prepare(bench_command, run)
    said = bench_command("submit", *given, "--repository", "board", exit_code=exit_code).stderr
    assert words in said
    assert git(board, "branch", "--list").split() == ["*", "main"]
    assert git(board, "worktree", "list").count("\n") == 0


def test_a_folder_that_is_no_repository_is_named(bench_command: Any, run: Path, tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "absent"):
        said = bench_command("submit", run, "--repository", place, exit_code=2).stderr
        assert "is no git repository. Clone the board's repository" in said
    git(tmp_path, "init", "--quiet", "fresh")
    assert "has no commit yet" in bench_command("submit", run, "--repository", "fresh", exit_code=2).stderr


def test_pages_are_called_as_the_board_is(bench_command: Any) -> None:
    bench_command("leaderboard", "init", "board", "--title", 'O\'Hara & <b>Sons</b>: "100 %"')
    bench_command("leaderboard", "build", "--config", "board/bench.yaml")
    pages = bench_command.folder / "board" / "leaderboards"
    escaped = "O&#39;Hara &amp; &lt;b&gt;Sons&lt;/b&gt;: &#34;100 %&#34;"
    index = (pages / "index.html").read_text(encoding="utf-8")
    assert f"<title>{escaped}</title>" in index
    assert f"<h1>{escaped}</h1>" in index
    assert (pages / "index.md").read_text(encoding="utf-8").startswith("# O'Hara &amp; &lt;b&gt;Sons")


def test_what_is_to_be_typed_next_is_quoted_for_a_shell(bench_command: Any, run: Path) -> None:
    name = "it's $HOME"
    said = bench_command("leaderboard", "init", name).stdout
    assert shlex.split(said[said.index("cd ") : said.index(", then")]) == ["cd", name]
    git(bench_command.folder / name, "init", "--quiet")
    git(bench_command.folder / name, "add", "--all")
    git(bench_command.folder / name, "commit", "--quiet", "--message", "A board")
    said = bench_command("submit", run, "--repository", name, "--branch", "mine").stdout
    command = shlex.split(said[said.index("git -C") : said.index(", then")])
    assert command == ["git", "-C", name, "push", "-u", "origin", "mine"]


def test_a_board_may_be_a_folder_of_its_repository(bench_command: Any, run: Path) -> None:
    bench_command("leaderboard", "init", "whole/board")
    whole = bench_command.folder / "whole"
    git(whole, "init", "--quiet", "--initial-branch", "main")
    git(whole, "add", "--all")
    git(whole, "commit", "--quiet", "--message", "A board")
    said = bench_command("submit", run, "--repository", "whole", exit_code=2).stderr
    assert "There is one in board/. Name the folder of the board" in said
    assert git(whole, "branch", "--list").split() == ["*", "main"]
    bench_command("submit", run, "--repository", "whole/board", "--branch", "mine")
    changed = git(whole, "diff", "--name-only", "main", "mine").splitlines()
    assert f"board/leaderboards/results/{TASK}/{run.name}.json" in changed
    assert all(name.startswith("board/leaderboards/results/") for name in changed)


def test_no_branch_begins_in_the_middle_of_a_rebase(bench_command: Any, board: Path, run: Path) -> None:
    for branch in ("ours", "theirs"):
        git(board, "checkout", "--quiet", "-b", branch, "main")
        (board / "README.md").write_text(branch)
        git(board, "commit", "--quiet", "--all", "--message", branch)
    subprocess.run(["git", "rebase", "ours"], cwd=board, capture_output=True, check=False)
    said = bench_command("submit", run, "--repository", "board", exit_code=2).stderr
    assert "is in the middle of a rebase" in said
    git(board, "rebase", "--abort")
    bench_command("submit", run, "--repository", "board")
