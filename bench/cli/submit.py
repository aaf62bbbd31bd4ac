"""`bench submit`: runs as a branch of a board's repository, ready for a pull request."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import Command
from bench.cli.options import config_option
from bench.cli.saying import echo

if TYPE_CHECKING:
    from bench.submission.branch import Branch

GITHUB = re.compile(r"(?:https://github\.com/|git@github\.com:)([\w.-]+/[\w.-]+?)(?:\.git)?/?")


@click.command(cls=Command)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--repository", "-r", required=True, type=click.Path(path_type=Path),
    help="A clone of the board's repository here, or the board's folder in one. What is checked out and changed stays.",
)  # fmt: skip
@click.option("--branch", "name", default="", help="Name of the new branch (default: submission/RUN).")
@click.option(
    "--predictions/--no-predictions", default=True, show_default=True,
    help="Bring what the models said, so that anyone can score it again; without, a row is `consistent` at most.",
)  # fmt: skip
@click.option("--push", "pushed", is_flag=True, help="Push the branch to the clone's `origin` as well.")
@config_option
def submit(
    runs: tuple[Path, ...], repository: Path, name: str, predictions: bool, pushed: bool, config: Path | None
) -> None:  # fmt: skip
    """Score RUNS (folders) again and commit what a board needs of them to a new branch of its repository.

    Nothing leaves this machine without --push.
    """
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.metrics.captions.meteor.program import started_once
    from bench.submission import branch as branches

    session = Session(configuration.load(config))
    with started_once():
        made = branches.submit(runs, repository, session, name=name, keep_predictions=predictions)
    for one in made.added:
        echo(f"{one.target} ({one.status})" + ("" if one.new else ", on the board already"))
    echo(f"\nbranch {made.name}: {made.title}\n{made.text}\n")
    if pushed:
        branches.push(repository, made)
        echo(f"pushed to origin. Next: {_pull_request(made)}")
    else:
        command = shlex.join(["git", "-C", str(repository), "push", "-u", "origin", made.name])
        echo(f"Next: {command}, then {_pull_request(made)}")


def _pull_request(made: Branch) -> str:
    """Returns how a pull request is opened where the repository came from."""
    if place := GITHUB.fullmatch(made.remote):
        return f"open a pull request: https://github.com/{place[1]}/compare/{made.name}?expand=1"
    return "open a pull request of it."
