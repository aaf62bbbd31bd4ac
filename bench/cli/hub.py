"""`bench export`: records in the forms of the Hugging Face Hub. Nothing is sent anywhere."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import Command
from bench.cli.saying import echo

if TYPE_CHECKING:
    from bench.evidence.verified import Verified

MODEL_INDEX, EVAL_RESULTS, DATASET = "model-index", "eval-results", "dataset"


@click.command(cls=Command)
@click.argument("runs", nargs=-1, required=True)
@click.option(
    "--form", type=click.Choice([MODEL_INDEX, EVAL_RESULTS, DATASET]), default=MODEL_INDEX, show_default=True,
    help="model-index: in a model's card. eval-results: .eval_results/*.yaml of a model's repository, which link to "
    "the records in a dataset repository. dataset: that repository.",
)  # fmt: skip
@click.option("--dataset", metavar="OWNER/NAME", help="The dataset repository of the records, for the latter two.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path),
    help="What to write to: a model card, which keeps all but its model-index, or a repository's folder.",
)  # fmt: skip
def export(runs: tuple[str, ...], form: str, dataset: str | None, output: Path | None) -> None:
    """Write RUNS (folders, records of a board, patterns) as the Hugging Face Hub reads them.

    Every record is checked first. Several seeds of a model become a mean with its deviation. Needs no network.
    """
    from bench.analysis.compare import find_runs
    from bench.errors import UsageError
    from bench.evidence.verified import read_record

    if (dataset is None) != (form == MODEL_INDEX):
        needed = "needs --dataset OWNER/NAME" if dataset is None else "takes no --dataset; another --form does"
        raise UsageError(f"--form {form} {needed}.")
    if output is None and form == DATASET:
        raise UsageError("--form dataset needs --output FOLDER: a clone of the repository, or a new folder.")
    records = [read_record(path) for text in runs for path in find_runs(text)]
    if dataset is None:
        _model_index(records, output)
    elif form == EVAL_RESULTS:
        _eval_results(records, dataset, output)
    elif output is not None:
        _dataset(records, dataset, output)


def _model_index(records: Sequence[Verified], card: Path | None) -> None:
    from bench.analysis.model_card import card_data, write_card

    data = card_data(records)
    if card is None:
        echo(data.to_yaml())
        return
    write_card(data, card)
    echo(f"{len(data.eval_results or [])} measurements of {data.model_name} written: {card}", err=True)


def _eval_results(records: Sequence[Verified], dataset: str, folder: Path | None) -> None:
    from bench.analysis.hub import as_yaml, eval_results, write_eval_results

    files = eval_results(records, dataset)
    if folder is None:
        echo("".join(map(as_yaml, files.values())), nl=False)
        return
    for path in write_eval_results(files, folder):
        echo(path)


def _dataset(records: Sequence[Verified], dataset: str, folder: Path) -> None:
    from bench.analysis.hub import write_records

    written, left_out = write_records(records, folder, dataset)
    for note in left_out:
        echo(f"left out: {note.file}: {note.reason}", err=True)
    for path in written:
        echo(path)
    echo(f"\nNext: hf upload {dataset} {shlex.quote(str(folder))} --repo-type dataset")
