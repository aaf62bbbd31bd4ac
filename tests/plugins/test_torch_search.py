"""Search for sentences: greedy and wide searches find what a look at every sentence finds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product, repeat

import pytest
import torch
from torch import Tensor

from bench.api import Ragged
from bench_torch import search as searching
from bench_torch.decoding import WordDecoder
from bench_torch.lstm import Memory
from bench_torch.search import Beam, search
from bench_torch.text import WordVectors

WORDS, CONDITIONS = 4, 5


@pytest.fixture(params=range(4))
def teller(request: pytest.FixtureRequest) -> tuple[WordDecoder, WordVectors, Tensor]:
    """A decoder of few words with strong opinions, its words, and conditions to speak under."""
    torch.manual_seed(request.param)
    words = WordVectors(torch.randn(WORDS, 3))
    decoder = WordDecoder(words, 6, 2)
    torch.nn.init.normal_(decoder.output.weight, std=2.0)
    return decoder, words, torch.randn(CONDITIONS, 2) * 3


def found_by(teller: tuple[WordDecoder, WordVectors, Tensor], beam: Beam) -> list[list[int]]:
    decoder, words, conditions = teller
    said = search(decoder, words, repeat(conditions), Memory.empty(len(conditions), decoder.lstm), beam)
    assert said.shape == (len(conditions), beam.max_words)
    return [[number for number in row if number != decoder.end] for row in said.tolist()]


def likelihood(teller: tuple[WordDecoder, WordVectors, Tensor], sentence: list[int], condition: int) -> float:
    decoder, words, conditions = teller
    with torch.no_grad():
        if not sentence:
            states, _ = decoder.lstm(
                Ragged(torch.cat([conditions[[condition]], decoder.boundary], dim=1), torch.tensor([1]))
            )
            return float(decoder.log_probabilities(states.values, torch.tensor([decoder.end])))
        text = Ragged(torch.tensor(sentence), torch.tensor([len(sentence)]))
        return float(decoder.log_likelihood(text, words, conditions[[condition]]))


def every_sentence(longest: int) -> list[list[int]]:
    """Returns all sentences without the unknown word."""
    return [list(words) for length in range(longest + 1) for words in product(range(1, WORDS), repeat=length)]


def greedy(teller: tuple[WordDecoder, WordVectors, Tensor], longest: int) -> Iterator[list[int]]:
    """Yields for each condition the sentence of the likeliest next words, one at a time."""
    decoder, words, conditions = teller
    for condition in conditions:
        memory, word, said = Memory.empty(1, decoder.lstm), decoder.end, []
        while len(said) < longest:
            vector = decoder.vectors(words, torch.tensor([word]))
            projected = decoder.project_words(vector) + decoder.project_condition(condition[None])
            memory = decoder.lstm.step(projected, memory)
            word = 1 + int(decoder.output(memory.hidden)[0, 1:].argmax())
            if word == decoder.end:
                break
            said.append(word)
        yield said


def test_a_beam_of_one_is_greedy(teller: tuple[WordDecoder, WordVectors, Tensor]) -> None:
    assert found_by(teller, Beam(1, 12)) == list(greedy(teller, 12))


def test_a_wide_beam_finds_the_likeliest_of_all_sentences(teller: tuple[WordDecoder, WordVectors, Tensor]) -> None:
    for condition, found in enumerate(found_by(teller, Beam(40, 3))):
        assert found == max(every_sentence(3), key=lambda sentence: likelihood(teller, sentence, condition))


def test_a_wider_beam_never_finds_less_in_a_space_it_holds(teller: tuple[WordDecoder, WordVectors, Tensor]) -> None:
    narrow, wide = found_by(teller, Beam(1, 3)), found_by(teller, Beam(40, 3))
    for condition, (one, other) in enumerate(zip(narrow, wide, strict=True)):
        assert likelihood(teller, other, condition) >= likelihood(teller, one, condition) - 1e-5


@pytest.mark.parametrize("width", [1, 3])
def test_a_sentence_depends_on_its_condition_alone(teller: tuple[WordDecoder, WordVectors, Tensor], width: int) -> None:
    decoder, words, conditions = teller
    whole = found_by(teller, Beam(width, 9))
    order = [4, 0, 2]
    assert found_by((decoder, words, conditions[order]), Beam(width, 9)) == [whole[i] for i in order]


@pytest.mark.parametrize("width", [1, 3])
def test_looking_up_early_changes_nothing(
    teller: tuple[WordDecoder, WordVectors, Tensor], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = teller[0]
    with torch.no_grad():
        decoder.output.bias[decoder.end] += 2.0  # most sentences end early
    answers = []
    for patience in (1, 2, 100):
        monkeypatch.setattr(searching, "PATIENCE", patience)
        answers.append(found_by(teller, Beam(width, 12)))
    assert answers[0] == answers[1] == answers[2]
    assert any(len(said) < 6 for said in answers[0])


def test_the_unknown_word_is_never_said_and_sentences_stop_at_the_longest(
    teller: tuple[WordDecoder, WordVectors, Tensor],
) -> None:
    decoder, _, _ = teller
    with torch.no_grad():
        decoder.output.bias[0] += 100.0
        decoder.output.bias[decoder.end] -= 100.0
    for width in (1, 3):
        for said in found_by(teller, Beam(width, 5)):
            assert len(said) == 5
            assert 0 not in said


def test_conditions_may_change_from_word_to_word(teller: tuple[WordDecoder, WordVectors, Tensor]) -> None:
    decoder, words, _ = teller
    with torch.no_grad():
        decoder.lstm.weights[1].zero_()
        decoder.lstm.weights[0][:, 2:].zero_()  # what is said depends on the condition of the step alone
    walk = torch.randn(6, 1, 2) * 3
    said = search(decoder, words, iter(walk), Memory.empty(1, decoder.lstm), Beam(1, 5))[0]
    memory = Memory.empty(1, decoder.lstm)
    for step, word in enumerate(said.tolist()):
        memory = decoder.lstm.step(decoder.project_condition(walk[step]), memory)
        assert word == 1 + int(decoder.output(memory.hidden)[0, 1:].argmax())
        if word == decoder.end:
            break


def test_a_vocabulary_of_nothing_but_the_unknown_word_says_nothing() -> None:
    words = WordVectors(torch.randn(1, 3))
    decoder = WordDecoder(words, 6, 2)
    said = search(decoder, words, repeat(torch.randn(2, 2)), Memory.empty(2, decoder.lstm), Beam(4, 3))
    assert (said == decoder.end).all()
