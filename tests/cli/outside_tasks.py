"""Tasks that break, one way each, and models that break in the same module: installed as one plugin."""

from __future__ import annotations

import torch

from bench.api import ModelSpec, VideoTextEncoder, View, hookimpl
from bench.task_api import ParagraphVideoRetrieval

NOWHERE: dict[str, int] = {}


def looked_up(name):
    return NOWHERE[name]


class Lengths:
    """A model whose own code is in order, or breaks in a function beside it."""

    def __init__(self, settings, execution):
        pass

    def embed_videos(self, videos):
        return torch.nn.functional.one_hot(videos.segments.lengths.clamp(max=9), 10).float()

    def embed_paragraphs(self, paragraphs):
        return torch.eye(10)[[min(len(paragraph), 9) for paragraph in paragraphs]]


class Careless(Lengths):
    def embed_paragraphs(self, paragraphs):
        return looked_up("a word of the model")


class NothingToSay(Lengths):
    def embed_videos(self, videos):
        return None


class Sound(ParagraphVideoRetrieval):
    pass


class BreaksBefore(ParagraphVideoRetrieval):
    def predict(self, model, inputs, execution, progress, scratch=None):
        return looked_up("before the model")


class BreaksAfter(ParagraphVideoRetrieval):
    def predict(self, model, inputs, execution, progress, scratch=None):
        super().predict(model, inputs, execution, progress, scratch)
        raise NotImplementedError("after the model")


class BreaksInside(ParagraphVideoRetrieval):
    def predict(self, model, inputs, execution, progress, scratch=None):
        def told(done, total, values):
            raise RuntimeError("called by what the task called")

        return super().predict(model, inputs, execution, told, scratch)


class AnswersNothing(ParagraphVideoRetrieval):
    def predict(self, model, inputs, execution, progress, scratch=None):
        return None


class CannotScore(ParagraphVideoRetrieval):
    def score(self, predictions, annotations, device):
        raise ZeroDivisionError("no queries")


class HasNoRules(ParagraphVideoRetrieval):
    def rules(self):
        return {"weights": looked_up("weights")}


class HasNoAnnotations(ParagraphVideoRetrieval):
    def annotations(self, dataset, limit=None):
        raise AttributeError("no such split")


class TakesNoParameters(ParagraphVideoRetrieval):
    def with_parameters(self, chosen):
        return looked_up(str(chosen))


@hookimpl
def bench_models():
    return [
        ModelSpec(name=kind.__name__, summary="", loader=f"outside_tasks:{kind.__name__}", provides=(VideoTextEncoder,))
        for kind in (Lengths, Careless, NothingToSay)
    ]


@hookimpl
def bench_tasks(datasets):
    kinds = (BreaksBefore, BreaksAfter, BreaksInside, AnswersNothing, CannotScore, HasNoRules, HasNoAnnotations)
    view = View("gt")
    return [kind(kind.__name__, "anet", "val_1", view, view) for kind in (Sound, *kinds, TakesNoParameters)]
