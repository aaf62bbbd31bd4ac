"""`bench sensitivity`: how much of a model's score is which frames were taken."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import click

from bench.cli import completion
from bench.cli.commands import Command
from bench.cli.options import chosen_settings, command_line, config_option, parse_seeds, wide_option
from bench.cli.saying import echo
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.analysis.sensitivity import Sampled
    from bench.data.declared import FeatureDeclaration


@click.command(cls=Command)
@click.option("--model", "-m", required=True, shell_complete=completion.models, help="A model: `bench list models`.")
@click.option(
    "--task", "-t", "task_name", required=True, shell_complete=completion.tasks,
    help="A task whose features are made from videos.",
)  # fmt: skip
@click.option(
    "--samplers", required=True, metavar="WORDS,WORDS,…", help="Such as 'frames=16,fps=1,tsn-centre frames=12'."
)
@click.option("--seeds", callback=parse_seeds, metavar="N,N,…", help="Several seeds (default: 0).")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", shell_complete=completion.settings,
    help="A setting of the model.",
)  # fmt: skip
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:I.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Where runs are written.")
@wide_option
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON on stdout.")
def sensitivity(
    model: str,
    task_name: str,
    samplers: str,
    seeds: tuple[int, ...],
    settings: tuple[str, ...],
    device: str,
    output: Path | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Run MODEL on TASK under several samplers, and say how much of its score is which frames were taken.

    Features are extracted anew for each sampler, into packs beside the declared one, and kept. Every sampler is
    compared with the first, video by video.
    """
    from bench.analysis.compare import open_side
    from bench.analysis.sensitivity import over_samplers, share_of_frames
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.cli.features import extracted
    from bench.cli.progress import terminal
    from bench.extraction import ExtractionChoices, is_missing
    from bench.runs.execute import execute
    from bench.runs.plan import plan
    from bench.runs.request import Request

    loaded = configuration.load(config)
    catalogue = Session(loaded).catalogue
    declared = catalogue.dataset(catalogue.task(task_name).dataset)[0].features
    variants = _variants(declared, samplers)
    loaded = replace(loaded, features={**loaded.features, **{one.name: one for one in variants.values()}})
    session = Session(loaded)
    for variant in variants.values():
        if is_missing(variant):
            extracted(session, variant.name, ExtractionChoices(device))
    request = replace(
        Request.under(loaded, output),
        settings=chosen_settings((model,), settings)[model],
        device=device,
        command=command_line(),
    )
    sides = {}
    with terminal() as reporter:
        for words, variant in variants.items():
            cell = session.cell(model, task_name, session.catalogue.features(variant))
            plans = [plan(cell, replace(request, seed=seed), reporter) for seed in seeds or (0,)]
            sides[words] = open_side([one.folder for one in plans if execute(one, reporter)])
    metric = next(iter(sides.values())).first.primary
    sampled = over_samplers(sides, metric)
    if as_json:
        echo(json.dumps({"metric": metric, "samplers": [_told(one) for one in sampled]}, indent=2))
        return
    _print(metric, sampled)
    echo(share_of_frames(sampled))


def _variants(declared: FeatureDeclaration, samplers: str) -> dict[str, FeatureDeclaration]:
    """Returns sampler in words -> features that are made by it. Raises: UsageError for fewer than two."""
    from bench.files import slug
    from bench.video import Sampler

    if declared.videos is None or declared.path is None:
        raise UsageError(
            f"features {declared.name!r} are not made from videos, so their frames cannot be taken otherwise. Declare "
            "{videos: FOLDER, encoder: NAME, sampler: frames=16}."
        )
    words = dict.fromkeys(Sampler.parse(text.strip()).words for text in samplers.split(","))
    if len(words) < 2:
        raise UsageError(f"--samplers {samplers}: name at least two, such as --samplers 'frames=16,fps=1'.")
    variants = {}
    for text in words:
        if text == Sampler.parse(declared.videos.sampler).words:
            variants[text] = declared
            continue
        name = f"{declared.name}-{slug(text)}"
        path = declared.path.with_name(f"{declared.path.name}-{slug(text)}")
        variants[text] = replace(declared, name=name, path=path, videos=replace(declared.videos, sampler=text))
    return variants


def _print(metric: str, sampled: Sequence[Sampled]) -> None:
    from bench.cli.tables import print_table

    head = ["sampler", "seeds", metric, "95 %", "less the first", "95 % interval", "p"]
    rows = []
    for one in sampled:
        own = one.side.first[metric].ci95
        row = [one.sampler, str(len(one.values)), f"{fmean(one.values):.2f}"]
        row.append("{:.1f} to {:.1f}".format(*own) if own else "–")
        if one.against is None:
            row += ["", "", ""]
        else:
            told = one.against.comparison
            bounds = "{:+.2f} to {:+.2f}".format(*told.ci95) if told.ci95 else "–"
            row += [f"{told.difference:+.2f}", bounds, f"{told.p_value:.2g}"]
        rows.append(row)
    print_table(head, rows, numbers_from=1)


def _told(one: Sampled) -> dict[str, object]:
    paired = one.against and {
        "difference": one.against.comparison.difference,
        "ci95": one.against.comparison.ci95,
        "p_value": one.against.comparison.p_value,
    }
    runs = [record.result.run for record in one.side.records]
    return {"sampler": one.sampler, "values": one.values, "runs": runs, "against_first": paired}
