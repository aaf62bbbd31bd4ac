"""`bench export`: records as metadata of a model card."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.commands import Command


@click.command(cls=Command)
@click.argument("runs", nargs=-1, required=True)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path),
    help="Model card to write to, such as README.md; one that exists keeps all but its model-index.",
)  # fmt: skip
def export(runs: tuple[str, ...], output: Path | None) -> None:
    """Write RUNS of one model (folders, records, patterns) as Hugging Face model-index metadata.

    Every record is checked first. Several seeds become a mean with its deviation. Needs no network.
    """
    from bench.analysis.compare import find_runs
    from bench.analysis.model_card import card_data, write_card
    from bench.evidence.verified import read_record

    records = [read_record(path) for text in runs for path in find_runs(text)]
    data = card_data(records)
    if output is None:
        click.echo(data.to_yaml())
        return
    write_card(data, output)
    click.echo(f"{len(data.eval_results or [])} measurements of {data.model_name} written: {output}", err=True)
