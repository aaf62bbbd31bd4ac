"""The generated datasets that ship inside bench: `sample`, in the form of ActivityNet Captions or of DiDeMo.

Both tell stories of the same world (`bench.data.sample.world`), rendered and worded by
`bench.data.sample.rendering`. Nothing is downloaded or stored; all follows from `SAMPLE_VERSION` and a seed.

ActivityNet form: train (600 videos), val_1 (500) and val_2 (the videos of val_1 in a second wording: another template
for every event, other fillers, other names dropped, and bounds moved by up to half a second). An event lasts a
log-uniform 3 to 28 rows; before each event and at the end lies a blank gap of 0 to 4 rows. Two rows are one second.
An annotated segment starts a quarter row after the event's first row starts and ends a quarter row before its last
row starts, so that the row rule of `bench.data.segments`, whose end is inclusive, gives back the rows of the event
after rounding to hundredths of a second.

DiDeMo form: train (600), val (200) and test (500) videos of 25 to 30 seconds on a grid of 5-second chunks, mostly 6.
An event fills one chunk or more, less up to 2 blank rows on either side; with probability 0.15 it is described twice,
so that moments occur twice. Bounds lie on the grid, the last one at the video's end.

The class of a video is the action of its story; a class is called by the name of its action.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

import numpy as np

from bench.data.features.generated import GeneratedSplit, SampleSplit
from bench.data.sample.rendering import Timing, draw_templates, render, word
from bench.data.sample.world import ACTION, Story, World, generator, make_stories, make_world
from bench.data.tables import AnnotatedVideos

ROWS_PER_SECOND = 2
SHORTEST, LONGEST = 3, 28
LONGEST_GAP = 4
BOUND_SHIFT = 0.5
"""Seconds by which val_2 moves a bound at most."""
CHUNK_SECONDS = 5.0
CHUNK_MARGIN = 2
TWICE = 0.15
ANET_SIZES = {"train": 600, "val_1": 500}
DIDEMO_SIZES = {"train": 600, "val": 200, "test": 500}
SEED = 0
"""The seed of the dataset that ships."""


def anet_split(split: str, seed: int = SEED) -> GeneratedSplit:
    """Returns split train, val_1 or val_2 of the sample in ActivityNet Captions form, made once."""
    return _second_wording(seed) if split == "val_2" else _anet_split(split, seed)


def didemo_split(split: str, seed: int = SEED) -> GeneratedSplit:
    """Returns split train, val or test of the sample in DiDeMo form, made once."""
    return _didemo_split(split, seed)


def anet_sample(split: str) -> SampleSplit:
    """Returns a split of the sample in ActivityNet Captions form, to be made when it is used."""
    ids = _ids(split.partition("_")[0], ANET_SIZES["val_1" if split == "val_2" else split])
    return SampleSplit(ids, _class_names, partial(anet_split, split))


def didemo_sample(split: str) -> SampleSplit:
    """Returns a split of the sample in DiDeMo form, to be made when it is used."""
    return SampleSplit(_ids(f"didemo_{split}", DIDEMO_SIZES[split]), _class_names, partial(didemo_split, split))


world = cache(make_world)
"""Returns the world of a seed, made once."""


@cache
def _anet_split(split: str, seed: int) -> GeneratedSplit:
    rng = generator(seed, 1 if split == "train" else 2)
    stories = make_stories(rng, ANET_SIZES[split])
    timings = [_loose_timing(rng, len(story.events)) for story in stories]
    rows = render(rng, world(seed), stories, timings)
    templates = [draw_templates(rng, story) for story in stories]
    bounds = [_bounds(timing) for timing in timings]
    sentences = [_wording(rng, world(seed), story, used) for story, used in zip(stories, templates, strict=True)]
    lengths = np.array([timing.rows for timing in timings], dtype=np.int64)
    videos = _annotated(split.partition("_")[0], world(seed), stories, lengths / ROWS_PER_SECOND, (bounds, sentences))
    return GeneratedSplit(videos, rows, lengths, tuple(stories), tuple(map(tuple, templates)))


@cache
def _second_wording(seed: int) -> GeneratedSplit:
    first = anet_split("val_1", seed)
    rng = generator(seed, 3)
    durations = first.lengths / ROWS_PER_SECOND
    bounds = []
    for times, duration in zip(first.videos.timestamps, durations, strict=True):
        moved = np.array(times) + rng.uniform(-BOUND_SHIFT, BOUND_SHIFT, size=(len(times), 2))
        moved = np.clip(moved, 0, duration).round(2)
        bounds.append(np.sort(moved, axis=1).tolist())
    templates = [
        draw_templates(rng, story, other_than=list(used))
        for story, used in zip(first.stories, first.templates, strict=True)
    ]
    sentences = [_wording(rng, world(seed), story, used) for story, used in zip(first.stories, templates, strict=True)]
    videos = _annotated("val", world(seed), first.stories, durations, (bounds, sentences))
    return GeneratedSplit(videos, first.rows, first.lengths, first.stories, tuple(map(tuple, templates)))


def _loose_timing(rng: np.random.Generator, events: int) -> Timing:
    """Returns log-uniform event lengths with blank gaps around them."""
    gaps = rng.integers(0, LONGEST_GAP + 1, size=events + 1)
    lengths = np.exp(rng.uniform(np.log(SHORTEST), np.log(LONGEST), size=events)).round().astype(np.int64)
    first = np.cumsum(gaps[:-1] + lengths) - lengths
    return Timing(first=first, lengths=lengths, rows=int(gaps.sum() + lengths.sum()))


def _bounds(timing: Timing) -> list[list[float]]:
    """Returns [start, end] in seconds of each event, such that `bench.data.segments` gives back its rows."""
    starts = (timing.first + 0.25) / ROWS_PER_SECOND
    ends = (timing.first + timing.lengths - 1.25) / ROWS_PER_SECOND
    return [[float(a), float(b)] for a, b in np.stack([starts, ends], axis=1).round(2).tolist()]


@cache
def _didemo_split(split: str, seed: int) -> GeneratedSplit:
    rng = generator(seed, 4 + list(DIDEMO_SIZES).index(split))
    stories = make_stories(rng, DIDEMO_SIZES[split])
    chunks = np.where(rng.random(len(stories)) < 0.85, 6, 5)
    durations = np.where(chunks == 6, 30.0, rng.integers(50, 56, size=len(stories)) / ROWS_PER_SECOND)
    spans = [_chunk_spans(rng, len(story.events), int(n)) for story, n in zip(stories, chunks, strict=True)]
    lengths = (durations * ROWS_PER_SECOND).astype(np.int64)
    timings = [_grid_timing(rng, span, int(rows)) for span, rows in zip(spans, lengths, strict=True)]
    rows = render(rng, world(seed), stories, timings)
    bounds, sentences = [], []
    for story, span, duration in zip(stories, spans, durations.tolist(), strict=True):
        described = np.repeat(np.arange(len(span)), np.where(rng.random(len(span)) < TWICE, 2, 1))
        seconds = np.minimum(span[described] * CHUNK_SECONDS, duration)
        bounds.append(seconds.tolist())
        told = Story(tuple(story.events[i] for i in described), story.action)
        sentences.append(_wording(rng, world(seed), told, draw_templates(rng, told)))
    videos = _annotated(f"didemo_{split}", world(seed), stories, durations, (bounds, sentences))
    return GeneratedSplit(videos, rows, lengths, tuple(stories), ())


def _chunk_spans(rng: np.random.Generator, events: int, chunks: int) -> np.ndarray:
    """Returns (events, 2) int64: first and past-the-last chunk of each event, in order, none shared.

    Chunks beyond one per event lengthen a random event or stay blank before one or at the end.
    """
    sizes = np.ones(events, dtype=np.int64)
    gaps = np.zeros(events + 1, dtype=np.int64)
    for target in rng.integers(0, 2 * events + 1, size=chunks - events).tolist():
        if target < events:
            sizes[target] += 1
        else:
            gaps[target - events] += 1
    past = np.cumsum(gaps[:-1] + sizes)
    return np.stack([past - sizes, past], axis=1)


def _grid_timing(rng: np.random.Generator, spans: np.ndarray, rows: int) -> Timing:
    chunk_rows = int(CHUNK_SECONDS * ROWS_PER_SECOND)
    margins = rng.integers(0, CHUNK_MARGIN + 1, size=spans.shape)
    first = spans[:, 0] * chunk_rows + margins[:, 0]
    past = np.minimum(spans[:, 1] * chunk_rows, rows) - margins[:, 1]
    return Timing(first=first, lengths=past - first, rows=rows)


def _wording(rng: np.random.Generator, of: World, story: Story, templates: Sequence[int]) -> list[str]:
    return [word(rng, of, event, template) for event, template in zip(story.events, templates, strict=True)]


def _annotated(
    prefix: str,
    of: World,
    stories: Sequence[Story],
    durations: np.ndarray,
    told: tuple[list[list[list[float]]], list[list[str]]],
) -> AnnotatedVideos:
    bounds, sentences = told
    return AnnotatedVideos(
        ids=_ids(prefix, len(stories)),
        durations=tuple(durations.tolist()),
        timestamps=tuple(bounds),
        sentences=tuple(sentences),
        labels=tuple((story.action,) for story in stories),
        class_names=of.names[ACTION],
    )


def _class_names() -> tuple[str, ...]:
    return world(SEED).names[ACTION]


def _ids(prefix: str, count: int) -> tuple[str, ...]:
    return tuple(f"sample_{prefix}_{i:04d}" for i in range(count))
