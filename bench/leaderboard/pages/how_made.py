"""What made a row, in words: enough for a reader to judge it, and one command that runs it again."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from bench.leaderboard.board import Row, Table
from bench.leaderboard.records import Entry
from bench.reading.numbers import number_of
from bench.results import BOUNDS, SPENT, Provenance, Result, spent_by, spent_words

UNKNOWN_COMMIT = "not recorded (not run from a checkout)"


def facts(row: Row) -> list[tuple[str, str]]:
    """Returns what made a row as pairs of name and value; what differs between its runs is listed by seed."""
    parts: list[tuple[str, Callable[[Result], str]]] = [
        ("Signature", lambda r: r.signature),
        ("Data", lambda r: f"{r.data.label}, {r.data.n_evaluated:,} of {number_of(r.data.n_expected, 'video')}"),
        (
            "Annotations",
            lambda r: ", ".join(f"{split} {sha[:12]}" for split, sha in sorted(r.data.annotations.items())),
        ),
        ("Features", _features),
        ("Missing videos", _missing),
        ("On the whole test set", _bounds),
        ("Beside the score", lambda r: "; ".join(r.data.remarks)),
        ("Checkpoint", _checkpoint),
        ("Distribution", lambda r: f"{r.model.distribution}, revision {r.model.revision}"),
        ("Command", lambda r: shlex.join(r.provenance.command)),
        ("Commit", lambda r: _commit(r.provenance)),
        ("Versions", lambda r: ", ".join(f"{name} {v}" for name, v in sorted(r.provenance.versions.items()))),
        ("Hardware", _hardware),
        ("Precision", lambda r: f"{r.provenance.precision}, batches of {r.provenance.batch_size}"),
    ]
    pairs = [(name, _over_seeds(row.entries, tell)) for name, tell in parts]
    return [(name, value) for name, value in pairs if value]


def _over_seeds(entries: Sequence[Entry], tell: Callable[[Result], str]) -> str:
    by_value: dict[str, list[int]] = {}
    for entry in entries:
        by_value.setdefault(tell(entry.result), []).append(entry.result.seed)
    if len(by_value) == 1:
        return next(iter(by_value))
    return "; ".join(f"seed {', '.join(map(str, seeds))}: {value or '–'}" for value, seeds in by_value.items())


def _features(result: Result) -> str:
    features = result.data.features
    if not features.extractor:
        return ""
    told = f"{features.extractor}, {features.dim} numbers every {features.stride}, digest {features.digest[:12]}"
    if features.made:
        words = ", ".join(f"{name} {value}" for name, value in features.made.items())
        told = f"{features.extractor}, {features.dim} numbers, digest {features.digest[:12]}; {words}"
    return told


def _missing(result: Result) -> str:
    missing = result.data.missing
    if missing is None:
        return ""
    counts = ", ".join(f"{count:,} of {split}" for split, count in sorted(missing.videos.items()))
    return f"{counts} without features ({missing.policy})"


def _bounds(result: Result) -> str:
    """Returns where the number by which rows are ranked can lie if the missing videos were there."""
    bounds = result[result.primary].bounds
    if bounds is None:
        return ""
    known = ", ".join(f"{getattr(bounds, case):.1f} {words}" for case, words in BOUNDS.items())
    return f"{result.primary}: {known}"


_SELECTION = {
    "held-out": " videos, which may share sources with the rest",
    "held-out groups": ", none split",
}
"""What to know of how an epoch was chosen."""


def _checkpoint(result: Result) -> str:
    checkpoint = result.provenance.checkpoint
    if checkpoint is None:
        return ""
    selection = f"selected by {checkpoint.selection}{_SELECTION.get(checkpoint.selection, '')}"
    made = f"{selection}, word vectors {checkpoint.word_vectors[:12]}"
    size = "" if checkpoint.parameters is None else f", {checkpoint.parameters:,} parameters"
    return f"{made}{size}, sha256 {checkpoint.sha256[:12]}"


def _commit(provenance: Provenance) -> str:
    if provenance.commit is None:
        return UNKNOWN_COMMIT
    changed = {True: " with uncommitted changes", False: "", None: ", changes unknown"}[provenance.dirty]
    return f"{provenance.commit[:12]}{changed}"


def _hardware(result: Result) -> str:
    made = result.provenance
    known = ", ".join(f"{name} {value}" for name, value in sorted(made.hardware.items()))
    threads = f"{made.threads} thread{'s' if made.threads > 1 else ''}"
    return f"{known}; ran on {made.device} with {threads}"


def command(entry: Entry) -> str:
    """Returns a command that runs a record again, every choice spelt out; "" where it cannot be shown as it is.

    What was scored from a file that nobody kept has its recorded command.
    """
    result = entry.result
    words = result.provenance.command if result.predictions is None else _run(result)
    text = shlex.join(words)
    return text if text.isprintable() and len(text) <= 2000 else ""


def _run(result: Result) -> list[str]:
    words = ["bench", "run", "-m", result.model.name, "-t", result.task.name, "--seed", str(result.seed)]
    for name, value in sorted(result.model.settings.items()):
        words += ["--set", f"{name}={str(value).lower() if isinstance(value, bool) else value}"]
    if result.provenance.precision != "fp32":
        words += ["--precision", result.provenance.precision]
    if result.provenance.batch_size != 64:
        words += ["--batch-size", str(result.provenance.batch_size)]
    return words


def runs(row: Row) -> list[dict[str, str]]:
    """Returns one line for each run of a row: seed, run, status, when, and wall seconds by stage."""
    return [
        {
            "seed": str(entry.result.seed),
            "run": entry.result.run,
            "file": entry.file,
            "status": entry.status,
            "checked": _checked(entry),
            "started": entry.result.provenance.started,
            "seconds": ", ".join(f"{stage} {s:,.1f}" for stage, s in entry.result.provenance.seconds.items()),
        }
        for entry in row.entries
    ]


@dataclass(frozen=True)
class SpentColumn:
    """What each row of a table took of one thing: the mean over its runs as a number and as text, or None."""

    name: str
    cells: tuple[tuple[float, str] | None, ...]


def spent(table: Table) -> list[SpentColumn]:
    """Returns what the rows of a table took, as far as a record of theirs says it; columns that are shown on demand."""
    columns = []
    for name in SPENT:
        known = [
            [took[name] for entry in row.entries if name in (took := spent_by(entry.result.provenance))]
            for row in table.rows
        ]
        means = [fmean(values) if values else None for values in known]
        if any(mean is not None for mean in means):
            cells = tuple(None if mean is None else (mean, spent_words(name, mean)) for mean in means)
            columns.append(SpentColumn(name, cells))
    return columns


def _checked(entry: Entry) -> str:
    check = entry.check
    if check is None:
        return "evidence only"
    code = f"vtbench {check.versions.get('vtbench', 'unknown')}" + (f" at {check.commit[:12]}" if check.commit else "")
    again = f"run again, {check.rerun.outcome}" if check.rerun else "scored again"
    return f"{again}, {check.date}, {code}"
