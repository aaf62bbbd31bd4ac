"""How often captions of the sample name what happens: the right actor, action, object and place of each segment.

python benchmarks/concept_words.py runs/<a captioning run on the sample> ...
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.data.digests import opaque_id
from bench.data.sample.splits import SEED, anet_split, world
from bench.data.sample.world import Story
from bench.predictions import Captions
from bench.results import Result

CONCEPTS = ("actor", "action", "object", "place")


def named(captions: Captions, dataset: str) -> list[float]:
    """Returns, for each kind of concept, the percentage of segments of val_1 whose caption names it."""
    split = anet_split("val_1")
    stories = {
        opaque_id(dataset, "val_1", "video", video): story
        for video, story in zip(split.videos.ids, split.stories, strict=True)
    }
    return shares((stories[video], said) for video, said in zip(captions.video_ids, captions.sentences, strict=True))


def shares(told: Iterable[tuple[Story, Sequence[str]]]) -> list[float]:
    """Returns the percentages of events whose sentence holds the name of their concept as whole words, kind by kind."""
    hits, segments = [0] * len(CONCEPTS), 0
    for story, said in told:
        for event, sentence in zip(story.events, said, strict=True):
            segments += 1
            for kind, names in enumerate(world(SEED).names):
                hits[kind] += f" {names[event[kind]]} " in f" {sentence.lower()} "
    return [100.0 * count / segments for count in hits]


def main(runs: Sequence[str]) -> None:
    print(f"{'run':<50} {'CIDEr':>7} " + " ".join(f"{name:>7}" for name in CONCEPTS))
    for run in map(Path, runs):
        result = Result.load(run / "result.json")
        if result.predictions is None or result.data.kind != "generated":
            sys.exit(f"{run}: not a captioning run on the sample, of which alone we know what happens.")
        shares = named(Captions.load(run / result.predictions.file), result.task.dataset)
        print(f"{result.run:<50.50} {result['CIDEr'].value:7.1f} " + " ".join(f"{share:6.1f}%" for share in shares))


if __name__ == "__main__":
    main(sys.argv[1:])
