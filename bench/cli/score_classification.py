"""`bench score classification`: classes that somebody else's model predicted, in the files people exchange."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bench.cli import score_claims
from bench.cli.commands import Command
from bench.cli.saying import echo
from bench.cli.score_records import Recording, as_json, check_recording, now, recorded, recording_options

_FILE = click.Path(path_type=Path)


@click.command(cls=Command)
@click.option("--predictions", type=_FILE, required=True, help="Classes with scores, JSON, plain or gzip.")
@click.option(
    "--labels",
    type=_FILE,
    required=True,
    help="True classes: labels.csv, JSON as of ActivityNet, a UCF101 or Kinetics list, a folder of HMDB51's.",
)
@click.option("--subset", help="Part of the labels to test on (default: the one that is not for training).")
@recording_options("classification", "predictions")
def classification(predictions: Path, labels: Path, subset: str | None, recording: Recording) -> None:
    """Score classes of videos: top1, top5, mean per class, and Hit@3 and mAP as the official ActivityNet tool.

    Reads submissions to the ActivityNet challenge, {"results": {id: [{"label", "score"}]}}, with or without `v_` before
    the ids, {id: {class: score}}, {id: class}, {id: {"class", "score"}}, and tables (.csv) or arrays (.npz) of scores;
    docs/files.md has all. A class that is not listed is never found.
    """
    from bench.cli.tables import print_table, say_too_few
    from bench.metrics.class_measurements import PRIMARY, measure
    from bench.scoring.class_files import evidence_of, read_labels, read_predictions
    from bench.scoring.recording import Measured

    check_recording(recording)
    started = now()
    true = read_labels(labels, subset)
    evidence, remarks = evidence_of(read_predictions(predictions), true, recording.task, recording.split)
    for remark in remarks:
        echo(remark, err=True)
    claimed = measure(evidence, [claim.name for claim in recording.claims])
    claims = score_claims.verdicts(recording.claims, claimed)
    measured = Measured(measure(evidence), evidence, PRIMARY, evidence.n_items["videos"], remarks=tuple(remarks))
    rules = {"source": "classes", "ties": "expected", "unlisted": "last"}
    result = recorded(measured, recording, (predictions,), rules, started)
    if recording.as_json:
        echo(json.dumps({**as_json(result), **score_claims.as_json(claims)}, indent=2))
    else:
        rows = [
            [m.name, f"{m.value:.2f}", f"{m.ci95[0]:.2f} to {m.ci95[1]:.2f}" if m.ci95 else "–", f"{m.n:,}"]
            for m in result.measurements
        ]
        print_table(["measurement", "value", "95 % interval", "videos"], rows, numbers_from=1)
        say_too_few(result)
        echo(result.signature)
        score_claims.print_verdicts(claims)
    score_claims.check(claims)
