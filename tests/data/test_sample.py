"""The generated datasets: deterministic, of the described sizes, and cut back exactly by the protocol's row rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from bench.data.features.generated import GeneratedFeatures, GeneratedSplit
from bench.data.readers.activitynet import SPLITS as ANET_SPLITS
from bench.data.sample.rendering import DROP, MOST_FILLERS, TEMPLATES
from bench.data.sample.splits import _anet_split, anet_sample, anet_split, didemo_sample, didemo_split, world
from bench.data.sample.world import ACTION, SAMPLE_VERSION, generator, make_stories, make_world
from bench.data.segments import segment_rows
from bench.files import digest

ANET = tuple(ANET_SPLITS)


def test_the_splits_have_their_sizes():
    assert [len(anet_split(split).videos.ids) for split in ANET] == [600, 500, 500]
    assert [len(didemo_split(split).videos.ids) for split in ("train", "val", "test")] == [600, 200, 500]


def test_the_annotations_are_pinned_to_the_version():
    """A change here needs a new SAMPLE_VERSION: figures before and after it do not compare."""
    assert SAMPLE_VERSION == 2
    pins = {
        split: digest([made.videos.ids, made.videos.durations, made.videos.timestamps, made.videos.sentences])[:16]
        for split, made in {
            **{split: anet_split(split) for split in ANET},
            **{f"didemo {split}": didemo_split(split) for split in ("train", "val", "test")},
        }.items()
    }
    assert pins == PINS


PINS = {
    "train": "93f218705fce38c9",
    "val_1": "6d88921d2480328c",
    "val_2": "64e14c71a0cc86bc",
    "didemo train": "0ff814db664fff21",
    "didemo val": "0c03318115864e13",
    "didemo test": "f8afa363da9239b2",
}


def test_the_first_and_last_features_are_pinned_to_the_version():
    rows = anet_split("train").rows
    assert rows.dtype == np.float32
    np.testing.assert_allclose([rows[0, 0], rows[0, 63], rows[-1, 0], rows[-1, 63]], FEATURES, rtol=1e-4)


FEATURES = [0.183551, 0.310480, 0.220832, -0.956196]


def test_another_seed_gives_another_world():
    assert make_world(1).names != make_world(0).names
    assert make_world(0).names == world(0).names


def test_the_world_knows_147_words():
    used = {
        word
        for split in ANET
        for sentences in anet_split(split).videos.sentences
        for sentence in sentences
        for word in sentence.split()
    }
    names = [name for kind in world(0).names for name in kind]
    known = {word for name in names for word in name.split()} | set(world(0).fillers)
    known |= {word for template in TEMPLATES for word in template.split() if not word.startswith("{")}
    assert len(known) == 147
    assert used == known


def test_only_the_first_four_actions_have_two_words():
    assert [len(name.split()) for name in world(0).names[ACTION]] == [2] * 4 + [1] * 12
    assert all(len(name.split()) == 1 for kind in (0, 2, 3) for name in world(0).names[kind])


@pytest.mark.parametrize("split", ["train", "val_1"])
def test_annotated_segments_give_back_exactly_the_rows_of_their_events(split):
    """Protocol 1.2 on the annotated seconds: event rows, gaps between 0 and 4, lengths 3 to 28."""
    made = anet_split(split)
    for times, duration, total in zip(made.videos.timestamps, made.videos.durations, made.lengths, strict=True):
        count = len(times)
        first, last = segment_rows(np.array(times), np.full(count, duration), np.full(count, total))
        lengths = last - first + 1
        assert ((lengths >= 3) & (lengths <= 28)).all()
        gaps = np.concatenate([first, [total]]) - np.concatenate([[0], last + 1])
        assert ((gaps >= 0) & (gaps <= 4)).all()


def test_blank_rows_carry_less_signal_than_described_rows():
    made = anet_split("train")
    described, blank = [], []
    for times, duration, rows in zip(
        made.videos.timestamps, made.videos.durations, np.split(made.rows, np.cumsum(made.lengths)[:-1]), strict=True
    ):
        count, total = len(times), len(rows)
        covered = np.zeros(total, dtype=bool)
        for begin, end in zip(
            *segment_rows(np.array(times), np.full(count, duration), np.full(count, total)), strict=True
        ):
            covered[begin : end + 1] = True
        described.append((rows[covered] ** 2).mean())
        blank.append((rows[~covered] ** 2).mean() if (~covered).any() else np.nan)
    assert np.nanmean(blank) == pytest.approx(0.7**2 + 0.5**2, rel=0.1)  # nuisance and row noise alone
    assert np.mean(described) > 1.4 * np.nanmean(blank)


def test_videos_have_three_or_five_events_in_equal_odds():
    counts = Counter(len(story.events) for split in ("train", "val_1") for story in anet_split(split).stories)
    assert set(counts) == {3, 5}
    assert 0.42 < counts[3] / counts.total() < 0.58


def test_every_story_has_its_class_among_its_actions():
    for split in ("train", "val_1"):
        made = anet_split(split)
        for story, label in zip(made.stories, made.videos.labels, strict=True):
            assert label == (story.action,)
            assert story.action in {event[ACTION] for event in story.events}
    assert anet_split("train").videos.class_names == world(0).names[ACTION]


def test_many_stories_have_a_twin_with_the_same_events_in_another_order():
    bags = Counter(tuple(sorted(story.events)) for story in anet_split("val_1").stories)
    assert sum(count for count in bags.values() if count > 1) > len(anet_split("val_1").stories) / 3


def test_more_than_half_of_the_stories_have_a_twin_of_the_same_concepts():
    """Who finds the concepts of every video without error, but not their order, gets at most one of each bag right."""
    stories = anet_split("val_1").stories
    bags = Counter(tuple(sorted(concepts(story))) for story in stories)
    assert sum(count for count in bags.values() if count > 1) > len(stories) / 2
    assert 0.55 < len(bags) / len(stories) < 0.65


def concepts(story):
    """Yields (kind, index) of each concept of each event."""
    return ((kind, index) for event in story.events for kind, index in enumerate(event))


def test_no_story_equals_one_of_the_six_drawn_before_it():
    stories = make_stories(generator(5, 9), 300)
    again = make_stories(generator(5, 9), 300)
    assert stories == again
    assert len({story.events for story in stories}) > 290


def test_the_second_wording_words_the_same_videos_anew():
    first, second = anet_split("val_1"), anet_split("val_2")
    assert second.videos.ids == first.videos.ids
    assert second.rows is first.rows
    assert second.videos.labels == first.videos.labels
    for used, other in zip(first.templates, second.templates, strict=True):
        assert all(a != b for a, b in zip(used, other, strict=True))
    same = sum(
        a == b
        for p, q in zip(first.videos.sentences, second.videos.sentences, strict=True)
        for a, b in zip(p, q, strict=True)
    )
    assert same == 0
    moved = np.abs(
        np.concatenate(
            [np.subtract(a, b) for a, b in zip(first.videos.timestamps, second.videos.timestamps, strict=True)]
        )
    )
    assert 0 < moved.mean() < 0.5
    assert moved.max() < 2


def test_sentences_drop_names_and_hold_fillers_as_often_as_described():
    made = anet_split("train")
    fillers = set(world(0).fillers)
    whole, filled, events = 0, [], 0
    for story, sentences in zip(made.stories, made.videos.sentences, strict=True):
        for event, sentence in zip(story.events, sentences, strict=True):
            padded = f" {sentence} "
            whole += all(f" {world(0).names[kind][event[kind]]} " in padded for kind in range(4))
            filled.append(sum(word in fillers for word in sentence.split()))
            events += 1
    assert whole / events == pytest.approx(1 - DROP, abs=0.02)
    assert max(filled) == MOST_FILLERS
    assert np.mean(filled) == pytest.approx(MOST_FILLERS / 2, abs=0.15)


def test_didemo_moments_lie_on_a_grid_of_five_second_chunks():
    twice = 0
    for split in ("train", "val", "test"):
        made = didemo_split(split)
        assert min(made.videos.durations) >= 25
        assert max(made.videos.durations) == 30
        for times, duration, sentences in zip(
            made.videos.timestamps, made.videos.durations, made.videos.sentences, strict=True
        ):
            assert len(times) == len(sentences)
            assert times == sorted(times)
            twice += len(times) - len({tuple(moment) for moment in times})
            for start, end in times:
                assert start % 5 == 0
                assert end % 5 == 0 or end == duration
                assert 0 <= start < end <= duration
    assert twice > 100


def test_a_split_does_not_depend_on_what_was_made_before_it():
    make = _anet_split.__wrapped__
    alone = make("train", 3)
    make("val_1", 3)
    assert np.array_equal(make("train", 3).rows, alone.rows)
    assert make("train", 3).videos == alone.videos


def test_a_split_is_generated_when_one_of_its_videos_is_used():
    made = []

    def make(split: str) -> GeneratedSplit:
        made.append(split)
        return anet_split(split)

    names = ("train", "val_1", "val_2")
    features = GeneratedFeatures("activitynet", [replace(anet_sample(one), make=partial(make, one)) for one in names])
    assert set(features.ids()) == {video_id for one in names for video_id in anet_split(one).videos.ids}
    assert features.missing(["sample_train_0599", "sample_train_0600"]) == ("sample_train_0600",)
    assert not made
    assert np.array_equal(features.read("sample_val_0000"), anet_split("val_2").rows[: anet_split("val_2").lengths[0]])
    assert features.lengths(anet_split("val_1").videos.ids).tolist() == anet_split("val_1").lengths.tolist()
    assert made == ["val_1"]


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_what_is_said_of_a_split_before_it_is_generated_is_so(split):
    assert didemo_sample(split).ids == didemo_split(split).videos.ids
    assert didemo_sample(split).class_names() == didemo_split(split).videos.class_names
