"""What a recipe of the sample is chosen by: folds of its training split, never val_1.

R@1 of a retrieval model; with --captions how often a captioner names the right actor, action, object and place.

python benchmarks/folds.py hse lr=0.001 lr=0.003 lr=0.01 lr=0.02
python benchmarks/folds.py s2vt --captions --first 2 lr=0.002 lr=0.003
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping
from typing import Any

import torch
from concept_words import CONCEPTS, shares

from bench.catalogue.config import CHECKOUT, load
from bench.catalogue.lookup import Session
from bench.data.lessons import training_set
from bench.data.sample.splits import anet_split
from bench.execution import Execution, Training
from bench.inputs import TrainingData, View
from bench.models import ModelSpec, VideoCaptioner
from bench.runs.fit import resolve
from bench_torch.recall import recalls
from bench_torch.training import embed_all

BATCH = 64


def fitted(spec: ModelSpec, settings: Mapping[str, Any], data: TrainingData, execution: Execution) -> Any:
    """Returns a model under `settings`, trained to the end."""
    model = resolve(spec.loader)(settings, execution)
    model.fit(
        data, Training(execution, None, lambda *_: None, lambda _: None, resume=lambda: None, stop_requested=bool)
    )
    return model


def recall(model: Any, asked: TrainingData, execution: Execution) -> list[float]:
    """Returns R@1 in percent, paragraph to video and video to paragraph."""
    videos, texts = embed_all(model.network, model.examples(asked), execution)
    return [recalls(texts, videos, (1,))[0], recalls(videos, texts, (1,))[0]]


def right_words(model: VideoCaptioner, asked: TrainingData, places: range) -> list[float]:
    """Returns the percentages of segments of the videos at `places` of train whose concepts are named, kind by kind."""
    said: list[tuple[str, ...]] = []
    with torch.no_grad():
        for start in range(0, len(asked), BATCH):
            said += model.caption(asked.videos.batch(range(start, min(start + BATCH, len(asked)))))
    stories = anet_split("train").stories
    return shares((stories[place], sentences) for place, sentences in zip(places, said, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("settings", nargs="+", help="KEY=VALUE,KEY=VALUE: what replaces the recipe's")
    parser.add_argument("--captions", action="store_true", help="right words of captions instead of R@1")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--first", type=int, help="hold out the first of the folds only")
    parser.add_argument("--limit", type=int, help="the first videos of train only")
    asked = parser.parse_args()
    session = Session(load(CHECKOUT))
    spec = session.catalogue.model(asked.model)
    view = View("gt" if spec.uses_segments or asked.captions else "none")
    dataset = session.dataset("anet")
    data = dataset.training(training_set(dataset, "paragraphs", view), max_rows=spec.max_rows, limit=asked.limit)
    names = CONCEPTS if asked.captions else ("t2v", "v2t")
    runs = range(asked.folds)[: asked.first]
    what = "right words, %" if asked.captions else "R@1"
    print(f"{asked.model}, {len(data)} training videos of the sample, {len(runs)} of {asked.folds} folds, {what}")
    print(f"{'settings':<40}" + "".join(f" {name:>6}" for name in (*names, "mean")))
    for text in asked.settings:
        chosen = dict(part.split("=", 1) for part in text.split(","))
        settings = spec.resolve("sample", chosen, (VideoCaptioner,) if asked.captions else ())
        found = []
        for fold in runs:
            execution, held = Execution(seed=fold), range(fold, len(data), asked.folds)
            rest = [place for place in range(len(data)) if place % asked.folds != fold]
            model, out = fitted(spec, settings, data.subset(rest), execution), data.subset(held)
            found.append(right_words(model, out, held) if asked.captions else recall(model, out, execution))
        means = [statistics.fmean(column) for column in zip(*found, strict=True)]
        print(f"{text:<40}" + "".join(f" {mean:>6.1f}" for mean in (*means, statistics.fmean(means))), flush=True)


if __name__ == "__main__":
    main()
