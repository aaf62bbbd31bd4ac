"""Captions of a finished run, scored again one by one beside their references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import InvalidData, UnsupportedTask, VerificationError
from bench.evidence.verified import Stored, stored
from bench.predictions import Captions
from bench.results import Result, parse_signature, same_value
from bench.tasks.captioning import Captioning

if TYPE_CHECKING:
    from bench.catalogue.lookup import Session
    from bench.data.dataset import Dataset
    from bench.metrics.captions.items import VideoCaptions
    from bench.metrics.captions.scoring import CaptionScores


@dataclass(frozen=True)
class ScoredRun:
    """The captions of a run, scored one by one.

    Attributes:
        folder: where its record lies.
        result: its record.
        task: its task, under a protocol that scores single captions.
        said: what was said of each video beside its references, by opaque id.
        scores: the items that were compared, and the evidence of each; without METEOR.
        names: opaque id -> own id of each video.
    """

    folder: Path
    result: Result
    task: Captioning
    said: Mapping[str, VideoCaptions]
    scores: CaptionScores
    names: Mapping[str, str]


def captions_in(folder: Path, session: Session) -> ScoredRun:
    """Returns the captions of the run in a folder.

    Raises: UnsupportedTask for a run of no captioning task; otherwise as `scored_run`.
    """
    record = stored(folder)
    task = session.catalogue.task(record.result.task.name)
    if not isinstance(task, Captioning):
        raise UnsupportedTask(f"{folder}: task {task.name!r} is no captioning. Name a run of one.")
    return scored_run(record, task, session.dataset(task.dataset))


def scored_run(record: Stored, task: Captioning, dataset: Dataset) -> ScoredRun:
    """Returns the captions of a finished run, scored again by the tools that its record names.

    Raises: InvalidData where the captions are not kept; VerificationError when the record does not hold.
    """
    # A score of densevid belongs to a video's corpus: its sentences, too, are scored one by one as by `corpus`.
    single = "corpus" if task.protocol == "densevid" else task.protocol
    *lighter, last = replace(task, protocol=single).as_signed(parse_signature(record.result.signature))
    for light in lighter:
        try:
            return _scored_by(light, record, dataset)
        except VerificationError:
            continue  # the scorers that the record names decide
    return _scored_by(last, record, dataset)


def _scored_by(task: Captioning, record: Stored, dataset: Dataset) -> ScoredRun:
    """Returns every caption with its own score. Raises: VerificationError when the record's scores are others."""
    from bench.metrics.captions.scoring import score

    folder, result = record.folder, record.result
    if result.predictions is None:
        raise InvalidData(f"{folder} was scored from a file that is not kept. Score it again: `bench score captions`.")
    annotations = task.annotations(dataset, result.limit)
    videos = task.items(Captions.load(folder / result.predictions.file), annotations)
    scores = score(videos, replace(task.scoring, meteor="none"), annotations.pool)
    recorded = parse_signature(result.signature).get("protocol") == task.protocol
    stated = {measurement.name: measurement.value for measurement in result.measurements}  # an older one states fewer
    for measurement in scores.measurements if recorded else ():
        if not same_value(measurement.value, said := stated.get(measurement.name, measurement.value)):
            raise VerificationError(
                f"{folder}: {measurement.name} is {said:.6g} in the record, "
                f"{measurement.value:.6g} when scored again. `bench rescore {folder}` says more."
            )
    names = {dataset.opaque(task.split, "video", name): name for name in dataset.columns(task.split)["video_id"]}
    return ScoredRun(folder, result, task, {video.video: video for video in videos}, scores, names)
