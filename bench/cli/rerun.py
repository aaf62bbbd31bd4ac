"""`bench rerun`: does a record's command give its numbers again?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from bench.cli.commands import Command
from bench.cli.options import config_option
from bench.cli.saying import echo


@click.command(cls=Command)
@click.argument("record", type=click.Path(path_type=Path))
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:I.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path),
    help="Where the new run goes, with a checkpoint of its own (default: reruns/<run> of the folder of runs).",
)  # fmt: skip
@click.option(
    "--confirm", is_flag=True,
    help="Write the outcome beside RECORD, a record of a leaderboard: unless it differs, its row is then `reproduced`.",
)  # fmt: skip
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON on stdout.")
def rerun(record: Path, device: str, output: Path | None, confirm: bool, config: Path | None, as_json: bool) -> int:
    """Run the command of RECORD (a run's folder or a JSON file) again, and say how the outcome compares.

    bit-equal: the predictions are the same. rank-equal: every rank is. within the interval: every measurement lies in
    the 95 % interval of the record. different: some does not; leaves with 6.
    """
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.cli.progress import terminal
    from bench.errors import VerificationError
    from bench.evidence.verified import read_record
    from bench.runs.rerun import rerun as run_again

    session = Session(configuration.load(config))
    known = read_record(record)
    if confirm:
        _check_confirmable(known.path)
    place = output or session.config.runs / "reruns" / known.result.run
    with terminal() as reporter:
        outcome = run_again(record, place, session, device, reporter)
    if as_json:
        value = {"record": str(known.path), "outcome": outcome.word, "differs": outcome.differs}
        value["run"] = str(outcome.folder)
        echo(json.dumps(value, indent=2))
    else:
        for measurement in outcome.first.result.measurements:
            repeated = {m.name: m.value for m in outcome.again.result.measurements}.get(measurement.name)
            again = "–" if repeated is None else f"{repeated:.2f}"
            echo(f"{measurement.name:24} {measurement.value:10.2f} {again:>10}")
        echo(f"{known.result.run}: {outcome.word}" + (f" ({outcome.differs})" if outcome.differs else ""))
    if outcome.word == "different":
        raise VerificationError(f"{known.path}: run again, {outcome.differs}. The new run is in {outcome.folder}.")
    if confirm:
        _confirm(known.path, outcome.word, outcome.folder)
    return 0


def _check_confirmable(path: Path) -> None:
    """Raises: UsageError unless a record lies on a board with its predictions."""
    from bench.errors import UsageError
    from bench.leaderboard.checks import predictions_path
    from bench.results import Result

    stored = predictions_path(path, Result.load(path))
    if path.name == "result.json" or stored is None or not stored.is_file():
        raise UsageError(
            f"--confirm {path}: only a record of a leaderboard that holds its predictions can be confirmed. "
            "Add the run first: `bench leaderboard add`."
        )


def _confirm(path: Path, word: str, folder: Path) -> None:
    from bench.leaderboard.checks import Rerun, save_check
    from bench.results import Result
    from bench.submission import new_check

    made = Result.load(folder / "result.json").provenance
    rerun = Rerun.model_validate({"outcome": word, "versions": made.versions, "hardware": made.hardware})
    save_check(path, new_check(path, Result.load(path), rerun))
    echo(f"{path}: reproduced; `bench leaderboard build` shows it", err=True)
