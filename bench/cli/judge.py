"""`bench judge`: recall with and without the wrong answers that people judged right."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import Command
from bench.cli.options import config_option, wide_option
from bench.cli.saying import echo

if TYPE_CHECKING:
    from bench.analysis.judging.recall import JudgedRun
    from bench.metrics.judged_recall import JudgedRecall


@click.command(cls=Command)
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@wide_option
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON on stdout.")
def judge(run: Path, files: tuple[Path, ...], config: Path | None, as_json: bool) -> None:
    """Count FILES of judgements, which the pages of `bench browse RUN --judge COUNT` save, of one direction of RUN.

    Recall of the annotations, with what was judged right, and the 95 % interval that judging a sample leaves open; of
    several judges of a pair more than half decide, and Cohen's kappa says how far they agree.
    """
    from bench.analysis.browsing.opening import retrieval_run
    from bench.analysis.judging.judgements import read_judgements
    from bench.analysis.judging.recall import judged_run
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.evidence.verified import stored

    judgements = [read_judgements(path) for path in files]
    session = Session(configuration.load(config))
    opened = retrieval_run(session, stored(run), lambda line: echo(line, err=True))
    judged = judged_run(opened, judgements)
    if as_json:
        echo(json.dumps(_told(judged), indent=2))
    else:
        _print(judged)


def _print(judged: JudgedRun) -> None:
    from bench.cli.tables import print_table
    from bench.leaderboard.pages.wording import plain
    from bench.reading.numbers import number_of

    sample = judged.sample
    told = ", ".join(f"{count:,} {verdict}" for verdict, count in judged.verdicts.items())
    echo(
        f"{sample.run}, {sample.draw.direction}: {number_of(judged.queries, 'query')}, {len(sample.places):,} drawn "
        f"(seed {sample.draw.seed}); pairs judged: {told or 'none'}"
    )
    rows = [
        [f"R@{one.k}", f"{one.annotated:.2f}", _value(one.judged), _bounds(one.judged), _value(one.lenient),
         f"{one.judged.judged if one.judged else 0:,} of {one.misses:,}"]
        for one in judged.recalls
    ]  # fmt: skip
    head = ["", "annotated", "with judgements", "95 % interval", "unclear as right", "misses judged"]
    print_table(head, rows, numbers_from=1)
    for one in judged.agreements:
        judges, pairs = " and ".join(map(plain, one.judges)), number_of(one.pairs, "pair")
        kappa = f"Cohen's kappa {one.kappa:.2f}" if one.kappa is not None else "no kappa"
        same = ", as both said one and the same" if one.pairs and one.kappa is None else ""
        echo(f"{judges}: {one.alike:,} of {pairs} alike, {kappa}{same}")
    echo("The interval is what judging a sample leaves open, not other videos: docs/browsing.md.")


def _value(recall: JudgedRecall | None) -> str:
    return "–" if recall is None else f"{recall.value:.2f}"


def _bounds(recall: JudgedRecall | None) -> str:
    return "–" if recall is None else f"{recall.ci95[0]:.2f} to {recall.ci95[1]:.2f}"


def _told(judged: JudgedRun) -> dict[str, object]:
    return {
        "run": judged.sample.run,
        **dataclasses.asdict(judged.sample.draw),
        "queries": judged.queries,
        "pairs": judged.verdicts,
        "recalls": [dataclasses.asdict(one) for one in judged.recalls],
        "agreements": [dataclasses.asdict(one) for one in judged.agreements],
    }
