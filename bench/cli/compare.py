"""`bench compare`: whether one model is better than another, from saved runs alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.commands import Command
from bench.cli.options import config_option, wide_option
from bench.cli.saying import echo

if TYPE_CHECKING:
    from bench.analysis.compare import ComparedModel
    from bench.evidence.comparisons import Paired


@click.command(cls=Command)
@click.argument("a")
@click.argument("b")
@click.option("--metric", "metrics", multiple=True, help="Such as t2v/R@1; repeatable (default: every recall).")
@click.option("--across", is_flag=True, help="Allow other segments or features, as long as the queries are the same.")
@wide_option
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(a: str, b: str, metrics: tuple[str, ...], across: bool, config: Path | None, as_json: bool) -> None:
    """Compare model A with model B query by query. Needs no model, no dataset and no GPU.

    Where features of some videos lacked in one of them, both are ranked again on the videos of both, out of their saved
    predictions; that needs the dataset in bench.yaml, and says how many were left out.

    A and B are each a run's folder or a record, or several of them, one for each seed: separated by commas, or as a
    quoted pattern such as 'runs/hse--anet-retrieval--s*'.
    """
    from bench.analysis.compared import compare_models, side

    compared = compare_models(side("A", a), side("B", b), metrics, across=across, config=config)
    if as_json:
        common = compared.common and asdict(compared.common)
        echo(json.dumps({**_json(compared.a, compared.b, compared.rows), "common": common}, indent=2))
        return
    _print(compared.a, compared.b, compared.rows)
    for note in compared.notes:
        echo(note)


def _json(a: ComparedModel, b: ComparedModel, compared: Sequence[Paired]) -> dict[str, Any]:
    from bench.metrics.comparisons import mean_and_std

    sides = [
        {
            "model": side.name,
            "settings": side.first.model.settings,
            "seeds": side.seeds,
            "runs": [record.result.run for record in side.records],
            "signature": side.first.signature,
        }
        for side in (a, b)
    ]
    rows = [
        {
            "metric": one.metric,
            "unit": one.unit,
            "a": dict(zip(("mean", "std_over_seeds"), mean_and_std(one.values[0]), strict=True)),
            "b": dict(zip(("mean", "std_over_seeds"), mean_and_std(one.values[1]), strict=True)),
            "difference": one.comparison.difference,
            "ci95": one.comparison.ci95,
            "p_value": one.comparison.p_value,
            "test": one.comparison.test,
            "effect_size": one.effect,
            "wins": one.wins,
            "losses": one.losses,
            "ties": one.ties,
            "n": one.comparison.n,
        }
        for one in compared
    ]
    return {"a": sides[0], "b": sides[1], "comparisons": rows}


def _print(a: ComparedModel, b: ComparedModel, compared: Sequence[Paired]) -> None:
    from bench.cli.tables import print_table
    from bench.metrics.statistics import TOO_FEW

    for letter, side in (("A", a), ("B", b)):
        seeds = f"seeds {', '.join(map(str, side.seeds))}" if len(side.seeds) > 1 else f"seed {side.seeds[0]}"
        partial = "; partial" if any(record.result.status == "partial" for record in side.records) else ""
        echo(f"{letter}: {side.name}, {seeds}{partial}  {side.first.signature}")
    echo()
    rows = [
        [
            one.metric,
            _mean(one.values[0]),
            _mean(one.values[1]),
            f"{one.comparison.difference:+.2f}",
            "{:+.2f} to {:+.2f}".format(*one.comparison.ci95) if one.comparison.ci95 else "–",
            f"{one.comparison.p_value:.2g}",
            one.comparison.test,
            "–" if one.effect is None else f"{one.effect:+.3f}",
            f"{one.wins}/{one.losses}/{one.ties}",
        ]
        for one in compared
    ]
    head = ["metric", "A", "B", "A − B", "95 % interval", "p", "test", "effect d", "wins/losses/ties"]
    print_table(head, rows, numbers_from=1)
    if any(one.comparison.ci95 is None for one in compared):
        echo(TOO_FEW)
    echo(
        "\nIntervals and tests are over test videos, seeds averaged query by query; ± is the deviation over seeds.\n"
        "Effect d: the difference in standard deviations of the paired differences. p-values are not corrected for "
        "their number."
    )


def _mean(values: tuple[float, ...]) -> str:
    from bench.metrics.comparisons import mean_and_std

    mean, std = mean_and_std(values)
    return f"{mean:.2f}" + (f" ±{std:.2f}" if std is not None else "")
