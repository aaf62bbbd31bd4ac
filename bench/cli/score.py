"""`bench score`: measurements from similarities, ranked lists, captions and classes that were computed elsewhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.commands import Group
from bench.cli.options import metric_option, say_not_given
from bench.cli.score_captions import captions
from bench.cli.score_classification import classification
from bench.cli.score_records import Recording, as_json, check_recording, now, recorded, recording_options
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.results import Evidence, Result

_FILE = click.Path(path_type=Path)


@click.group(cls=Group)
def score() -> None:
    """Score what was computed elsewhere. Needs no model and no dataset."""


score.add_command(captions)
score.add_command(classification)


@score.command()
@click.option("--similarity", type=_FILE, help="Matrix in .npy, .npz or .safetensors; rows are text queries.")
@click.option("--key", help="Name of the matrix where the file holds several arrays.")
@click.option("--ids", type=_FILE, help="Right columns of each row, counted from 0 (default: the diagonal).")
@click.option(
    "--video-of",
    type=_FILE,
    help="Video id of each row, for several captions per video. Columns are the videos in the order in which they "
    "first occur here, unless --videos names them.",
)
@click.option(
    "--videos", type=_FILE, help="With --video-of: video id of each column, also of videos without a caption."
)
@click.option("--run", "run_file", type=_FILE, help="TREC run, with --qrels in place of --similarity.")
@click.option("--qrels", type=_FILE, help="TREC qrels.")
@metric_option
@recording_options("retrieval", "scores")
def retrieval(
    similarity: Path | None,
    key: str | None,
    ids: Path | None,
    video_of: Path | None,
    videos: Path | None,
    run_file: Path | None,
    qrels: Path | None,
    metrics: tuple[str, ...],
    recording: Recording,
) -> None:
    """Score a similarity matrix, or a TREC run, as text-video retrieval in both directions.

    The matrix is read in tiles and never whole. Ties are broken at random in expectation; NaN is an error.
    """
    from bench.metrics.retrieval import measure
    from bench.scoring.recording import Measured

    matrix = _Matrix(similarity, key, ids, video_of, videos) if similarity else None
    chosen = _chosen(matrix, run_file, qrels, (key, ids, video_of, videos))
    check_recording(recording)
    started = now()
    evidence, rules = _from_run(chosen, recording) if isinstance(chosen, _Run) else _from_matrix(chosen, recording)
    measurements = measure(evidence)
    measured = Measured(measurements, evidence, measurements[0].name, evidence.n_items["t2v"])
    result = recorded(measured, recording, chosen.file, {"ties": "expected", **rules}, started)
    result = result.model_copy(update={"measurements": list(measure(evidence, metrics))})
    if recording.as_json:
        click.echo(json.dumps(_json(result, evidence), indent=2))
    else:
        _print(result, evidence)
    say_not_given(metrics, {measurement.name for measurement in result.measurements})


@dataclass(frozen=True)
class _Matrix:
    """Where similarities are, and which of their columns are right."""

    file: Path
    key: str | None
    ids: Path | None
    video_of: Path | None
    videos: Path | None


@dataclass(frozen=True)
class _Run:
    """A TREC run and what is right for its queries."""

    file: Path
    qrels: Path


def _chosen(
    matrix: _Matrix | None, run_file: Path | None, qrels: Path | None, of_matrix: tuple[object, ...]
) -> _Matrix | _Run:
    """Returns what is scored. Raises: UsageError for flags that do not go together."""
    if run_file and qrels and not matrix:
        if any(of_matrix):
            raise UsageError(
                "--ids, --video-of, --videos and --key belong to --similarity; a run takes its matches from --qrels."
            )
        return _Run(run_file, qrels)
    if matrix and not run_file and not qrels:
        if matrix.ids and matrix.video_of:
            raise UsageError("--ids and --video-of were both given. Keep one.")
        if matrix.videos and not matrix.video_of:
            raise UsageError("--videos names the columns for --video-of, which names the rows: give both.")
        return matrix
    if bool(matrix) == bool(run_file):
        raise UsageError("score either --similarity FILE, or --run FILE with --qrels FILE.")
    raise UsageError("--run and --qrels belong together: give both, without --similarity.")


def _from_matrix(matrix: _Matrix, recording: Recording) -> tuple[Evidence, dict[str, str]]:
    from bench.scoring import matches
    from bench.scoring.matrix_files import similarity_file

    with similarity_file(matrix.file, matrix.key) as similarities:
        matches.check_shape(similarities, matrix.file)
        if matrix.ids:
            chosen = matches.from_columns(matrix.ids, similarities.shape)
        elif matrix.video_of:
            chosen = matches.from_video_ids(matrix.video_of, similarities.shape, matrix.videos)
            if not matrix.videos:
                what = "columns are taken as the videos in the order in which they first occur in"
                click.echo(f"{what} {matrix.video_of}; --videos FILE names them otherwise", err=True)
        else:
            chosen = matches.on_the_diagonal(similarities.shape)
        evidence = matches.evidence_of(similarities, chosen, matches.pool_of(chosen, recording.task, recording.split))
        return evidence, _rules(evidence, {"source": "similarity", "dtype": similarities.dtype})


def _from_run(run: _Run, recording: Recording) -> tuple[Evidence, dict[str, str]]:
    from bench.scoring.trec import score_run

    scored = score_run(run.file, run.qrels, recording.task, recording.split)
    if scored.unjudged:
        click.echo(f"{scored.unjudged:,} queries of the run have no right document and are left out", err=True)
    if scored.unanswered:
        click.echo(f"{scored.unanswered:,} queries are not in the run and count as not found", err=True)
    return scored.evidence, _rules(scored.evidence, {"source": "trec", "unlisted": "last"})


def _rules(evidence: Evidence, rules: dict[str, str]) -> dict[str, str]:
    from bench.metrics.retrieval import BEST_CAPTION, directions_of, hit_rule

    if not any(hit_rule(evidence.counts[direction]) for direction in directions_of(evidence)):
        return rules
    return {**rules, "hits": "any+best-caption" if BEST_CAPTION in evidence.counts else "any"}


def _bounds(evidence: Evidence, name: str) -> tuple[float, float] | None:
    """Returns a recall when every tie falls against the queries and when every tie falls in their favour."""
    from bench.metrics.retrieval import BEST_CAPTION, optimistic_hits, pessimistic_hits, recall

    head, at, k = name.rpartition("R@")
    if not at:
        return None
    counts = evidence.counts[BEST_CAPTION if head.startswith(BEST_CAPTION) else head.partition("/")[0]]
    return recall(counts, int(k), pessimistic_hits), recall(counts, int(k), optimistic_hits)


def _json(result: Result, evidence: Evidence) -> dict[str, Any]:
    value = as_json(result)
    value["under_ties"] = {
        m.name: dict(zip(("pessimistic", "optimistic"), bounds, strict=True))
        for m in result.measurements
        if (bounds := _bounds(evidence, m.name))
    }
    return value


def _print(result: Result, evidence: Evidence) -> None:
    from bench.cli.tables import print_table
    from bench.evidence.kinds import kind_of

    rows, certain = [], {m.name: kind_of(evidence).certain(evidence, m.name) for m in result.measurements}
    for m in result.measurements:
        if certain[m.name] and m.name != result.primary:
            rows.append([m.name, "–", "–", f"{m.n:,}", certain[m.name]])
            continue
        bounds = _bounds(evidence, m.name)
        interval = f"{m.ci95[0]:.2f} to {m.ci95[1]:.2f}" if m.ci95 else "–"
        ties = f"{bounds[0]:.2f} to {bounds[1]:.2f}" if bounds and bounds[0] != bounds[1] else ""
        rows.append([m.name, f"{m.value:.2f}", interval, f"{m.n:,}", ties])
    print_table(["measurement", "value", "95 % interval", "queries", "worst to best under ties"], rows, numbers_from=1)
    click.echo(result.signature)
