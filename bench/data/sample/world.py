"""The generated world behind `sample`: coined words, concepts, and the stories that videos tell.

Concepts are 12 actors, 16 actions, 16 objects and 6 places. Each has a coined name of two or three syllables (the
first four actions have names of two words) and a fixed 12-d Gaussian vector. With 80 filler words and 13 English
function words of the sentence templates the world knows 147 words.

A story is 3 or 5 events, equal odds; an event is one actor, action, object and place, each uniform. The story's class
is an action: one random event has it, each other event with probability 0.5. With probability 0.3 all events share
the actor and the place of the first. After each base story, while a fair coin succeeds, a variant of the base story
is appended: two events swapped in time (odds 0.45), two events exchanging actor or object (0.45), or one event's actor,
object or place changed (0.1). A story equal to one of the last six is drawn again. Variants keep the class. The list
is then shuffled and cut, so most stories have near twins, and more than half have one of the same concepts, told apart
only by who did what when.

Everything follows from `SAMPLE_VERSION` and a seed; world, training and validation have generators of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

SAMPLE_VERSION = 2
"""Raised whenever one generated word or number changes; part of the identity of the features."""

ACTOR, ACTION, OBJECT, PLACE = range(4)
SIZES = (12, 16, 16, 6)
"""How many actors, actions, objects and places there are."""
CONCEPT_DIM = 12
LATENT_DIM = CONCEPT_DIM * len(SIZES)
HIDDEN_DIM = 128
FEATURE_DIM = 64
NUISANCE_DIM = 16
FILLERS = 80
TWO_WORD_ACTIONS = 4
VARIANT_ODDS = (0.45, 0.45, 0.1)
"""Two events swapped in time; two events exchanging actor or object; actor, object or place of one event changed."""
MEMORY = 6
"""A story differs from this many stories before it."""
ONSETS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "sh", "br", "tr")
VOWELS = ("a", "e", "i", "o", "u")
CODAS = ("", "", "l", "n", "r", "s")

Event = tuple[int, int, int, int]
"""Indices of actor, action, object and place."""


@dataclass(frozen=True)
class Story:
    """What happens in a video: 3 or 5 events in order, and the action that is its class."""

    events: tuple[Event, ...]
    action: int


@dataclass(frozen=True)
class World:
    """Words, concept vectors and the fixed map from concepts to features.

    Attributes:
        names: names of the actors, actions, objects and places.
        fillers: words without meaning.
        vectors: (12, 12), (16, 12), (16, 12), (6, 12) float64, one row per concept.
        hidden: (48, 128), std 1.5 / sqrt 48.
        output: (128, 64), std 1 / sqrt 128.
        nuisance: (16, 64), std 1/4.
    """

    names: tuple[tuple[str, ...], ...]
    fillers: tuple[str, ...]
    vectors: tuple[np.ndarray, ...]
    hidden: np.ndarray
    output: np.ndarray
    nuisance: np.ndarray


def generator(seed: int, stream: int) -> np.random.Generator:
    """Returns the generator of one stream of random numbers: 0 world, then one for each split and wording."""
    return np.random.default_rng([SAMPLE_VERSION, seed, stream])


def make_world(seed: int) -> World:
    """Returns the world of a seed."""
    rng = generator(seed, 0)
    words = coined_words(rng, sum(SIZES) + TWO_WORD_ACTIONS + FILLERS)
    names = [[next(words) for _ in range(size)] for size in SIZES]
    for action in range(TWO_WORD_ACTIONS):
        names[ACTION][action] += f" {next(words)}"
    return World(
        names=tuple(tuple(kind) for kind in names),
        fillers=tuple(words),
        vectors=tuple(rng.standard_normal((size, CONCEPT_DIM)) for size in SIZES),
        hidden=rng.standard_normal((LATENT_DIM, HIDDEN_DIM)) * 1.5 / np.sqrt(LATENT_DIM),
        output=rng.standard_normal((HIDDEN_DIM, FEATURE_DIM)) / np.sqrt(HIDDEN_DIM),
        nuisance=rng.standard_normal((NUISANCE_DIM, FEATURE_DIM)) / 4,
    )


def make_stories(rng: np.random.Generator, count: int) -> list[Story]:
    """Returns `count` stories, near twins among them, in random order."""
    stories: list[Story] = []

    def append_new(draw: Callable[[], Story]) -> Story:
        story = draw()
        while any(story.events == other.events for other in stories[-MEMORY:]):
            story = draw()
        stories.append(story)
        return story

    while len(stories) < count:
        base = append_new(partial(draw_story, rng))
        while rng.random() < 0.5:
            append_new(partial(draw_variant, rng, base))
    return [stories[i] for i in rng.permutation(len(stories))[:count]]


def draw_story(rng: np.random.Generator) -> Story:
    """Returns a new story."""
    events = rng.integers(0, SIZES, size=(int(rng.choice((3, 5))), len(SIZES)))
    action = int(rng.integers(SIZES[ACTION]))
    main = int(rng.integers(len(events)))
    has_action = rng.random(len(events)) < 0.5
    has_action[main] = True
    events[has_action, ACTION] = action
    if rng.random() < 0.3:
        events[:, ACTOR] = events[0, ACTOR]
        events[:, PLACE] = events[0, PLACE]
    return _story(events, action)


def draw_variant(rng: np.random.Generator, base: Story) -> Story:
    """Returns a story that differs from `base` in one respect, unless what was exchanged happened to be equal."""
    events = np.array(base.events)
    change = rng.choice(3, p=VARIANT_ODDS)
    if change == 0:
        pair = rng.choice(len(events), size=2, replace=False)
        events[pair] = events[pair[::-1]]
    elif change == 1:
        pair = rng.choice(len(events), size=2, replace=False)
        slot = rng.choice((ACTOR, OBJECT))
        events[pair, slot] = events[pair[::-1], slot]
    else:
        slot = int(rng.choice((ACTOR, OBJECT, PLACE)))
        row = rng.integers(len(events))
        events[row, slot] = (events[row, slot] + rng.integers(1, SIZES[slot])) % SIZES[slot]
    return _story(events, base.action)


def _story(events: np.ndarray, action: int) -> Story:
    return Story(events=tuple((e[0], e[1], e[2], e[3]) for e in events.tolist()), action=action)


def coined_words(rng: np.random.Generator, count: int) -> Iterator[str]:
    """Yields `count` distinct pronounceable words of two or three syllables, such as `tamolu` or `beshin`."""
    seen: set[str] = set()
    while len(seen) < count:
        word = "".join(rng.choice(ONSETS) + rng.choice(VOWELS) for _ in range(rng.integers(2, 4))) + rng.choice(CODAS)
        if word not in seen:
            seen.add(word)
            yield str(word)
