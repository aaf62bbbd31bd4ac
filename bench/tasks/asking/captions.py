"""Captions asked of a model batch by batch, every answer checked, and set beside their references."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from bench.annotations import CaptionAnnotations, Described
from bench.errors import ModelError, VerificationError
from bench.execution import Execution, length_ordered
from bench.inputs import Inputs, Paragraph, VideoBatch
from bench.metrics.captions.items import Sentence, VideoCaptions
from bench.models import VideoCaptioner
from bench.predictions import Captions
from bench.reading.numbers import number_of

Segments = tuple[tuple[float, float], ...]
SAME_TIME = 1e-3
"""Seconds by which a segment may differ from the annotated one: models see float32."""


def captions_of(model: VideoCaptioner, inputs: Inputs, execution: Execution, done: Callable[[int], None]) -> Captions:
    """Returns what the model says of every segment, in the order of the inputs. Raises: ModelError."""
    import torch

    name, count = type(model).__name__, len(inputs.videos)
    asked: list[Segments] = [()] * count
    said: list[Paragraph] = [()] * count
    groups = length_ordered(inputs.videos.rows, execution.batch_size)
    finished = 0
    for group, batch in zip(groups, inputs.videos.batches(groups, execution.device), strict=True):
        segments = _segments(batch)
        with torch.no_grad():
            answer = _paragraphs(name, model.caption(batch))
        Captions(batch.ids, tuple(segments), answer).check(name)
        for place, video_segments, sentences in zip(group, segments, answer, strict=True):
            asked[place], said[place] = video_segments, sentences
        finished += len(group)
        done(finished)
    return Captions(inputs.videos.ids, tuple(asked), tuple(said))


def _segments(batch: VideoBatch) -> list[Segments]:
    """Returns start and end of each segment of each video, as the model sees them."""
    flat, counts = iter(batch.segments.values.tolist()), batch.segments.lengths.tolist()
    return [tuple((start, end) for start, end in (next(flat) for _ in range(count))) for count in counts]


def _paragraphs(model: str, answer: Any) -> tuple[Paragraph, ...]:
    """Returns a model's answer as tuples. Raises: ModelError for what is no list of sequences of sentences."""
    if not isinstance(answer, list | tuple) or not all(isinstance(said, list | tuple) for said in answer):
        raise ModelError(
            f"model {model!r} returned captions as {type(answer).__name__}; expected a list with a tuple of sentences "
            "for each video. Fix the model's caption method."
        )
    return tuple(tuple(said) for said in answer)


def answered(predictions: Captions, annotations: CaptionAnnotations, *, whole: bool) -> list[VideoCaptions]:
    """Returns what was said of every video beside its references, in the order of the opaque ids.

    A video without features is answered by empty sentences.

    Args:
        whole: whether sentences describe whole videos, so that each is a reference of its own.

    Raises: VerificationError when the predictions are not those of this test set.
    """
    place = {video: i for i, video in enumerate(predictions.video_ids)}
    wanted = set(annotations.references[0]) - annotations.missing
    if len(place) != len(predictions.video_ids) or set(place) != wanted:
        raise VerificationError(
            f"the predictions hold {number_of(len(place), 'video')}, the test set {len(wanted)}, of which "
            f"{len(wanted - set(place))} are missing in the predictions: they belong to another test set. "
            "Rescore on the data of that run, or run with --no-resume."
        )
    videos = []
    for video in sorted(annotations.references[0]):
        told = [one[video] for one in annotations.references if video in one]
        segments = () if whole else told[0].segments
        if video in place:
            said = predictions.sentences[place[video]]
            _check_segments(video, predictions.segments[place[video]], said, segments)
        else:
            said = ("",) * max(1, len(segments))
        videos.append(VideoCaptions(video, _sentences(said, segments), _references(told, whole=whole)))
    return videos


def _check_segments(video: str, asked: Segments, said: Paragraph, annotated: Segments) -> None:
    """Raises VerificationError unless there is one sentence for each annotated segment, or one for the whole video."""
    times = zip(chain.from_iterable(asked), chain.from_iterable(annotated), strict=False)
    same = len(asked) == len(annotated) and all(math.isclose(x, y, rel_tol=1e-6, abs_tol=SAME_TIME) for x, y in times)
    if not (same or (not annotated and len(asked) == 1)) or len(said) != len(asked):
        raise VerificationError(
            f"the predictions answer other segments of video {video} than the test set has: they belong to another "
            "test set. Rescore on the data of that run, or run with --no-resume."
        )


def _sentences(said: Sequence[str], segments: Segments) -> tuple[Sentence, ...]:
    return tuple(map(Sentence, said, segments or (None,) * len(said)))


def _references(told: Sequence[Described], *, whole: bool) -> tuple[tuple[Sentence, ...], ...]:
    """Returns the annotations of a video; independent captions of a whole video are annotations of one sentence."""
    if whole:
        return tuple((Sentence(sentence),) for one in told for sentence in one.sentences)
    return tuple(_sentences(one.sentences, one.segments) for one in told)
