"""The parts of DVC: descriptive pooling, which words are attributes, and their loss."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from bench.api import Ragged, TrainingData
from bench_dvc.attributes import attribute_loss, frequent_words
from bench_dvc.model import DescriptivePooling
from bench_torch.candidates import candidates
from bench_torch.text import Vocabulary


def test_a_segment_is_the_mean_of_its_frames_weighted_by_descriptiveness() -> None:
    torch.manual_seed(0)
    pooling, frames = DescriptivePooling(4, 5), torch.randn(7, 4)
    found = pooling(Ragged(frames, torch.tensor([3, 4])))
    for one, rows in zip(found, frames.split([3, 4]), strict=True):
        weights = torch.sigmoid(pooling.descriptiveness(rows))
        torch.testing.assert_close(one, (weights * rows).sum(0) / weights.sum())


def test_equally_descriptive_frames_count_equally() -> None:
    pooling, frames = DescriptivePooling(4, 5), torch.randn(7, 4)
    torch.nn.init.zeros_(pooling.descriptiveness[2].weight)
    torch.testing.assert_close(pooling(Ragged(frames, torch.tensor([7])))[0], frames.mean(0))


def test_attributes_are_the_words_that_most_sentences_have() -> None:
    vocabulary = Vocabulary(("<unk>", "a", "b", "c", "d"))
    text = vocabulary.encode([("b b b b", "c a"), ("c zzz zzz", "c a zzz", "d zzz")])
    assert frequent_words(text, 5, 3).tolist() == [3, 1, 2]


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
    counts = {word: sum(word in words for words in said) for word in set().union(*said)} | {".": len(said)}
    assert sorted(counts[word] for word in chosen) == sorted(counts.values())[-3:]
    restored = make_model("dvc", attributes=3)
    restored.load_state(model.state())
    assert torch.equal(restored.network.places, model.network.places)
