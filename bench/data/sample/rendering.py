"""How a story of the generated world looks and reads: feature rows, segments in seconds, sentences.

Rows. Each of the four concepts of an event is present on a contiguous run of ceil(0.9 length) rows of the event, at a
uniform place. A row is tanh(z W1) W2, where z (48-d) holds the vectors of the concepts present, each kind in its own
12 places, zero where absent; plus a per-video nuisance of 0.7 times a 16-d Gaussian through 16 x 64; plus row noise
of 0.5.

Sentences. One of five templates over the four names of an event; with probability 0.1 one of the names is dropped;
0 to 6 fillers are inserted anywhere, never inside a two-word name. Lower case, no punctuation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.data.sample.world import CONCEPT_DIM, LATENT_DIM, NUISANCE_DIM, SIZES, Event, Story, World

PRESENCE = 0.9
NUISANCE = 0.7
ROW_NOISE = 0.5
DROP = 0.1
MOST_FILLERS = 6
TEMPLATES = (
    "the {0} {1} the {2} in the {3}",
    "in the {3} a {0} {1} one {2}",
    "there is a {0} who {1} that {2} at the {3}",
    "now with the {2} a {0} {1} near the {3}",
    "at one {3} the {0} and the {2} {1}",
)
"""Over actor {0}, action {1}, object {2} and place {3}; 13 function words in all."""


@dataclass(frozen=True)
class Timing:
    """When the events of a video happen.

    Attributes:
        first: (events,) int64, first row of each event.
        lengths: (events,) int64, rows of each event.
        rows: T, rows of the video.
    """

    first: np.ndarray
    lengths: np.ndarray
    rows: int


def render(rng: np.random.Generator, world: World, stories: list[Story], timings: list[Timing]) -> np.ndarray:
    """Returns (sum of T, 64) float32: the rows of all videos, one after the other."""
    totals = np.array([timing.rows for timing in timings])
    latent = np.zeros((int(totals.sum()), LATENT_DIM))
    start = 0
    for story, timing in zip(stories, timings, strict=True):
        for event, first, length in zip(story.events, timing.first, timing.lengths, strict=True):
            run = int(np.ceil(PRESENCE * length))
            begins = start + first + rng.integers(0, length - run + 1, size=len(SIZES))
            for kind, begin in enumerate(begins.tolist()):
                place = slice(kind * CONCEPT_DIM, (kind + 1) * CONCEPT_DIM)
                latent[begin : begin + run, place] = world.vectors[kind][event[kind]]
        start += timing.rows
    rows: np.ndarray = np.tanh(latent @ world.hidden) @ world.output
    nuisance = NUISANCE * rng.standard_normal((len(stories), NUISANCE_DIM)) @ world.nuisance
    rows += np.repeat(nuisance, totals, axis=0)
    rows += ROW_NOISE * rng.standard_normal(rows.shape)
    return np.asarray(rows, dtype=np.float32)


def word(rng: np.random.Generator, world: World, event: Event, template: int) -> str:
    """Returns a sentence that describes an event by one of the five templates."""
    dropped = int(rng.integers(len(SIZES))) if rng.random() < DROP else None
    units: list[str] = []
    for part in TEMPLATES[template].split():
        if part.startswith("{"):
            kind = int(part.strip("{}"))
            if kind != dropped:
                units.append(world.names[kind][event[kind]])
        else:
            units.append(part)
    for _ in range(rng.integers(0, MOST_FILLERS + 1)):
        filler = world.fillers[rng.integers(len(world.fillers))]
        units.insert(int(rng.integers(len(units) + 1)), filler)
    return " ".join(units)


def draw_templates(rng: np.random.Generator, story: Story, *, other_than: list[int] | None = None) -> list[int]:
    """Returns a template for each event; for a second wording none that the first wording used for that event."""
    if other_than is None:
        return [int(i) for i in rng.integers(len(TEMPLATES), size=len(story.events))]
    shifts = rng.integers(1, len(TEMPLATES), size=len(story.events))
    return [(used + int(shift)) % len(TEMPLATES) for used, shift in zip(other_than, shifts, strict=True)]
