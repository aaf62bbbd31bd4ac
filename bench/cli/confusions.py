"""`bench confusions`: which classes a model takes for which."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.commands import Command
from bench.cli.options import wide_option
from bench.cli.saying import echo


@click.command(cls=Command)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Where files go (default: beside each record).")
@wide_option
def confusions(runs: tuple[Path, ...], output: Path | None) -> None:
    """Show the most confused classes of each of RUNS (folders or records of recognition runs), and write them down.

    Writes the 20 most confused pairs as confusions.svg, all of them as confusions.csv, and a row for each class as
    classes.csv. Needs no model and no dataset.
    """
    from bench.analysis.confusions.tables import SHOWN, write_confusions
    from bench.cli.tables import print_table
    from bench.errors import UsageError
    from bench.evidence.verified import read_record

    if output is not None and len(runs) > 1:
        raise UsageError("--output holds the files of one run. Name one run, or leave --output out.")
    for run in runs:
        record = read_record(run)
        pairs, files = write_confusions(record, output or record.path.parent)
        result = record.result
        echo(f"\n{result.model.name}, seed {result.seed}: {result.task.name} on {result.data.label}")
        rows = [[one.true, one.predicted, str(one.videos), str(one.of), f"{one.share:.1f}"] for one in pairs[:SHOWN]]
        print_table(["class", "taken for", "videos", "of", "%"], rows, numbers_from=2)
        for path in files:
            echo(path)
