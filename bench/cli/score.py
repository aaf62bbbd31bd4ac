"""`bench score`: measurements from similarities, ranked lists, captions and classes that were computed elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import score_claims
from bench.cli.commands import Group
from bench.cli.options import metric_option, say_not_given
from bench.cli.saying import echo
from bench.cli.score_captions import captions
from bench.cli.score_classification import classification
from bench.cli.score_embeddings import (
    EmbeddingFlags,
    embedding_files,
    embedding_options,
    score_embeddings,
)
from bench.cli.score_matrix import CountedScores, MatrixFlags, check_flags, matrix_options, score_matrix
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
@matrix_options
@embedding_options
@click.option("--run", "run_file", type=_FILE, help="TREC run, with --qrels in place of --similarity.")
@click.option("--qrels", type=_FILE, help="TREC qrels, for --run or --queries.")
@metric_option
@recording_options("retrieval", "scores")
def retrieval(
    matrix: MatrixFlags,
    embeddings: EmbeddingFlags,
    run_file: Path | None,
    qrels: Path | None,
    metrics: tuple[str, ...],
    recording: Recording,
) -> None:
    """Score a similarity matrix, two files of embeddings, or a TREC run, as text-video retrieval in both directions.

    A matrix is read in tiles and never whole; embeddings are ranked by their cosines, in galleries of any size, and the
    record keeps two counts of every query. Ties are broken at random in expectation; NaN is an error.
    """
    from bench.metrics.retrieval import measure
    from bench.scoring.recording import Measured

    sources = _sources(matrix, embeddings, run_file, qrels)
    check_recording(recording)
    started = now()
    if embeddings.given:
        test = recording.task, recording.split
        scored = score_embeddings((sources[0], sources[1]), matrix, qrels, test, embeddings.jobs or 1)
    elif matrix.similarity:
        scored = score_matrix(matrix, matrix.similarity, recording.task, recording.split)
    else:
        scored = _from_run(sources[0], sources[1], recording)
    evidence = scored.evidence
    claims = score_claims.verdicts(recording.claims, measure(evidence, [claim.name for claim in recording.claims]))
    measurements = measure(evidence)
    measured = Measured(measurements, evidence, measurements[0].name, evidence.n_items["t2v"], remarks=scored.remarks)
    scored_files = sources if embeddings.given else sources[:1]
    result = recorded(
        measured, recording, scored_files, {"ties": "expected", **_rules(evidence, scored.rules)}, started
    )
    result = result.model_copy(update={"measurements": list(measure(evidence, metrics))})
    if recording.as_json:
        echo(json.dumps({**_json(result, evidence), **score_claims.as_json(claims)}, indent=2))
    else:
        _print(result, evidence)
        score_claims.print_verdicts(claims)
    say_not_given(metrics, {measurement.name for measurement in result.measurements})
    score_claims.check(claims)


def _sources(
    matrix: MatrixFlags, embeddings: EmbeddingFlags, run_file: Path | None, qrels: Path | None
) -> tuple[Path, ...]:
    """Returns the files that are scored: a matrix, queries and items, or a run and its qrels.

    Raises: UsageError for flags that do not go together.
    """
    if embeddings.given:
        if matrix.similarity or run_file:
            other = "--similarity" if matrix.similarity else "--run"
            raise UsageError(f"{', '.join(embeddings.given)} beside {other}: keep one of the two.")
        return embedding_files(embeddings, matrix, qrels)
    if run_file and qrels and not matrix.similarity:
        if matrix.given:
            raise UsageError(
                f"{', '.join(matrix.given)}: belongs to --similarity; a run takes its matches from --qrels."
            )
        return run_file, qrels
    if matrix.similarity and not run_file and not qrels:
        check_flags(matrix)
        return (matrix.similarity,)
    if bool(matrix.similarity) == bool(run_file):
        raise UsageError(
            "score either --similarity FILE, --queries FILE with --items FILE, or --run FILE with --qrels."
        )
    raise UsageError("--run and --qrels belong together: give both, without --similarity.")


def _from_run(run_file: Path, qrels: Path, recording: Recording) -> CountedScores:
    from bench.scoring.trec import score_run

    scored = score_run(run_file, qrels, recording.task, recording.split)
    for line in scored.remarks:
        echo(line, err=True)
    return CountedScores(scored.evidence, {"source": "trec", "unlisted": "last"}, scored.remarks)


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
    from bench.cli.tables import print_table, say_too_few
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
    say_too_few(result)
    echo(result.signature)
