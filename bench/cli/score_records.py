"""What the commands below `bench score` share: the flags of a record, and the record itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.results import Result
    from bench.scoring.recording import Measured

_FILE = click.Path(path_type=Path)
_COMMON = (
    click.option("--name", default="unnamed", show_default=True, help="Name of the model on the board."),
    click.option("--split", default="test", show_default=True),
    click.option(
        "--data-kind", type=click.Choice(["real", "simulated", "generated"]), help="Default real; needed with --output."
    ),
    click.option("--features", default="unknown", show_default=True, help="What the model saw, in a word."),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed of the model's training."),
    click.option("--output", "-o", type=_FILE, help="Write record and evidence to a folder below this one."),
    click.option("--json", "as_json", is_flag=True, help="Print the record as JSON."),
)


def recording_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the flags that say what a record would say."""
    for option in reversed(_COMMON):
        command = option(command)
    return command


def now() -> str:
    """Returns the time, UTC, as records state it."""
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def recorded(
    measured: Measured, options: Mapping[str, Any], source: Path, rules: Mapping[str, str], started: str
) -> Result:
    """Returns the record of what was scored from `source`, written with its evidence where --output asks for it."""
    from bench.results import Result
    from bench.scoring.recording import Claim, record_of, save

    claim = Claim(
        name=options["name"],
        task=options["task"],
        split=options["split"],
        kind=options["data_kind"] or "real",
        features=options["features"],
        seed=options["seed"],
        started=started,
        command=("bench", *sys.argv[1:]),
    )
    result = record_of(measured, claim, source, rules)
    if options["output"]:
        folder = save(result, measured.evidence, options["output"])
        result = Result.load(folder / "result.json")
        click.echo(f"record and evidence are in {folder}", err=True)
    return result


def check_recording(options: Mapping[str, Any]) -> None:
    """Raises UsageError when a record is asked for that would not say what kind of data it is of."""
    if options["output"] and not options["data_kind"]:
        raise UsageError("--output needs --data-kind real, simulated or generated: a board keeps them apart.")


def as_json(result: Result) -> dict[str, Any]:
    """Returns a record as JSON; its evidence is null where it was not written."""
    value: dict[str, Any] = result.model_dump(by_alias=True, mode="json")
    if value["evidence"]["sha256"] == "0" * 64:
        value["evidence"] = None
    return value
