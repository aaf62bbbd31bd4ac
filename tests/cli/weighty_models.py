"""Models that load something: a file, a repository of the Hub, or what only their fingerprint tells of."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from bench.api import ModelSpec, Setting, State, Trainable, VideoTextEncoder, hookimpl


class Frozen:
    """Turns counts by an angle that it reads from a file."""

    def __init__(self, settings, execution):
        file = Path(settings["weights"]) if settings["weights"] else None
        if file is None and settings.get("hub"):
            file = Path(settings["hub"]) / "angle.txt"
        self.angle = float(file.read_text()) if file else 0.0

    def embed_videos(self, videos):
        counts = videos.segments.lengths.float() * (1.0 + self.angle)
        return torch.stack([counts.sin(), counts.cos()], dim=1)

    def embed_paragraphs(self, paragraphs):
        counts = torch.tensor([float(len(paragraph)) for paragraph in paragraphs])
        return torch.stack([counts.sin(), counts.cos()], dim=1)


class Tuned(Frozen):
    """Starts from a file, and learns nothing."""

    def fit(self, data, training):
        pass

    def state(self):
        return State({"angle": torch.tensor([self.angle]).numpy()}, {})

    def load_state(self, state):
        self.angle = float(state.arrays["angle"][0])


def fingerprint(settings):
    """Returns what the library would load."""
    return os.environ["WEIGHTY_VERSION"]


SETTINGS = {
    "weights": Setting("", "a file with an angle", kind="file"),
    "hub": Setting("", "a repository with angle.txt", kind="hub"),
}


@hookimpl
def bench_models():
    common = {"summary": "turns", "settings": SETTINGS}
    return [
        ModelSpec("frozen", loader="weighty_models:Frozen", provides=(VideoTextEncoder,), **common),
        ModelSpec("tuned", loader="weighty_models:Tuned", provides=(VideoTextEncoder, Trainable), **common),
        ModelSpec(
            "stated",
            loader="weighty_models:Frozen",
            provides=(VideoTextEncoder,),
            fingerprint="weighty_models:fingerprint",
            **common,
        ),
    ]
