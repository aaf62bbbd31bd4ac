"""What the commands below `bench score` share: the flags of a record, and the record itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import score_claims
from bench.cli.options import WHOLE, wide_option
from bench.cli.saying import echo
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.inputs import DataKind
    from bench.results import Result
    from bench.scoring.claims import Claimed
    from bench.scoring.recording import Measured

_FILE = click.Path(path_type=Path)


@dataclass(frozen=True)
class Recording:
    """What the user says of scores that were computed elsewhere: the flags that all commands below `score` share.

    Attributes:
        name: of the model.
        task: that the scores belong to.
        split: that was measured on.
        data_kind: real, simulated or generated; None where it was not said.
        features: what the model saw, in a word.
        seed: of the model's training.
        output: the folder below which record and evidence are written; None to write nothing.
        as_json: print the record as JSON.
        claims: figures that somebody states, to be compared; they are no part of the record.
    """

    name: str
    task: str
    split: str
    data_kind: DataKind | None
    features: str
    seed: int
    output: Path | None
    as_json: bool
    claims: tuple[Claimed, ...]


def recording_options(task: str, of: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Adds the flags that say what a record would say, and hands them to the command as one `recording`.

    Args:
        task: the task that is named by default.
        of: what belongs to it, for the help.
    """
    common = (
        click.option("--task", default=task, show_default=True, help=f"Task the {of} belong to."),
        click.option("--name", default="unnamed", show_default=True, help="Name of the model on the board."),
        click.option("--split", default="test", show_default=True),
        click.option(
            "--data-kind",
            type=click.Choice(["real", "simulated", "generated"]),
            help="Default real; needed with --output.",
        ),
        click.option("--features", default="unknown", show_default=True, help="What the model saw, in a word."),
        click.option("--seed", type=WHOLE, default=0, show_default=True, help="Seed of the model's training."),
        click.option("--output", "-o", type=_FILE, help="Write record and evidence to a folder below this one."),
        wide_option,
        click.option("--json", "as_json", is_flag=True, help="Print the record as JSON."),
        click.option(
            "--claims",
            callback=score_claims.parse,
            help="Figures to compare within their rounding: t2v/R@1=44.5,t2v/R@5=71.4. Exit code 6 where one fails.",
        ),
    )

    def with_flags(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def gathered(**flags: object) -> None:
            said = {field.name: flags.pop(field.name) for field in fields(Recording)}
            command(**flags, recording=Recording(**said))  # type: ignore[arg-type]

        for option in reversed(common):
            gathered = option(gathered)
        return gathered

    return with_flags


def now() -> str:
    """Returns the time, UTC, as records state it."""
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def recorded(
    measured: Measured, recording: Recording, sources: tuple[Path, ...], rules: Mapping[str, str], started: str
) -> Result:
    """Returns the record of what was scored from files, written with its evidence where --output asks for it."""
    from bench.results import Result
    from bench.scoring.recording import Claim, record_of, save

    claim = Claim(
        name=recording.name,
        task=recording.task,
        split=recording.split,
        kind=recording.data_kind or "real",
        features=recording.features,
        seed=recording.seed,
        started=started,
        command=("bench", *sys.argv[1:]),
    )
    result = record_of(measured, claim, sources, rules)
    if recording.output:
        folder = save(result, measured.evidence, recording.output)
        result = Result.load(folder / "result.json")
        echo(f"record and evidence are in {folder}", err=True)
    return result


def check_recording(recording: Recording) -> None:
    """Raises UsageError when a record is asked for that would not say what kind of data it is of."""
    if recording.output and not recording.data_kind:
        raise UsageError("--output needs --data-kind real, simulated or generated: a board keeps them apart.")


def as_json(result: Result) -> dict[str, Any]:
    """Returns a record as JSON; its evidence is null where it was not written."""
    value: dict[str, Any] = result.model_dump(by_alias=True, mode="json")
    if value["evidence"]["sha256"] == "0" * 64:
        value["evidence"] = None
    return value
