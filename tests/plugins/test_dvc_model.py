"""The parts of DVC: descriptive pooling and its target, which words are attributes, and their loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from bench.api import ModelError, Ragged, TrainingData, UsageError
from bench_dvc.attributes import attribute_loss, frequent_words, is_content
from bench_dvc.model import MOST_WORDS, DescriptivePooling, DVCNetwork, Shape
from bench_dvc.self_critical import drawn
from bench_torch.candidates import candidates
from bench_torch.search import Beam
from bench_torch.text import Vocabulary


def test_a_segment_is_the_mean_of_its_frames_weighted_by_descriptiveness() -> None:
    torch.manual_seed(0)
    pooling, frames = DescriptivePooling(4, 5), torch.randn(7, 4)
    pooled, descriptiveness = pooling(Ragged(frames, torch.tensor([3, 4])))
    for one, own, rows in zip(pooled, descriptiveness, frames.split([3, 4]), strict=True):
        weights = torch.sigmoid(pooling.descriptiveness(rows))
        torch.testing.assert_close(one, (weights * rows).sum(0) / weights.sum())
        torch.testing.assert_close(own, weights.mean())


def test_equally_descriptive_frames_count_equally() -> None:
    pooling, frames = DescriptivePooling(4, 5), torch.randn(7, 4)
    torch.nn.init.zeros_(pooling.descriptiveness[2].weight)
    torch.testing.assert_close(pooling(Ragged(frames, torch.tensor([7])))[0][0], frames.mean(0))


def test_attributes_are_the_content_words_that_most_sentences_have() -> None:
    vocabulary = Vocabulary(("<unk>", ".", "ball", "cat", "dog", "the"))
    text = vocabulary.encode([("the ball ball ball ball.", "the dog the cat."), ("dog zzz zzz", "dog ball zzz.")])
    assert frequent_words(text, vocabulary.words, 3).tolist() == [4, 2, 3]


@pytest.mark.parametrize("word", ["the", "is", "in", "and", "he", "n't", "'s", "not", ".", ",", "``", "--", "<>"])
def test_function_words_and_punctuation_name_nothing(word: str) -> None:
    assert not is_content(word)


@pytest.mark.parametrize("word", ["man", "runs", "t-shirt", "7", "élan", "isle"])
def test_other_words_are_content(word: str) -> None:
    assert is_content(word)


def test_the_loss_of_attributes_is_that_of_each_word_in_each_sentence() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 3)
    sentences = Ragged(torch.tensor([1, 4, 4, 2]), torch.tensor([2, 2]))
    places = torch.tensor([3, 0, 1, 2, 3])  # words 1, 2 and 3 are attributes
    found = attribute_loss(logits, candidates(torch.tensor([2]), torch.tensor([2]), aligned=True), sentences, places)
    has = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    torch.testing.assert_close(found, functional.binary_cross_entropy_with_logits(logits, has, reduction="sum") / 2)


def test_a_sentence_of_any_of_two_segments_is_half_of_each() -> None:
    logits = torch.randn(2, 1)
    pairs = candidates(torch.tensor([2]), torch.tensor([1]), aligned=False)
    found = attribute_loss(logits, pairs, Ragged(torch.tensor([1]), torch.tensor([1])), torch.tensor([1, 0]))
    torch.testing.assert_close(found, -functional.logsigmoid(logits).mean())


def test_attributes_are_chosen_in_training_and_kept_in_the_state(
    data: TrainingData, make_model: Any, record: Any
) -> None:
    model = make_model("dvc", attributes=3)
    model.fit(data, record().training())
    chosen = [model.vocabulary.words[i] for i in (model.network.places < 3).nonzero()[:, 0].tolist()]
    said = [set(sentence.rstrip(".").split()) for paragraph in data.paragraphs for sentence in paragraph]
    counts = {word: sum(word in words for words in said) for word in set().union(*said)}
    assert sorted(counts[word] for word in chosen) == sorted(counts.values())[-3:]
    restored = make_model("dvc", attributes=3)
    restored.load_state(model.state())
    assert torch.equal(restored.network.places, model.network.places)


def test_there_are_no_more_attributes_than_content_words(data: TrainingData, make_model: Any, record: Any) -> None:
    model = make_model("dvc", attributes=400)
    model.fit(data, record().training())
    assert model.network.shape.attributes == len(set(model.vocabulary.words) - {"<unk>", "."})


class Fixed:
    """A reward that gives each segment in turn one of `values`, whatever is said of it; it hears what there is."""

    def __init__(self, values: Sequence[float]) -> None:
        self.values, self.heard = torch.tensor(values), []  # type: ignore[var-annotated]

    def spoken(self, sentences: Ragged) -> list[str]:
        return [" ".join(map(str, row.tolist())) for row in torch.split(sentences.values, sentences.lengths.tolist())]

    def __call__(self, said: Sequence[str], references: Sequence[Sequence[str]]) -> Tensor:
        self.heard.append((list(said), [list(texts) for texts in references]))
        return self.values[: len(said)]


def network(**changed: Any) -> DVCNetwork:
    shape: dict[str, Any] = {
        "hidden": 5, "attributes": 2, "attribute_weight": 0.0, "descriptiveness_weight": 0.0, "reward_weight": 1.0,
        "likelihood_epochs": 1,
    }  # fmt: skip
    torch.manual_seed(0)
    return DVCNetwork(6, torch.randn(9, 4), Shape(**shape | changed), aligned=True)


def batch(data: TrainingData, count: int = 4) -> tuple[Any, Any]:
    words = sorted({word for paragraph in data.paragraphs for s in paragraph for word in s.rstrip(".").split()})
    vocabulary = Vocabulary(("<unk>", *words))
    return data.videos.batch(range(count)), vocabulary.encode(data.paragraphs[:count])


def test_the_descriptiveness_of_a_segment_is_regressed_on_what_its_sentence_is_worth(data: TrainingData) -> None:
    videos, text = batch(data)
    count = len(videos.clip_frames)
    values = [i / count for i in range(count)]
    with_target, without = network(descriptiveness_weight=0.5), network()
    for one in (with_target, without):
        one.reward = Fixed(values)  # type: ignore[assignment]
    difference = with_target.loss(videos, text) - without.loss(videos, text)
    rows = videos.clip_frames.values.split(videos.clip_frames.lengths.tolist())
    own = torch.stack([torch.sigmoid(without.pooling.descriptiveness(row)).mean() for row in rows])
    torch.testing.assert_close(difference, 0.5 * (own - torch.tensor(values)).square().mean())


def test_what_is_said_greedily_is_scored_against_the_sentence_of_its_segment(data: TrainingData) -> None:
    videos, text = batch(data)
    one = network()
    one.reward = reward = Fixed([0.5] * 20)  # type: ignore[assignment]
    one.loss(videos, text)
    ((said, references),) = reward.heard  # type: ignore[attr-defined]
    assert references == [[sentence] for sentence in reward.spoken(text.sentences)]
    greedy = one.say(one.watch(videos), Beam(1, MOST_WORDS))
    assert said == [" ".join(str(number) for number in row if number != 9) for row in greedy.tolist()]


class ShareOfWord3(Fixed):
    """A reward that is the share of the words of a sentence that are number 3."""

    def __call__(self, said: Sequence[str], references: Sequence[Sequence[str]]) -> Tensor:
        words = [sentence.split() for sentence in said]
        return torch.tensor([own.count("3") / len(own) if own else 0.0 for own in words])


def test_self_critical_training_of_the_network_raises_the_reward_of_what_it_draws(data: TrainingData) -> None:
    videos, text = batch(data, 12)
    one = network(likelihood_epochs=0, reward_weight=20.0)
    one.reward = ShareOfWord3([])  # type: ignore[assignment]
    one.begin_epoch(0)

    def worth() -> float:
        read = one.watch(videos).detach().repeat(20, 1)
        return float(one.rewards(drawn(one.decoder, one.words, read, MOST_WORDS), [[""]] * len(read)).mean())

    before = worth()
    optimiser = torch.optim.Adam(one.parameters(), lr=0.01)
    for _ in range(60):
        optimiser.zero_grad()
        one.loss(videos, text).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert before < 0.15
    assert worth() > before + 0.1


def test_self_critical_epochs_follow_those_on_likelihood() -> None:
    one = network(likelihood_epochs=2)
    told = []
    for epoch in range(4):
        one.begin_epoch(epoch)
        told.append(one.self_critical)
    assert told == [False, False, True, True]


@pytest.mark.parametrize(("epochs", "share", "first"), [(40, 0.25, 30), (15, 0.33, 10), (1, 0.33, 1), (3, 0.0, 3)])
def test_the_share_of_self_critical_epochs_is_the_last_one(
    epochs: int, share: float, first: int, make_model: Any
) -> None:
    model = make_model("dvc", epochs=epochs, self_critical=share)
    assert model.build(6, torch.zeros(3, 8)).shape.likelihood_epochs == first


def test_more_than_all_epochs_is_refused(data: TrainingData, make_model: Any, record: Any) -> None:
    with pytest.raises(UsageError, match=r"self_critical=1\.5: it is a share of the epochs\. Use 0 to 1\."):
        make_model("dvc", self_critical=1.5).fit(data, record().training())


def test_without_training_text_there_is_no_reward(data: TrainingData) -> None:
    with pytest.raises(ModelError, match="call `prepare`"):
        network().loss(*batch(data))
