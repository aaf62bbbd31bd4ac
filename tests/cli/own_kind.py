"""A task that asks inside one video and whose answers are a kind of its own, and tasks that may not; as one plugin."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.api import InvalidData, ModelError, ModelSpec, VideoTextEncoder, View, hookimpl
from bench.task_api import Evidence, Measurement, ParagraphVideoRetrieval, Parameter, Scored


@dataclass(frozen=True)
class Guesses:
    """How many words were guessed of each paragraph, beside the video that it belongs to; JSON."""

    kind = "word guesses"
    suffix = ".json"

    texts: tuple[str, ...]
    owners: tuple[str, ...]
    words: tuple[float, ...]

    def check(self, model):
        if not all(np.isfinite(self.words)):
            raise ModelError(f"model {model!r} guessed no number.")

    def save(self, path):
        Path(path).write_text(json.dumps([self.texts, self.owners, self.words]))

    @classmethod
    def load(cls, path):
        try:
            texts, owners, words = json.loads(Path(path).read_text())
        except ValueError as error:
            raise InvalidData(f"{path} holds no guesses. Run again.") from error
        return cls(tuple(texts), tuple(owners), tuple(words))


class Guessing(ParagraphVideoRetrieval):
    """How long is what is said of a video, told from its length? Everything is its own."""

    primary = "error"
    answers = (Guesses,)
    support = ("pairing",)

    @property
    def declared(self):
        return {"unit": Parameter("words", "what is guessed", choices=("words",))}

    def annotations(self, dataset, limit=None):
        return dataset.captions((self.split,), limit)

    def predict(self, model, inputs, execution, progress, scratch=None):
        batch = inputs.videos.batch(range(len(inputs.videos)))
        pairs = zip(inputs.paragraph_ids, inputs.pairing, strict=True)
        known = [(text, place) for text, place in pairs if place is not None]
        words = tuple(batch.durations[place].item() / 2 for _, place in known)
        return Guesses(tuple(text for text, _ in known), tuple(batch.ids[place] for _, place in known), words)

    def score(self, predictions, annotations, device):
        said = dict(zip(predictions.owners, predictions.words, strict=True))
        told = {v: len(" ".join(d.sentences).split()) for v, d in sorted(annotations.references[0].items())}
        errors = np.array([abs(said.get(video, 0.0) - count) for video, count in told.items()])
        value = Measurement(
            name="error", value=errors.mean(), unit="score", higher_is_better=False, ci95=None, n=len(errors)
        )
        evidence = Evidence({"errors": errors}, annotations.pool, {"videos": len(errors)}, kind="guesses")
        return Scored((value,), evidence)


class Plain:
    """A task that is built upon none of ours, as far as it is asked about."""

    version, summary, dataset, split, primary = 1, "asks nothing", "anet", "val_1", "none"
    accepts, answers, support = (VideoTextEncoder,), (Guesses,), ()

    def __init__(self, name, declared):
        self.name = name
        self.parameters = {"unit": "words", "depth": "2"}
        if declared:
            self.declared = {
                "unit": Parameter("words", "what is guessed", choices=("words", "letters")),
                "depth": Parameter("2", "how far it looks", form="a number from 1"),
            }

    def rules(self):
        return {}


class Cheating(ParagraphVideoRetrieval):
    support = ("pairing",)


class Nothing:
    def __init__(self, settings, execution):
        pass

    def embed_videos(self, videos):
        raise AssertionError("nobody asks")

    embed_paragraphs = embed_videos


@hookimpl
def bench_models():
    return [ModelSpec("nothing", "asked nothing", "own_kind:Nothing", provides=(VideoTextEncoder,))]


@hookimpl
def bench_tasks(datasets):
    view = View("none")
    own = [Plain("explained", declared=True), Plain("unexplained", declared=False)]
    return own + [
        task(f"{dataset.name}-{name}", dataset.name, dataset.test, view, view)
        for dataset in datasets
        for name, task in (("guess", Guessing), ("cheat", Cheating))
    ]
