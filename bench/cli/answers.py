"""`bench answers`: what was answered to a study's questions, counted and exported."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bench.cli.commands import Command
from bench.cli.saying import echo


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path), default=Path("runs/answers.sqlite"))
@click.option(
    "--export", "output", type=click.Path(path_type=Path), help="Write all of it as JSON Lines, into a new file."
)
def answers(file: Path, output: Path | None) -> None:
    """Count the answers that models gave in words, by model and prompt; or write them out.

    FILE is the answers.sqlite in the folder of the runs.
    """
    from bench.cli.tables import print_table
    from bench.endpoints import KeptAnswers
    from bench.files import write_atomically
    from bench.reading.numbers import number_of

    with KeptAnswers(file, new=False) as kept:
        if output is not None:
            lines = [json.dumps(line) + "\n" for line in kept.exported()]
            write_atomically(output, "".join(lines).encode(), overwrite=False)
            echo(f"{output}: {number_of(len(lines), 'answer')}")
            return
        rows = [(*what, f"{count:,}") for what, count in sorted(kept.counts().items())]
        print_table(("model", "prompt", "ended", "answers"), rows)
