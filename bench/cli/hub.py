"""`bench export`: records in the forms of others, and what those have no place for. Nothing is sent anywhere."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import Command
from bench.cli.saying import echo
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.evidence.verified import Verified

MODEL_INDEX, EVAL_RESULTS, DATASET, MTEB = "model-index", "eval-results", "dataset", "mteb"


@click.command(cls=Command)
@click.argument("runs", nargs=-1, required=True)
@click.option(
    "--form", type=click.Choice([MODEL_INDEX, EVAL_RESULTS, DATASET, MTEB]), default=MODEL_INDEX, show_default=True,
    help="model-index: in a model's card. eval-results: .eval_results/*.yaml of a model's repository, which link to "
    "the records in a dataset repository. dataset: that repository. mteb: a folder of results as mteb loads them.",
)  # fmt: skip
@click.option("--dataset", metavar="OWNER/NAME", help="eval-results, dataset: the dataset repository of the records.")
@click.option("--model", metavar="OWNER/NAME", help="mteb: what it calls the model (default: vtbench/NAME).")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path),
    help="What to write to: a model card, which keeps all but its model-index, or a repository's folder.",
)  # fmt: skip
def export(runs: tuple[str, ...], form: str, dataset: str | None, model: str | None, output: Path | None) -> None:
    """Write RUNS (folders, records of a board, patterns) as the Hugging Face Hub or mteb reads them.

    Every record is checked first. Several seeds of a model become a mean with its deviation. What the records say and
    the form has no place for is told on stderr. Needs no network.
    """
    from bench.analysis.compare import find_runs
    from bench.errors import UsageError
    from bench.evidence.verified import read_record

    linked = form in (EVAL_RESULTS, DATASET)
    if (dataset is None) == linked:
        needed = "needs --dataset OWNER/NAME" if linked else "takes no --dataset; another --form does"
        raise UsageError(f"--form {form} {needed}.")
    if model is not None and form != MTEB:
        raise UsageError(f"--form {form} takes no --model; --form {MTEB} does.")
    if output is None and form in (DATASET, MTEB):
        what = "a clone of the repository" if form == DATASET else "a cache of mteb"
        raise UsageError(f"--form {form} needs --output FOLDER: {what}, or a new folder.")
    records = [read_record(path) for text in runs for path in find_runs(text)]
    if form == MODEL_INDEX:
        _model_index(records, output)
    elif form == EVAL_RESULTS:
        _eval_results(records, str(dataset), output)
    elif form == DATASET and output is not None:
        _dataset(records, str(dataset), output)
    elif output is not None:
        _mteb(records, model, output)
    _say_unsaid(form, records)


def _say_unsaid(form: str, records: Sequence[Verified]) -> None:
    from bench.analysis.model_card import by_signature
    from bench.analysis.unsaid import unsaid

    if form == DATASET:  # the records themselves, of any models
        return
    for same in by_signature(records):
        if lines := unsaid(form, same):
            echo(f"{same[0].result.task.name}: the form {form} has no place for", err=True)
            for line in lines:
                echo(f"  {line}", err=True)
    if form == EVAL_RESULTS:
        echo("the records that it links to say all of it", err=True)


def _model_index(records: Sequence[Verified], card: Path | None) -> None:
    from bench.analysis.model_card import card_data, write_card

    data = card_data(records)
    if card is None:
        echo(data.to_yaml())
        return
    write_card(data, card)
    echo(f"{number_of(len(data.eval_results or []), 'measurement')} of {data.model_name} written: {card}", err=True)


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


def _mteb(records: Sequence[Verified], model: str | None, folder: Path) -> None:
    from bench.analysis.mteb_folder import mteb_files, write_mteb

    for path in write_mteb(mteb_files(records, model), folder):
        echo(path)
    echo(f'\nNext: python -c "import mteb; print(mteb.ResultCache({str(folder)!r}).load_results().to_dataframe())"')
