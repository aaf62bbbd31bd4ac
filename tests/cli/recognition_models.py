"""Models that recognise by their first four features, or amiss: run as an outside plugin on the set of classes here."""

from __future__ import annotations

import numpy as np
import torch

from bench.api import (
    ClipTextEncoder,
    FlatTextEncoder,
    ModelSpec,
    Ragged,
    State,
    Trainable,
    VideoClassifier,
    VideoEncoder,
    VideoTextEncoder,
    hookimpl,
)

WORDS = ("clean and jerk", "high jump", "tai chi", "walking the dog")


class Named:
    """Knows which feature stands for which class, by the words of its name."""

    def __init__(self, settings, execution):
        pass

    def embed_videos(self, videos):
        means = torch.stack([rows.mean(dim=0) for rows in videos.frames.values.split(videos.frames.lengths.tolist())])
        return means[:, :4]

    def embed_paragraphs(self, paragraphs):
        return torch.stack([self.one(" ".join(paragraph).lower()) for paragraph in paragraphs])

    def one(self, text):
        return torch.tensor([float(words in text) for words in WORDS]) + 0.01


class Headed(Named):
    """Classifies by the nearest mean of the training videos of a class; the class index is what it learned."""

    def fit(self, data, training):
        rows = torch.cat([self.embed_videos(data.videos.batch([i])) for i in range(len(data))])
        main = np.array([own[0] for own in data.labels])
        means = [rows[main == label].mean(dim=0).numpy() for label in range(len(data.class_names))]
        self.means = np.stack(means).astype(np.float32)

    def state(self):
        return State(arrays={"means": self.means}, values={})

    def load_state(self, state):
        self.means = np.array(state.arrays["means"])

    def classify(self, videos):
        return -torch.cdist(self.embed_videos(videos), torch.from_numpy(self.means))


class NotANumber(Headed):
    def classify(self, videos):
        return super().classify(videos) * float("nan")


class TooFewClasses(Headed):
    def classify(self, videos):
        return super().classify(videos)[:, :-1]


class AllZero(Named):
    def embed_videos(self, videos):
        return super().embed_videos(videos) * 0.0


class Constant(Named):
    def embed_videos(self, videos):
        return torch.ones(len(videos), 4)


class Levelled(Named):
    """Right by its clips, if each counts by its direction alone; one class off by whole videos; undecided when flat."""

    def embed_videos(self, videos):
        return super().embed_videos(videos).roll(-1, dims=1)

    def embed_flat_videos(self, videos):
        return torch.ones(len(videos), 4)

    def embed_flat_paragraphs(self, paragraphs):
        return self.embed_paragraphs(paragraphs)

    def embed_clips(self, videos):
        right = super().embed_videos(videos)
        clips = [part for row in right for part in (0.1 * row, 0.1 * row, 0.1 * row, 9.0 * row.roll(1))]
        return Ragged(torch.stack(clips), videos.segments.lengths)

    def embed_sentences(self, paragraphs):
        counts = torch.tensor([len(paragraph) for paragraph in paragraphs])
        return Ragged(torch.stack([self.one(s.lower()) for paragraph in paragraphs for s in paragraph]), counts)


def spec(name, *provides, **more):
    return ModelSpec(name=name, summary=name, loader=f"recognition_models:{name}", provides=provides, **more)


@hookimpl
def bench_models():
    headed = [spec(n, VideoClassifier, Trainable, learns_from="labels") for n in ("NotANumber", "TooFewClasses")]
    encoders = [spec(name, VideoTextEncoder) for name in ("Named", "AllZero", "Constant")]
    levelled = spec("Levelled", VideoTextEncoder, ClipTextEncoder, FlatTextEncoder)
    return [
        *encoders,
        *headed,
        levelled,
        spec("Headed", VideoClassifier, VideoEncoder, Trainable, learns_from="labels"),
    ]
