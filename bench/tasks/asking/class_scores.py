"""Class scores made from models, and counted against the classes of a test set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bench.annotations import ClassAnnotations
from bench.errors import VerificationError
from bench.execution import Execution
from bench.inputs import Inputs, Paragraph
from bench.metrics.classification import count_classes, truth_of
from bench.metrics.missing import missing_arrays
from bench.models import VideoClassifier, VideoEncoder, ZeroShotClassifier
from bench.predictions import ClassScores, Predictions
from bench.predictions.checks import check_directions
from bench.probing.choice import Labelled, few_shots, fitted_probe, normalised
from bench.reading.numbers import number_of
from bench.results import Evidence
from bench.tasks.asking.embedding import (
    Done,
    choose,
    classify,
    embed_clips,
    embed_flat_paragraphs,
    embed_flat_videos,
    embed_paragraphs,
    embed_sentences,
    embed_videos,
)
from bench.tasks.prompts import prompts_of
from bench.tasks.task import Progress, Scratch

NO_ESTIMATE = "no estimate of a test: it chose C, and its videos may share sources with the rest"
WHOLE_GROUPS = "whole groups were held out; it chose C"


def similarities(
    model: Any, level: str, inputs: Inputs, patterns: Sequence[str], execution: Execution, progress: Progress
) -> np.ndarray:
    """Returns (n_videos, classes) float32: the cosine of each video and each class; of clips, the mean over clips.

    Of several patterns the vector of a class is the mean of the normalised vectors of its sentences.

    Args:
        model: what `bench.tasks.action_recognition.LEVELS` asks for.
        level: a key of it.
    """
    prompts = [prompts_of(inputs.class_names, pattern) for pattern in patterns]
    sentences: tuple[Paragraph, ...] = tuple((prompt,) for one in prompts for prompt in one)
    n_videos, total = len(inputs.videos), len(inputs.videos) + len(sentences)
    videos_of, said_of = _OF_LEVEL[level]
    videos = videos_of(model, inputs, execution, lambda done: progress(done, total, {}))
    asked = Inputs(inputs.videos, tuple(map(str, range(len(sentences)))), sentences, inputs.view)
    said = said_of(model, asked, execution, lambda done: progress(n_videos + done, total, {}))
    check_directions("class", [repr(sentence) for (sentence,) in sentences], said)
    each = normalised(said).reshape(len(patterns), len(inputs.class_names), -1)
    return np.asarray(videos @ normalised(each.mean(axis=0)).T)


def _video_directions(model: Any, inputs: Inputs, execution: Execution, done: Done) -> np.ndarray:
    videos = embed_videos(model, inputs, execution, done)
    check_directions("video", inputs.videos.ids, videos)
    return normalised(videos)


def _flat_video_directions(model: Any, inputs: Inputs, execution: Execution, done: Done) -> np.ndarray:
    videos = embed_flat_videos(model, inputs, execution, done)
    check_directions("flat video", inputs.videos.ids, videos)
    return normalised(videos)


def _mean_clip_directions(model: Any, inputs: Inputs, execution: Execution, done: Done) -> np.ndarray:
    """Returns (n_videos, d): the mean of the directions of a video's clips, so that a product is a mean of cosines."""
    clips = embed_clips(model, inputs, execution, done)
    check_directions("clip of video", np.repeat(inputs.videos.ids, clips.counts).tolist(), clips.values)
    sums: np.ndarray = np.add.reduceat(normalised(clips.values), np.cumsum(clips.counts) - clips.counts)
    return sums / clips.counts[:, None].astype(np.float32)


def _sentences(model: Any, inputs: Inputs, execution: Execution, done: Done) -> np.ndarray:
    return embed_sentences(model, inputs, execution, done).values


_Embedding = Callable[[Any, Inputs, Execution, Done], np.ndarray]
_OF_LEVEL: dict[str, tuple[_Embedding, _Embedding]] = {
    "video": (_video_directions, embed_paragraphs),
    "flat": (_flat_video_directions, embed_flat_paragraphs),
    "clips": (_mean_clip_directions, _sentences),
}
"""For each level what becomes of the videos, already of the length that counts, and of the names of classes."""


def chosen(
    model: ZeroShotClassifier, inputs: Inputs, pattern: str, execution: Execution, progress: Progress
) -> np.ndarray:
    """Returns (n_videos, classes) float32 of a model that is told the classes by name. Raises: ModelError."""
    options, total = prompts_of(inputs.class_names, pattern), len(inputs.videos)
    return choose(model, inputs, options, execution, lambda done: progress(done, total, {}))


def classify_videos(model: VideoClassifier, inputs: Inputs, execution: Execution, progress: Progress) -> np.ndarray:
    """Returns (n_videos, classes) float32 of a model's own classifier. Raises: ModelError."""
    total = len(inputs.videos)
    return classify(model, inputs, execution, lambda done: progress(done, total, {}))


def probe_videos(
    model: VideoEncoder,
    inputs: Inputs,
    shots: int,
    execution: Execution,
    progress: Progress,
    scratch: Scratch | None = None,
) -> np.ndarray:
    """Returns (n_videos, classes) float32: log-probabilities of a probe on the labelled training videos.

    Args:
        shots: training videos of each class, 0 for all.
    """
    assert inputs.labelled is not None  # noqa: S101 (the task asks for them)
    training = inputs.labelled()
    main = np.array([own[0] for own in training.labels], dtype=np.int64)
    places = few_shots(main, shots, execution.seed) if shots else np.arange(len(main))
    chosen = training.subset(places.tolist())
    n_all = len(inputs.videos) + len(chosen)
    total = n_all + 1
    learned = Inputs(chosen.videos, (), (), inputs.view)
    rows = embed_videos(model, learned, execution, lambda done: progress(done, total, {}))
    asked = embed_videos(model, inputs, execution, lambda done: progress(len(chosen) + done, total, {}))
    check_directions("training video", chosen.videos.ids, rows)
    check_directions("video", inputs.videos.ids, asked)
    probe = fitted_probe(
        Labelled(rows, chosen.labels, training.class_names, chosen.groups),
        execution.seed,
        execution.device,
        lambda done, fits: progress(n_all, total, {"fits": float(done)}),
    )
    progress(total, total, {})
    if scratch is not None:
        remark = WHOLE_GROUPS if chosen.groups else NO_ESTIMATE
        best = f", top1 {probe.held_out[probe.fit.c]:.1f} % on the held-out part ({remark})" if probe.held_out else ""
        absent = probe.n_classes - len(probe.present)
        lacking = f"; {number_of(absent, 'class')} without training videos" if absent else ""
        scratch.say(f"probe on {number_of(len(chosen), 'video')}: C = {probe.fit.c:g}{best}{lacking}")
    return probe.log_probabilities(asked)


def class_evidence(predictions: Predictions, annotations: ClassAnnotations, task: str) -> Evidence:
    """Returns what was counted, videos in the order of the sorted opaque ids, only the classes of the annotations.

    Raises: VerificationError when the predictions are not those of this test set.
    """
    if not isinstance(predictions, ClassScores):
        raise VerificationError(f"the predictions hold no class scores: they belong to another task than {task}.")
    place = {name: i for i, name in enumerate(predictions.video_ids)}
    wanted = sorted(annotations.labels)
    lacking = set(wanted) - annotations.missing - set(place)
    if lacking or len(place) != len(predictions.video_ids):
        raise VerificationError(
            f"the predictions hold {number_of(len(place), 'video')}; {len(lacking)} of the {len(wanted)} of the test "
            "set are not among them: they belong to another test set. Rescore on the data of that run, or run with "
            "--no-resume."
        )
    column = {name: i for i, name in enumerate(predictions.class_names)}
    if unknown := [name for name in annotations.class_names if name not in column]:
        raise VerificationError(
            f"the predictions score {number_of(len(column), 'class')}, {unknown[0]!r} not among them: they belong to "
            "another test set. Rescore on the data of that run, or run with --no-resume."
        )
    scores = np.full((len(wanted), len(annotations.class_names)), -np.inf, dtype=np.float32)
    present = np.array([name in place for name in wanted])
    columns = [column[name] for name in annotations.class_names]
    scores[present] = predictions.scores[[place[name] for name in wanted if name in place]][:, columns]
    truth = truth_of([annotations.labels[name] for name in wanted], annotations.class_names)
    evidence = count_classes(scores, truth, annotations.pool)
    behind = (len(annotations.labels[name]) for name in annotations.missing)
    return replace(evidence, counts={**evidence.counts, **missing_arrays(annotations.absent, behind)})
