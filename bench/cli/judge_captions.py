"""`bench judge-captions`: captions of a run graded by a language model, beside how far it agrees with people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import Command
from bench.cli.options import WHOLE, WholeRange, config_option
from bench.cli.saying import echo
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.analysis.examples.scored import ScoredRun
    from bench.analysis.judging.by_model import JudgedCaptions
    from bench.endpoints import Asker

_FILE = click.Path(path_type=Path)
PRICE = click.FloatRange(min=0)


@click.command("judge-captions", cls=Command)
@click.argument("run", type=_FILE)
@click.option("--model", required=True, help="What the endpoint calls the judge.")
@click.option("--endpoint", default="openai", show_default=True, help="NAME_BASE_URL and NAME_API_KEY say where.")
@click.option("--labels", multiple=True, type=_FILE, help="Captions that people labelled, JSON Lines. Repeatable.")
@click.option("--count", type=WHOLE, help="Judge the captions of so many videos, drawn at random (default: all).")
@click.option("--prompt", type=_FILE, help="In place of ours: places {caption} and {references}.")
@click.option("--max-tokens", type=WholeRange(1), default=16, show_default=True, help="Where an answer is cut off.")
@click.option("--price-in", type=PRICE, default=0.0, help="Of a million tokens that are read, in any money.")
@click.option("--price-out", type=PRICE, default=0.0, help="Of a million tokens that are written.")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON on stdout.")
def judge_captions(
    run: Path, endpoint: str, model: str, labels: tuple[Path, ...], count: int | None, prompt: Path | None,
    max_tokens: int, price_in: float, price_out: float, config: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Let a language model grade the captions of RUN beside their references, from 0 to 100.

    A figure of its own kind: it stands in a file beside the record, ranks nowhere, and says as much as the judge agrees
    with people, which --labels measures. Every answer is kept in answers.sqlite beside the runs, and asked once.
    """
    from bench.analysis.examples.scored import captions_in
    from bench.analysis.judging.by_model import judge_prompt, judged_captions
    from bench.analysis.judging.labels import read_labels
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.endpoints import Sampling, asker_of, endpoint_of
    from bench.files import digest, write_json

    asked, labelled = judge_prompt(prompt), read_labels(labels) if labels else ()
    scored = captions_in(run, Session(configuration.load(config)))
    answerer = endpoint_of(endpoint, model, 300.0, 8)
    asker = asker_of(answerer, Sampling(max_tokens=max_tokens), str(scored.folder.resolve().parent), 8)
    judged = judged_captions(scored, asker, asked, labelled, count)
    told = judged.as_json(asker, asker.tally.cost(price_in, price_out))
    path = scored.folder / f"captions-judged-{digest(judged.signature)[:8]}.json"
    if as_json:
        echo(json.dumps(told, indent=2))
    else:
        _print(judged, asker, scored)
        if price_in or price_out:
            echo(f"cost {told['spent']['cost']:.4f}, cached answers too")
    write_json(path, told)  # where that fails, the figures were said
    if not as_json:
        echo(path)


def _print(judged: JudgedCaptions, asker: Asker, scored: ScoredRun) -> None:
    bounds = "{:.2f} to {:.2f}".format(*judged.ci95) if judged.ci95 else "none: too few videos"
    echo(
        f"judge {judged.value:.2f} (95 % interval {bounds}), {judged.n:,} of {number_of(len(judged.items), 'caption')} "
        "graded"
    )
    if judged.unread:
        words = {"said": "in other words"}
        ended = ", ".join(f"{count:,} {words.get(how, how)}" for how, count in sorted(judged.unread.items()))
        echo(f"no grade: {ended}; left out")
    unmeasured = "not measured, so nobody knows what the figure is worth (--labels FILE)"
    echo(f"agreement with people: {judged.labelled.words if judged.labelled else unmeasured}")
    if scored.result.model.settings.get("model") == asker.served.model:
        echo("the judge wrote these captions itself: models favour what they wrote")
    for line in asker.tally.words():
        echo(line)
    echo(judged.signature)
