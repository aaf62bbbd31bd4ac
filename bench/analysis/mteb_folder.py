"""Records as results of mteb: `results/MODEL/REVISION/TASK.json`, as its `ResultCache` loads them.

A task of mteb asks in one direction, so a record of retrieval becomes two tasks. They have names of their own, as no
task of mteb asks what bench asks of the same data, and their main score is bench's, not nDCG@10. What is a
percentage here is a share there; R@k with one right answer is `recall_at_k`, everything else keeps its name. How it
was made stands in `run_settings.jsonl`, which mteb keeps and does not show. Source: mteb 2.26, TaskResult,
ModelMeta, ResultCache.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.analysis.model_card import by_signature
from bench.errors import SaveError, UsageError
from bench.evidence.verified import Verified
from bench.files import digest, slug, write_atomically
from bench.reading.outside import Form, read_text, reading
from bench.results import Measurement, Result

OWNER = "vtbench"
META, SETTINGS = "model_meta.json", "run_settings.jsonl"
DIRECTIONS = ("t2v", "v2t")
UNSTATED = "und-Zyyy"
"""A language and a script that nobody stated: of a result without any, mteb says that its score is NaN."""
LINES = Form("JSON Lines", ("json", "text"), remedy="Mend it, or name another --output.")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")


def mteb_files(records: Sequence[Verified], model: str | None) -> dict[str, str]:
    """Returns path below `results` -> content, for the records of one model under one choice of settings.

    Args:
        model: OWNER/NAME that mteb shows; None for `vtbench/NAME`.

    Raises: UsageError as `by_signature`, for a name that is none of mteb's, and for two signatures of one task.
    """
    first = records[0].result
    name = model or f"{OWNER}/{slug(first.model.name)}"
    if not _NAME.fullmatch(name):
        raise UsageError(f"--model {name!r}: mteb names models OWNER/NAME, such as our-lab/hse.")
    revision = f"{first.model.revision}-{digest([first.model.fingerprint, first.model.settings])[:8]}"
    tasks: dict[str, str] = {}
    made: list[dict[str, Any]] = []
    for same in by_signature(records):
        results = [record.result for record in same]
        for task, measurements in _tasks(results[0]):
            if task in tasks:
                raise UsageError(
                    f"{same[0].path}: {results[0].task.name} is given under two signatures, and mteb knows a task by "
                    "its name alone. Export each into a folder of its own."
                )
            tasks[task] = _as_json(_task_result(task, results, measurements))
            made.append(_settings(task, results, measurements[0]))
    folder = f"{name.replace('/', '__')}/{revision}"
    files = {f"{folder}/{task}.json": content for task, content in tasks.items()}
    files[f"{folder}/{META}"] = _as_json(_meta(name, revision, first))
    files[f"{folder}/{SETTINGS}"] = "".join(json.dumps(line) + "\n" for line in made)
    return files


def write_mteb(files: Mapping[str, str], folder: Path) -> list[Path]:
    """Writes the files below `folder`/results; what was done for other tasks stays.

    Raises: SaveError where a task is there with other content; InvalidData for settings there that cannot be read.
    """
    places = {folder / "results" / path: content for path, content in files.items()}
    results = {path: content for path, content in places.items() if path.name not in (META, SETTINGS)}
    others = [
        str(at)
        for at, said in results.items()
        if at.exists() and not (at.is_file() and at.read_bytes() == said.encode())
    ]
    if others:
        raise SaveError(
            f"{' and '.join(others)} {'exist' if others[1:] else 'exists'} with other content and "
            f"{'are' if others[1:] else 'is'} never overwritten. Remove {'them' if others[1:] else 'it'} first."
        )
    for path, content in places.items():
        kept = _of_others(path, content) if path.name == SETTINGS and path.exists() else ""
        write_atomically(path, (kept + content).encode())
    return list(places)


def _of_others(path: Path, content: str) -> str:
    """Returns the lines of a file of settings that are of other tasks than those in `content`."""
    ours = {json.loads(line)["task"] for line in content.splitlines()}
    text = read_text(path, LINES)
    with reading(path, LINES):
        kept = [line for line in text.splitlines() if line.strip() and json.loads(line)["task"] not in ours]
    return "".join(f"{line}\n" for line in kept)


def _tasks(result: Result) -> Iterator[tuple[str, list[Measurement]]]:
    """Yields each task of mteb that a record becomes, its main measurement first."""
    task, primary = slug(result.task.name), result[result.primary]
    ways = [way for way in DIRECTIONS if any(one.name.startswith(f"{way}/") for one in result.measurements)]
    for way in ways:
        asked = [one for one in result.measurements if one.name.startswith(f"{way}/")]
        wanted = f"{way}/{primary.name.partition('/')[2]}"
        yield f"{task}-{way}", sorted(asked, key=lambda one: one.name != wanted)
    if not ways:
        yield task, sorted(result.measurements, key=lambda one: one is not primary)


def _plain(name: str) -> str:
    """Returns what mteb calls a measurement."""
    way, _, rest = name.partition("/")
    plain = rest if way in DIRECTIONS else name
    return f"recall_at_{plain[2:]}" if re.fullmatch(r"R@\d+", plain) else plain


def _task_result(task: str, results: Sequence[Result], measurements: Sequence[Measurement]) -> dict[str, Any]:
    first = results[0]
    scores: dict[str, Any] = {}
    for one in measurements:
        mean = statistics.fmean(result[one.name].value for result in results)
        scores[_plain(one.name)] = mean / 100 if one.unit == "percent" else mean
    main = scores[_plain(measurements[0].name)]
    row = {**scores, "main_score": main, "hf_subset": "default", "languages": [UNSTATED]}
    seconds = [sum(result.provenance.seconds.values()) for result in results]
    return {
        "dataset_revision": first.data.annotations.get(first.task.split, "")[:12] or "not stated",
        "task_name": task,
        "mteb_version": None,
        "scores": {first.task.split: [row]},
        "evaluation_time": statistics.fmean(seconds),
        "kg_co2_emissions": None,
        "date": max(datetime.fromisoformat(result.provenance.started) for result in results).timestamp(),
    }


def _settings(task: str, results: Sequence[Result], main: Measurement) -> dict[str, Any]:
    first = results[0]
    return {
        "task": task,
        "splits": [first.task.split],
        "version": dict(first.provenance.versions),
        "encode_kwargs": {"batch_size": first.provenance.batch_size},
        "made_by": OWNER,
        "model": first.model.name,
        "model_settings": dict(first.model.settings),
        "signature": first.signature,
        "data": first.data.label,
        "main_score": main.name,
        "seeds": [result.seed for result in results],
        "records": [result.run for result in results],
        "subsets": ["default"],
    }


def _meta(name: str, revision: str, result: Result) -> dict[str, Any]:
    """Returns what mteb asks of every model, and nothing that the record does not say."""
    checkpoint = result.provenance.checkpoint
    unknown = (
        "release_date", "languages", "memory_usage_mb", "max_tokens", "embed_dim", "license", "open_weights",
        "public_training_code", "public_training_data", "similarity_fn_name", "use_instructions", "training_datasets",
    )  # fmt: skip
    return {
        "loader": None,
        "name": name,
        "revision": revision,
        "n_parameters": checkpoint.parameters if checkpoint else None,
        "framework": ["PyTorch"],
        "modalities": ["text", "video"],
        **dict.fromkeys(unknown),
    }


def _as_json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"
