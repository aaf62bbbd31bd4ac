"""`bench score captions`: captions that somebody else's model wrote, in the files people exchange."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import score_claims
from bench.cli.commands import Command
from bench.cli.saying import echo
from bench.cli.score_records import Recording, as_json, check_recording, now, recorded, recording_options
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.metrics.captions.items import Missing, Protocol, Unmatched
    from bench.metrics.captions.scoring import CaptionScores
    from bench.results import Result

_FILE = click.Path(path_type=Path)


@click.command(cls=Command)
@click.option("--predictions", type=_FILE, required=True, help="What the model wrote; plain or gzip.")
@click.option("--references", type=_FILE, required=True, multiple=True, help="Repeatable: one video's are pooled.")
@click.option(
    "--protocol",
    type=click.Choice(["corpus", "densevid", "paragraph"]),
    required=True,
    help="How captions are compared: the same captions get other scores under each.",
)
@click.option(
    "--missing",
    type=click.Choice(["zero", "skip", "error"]),
    help="What counts without a prediction (default: zero for densevid, error for the others).",
)
@click.option(
    "--unmatched",
    type=click.Choice(["random-string", "skip"]),
    default="random-string",
    show_default=True,
    help="densevid: what a prediction is compared with that overlaps no reference.",
)
@click.option("--java/--no-java", default=False, help="Count by METEOR and the PTB tokeniser in Java, the references.")
@click.option(
    "--metric", "extra", multiple=True, help="Also a metric of `evaluate`, by local path or name. Repeatable."
)
@recording_options("captioning", "captions")
def captions(
    predictions: Path,
    references: tuple[Path, ...],
    protocol: Protocol,
    missing: Missing | None,
    unmatched: Unmatched,
    java: bool,
    extra: tuple[str, ...],
    recording: Recording,
) -> None:
    """Score captions against references: BLEU@1-4, METEOR, ROUGE-L and CIDEr.

    Under densevid also SODA_c; of whole videos also how captions vary: repetition, diversity, vocabulary and length.

    Reads the results of the ActivityNet challenge, {"results": {id: [{"sentence", "timestamp"}]}}, ActivityNet
    Captions, lists of {"image_id", "caption"}, {id: [caption]}, JSON Lines, and the official files of MSR-VTT, VATEX,
    YouCook2 and MSVD. Segments are matched by time.
    """
    from bench.metrics.captions.items import rules
    from bench.metrics.captions.scoring import score as score_captions
    from bench.scoring.caption_files import joined, read_captions
    from bench.scoring.recording import Measured

    check_recording(recording)
    if extra and protocol == "densevid":
        raise UsageError("--metric compares a caption with its references; densevid has no such items. Use corpus.")
    started = now()
    chosen = rules(protocol, missing=missing, unmatched=unmatched, java=java)
    read = [read_captions(path) for path in (predictions, *references)]
    said, *told = [captioned for captioned, _ in read]
    videos, notes = joined(said, told)
    scores = score_captions(videos, chosen)
    for note in (*(remark for _, remark in read if remark), *notes, *scores.notes):
        echo(note, err=True)
    claims = score_claims.verdicts(recording.claims, scores.measurements)
    further = _extra(extra, scores)
    remarks = (*notes, *scores.notes)
    measured = Measured(scores.measurements, scores.evidence, "CIDEr", len(videos), scores.whole, remarks)
    result = recorded(measured, recording, (predictions,), {"source": "captions", **chosen.parts()}, started)
    if recording.as_json:
        echo(json.dumps({**_json(result, scores, further), **score_claims.as_json(claims)}, indent=2))
    else:
        _print(result, scores, further)
        score_claims.print_verdicts(claims)
    score_claims.check(claims)


def _extra(names: tuple[str, ...], scores: CaptionScores) -> dict[str, dict[str, float]]:
    from bench.scoring.extra_metrics import compute

    return {name: compute(name, scores.items) for name in names}


def _json(result: Result, scores: CaptionScores, extra: dict[str, dict[str, float]]) -> dict[str, Any]:
    from bench.metrics.captions.evidence import by_tiou

    by_threshold = {m.name: by_tiou(scores.evidence, m.name) for m in result.measurements}
    return {
        **as_json(result),
        "by_tiou": {name: values for name, values in by_threshold.items() if values},
        "extra": extra,
    }


def _print(result: Result, scores: CaptionScores, extra: dict[str, dict[str, float]]) -> None:
    from bench.cli.tables import print_table, say_too_few
    from bench.metrics.captions.evidence import by_tiou

    thresholds = list(by_tiou(scores.evidence, "CIDEr"))
    rows = []
    for m in result.measurements:
        interval = f"{m.ci95[0]:.2f} to {m.ci95[1]:.2f}" if m.ci95 else "–"
        parts = [f"{value:.2f}" for value in by_tiou(scores.evidence, m.name).values()] or [""] * len(thresholds)
        rows.append([m.name, f"{m.value:.2f}", interval, f"{m.n:,}", *parts])
    what = "videos" if thresholds else "items"
    heads = ["measurement", "value", "95 % interval", what, *(f"tIoU {threshold}" for threshold in thresholds)]
    print_table(heads, rows, numbers_from=1)
    say_too_few(result)
    for name, values in extra.items():
        echo(f"{name}: {', '.join(f'{key} {value:.6g}' for key, value in values.items())} (not in the record)")
    echo(result.signature)
