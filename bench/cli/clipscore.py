"""`bench clipscore`: captions of a run beside what is seen, in the space of a dual encoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli import completion
from bench.cli.commands import Command
from bench.cli.options import config_option
from bench.cli.saying import echo
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.analysis.judging.by_encoder import ClipScored


@click.command(cls=Command)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--features", shell_complete=completion.features,
    help="Features that a dual encoder made (default: those of the run's dataset).",
)  # fmt: skip
@click.option("--template", default="A photo depicts {}", show_default=True, help="What is read, {} is the caption.")
@click.option(
    "--labels", multiple=True, type=click.Path(path_type=Path),
    help="Captions of whole videos that people labelled, JSON Lines. Repeatable.",
)  # fmt: skip
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:I.")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON on stdout.")
def clipscore(
    run: Path, features: str | None, template: str, labels: tuple[Path, ...], device: str, config: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Say how near the captions of RUN are to their videos (CLIPScore), and to references as well (RefCLIPScore).

    Any dual encoder does (`bench list encoders`), on features that it made. The figures stand in a file beside the
    record, with what each caption has, and rank nowhere; --labels measures how far they agree with people.
    """
    from bench.analysis.examples.scored import captions_in
    from bench.analysis.judging.by_encoder import Reading, clip_scored
    from bench.analysis.judging.labels import read_labels
    from bench.analysis.judging.seen_features import seen_features
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.cli.progress import terminal
    from bench.execution import Execution
    from bench.files import digest, write_json
    from bench.plugins.code import Guard
    from bench.runs.execute import chosen_device

    labelled = read_labels(labels) if labels else ()
    session = Session(configuration.load(config))
    captions = captions_in(run, session)
    seen = seen_features(session, captions.task, features)
    with terminal() as reporter:
        guard = Guard(seen.encoder.spec.name, 0, run, reporter)
        scored = clip_scored(captions, Reading(seen, template, Execution(chosen_device(device)), guard), labelled)
    told = scored.as_json()
    path = captions.folder / f"captions-clipscore-{digest(scored.signature)[:8]}.json"
    if as_json:
        echo(json.dumps(told, indent=2))
    else:
        _print(scored)
    write_json(path, told)  # where that fails, the figures were said
    if not as_json:
        echo(path)


def _print(scored: ClipScored) -> None:
    n, videos = len(scored.items), len({item.video for item in scored.items})
    for score in scored.scores:
        bounds = "{:.4f} to {:.4f}".format(*score.ci95) if score.ci95 else "none: too few videos"
        echo(f"{score.name} {score.value:.4f} (95 % interval {bounds}), {number_of(n, 'caption')} of {videos:,} videos")
    for score in scored.scores:
        if score.agreement:
            echo(f"{score.name}, agreement with people: {score.agreement.words}")
    if scored.empty:
        echo(f"{scored.empty:,} of {number_of(n, 'caption')} are empty and count 0")
    for line in scored.remarks:
        echo(line)
    echo(scored.signature)
