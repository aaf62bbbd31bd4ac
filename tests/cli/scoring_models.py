"""Models that score pairs: copied beside an entry point and run through the command line as a plugin."""

from __future__ import annotations

import time
from pathlib import Path

import torch

from bench.api import ModelSpec, VideoTextEncoder, VideoTextScorer, hookimpl


class Counts:
    """Scores a pair by how close the numbers of segments and sentences are; dies where a file `die` is."""

    def __init__(self, settings, execution):
        self.tiles = 0

    def encode_videos(self, videos):
        return videos.segments.lengths.float()

    def encode_paragraphs(self, paragraphs):
        return torch.tensor([float(len(paragraph)) for paragraph in paragraphs])

    def score(self, videos, paragraphs):
        self.tiles += 1
        if Path("die").exists() and self.tiles > 2:
            raise ValueError("killed in the third tile")
        while Path("wait").exists() and self.tiles > 2:
            time.sleep(0.01)  # until a test kills the process
        with Path("asked").open("a") as file:
            file.write("tile\n")
        return -(paragraphs[:, None] - videos[None, :]).abs()


class NotANumber(Counts):
    def score(self, videos, paragraphs):
        return super().score(videos, paragraphs) * float("nan")


class WrongShape(Counts):
    def score(self, videos, paragraphs):
        return super().score(videos, paragraphs)[:-1]


class Neither:
    """Declares two ways and has none."""

    def __init__(self, settings, execution):
        pass


class Scored(Counts):
    """Of the two ways that its spec declares, has one."""


@hookimpl
def bench_models():
    both = {"provides": (VideoTextEncoder, VideoTextScorer), "by_setting": (VideoTextEncoder, VideoTextScorer)}
    pairs = {"provides": (VideoTextScorer,)}
    kinds = {"Counts": pairs, "NotANumber": pairs, "WrongShape": pairs, "Neither": both, "Scored": both}
    return [ModelSpec(name=name, summary=name, loader=f"scoring_models:{name}", **kind) for name, kind in kinds.items()]
