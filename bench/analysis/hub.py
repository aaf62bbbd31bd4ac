"""Records on the Hugging Face Hub: a dataset repository that holds them, and results of a model that link there.

A model's repository states results in `.eval_results/*.yaml`; each names the dataset that hosts the benchmark, one of
the tasks in that dataset's `eval.yaml`, one value, and a source. Here the source is the record: anyone can score its
predictions again. Source: huggingface/hub-docs, docs/hub/eval-results.md. Nothing is sent anywhere.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from bench.analysis.model_card import by_signature
from bench.errors import SaveError, UsageError
from bench.evidence.verified import Verified
from bench.files import slug, write_atomically
from bench.leaderboard.checks import Status, check_path, least, predictions_path, read_check
from bench.leaderboard.records import Entry, Note, read
from bench.results import Result

if TYPE_CHECKING:
    from huggingface_hub import EvalResultEntry

EVAL_RESULTS = ".eval_results"
HUB = "https://huggingface.co/datasets"
RESULTS, TABLE, CARD = "results", "results.jsonl", "README.md"
FRAMEWORK = "vtbench"


def _place(result: Result) -> str:
    """Returns where the record of a run lies in the dataset repository."""
    return f"{RESULTS}/{slug(result.task.name)}/{result.run}.json"


def _check_name(dataset: str) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # its documented place

    try:
        validate_repo_id(dataset)
        if dataset.count("/") != 1:
            raise HFValidationError("it has no owner")
    except HFValidationError as error:
        raise UsageError(
            f"--dataset {dataset!r}: {str(error).rstrip('.')}. Write OWNER/NAME, such as our-lab/video-results."
        ) from None


def status_of(record: Verified) -> Status:
    """Returns what was done to trust a record where it lies. Raises: InvalidData for a check that does not hold."""
    check = read_check(record.path, record.result)
    return "consistent" if check is None else check.status


def eval_results(records: Sequence[Verified], dataset: str) -> dict[str, list[EvalResultEntry]]:
    """Returns file name -> entries for the `.eval_results` of one model: one entry for each signature of its records.

    The value is the primary measurement, a mean where there are several seeds; interval, status and signature stand in
    the notes.

    Args:
        records: of one model under one choice of settings.
        dataset: the dataset repository that `write_records` fills, OWNER/NAME.

    Raises: UsageError as `by_signature`, and for a name that no repository can have.
    """
    from huggingface_hub import EvalResultEntry

    _check_name(dataset)
    files: dict[str, list[EvalResultEntry]] = {}
    for same in by_signature(records):
        results = [record.result for record in same]
        first = results[0]
        place = _place(first)
        values = [result[first.primary].value for result in results]
        entry = EvalResultEntry(
            dataset_id=dataset,
            task_id=slug(first.task.name),
            value=statistics.fmean(values),
            date=max(datetime.fromisoformat(result.provenance.started) for result in results).date().isoformat(),
            source_url=f"{HUB}/{dataset}/"
            + (f"blob/main/{place}" if len(results) == 1 else f"tree/main/{place.rpartition('/')[0]}"),
            source_name="record and evidence" if len(results) == 1 else "records and evidence",
            notes="; ".join(_notes(same)),
        )
        files.setdefault(f"{slug(first.task.name)}.yaml", []).append(entry)
    return files


def _notes(same: Sequence[Verified]) -> Iterator[str]:
    """Yields what a reader needs beside the value."""
    results = [record.result for record in same]
    primary = results[0][results[0].primary]
    yield f"{primary.name}, {primary.unit}"
    if len(results) > 1:
        deviation = statistics.stdev(result[primary.name].value for result in results)
        yield f"mean of seeds {', '.join(str(result.seed) for result in results)}, deviation {deviation:.2f}"
    elif primary.ci95 is not None:
        yield f"95 % interval {primary.ci95[0]:.1f} to {primary.ci95[1]:.1f}"
    yield results[0].data.label
    yield least([status_of(record) for record in same])
    yield results[0].signature


def as_yaml(entries: Sequence[EvalResultEntry]) -> str:
    """Returns entries as a file of `.eval_results` has them."""
    from huggingface_hub import eval_result_entries_to_yaml

    listed = eval_result_entries_to_yaml(list(entries))
    return str(yaml.safe_dump(listed, sort_keys=False, allow_unicode=True, width=1000))


def write_eval_results(files: Mapping[str, Sequence[EvalResultEntry]], folder: Path) -> list[Path]:
    """Writes `.eval_results/*.yaml` into a model's repository; a file of the same task there is replaced.

    Raises: SaveError.
    """
    written = [folder / EVAL_RESULTS / name for name in files]
    for path, entries in zip(written, files.values(), strict=True):
        write_atomically(path, as_yaml(entries).encode())
    return written


def write_records(records: Sequence[Verified], folder: Path, name: str) -> tuple[list[Path], list[Note]]:
    """Writes a dataset repository: every record with its evidence, predictions and check, a table of all, a card.

    `datasets.load_dataset` gives the table, which has a row for every record there, also of earlier commands;
    `eval.yaml` names the tasks that results of models can link to. A card that is there stays.

    Args:
        records: of any models.
        folder: a clone of the dataset's repository, or a folder that is not there yet.
        name: OWNER/NAME of the repository.

    Returns:
        The files written, and why records that lay there have no row.

    Raises: UsageError for a name that no repository can have, and for partial records; SaveError where the folder holds
    another record of that name.
    """
    _check_name(name)
    if partial := [record.path for record in records if record.result.status != "complete"]:
        raise UsageError(f"{partial[0]} is partial: it covers a part of the test set. Run it on all, without --limit.")
    written = [path for record in records for path in _copies(record, folder)]
    entries, left_out = read((folder / RESULTS,))
    rows = sorted((_row(entry) for entry in entries if not entry.partial), key=lambda row: str(row["record"]))
    contents = {
        TABLE: "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),
        "eval.yaml": _tasks(name, rows),
    }
    if not (folder / CARD).exists():
        contents[CARD] = _card(name)
    for file, content in contents.items():
        write_atomically(folder / file, content.encode())
        written.append(folder / file)
    return written, left_out


def _copies(record: Verified, folder: Path) -> Iterator[Path]:
    """Copies a record and the files that belong to it, under the names that they have on a board."""
    target = folder / _place(record.result)
    if target.exists() and target.read_bytes() != record.path.read_bytes():
        raise SaveError(f"{target} exists with other content and is never overwritten. Remove its files first.")
    predictions = predictions_path(record.path, record.result)
    there = predictions_path(target, record.result)
    files = [
        (record.path.with_name(record.result.evidence.file), target.with_name(record.result.evidence.file)),
        *([(predictions, there)] if predictions is not None and there is not None and predictions.is_file() else []),
        *([(check_path(record.path), check_path(target))] if status_of(record) != "consistent" else []),
        (record.path, target),
    ]
    for source, place in files:
        write_atomically(place, source.read_bytes())
        yield place


def _row(entry: Entry) -> dict[str, object]:
    """Returns a record as a row of the table."""
    result = entry.result
    primary = result[result.primary]
    return {
        "task": result.task.name,
        "model": result.model.name,
        "seed": result.seed,
        "metric": primary.name,
        "value": primary.value,
        "ci95": list(primary.ci95) if primary.ci95 else None,
        "unit": primary.unit,
        "data": result.data.label,
        "status": entry.status,
        "signature": result.signature,
        "settings": json.dumps(result.model.settings, sort_keys=True),
        "record": f"{RESULTS}/{entry.file}",
    }


def _tasks(name: str, rows: Sequence[dict[str, object]]) -> str:
    """Returns `eval.yaml`: the tasks that results can name."""
    tasks = sorted({slug(str(row["task"])) for row in rows})
    content = {
        "name": name.partition("/")[2],
        "description": "Models that connect videos with text, measured by bench; every value follows from evidence.",
        "evaluation_framework": FRAMEWORK,
        "tasks": [{"id": task, "config": "default", "split": "test"} for task in tasks],
    }
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000))


def _card(name: str) -> str:
    """Returns README.md of the dataset repository."""
    from huggingface_hub import DatasetCardData

    files = [{"split": "test", "path": TABLE}]
    data = DatasetCardData(
        pretty_name=name.partition("/")[2],
        tags=["evaluation", "leaderboard", "video", "text"],
        configs=[{"config_name": "default", "data_files": files}],
    )
    return f"""---
{data.to_yaml()}
---

# {name.partition("/")[2]}

Records of [bench](https://pypi.org/project/vtbench): `{TABLE}` has a row for each run. `results/TASK/RUN.json` is the
record, the files beside it are the evidence that every number follows from, what the model said, and what was done to
trust it. Score them again where the data lie: `bench leaderboard check --records-only --results results`.
"""
