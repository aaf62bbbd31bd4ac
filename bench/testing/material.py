"""What models are checked on: a few videos of the generated sample, and inputs at the edges of what may come.

Letters for shapes: `D` feature dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from bench.data.declared import SAMPLE, DatasetDeclaration, FeatureDeclaration
from bench.data.lessons import training_set
from bench.data.readers.activitynet import open_dataset
from bench.inputs import Inputs, Paragraph, Ragged, TrainingData, VideoBatch, View
from bench.models import ModelSpec
from bench.testing.offered import DrawnPictures, drawn

if TYPE_CHECKING:
    from bench.data.dataset import Dataset

TRAINED_ON, TESTED_ON = 48, 10
"""Videos of the sample: enough for a tenth of them to be held out, and few enough to train in seconds."""

LONG_VIDEO, LONG_PARAGRAPH, LONG_SENTENCE = 40, 40, 60
"""Segments, sentences and words: ActivityNet Captions has at most 27 of the first two."""

STRANGE: Paragraph = ("Ünïcödé words nobody trained on 漢字", "!?", "x" * 200)
"""A paragraph of unknown words, of punctuation alone, and of one endless word."""


@dataclass(frozen=True)
class Material:
    """What one model is trained and tried on.

    Attributes:
        training: a few training videos, as `ModelSpec.learns_from` asks for them.
        videos: some test videos in one batch, on the CPU.
        paragraphs: some test paragraphs, in another order.
    """

    training: TrainingData
    videos: VideoBatch
    paragraphs: tuple[Paragraph, ...]


@cache
def sample() -> Dataset:
    """Returns the generated sample, opened once."""
    features = FeatureDeclaration(name=SAMPLE, reader=SAMPLE, extractor=SAMPLE)
    return open_dataset(
        DatasetDeclaration("anet", "activitynet", None, features, test="val_1", class_splits=("train", "val_1"))
    )


def inputs(max_rows: int, view: View) -> Inputs:
    """Returns a few test videos and paragraphs of the sample."""
    return sample().inputs("val_1", view, max_rows=max_rows, limit=TESTED_ON)


def material_for(spec: ModelSpec) -> Material:
    """Returns training and test material under the view that the harness would choose for the model."""
    view = View("gt" if spec.uses_segments else "none")
    tested = inputs(spec.max_rows, view)
    lesson = training_set(sample(), spec.learns_from, view)
    training = sample().training(lesson, max_rows=spec.max_rows, limit=TRAINED_ON)
    videos = tested.videos.batch(range(len(tested.videos)))
    videos = of_dim(videos, spec.dim) if spec.dim else videos
    return Material(training, pictured(videos) if spec.reads_pictures else videos, tested.paragraphs)


def pictured(videos: VideoBatch) -> VideoBatch:
    """Returns the same videos with a picture for each of their rows."""
    owners = [video for video, count in enumerate(videos.segments.lengths.tolist()) for _ in range(count)]
    return replace(videos, pictures=drawn(videos.frames, videos.clip_frames, owners))


def of_dim(videos: VideoBatch, dim: int) -> VideoBatch:
    """Returns the same videos with `dim` numbers per row: those that they have, over and over."""
    places = [i % videos.frames.values.shape[1] for i in range(dim)]
    frames, clips = (Ragged(part.values[:, places], part.lengths) for part in (videos.frames, videos.clip_frames))
    return replace(videos, frames=frames, clip_frames=clips)


def take(videos: VideoBatch, indices: Sequence[int]) -> VideoBatch:
    """Returns the videos at `indices`, in that order."""
    import torch

    clips = videos.clip_frames.values.split(videos.clip_frames.lengths.tolist())  # type: ignore[no-untyped-call]
    frames = videos.frames.values.split(videos.frames.lengths.tolist())  # type: ignore[no-untyped-call]
    counts = videos.segments.lengths.tolist()
    starts = videos.segments.offsets().tolist()
    segments = videos.segments.values
    spans = [range(starts[i], starts[i] + counts[i]) for i in indices]
    chosen = [c for span in spans for c in span]
    empty = videos.frames.values[:0]
    return VideoBatch(
        ids=tuple(videos.ids[i] for i in indices),
        frames=Ragged(torch.cat([empty, *(frames[i] for i in indices)]), videos.frames.lengths[list(indices)]),
        segments=Ragged(segments[chosen], videos.segments.lengths[list(indices)]),
        clip_frames=Ragged(torch.cat([empty, *(clips[c] for c in chosen)]), videos.clip_frames.lengths[chosen]),
        durations=videos.durations[list(indices)],
        pictures=videos.pictures.take(indices, chosen) if isinstance(videos.pictures, DrawnPictures) else None,
    )


def video_of(videos: VideoBatch, segments: int, rows: int) -> VideoBatch:
    """Returns one made-up video of `segments` segments, each and the whole of `rows` rows like those of `videos`."""
    import torch

    generator = torch.Generator().manual_seed(0)
    known = videos.frames.values
    drawn = known[torch.randint(len(known), (rows * (segments + 1),), generator=generator)]
    bounds = torch.linspace(0, 60, segments + 1)
    made_up = VideoBatch(
        ids=("made-up",),
        frames=Ragged(drawn[:rows], torch.tensor([rows])),
        segments=Ragged(torch.stack([bounds[:-1], bounds[1:]], dim=1), torch.tensor([segments])),
        clip_frames=Ragged(drawn[rows:], torch.full((segments,), rows)),
        durations=torch.tensor([60.0]),
    )
    return made_up if videos.pictures is None else pictured(made_up)


def long_paragraph(paragraphs: Sequence[Paragraph]) -> Paragraph:
    """Returns a paragraph of many long sentences, from the words of `paragraphs`."""
    words = [word for paragraph in paragraphs for sentence in paragraph for word in sentence.split()]
    return tuple(
        " ".join(words[(i * LONG_SENTENCE + k) % len(words)] for k in range(LONG_SENTENCE))
        for i in range(LONG_PARAGRAPH)
    )
