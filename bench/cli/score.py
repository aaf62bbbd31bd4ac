"""`bench score`: measurements from similarities and ranked lists that were computed elsewhere."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.results import Evidence, Result

_FILE = click.Path(path_type=Path)


@click.group()
def score() -> None:
    """Score what was computed elsewhere. Needs no model and no dataset."""


@score.command()
@click.option("--similarity", type=_FILE, help="Matrix in .npy, .npz or .safetensors; rows are text queries.")
@click.option("--key", help="Name of the matrix where the file holds several arrays.")
@click.option("--ids", type=_FILE, help="Right columns of each row, counted from 0 (default: the diagonal).")
@click.option("--video-of", type=_FILE, help="Video id of each row, for several captions per video (any-hit).")
@click.option("--run", "run_file", type=_FILE, help="TREC run, with --qrels in place of --similarity.")
@click.option("--qrels", type=_FILE, help="TREC qrels.")
@click.option("--name", default="unnamed", show_default=True, help="Name of the model on the board.")
@click.option("--task", default="retrieval", show_default=True, help="Task the scores belong to.")
@click.option("--split", default="test", show_default=True)
@click.option(
    "--data-kind", type=click.Choice(["real", "simulated", "generated"]), help="Default real; needed with --output."
)
@click.option("--features", default="unknown", show_default=True, help="What the model saw, in a word.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the model's training.")
@click.option("--output", "-o", type=_FILE, help="Write record and evidence to a folder below this one.")
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")
def retrieval(**options: Any) -> None:
    """Score a similarity matrix, or a TREC run, as text-video retrieval in both directions.

    The matrix is read in tiles and never whole. Ties are broken at random in expectation; NaN is an error.
    """
    from datetime import UTC, datetime

    from bench.results import Result
    from bench.scoring.recording import Claim, record_of, save

    _check(options)
    evidence, source, rules = _from_run(options) if options["run_file"] else _from_matrix(options)
    claim = Claim(
        name=options["name"],
        task=options["task"],
        split=options["split"],
        kind=options["data_kind"] or "real",
        features=options["features"],
        seed=options["seed"],
        started=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        command=("bench", *sys.argv[1:]),
    )
    result = record_of(evidence, claim, source, rules)
    if options["output"]:
        folder = save(result, evidence, options["output"])
        result = Result.load(folder / "result.json")
        click.echo(f"record and evidence are in {folder}", err=True)
    if options["as_json"]:
        click.echo(json.dumps(_json(result, evidence), indent=2))
    else:
        _print(result, evidence)


def _check(options: dict[str, Any]) -> None:
    if bool(options["similarity"]) == bool(options["run_file"]):
        raise UsageError("score either --similarity FILE, or --run FILE with --qrels FILE.")
    if bool(options["run_file"]) != bool(options["qrels"]):
        raise UsageError("--run and --qrels belong together: give both.")
    if options["run_file"] and (options["ids"] or options["video_of"] or options["key"]):
        raise UsageError("--ids, --video-of and --key belong to --similarity; a run takes its matches from --qrels.")
    if options["ids"] and options["video_of"]:
        raise UsageError("--ids and --video-of were both given. Keep one.")
    if options["output"] and not options["data_kind"]:
        raise UsageError("--output needs --data-kind real, simulated or generated: a board keeps them apart.")


def _from_matrix(options: dict[str, Any]) -> tuple[Evidence, Path, dict[str, str]]:
    from bench.scoring import matches
    from bench.scoring.matrix_files import similarity_file

    source: Path = options["similarity"]
    with similarity_file(source, options["key"]) as similarities:
        matches.check_shape(similarities, source)
        if options["ids"]:
            chosen = matches.from_columns(options["ids"], similarities.shape)
        elif options["video_of"]:
            chosen = matches.from_video_ids(options["video_of"], similarities.shape)
        else:
            chosen = matches.on_the_diagonal(similarities.shape)
        evidence = matches.evidence_of(similarities, chosen, chosen.pool(options["task"], options["split"]))
        return evidence, source, _rules(evidence, {"source": "similarity", "dtype": similarities.dtype})


def _from_run(options: dict[str, Any]) -> tuple[Evidence, Path, dict[str, str]]:
    from bench.scoring.trec import score_run

    scored = score_run(options["run_file"], options["qrels"], options["task"], options["split"])
    if scored.unjudged:
        click.echo(f"{scored.unjudged:,} queries of the run have no right document and are left out", err=True)
    if scored.unanswered:
        click.echo(f"{scored.unanswered:,} queries are not in the run and count as not found", err=True)
    return scored.evidence, options["run_file"], _rules(scored.evidence, {"source": "trec", "unlisted": "last"})


def _rules(evidence: Evidence, rules: dict[str, str]) -> dict[str, str]:
    from bench.metrics.retrieval import hit_rule

    several = any(hit_rule(counts) for counts in evidence.counts.values())
    return {**rules, **({"hits": "any"} if several else {})}


def _bounds(evidence: Evidence, name: str) -> tuple[float, float] | None:
    """Returns a recall when every tie falls against the queries and when every tie falls in their favour."""
    from bench.metrics.retrieval import optimistic_hits, pessimistic_hits, recall

    direction, _, metric = name.partition("/")
    _, at, k = metric.rpartition("R@")
    if not at:
        return None
    counts = evidence.counts[direction]
    return recall(counts, int(k), pessimistic_hits), recall(counts, int(k), optimistic_hits)


def _json(result: Result, evidence: Evidence) -> dict[str, Any]:
    value: dict[str, Any] = result.model_dump(by_alias=True, mode="json")
    if value["evidence"]["sha256"] == "0" * 64:
        value["evidence"] = None
    value["under_ties"] = {
        m.name: dict(zip(("pessimistic", "optimistic"), bounds, strict=True))
        for m in result.measurements
        if (bounds := _bounds(evidence, m.name))
    }
    return value


def _print(result: Result, evidence: Evidence) -> None:
    from bench.cli.tables import print_table

    rows = []
    for m in result.measurements:
        bounds = _bounds(evidence, m.name)
        interval = f"{m.ci95[0]:.2f} to {m.ci95[1]:.2f}" if m.ci95 else "–"
        ties = f"{bounds[0]:.2f} to {bounds[1]:.2f}" if bounds and bounds[0] != bounds[1] else ""
        rows.append([m.name, f"{m.value:.2f}", interval, f"{m.n:,}", ties])
    print_table(["measurement", "value", "95 % interval", "queries", "worst to best under ties"], rows, numbers_from=1)
    click.echo(result.signature)
