"""From an answer's first token to log-odds and shares, and from shares to classes: by hand, and as properties."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.api import Answer, Served
from bench_video_llms.choosing import Bias, scores_of
from bench_video_llms.verdicts import SPAN, is_unclear, log_odds, shares


def answer(text, *alternatives, how="said"):
    return Answer(text, how, Served("m"), alternatives)


def test_every_dress_of_a_word_counts_and_what_is_not_there_counts_as_the_last():
    both = answer("Yes", ("Yes", math.log(0.5)), (" yes", math.log(0.2)), ("No.", math.log(0.1)), ("x", math.log(0.05)))
    lone = answer("Yes", ("Yes", math.log(0.9)), ("x", math.log(0.01)))

    assert log_odds(both) == pytest.approx(math.log(0.7 / 0.1))
    assert log_odds(lone) == pytest.approx(math.log(0.9 / 0.01))
    assert log_odds(answer("maybe", ("maybe", -0.1), ("perhaps", -3.0))) == 0


@pytest.mark.parametrize(
    ("given_answer", "odds", "unclear"),
    [
        (answer(" YES, it does."), SPAN, False),
        (answer("no"), -SPAN, False),
        (answer("perhaps yes"), 0, True),
        (answer(""), 0, True),
        (answer("I will not.", how="refused"), -SPAN, False),
        (answer("yes", ("yes", 0.0), ("no", -1e4)), SPAN, False),
    ],
)
def test_without_probabilities_the_first_word_counts(given_answer, odds, unclear):
    assert log_odds(given_answer) == odds
    assert is_unclear(given_answer, ("yes", "no")) == unclear


def test_shares_of_letters_are_of_the_letters_alone():
    told = answer("B", ("B", math.log(0.6)), ("A", math.log(0.2)), ("The", math.log(0.1)))
    assert shares(told, "ABC") == pytest.approx([0.2 / 0.9, 0.6 / 0.9, 0.1 / 0.9])
    assert shares(answer("b) a dog"), "ABC") == [0, 1, 0]
    assert shares(answer("D"), "ABC") == shares(answer("", how="refused"), "ABC") == [1 / 3] * 3


@settings(max_examples=60)
@given(st.integers(1, 45), st.integers(2, 20), st.integers(1, 4), st.integers(1, 3), st.randoms(use_true_random=False))
def test_who_knows_the_class_finds_it_in_any_order_and_no_question_is_too_long(count, size, orders, videos, chance):
    right = [chance.randrange(count) for _ in range(videos)]
    asked = Counter()

    def ask(questions):
        told = []
        for video, classes in questions:
            assert 2 <= len(classes) <= size
            asked[video] += 1
            share = [1.0 if place == right[video] else 0.1 for place in classes]
            told.append([one / sum(share) for one in share])
        return told

    bias = Bias()
    seeds = [[f"{video} {order}" for order in range(orders)] for video in range(videos)]
    scores = scores_of(count, seeds, size, ask, bias)

    assert scores.shape == (videos, count)
    assert np.isfinite(scores).all()
    assert scores.argmax(axis=1).tolist() == right
    assert bias.changed == 0
    assert bias.expected.sum() == pytest.approx(sum(asked.values()))


def test_a_model_that_takes_the_first_place_is_told_from_one_that_knows():
    first, knows = Bias(), Bias()
    seeds = [[f"{video} {order}" for order in range(2)] for video in range(40)]
    scores_of(8, seeds, 8, lambda asked: [[0.9, *[0.1 / 7] * 7] for _ in asked], first)
    scores_of(8, seeds, 8, lambda asked: [[float(place == video % 8) for place in c] for video, c in asked], knows)

    assert first.words().startswith("position bias 87.5 %: place 1 was answered in 100.0 % of 80 questions, 12.5 %")
    assert 100 * first.changed / first.videos > 70
    assert knows.changed == 0
    assert float(knows.words().split()[2]) < 25
