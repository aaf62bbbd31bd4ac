"""Runs become a branch of a board's repository: one commit with the files that a pull request brings."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.catalogue.config import FILE_NAME, load
from bench.catalogue.lookup import Session
from bench.errors import SaveError, ToolError, UsageError
from bench.evidence.verified import stored
from bench.files import slug
from bench.results import Measurement, Result
from bench.submission.records import Added, add

BOARD = "leaderboards"
"""Where a repository keeps its board unless its bench.yaml names another folder."""


@dataclass(frozen=True)
class Branch:
    """What `submit` made.

    Attributes:
        name: of the branch.
        title, text: of the commit, and good for the pull request.
        added: each run's record on the branch.
        remote: the address that `origin` has, or "".
    """

    name: str
    title: str
    text: str
    added: tuple[Added, ...]
    remote: str


def submit(
    runs: Sequence[Path], repository: Path, session: Session, *, name: str = "", keep_predictions: bool = True
) -> Branch:
    """Scores runs again and commits what the board needs of them to a new branch of the board's repository.

    The branch begins at what is checked out there and is made in a working tree of its own: the checkout, its index and
    what was changed in it stay as they are. Either all runs are on the branch, or there is no branch.

    Args:
        runs: folders of runs.
        repository: a clone of the board's repository, or the folder in one that holds the board's bench.yaml.
        session: looks up the tasks and data that runs are scored again on.
        name: of the branch; by default `submission/` and the first run.
        keep_predictions: as for `add`.

    Raises: UsageError where there is no repository, no commit or nothing new; SaveError where the branch is there; what
    `add` raises.
    """
    root = _root(repository)
    inside = repository.resolve().relative_to(root)
    branch = name or f"submission/{slug(runs[0].resolve().name)}"
    with _branched(root, branch) as tree:
        board = _board(tree, inside)
        added = tuple(add(folder, board, session, keep_predictions=keep_predictions) for folder in runs)
        if not any(one.new for one in added):
            raise UsageError(f"nothing new for {root}: {added[0].target.name} is on its board already.")
        title, text = _words([stored(run).result for run, one in zip(runs, added, strict=True) if one.new])
        _git(tree, "add", "--force", "--", str(board / "results"))
        _git(tree, "commit", "--quiet", "--message", title, "--message", text)
        places = tuple(Added(one.target.relative_to(tree), one.status, one.new) for one in added)
    return Branch(branch, title, text, places, _git(root, "remote", "get-url", "origin", fails=True))


def push(repository: Path, branch: Branch) -> None:
    """Sends the branch to `origin`. Raises: UsageError where there is none; ToolError with what git says."""
    if not branch.remote:
        raise UsageError(f"{repository} has no remote `origin`. Push the branch {branch.name} yourself.")
    _git(repository, "push", "--quiet", "--set-upstream", "origin", branch.name)


def _root(repository: Path) -> Path:
    """Returns the top of a repository that has a commit."""
    top = _git(repository, "rev-parse", "--show-toplevel", fails=True) if repository.is_dir() else ""
    if not top:
        raise UsageError(f"{repository} is no git repository. Clone the board's repository, and name the clone.")
    if not _git(Path(top), "rev-parse", "--verify", "--quiet", "HEAD", fails=True):
        raise UsageError(f"{top} has no commit yet. Commit what is there first: the branch begins at it.")
    for state in ("rebase-merge", "rebase-apply"):
        if Path(top, _git(Path(top), "rev-parse", "--git-path", state)).exists():
            raise UsageError(
                f"{top} is in the middle of a rebase, so a branch would begin at a commit of it. Finish it or give it "
                "up (`git rebase --continue`, `git rebase --abort`), and submit again."
            )
    return Path(top)


@contextmanager
def _branched(root: Path, branch: str) -> Iterator[Path]:
    """Gives a working tree of a new branch; the branch is gone where the body fails."""
    if _git(root, "check-ref-format", "--branch", branch, fails=True) != branch:
        raise UsageError(f"branch {branch!r} is no name that git takes. Choose another: --branch NAME.")
    if _git(root, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", fails=True):
        raise SaveError(f"{root} has a branch {branch} already. Choose another: --branch NAME, or delete that one.")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        tree = Path(folder).resolve() / "tree"
        _git(root, "worktree", "add", "--quiet", "-b", branch, str(tree))
        try:
            yield tree
        except BaseException:
            _git(root, "worktree", "remove", "--force", str(tree))
            _git(root, "branch", "--quiet", "-D", branch)
            raise
        _git(root, "worktree", "remove", "--force", str(tree))


def _board(tree: Path, inside: Path) -> Path:
    """Returns the board's folder in a working tree, as the bench.yaml in its folder `inside` names it.

    Raises: UsageError where neither that file nor a folder of the usual name is there, or it lies outside.
    """
    own = tree / inside / FILE_NAME
    board = load(own).leaderboard if own.is_file() else tree / inside / BOARD
    if not own.is_file() and not board.is_dir():
        others = _git(tree, "ls-files", "--", f"*/{FILE_NAME}").splitlines()
        found = f" There is one in {', '.join(other.removesuffix(FILE_NAME) for other in others)}." if others else ""
        raise UsageError(
            f"the repository holds no board in {inside}: neither {FILE_NAME} nor {BOARD}/ is committed there.{found} "
            "Name the folder of the board: --repository CLONE/FOLDER."
        )
    if not board.resolve().is_relative_to(tree):
        raise UsageError(f"{FILE_NAME} of the repository names {board} as leaderboard, which lies outside of it.")
    return board


def _words(records: Sequence[Result]) -> tuple[str, str]:
    """Returns title and text: which models on which tasks, and each run's primary measurement."""
    cells = dict.fromkeys(f"{record.model.name} on {record.task.name}" for record in records)
    title = f"Add {next(iter(cells))}" + (f" and {len(cells) - 1} more" if len(cells) > 1 else "")
    lines = []
    for record in records:
        primary = record[record.primary]
        lines.append(f"- {record.run}: {primary.name} {_value(primary)}\n  {record.signature}")
    return title, "\n".join(lines)


def _value(measurement: Measurement) -> str:
    """Returns `10.0 (2.5 to 20.0)`."""
    interval = measurement.ci95
    return f"{measurement.value:.1f}" + (f" ({interval[0]:.1f} to {interval[1]:.1f})" if interval else "")


def _git(folder: Path, *arguments: str, fails: bool = False) -> str:
    """Returns what git prints; "" where it fails and may. Raises: ToolError with what git says."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False, errors="replace"
        )
    except OSError as error:
        raise ToolError(f"git cannot be started: {error.strerror}. Install git, and run again.") from None
    if done.returncode and not fails:
        reason = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise ToolError(f"git {arguments[0]} failed in {folder}: {reason}")
    return done.stdout.strip() if not done.returncode else ""
