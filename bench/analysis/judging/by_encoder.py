"""Captions of a run set beside its videos in the space of a dual encoder: CLIPScore and RefCLIPScore, in no record.

Every sentence counts once, beside the frames of the segment it was asked for, and beside the references that it answers
in every annotation. Frames are the rows of features that the encoder made, each brought to length 1; their mean is what
is seen. A sentence without a word counts 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bench.analysis.examples.scored import ScoredRun
from bench.analysis.judging.labels import LabelledCaption
from bench.analysis.judging.seen_features import SeenFeatures
from bench.errors import InvalidData, UnsupportedTask, UsageError
from bench.execution import Execution
from bench.files import digest
from bench.metrics.agreement import RankAgreement, agreement
from bench.metrics.captions.clipscore import WEIGHT, clip_scores, ref_clip_scores
from bench.metrics.captions.pairing import Item, sentence_items
from bench.metrics.statistics import Statistic, interval, of_clusters
from bench.models import TextEncoder
from bench.models.frozen import Directions, MeanOfFrames
from bench.plugins.code import Guard
from bench.reading.numbers import number_of
from bench.reading.outside import shown
from bench.results import signature

SCHEMA = "bench-clipscore/1"
SCORES = ("CLIPScore", "RefCLIPScore")

Placed = tuple[Item, int]
"""A caption, and which segment of its video it is about."""


@dataclass(frozen=True)
class MeanScore:
    """A score of all captions.

    Attributes:
        name: what it is called.
        value: mean over captions.
        ci95: 95 % interval by resampling videos; None of too few.
        values: (n,) of each caption.
        agreement: with people's labels; None where none were given.
    """

    name: str
    value: float
    ci95: tuple[float, float] | None
    values: tuple[float, ...]
    agreement: RankAgreement | None


@dataclass(frozen=True)
class ClipScored:
    """CLIPScore and RefCLIPScore of a run's captions.

    Attributes:
        run: which run.
        signature: how the figures were made: run, encoder, features, pooling, words before captions.
        items: the captions, by what files call their videos.
        scores: of all captions, and of each.
        empty: captions without a word.
        remarks: what else a reader has to know, one line each.
    """

    run: str
    signature: str
    items: tuple[Item, ...]
    scores: tuple[MeanScore, ...]
    empty: int
    remarks: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Returns all of it."""
        n = len(self.items)
        each = zip(self.items, *(score.values for score in self.scores), strict=True)
        return {
            "schema": SCHEMA,
            "run": self.run,
            "signature": self.signature,
            "measurements": [
                {
                    "name": score.name,
                    "value": score.value,
                    "ci95": score.ci95,
                    "n": n,
                    "agreement": asdict(score.agreement) if score.agreement else None,
                }
                for score in self.scores
            ],
            "empty": self.empty,
            "remarks": self.remarks,
            "captions": [
                {
                    "video": item.video,
                    "segment": item.segment,
                    "caption": item.caption,
                    **dict(zip((score.name for score in self.scores), values, strict=True)),
                }
                for item, *values in each
            ],
        }


@dataclass(frozen=True)
class Reading:
    """How captions are read and videos seen.

    Attributes:
        features: what was seen, and by which encoder.
        template: what is read for a caption, and for a reference, with `{}` where it stands.
        execution: where the encoder computes.
        guard: runs it.
    """

    features: SeenFeatures
    template: str
    execution: Execution
    guard: Guard


def clip_scored(run: ScoredRun, reading: Reading, labels: Sequence[LabelledCaption]) -> ClipScored:
    """Returns CLIPScore and RefCLIPScore of a run's captions.

    Args:
        labels: captions of whole videos that people labelled, which are scored as well; none for no agreement.

    Raises: UsageError for a template without a place, and for labels of other videos; UnsupportedTask for an encoder
    that reads no text with its settings; InvalidData where no caption has a word; MissingData where a video has
    captions and no features.
    """
    if reading.template.count("{}") != 1:
        raise UsageError(f"--template {reading.template!r}: write {{}} once, where the caption stands.")
    videos = [sentence_items(run.said[video]) for video in sorted(run.said)]
    mine: list[Placed] = [(item, place) for said in videos for place, item in enumerate(said)]
    theirs: list[Placed] = [(item, 0) for item in _labelled(run, labels)]
    empty = sum(not _has_words(item) for item, _ in mine)
    if empty == len(mine):
        raise InvalidData(f"{run.result.run}: not one of {number_of(empty, 'caption')} has a word, so each counts 0.")
    segments = {said[0].video: len(said) for said in videos if any(map(_has_words, said))}
    embedded, remarks = _embedded(run, reading, {**{item.video: 1 for item, _ in theirs}, **segments}, [*mine, *theirs])
    sizes = np.array(list(map(len, videos)))
    scores = []
    for name, own, other in zip(SCORES, _values(mine, embedded), _values(theirs, embedded), strict=True):
        by_video = of_clusters(Statistic(own), sizes)
        told = agreement(other.tolist(), [one.label for one in labels], [item.video for item, _ in theirs])
        agreed = told if labels else None
        scores.append(MeanScore(name, by_video.value(), interval(by_video), tuple(own.tolist()), agreed))
    return ClipScored(
        run=run.result.run,
        signature=_signature(run, reading, labels),
        items=tuple(Item(run.names[i.video], i.segment, i.caption, i.references) for i, _ in mine),
        scores=tuple(scores),
        empty=empty,
        remarks=remarks,
    )


def _labelled(run: ScoredRun, labels: Sequence[LabelledCaption]) -> list[Item]:
    """Returns the labelled captions as those of a run's test set. Raises: UsageError where they cannot be."""
    if labels and run.task.view.segments != "none":
        raise UsageError(
            f"--labels: {run.task.dataset} has segments, and a label does not say of which its caption is. Labels are "
            "for captions of whole videos (`segments: none`)."
        )
    opaque = {name: video for video, name in run.names.items()}
    if strange := next((one for one in labels if one.video not in opaque), None):
        known = f"{shown(strange.video)} is no video of {run.task.dataset} {run.task.split}"
        raise UsageError(
            f"{strange.line}: {'no video is named' if strange.video == strange.line else known}. Every line of "
            '--labels names the video that its caption is about: {"video": ID, …}.'
        )
    return [Item(opaque[one.video], None, one.caption, one.references) for one in labels]


def _has_words(item: Item) -> bool:
    return bool(item.caption.strip())


@dataclass(frozen=True)
class Embedded:
    """Vectors of a dual encoder.

    Attributes:
        pictures: opaque id -> (segments, d) of each video that has captions.
        texts: caption or reference -> (d,).
    """

    pictures: Mapping[str, np.ndarray]
    texts: Mapping[str, np.ndarray]


def _embedded(
    run: ScoredRun, reading: Reading, segments: Mapping[str, int], said: Sequence[Placed]
) -> tuple[Embedded, tuple[str, ...]]:
    """Returns the vectors of what was said with words, and of the videos with `segments`; and remarks on texts.

    Raises: UnsupportedTask, MissingData, ModelError.
    """
    spec, execution = reading.features.encoder.spec, reading.execution
    encoder = reading.features.encoder.open(execution)
    if not isinstance(encoder, TextEncoder):
        raise UnsupportedTask(f"{spec.name} reads no text with these settings. `bench list encoders`.")
    model = MeanOfFrames(Directions(encoder, execution.device, whole=False))
    known = [text for item, _ in said if _has_words(item) for text in (item.caption, *item.references)]
    texts = list(dict.fromkeys(known))
    read = [reading.template.replace("{}", text) for text in texts]
    parts = [read[start : start + execution.batch_size] for start in range(0, len(read), execution.batch_size)]
    with reading.guard.during("embed captions and what they are about"):
        pictures = reading.features.pictures(run, segments, model, execution.device)
        vectors = [model.embed_sentences([(text,) for text in part]).values.cpu().numpy() for part in parts]
        cut = encoder.truncated(read)
    reading.features.encoder.weights.check_unchanged()
    of = number_of(len(texts), "text")
    remark = f"{spec.name} reads the first {encoder.max_tokens} tokens: {cut:,} of {of} were cut off"
    embedded = Embedded(pictures, dict(zip(texts, np.concatenate(vectors), strict=True)))
    return embedded, (remark,) if cut else ()


def _values(said: Sequence[Placed], embedded: Embedded) -> np.ndarray:
    """Returns (2, n): CLIPScore and RefCLIPScore of each; 0 for what has no words."""
    worded = np.array([_has_words(item) for item, _ in said], dtype=bool)
    values = np.zeros((len(SCORES), len(said)))
    chosen = [(item, place) for item, place in said if _has_words(item)]
    if chosen:
        pictures = np.stack([embedded.pictures[item.video][place] for item, place in chosen])
        captions = np.stack([embedded.texts[item.caption] for item, _ in chosen])
        references = np.stack([embedded.texts[text] for item, _ in chosen for text in item.references])
        counts = np.array([len(item.references) for item, _ in chosen])
        scores = clip_scores(pictures, captions)
        values[:, worded] = scores, ref_clip_scores(scores, captions, references, counts)
    return values


def _signature(run: ScoredRun, reading: Reading, labels: Sequence[LabelledCaption]) -> str:
    parts = {
        "run": run.result.run,
        "captions": run.result.predictions.sha256[:8] if run.result.predictions else "none",
        "segments": run.task.view.segments,
        **reading.features.parts,
        "pooling": "mean-of-directions",
        "template": reading.template.replace("%", "%25").replace("_", "%5F"),  # a blank becomes _
        "w": f"{WEIGHT:g}",
        "references": run.task.references,
        "empty": "zero",
    }
    if labels:
        told = [{key: value for key, value in asdict(one).items() if key != "line"} for one in labels]
        parts["labels"] = digest(told)[:8]
    return signature("clipscore", 1, {key: re.sub(r"[|=\s]", "_", value) for key, value in parts.items()})
