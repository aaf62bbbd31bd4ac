"""Models that fail on one of several ranks: run through the command line as a plugin."""

from __future__ import annotations

import os
import signal

import torch
from torch import distributed

from bench.api import ModelSpec, Setting, State, Trainable, UsageError, VideoTextEncoder, hookimpl


class Stumbling:
    """Fails in `fit` as its settings say; the other ranks wait for it there."""

    def __init__(self, settings, execution):
        self._fails, self._at = settings["fails"], settings["at"]

    def fit(self, data, training):
        if distributed.get_rank() == self._at:
            if self._fails == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if self._fails == "raises":
                raise ValueError("the weights\nare upside down")
            raise UsageError("lr must be above 0")
        distributed.all_reduce(torch.ones(1))

    def state(self):
        return State({}, {})

    def load_state(self, state):
        pass

    def embed_videos(self, videos):
        return torch.ones(len(videos), 2)

    def embed_paragraphs(self, paragraphs):
        return torch.ones(len(paragraphs), 2)


@hookimpl
def bench_models():
    return [
        ModelSpec(
            name="stumbling",
            summary="fails on one of several ranks",
            loader="rank_models:Stumbling",
            provides=(VideoTextEncoder, Trainable),
            settings={"fails": Setting("raises", ""), "at": Setting(1, "")},
            across_ranks=True,
        )
    ]
