"""Records as Hugging Face `model-index` metadata, so that a model card states what was measured and how.

Source: https://github.com/huggingface/hub-docs/blob/main/modelcard.md (model-index), written by huggingface_hub.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import UsageError
from bench.evidence.kinds import kind_of
from bench.evidence.verified import Verified
from bench.files import write_atomically
from bench.reading.outside import Form, read_text, reading
from bench.reading.yaml_files import parse_yaml
from bench.results import Measurement, Result

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

CARD = Form("a model card", remedy="Mend it, or name a file that is not there yet.")


def card_data(records: Sequence[Verified]) -> ModelCardData:
    """Returns the metadata of one model's records: each measurement as a mean over seeds, with its signature.

    Raises: UsageError for records of several models or settings, partial ones, or a seed that was given twice.
    """
    from huggingface_hub import ModelCardData

    evaluations = []
    for same in by_signature(records):
        results, kind = [record.result for record in same], kind_of(same[0].evidence)
        evaluations += [_evaluation(results, measurement, kind.hub_task) for measurement in results[0].measurements]
    return ModelCardData(model_name=records[0].result.model.name, eval_results=evaluations)


def by_signature(records: Sequence[Verified]) -> list[list[Verified]]:
    """Returns one model's records in groups of equal signatures: the seeds of one task.

    Raises: UsageError for records of several models or settings, partial ones, or a seed that was given twice.
    """
    first = records[0].result
    groups: dict[str, list[Verified]] = {}
    for record in records:
        result = record.result
        if (result.model.name, result.model.settings) != (first.model.name, first.model.settings):
            raise UsageError(
                f"{record.path} is of another model or has other settings than {records[0].path}. What is written here "
                "speaks about one model: export each by itself."
            )
        if result.status != "complete":
            raise UsageError(
                f"{record.path} is {result.status}: it covers a part of the test set. Run it on all, without --limit."
            )
        groups.setdefault(result.signature, []).append(record)
    for same in groups.values():
        seeds = [record.result.seed for record in same]
        if len(set(seeds)) < len(seeds):
            twice = max(seeds, key=seeds.count)
            raise UsageError(
                f"seed {twice} of {first.model.name} on {same[0].result.task.name} was given twice, as "
                f"{' and '.join(one.result.run for one in same if one.result.seed == twice)}. Leave one of them out."
            )
    return list(groups.values())


def _evaluation(results: Sequence[Result], measurement: Measurement, task_type: str) -> EvalResult:
    from huggingface_hub import EvalResult

    first = results[0]
    values = [result[measurement.name].value for result in results]
    how: dict[str, Any] = {"unit": measurement.unit, "seeds": [result.seed for result in results]}
    if len(values) > 1:
        how["std"] = statistics.stdev(values)
    elif measurement.ci95 is not None:
        how["ci95"] = list(measurement.ci95)
    return EvalResult(
        task_type=task_type,
        task_name=first.task.name,
        dataset_type=first.task.dataset,
        dataset_name=first.data.label,
        dataset_split=first.task.split,
        dataset_revision=first.data.annotations.get(first.task.split, "")[:12] or None,
        metric_type=measurement.name,
        metric_name=measurement.name,
        metric_value=statistics.fmean(values),
        metric_config=first.signature,
        metric_args=how,
    )


def write_card(data: ModelCardData, path: Path) -> None:
    """Puts the metadata into a model card: only its `model-index` changes where there is one, else a card is made.

    Raises: UsageError for a file of another kind; InvalidData for a card that cannot be read, SaveError.
    """
    from huggingface_hub import ModelCard, ModelCardData
    from huggingface_hub.repocard import REGEX_YAML_BLOCK

    if path.suffix.lower() != ".md" and not path.is_dir():
        raise UsageError(f"--output {path}: a model card is Markdown, such as README.md.")
    if path.exists():
        text = read_text(path, CARD)
        with reading(path, CARD):
            if head := REGEX_YAML_BLOCK.search(text):
                parse_yaml(head.group(2))  # the library's own reader knows no limits
            else:
                text = f"---\n{{}}\n---\n\n{text}"
            card = ModelCard(text, ignore_metadata_errors=False)
        if isinstance(card.data, ModelCardData):  # always, but only said of cards in general
            card.data.eval_results, card.data.model_name = data.eval_results, data.model_name
    else:
        card = ModelCard(f"---\n{data.to_yaml()}\n---\n\n# {data.model_name}\n")
    write_atomically(path, f"{str(card).rstrip()}\n".encode())
