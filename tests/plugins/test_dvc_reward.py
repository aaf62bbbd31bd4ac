"""What DVC is rewarded for, and self-critical training: by hand, by enumeration, and in training."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from bench.api import Ragged, cider, meteor
from bench_dvc.reward import Reward, references_of
from bench_dvc.self_critical import drawn, self_critical_loss, sentences_of
from bench_torch.candidates import candidates
from bench_torch.decoding import WordDecoder
from bench_torch.text import Vocabulary, WordVectors

WORDS = ("<unk>", ".", "cat", "dog", "runs", "sleeps", "the")


def reward(metric: str) -> Reward:
    text = Vocabulary(WORDS).encode([("the dog runs.", "the cat sleeps."), ("the dog sleeps.",)])
    return Reward(metric, WORDS, text)


def test_sentences_are_spoken_with_punctuation_and_one_word_for_all_unknown_ones() -> None:
    text = Vocabulary(WORDS).encode([("the zebra runs.",), (". .",)])
    assert reward("METEOR").spoken(text.sentences) == ["the <unk> runs .", ". ."]


@pytest.mark.parametrize("metric", ["METEOR", "CIDEr"])
def test_more_full_stops_than_the_reference_has_are_worth_less(metric: str) -> None:
    right, longer = reward(metric)(["the dog runs .", "the dog runs . . . ."], [["the dog runs ."]] * 2).tolist()
    assert longer < 0.95 * right


def test_meteor_is_that_of_the_harness() -> None:
    found = reward("METEOR")(["the dog runs", "the cat", ""], [["the dog sleeps"], ["the cat sleeps"], ["the dog"]])
    expected = meteor(["the dog runs", "the cat", ""], [["the dog sleeps"], ["the cat sleeps"], ["the dog"]])[1]
    assert found.tolist() == pytest.approx(expected)
    assert 0 == expected[2] < expected[0] < expected[1] < 1


def test_cider_counts_how_rare_words_are_in_the_training_text() -> None:
    """Words weigh log(3 / sentences): the 0, dog and sleeps log 1.5, cat and runs log 3; pairs likewise, three none."""
    found = reward("CIDEr")(["the dog runs"], [["the dog sleeps"]])
    rare, common = math.log(3), math.log(1.5)
    single = common**2 / (math.hypot(common, rare) * math.hypot(common, common))
    # the dog (2 sentences), dog runs (1) against the dog (2), dog sleeps (1)
    pair = common**2 / (math.hypot(common, rare) * math.hypot(common, rare))
    assert found.tolist() == pytest.approx([(single + pair) / 4], rel=1e-6)


def test_cider_without_documents_is_that_of_the_corpus_itself() -> None:
    captions, references = ["the dog runs", "a cat"], [["the dog sleeps", "a dog runs"], ["the cat"]]
    own = cider(captions, references)
    assert cider([*captions], references, ["the dog sleeps", "a dog runs", "the cat"]) != own
    assert cider(["a b c d e", "f"], [["a b c d e"], ["f"]]) == pytest.approx([10.0, 2.5])


def test_references_of_a_segment_are_the_sentences_that_may_describe_it() -> None:
    counts, sentences = torch.tensor([2, 1]), torch.tensor([2, 1])
    own = candidates(counts, sentences, aligned=True)
    assert references_of(own, ["a", "b", "c"], 3) == [["a"], ["b"], ["c"]]
    free = candidates(counts, sentences, aligned=False)
    assert references_of(free, ["a", "b", "c"], 3) == [["a", "b"], ["a", "b"], ["c"]]


def test_the_loss_weighs_log_likelihoods_by_advantages_and_leaves_ends_that_were_no_choice() -> None:
    told = Ragged(torch.tensor([-1.0, -2.0, -3.0, -0.5, -0.25]), torch.tensor([3, 2]))
    found = self_critical_loss(told, 2, torch.tensor([0.5, -1.0]))  # the first has two words: its end was forced
    assert found.item() == pytest.approx(-(0.5 * (-1.0 - 2.0) - 1.0 * (-0.5 - 0.25)) / 4)


class Speaker:
    """A small decoder of three words of which one is unknown and as good as never likely, and all it can say."""

    most = 2

    def __init__(self) -> None:
        torch.manual_seed(3)
        self.words = WordVectors(torch.randn(3, 4))
        self.decoder = WordDecoder(self.words, 6, 2)
        with torch.no_grad():
            self.decoder.output.bias[0] = -40.0
            self.decoder.output.weight.mul_(3)
        self.condition = torch.tensor([[0.5, -1.0]])
        self.all = [said for n in range(self.most + 1) for said in itertools.product((1, 2), repeat=n)]

    def told(self, sentences: list[tuple[int, ...]]) -> Ragged:
        text = Ragged(
            torch.tensor([word for said in sentences for word in said], dtype=torch.int64),
            torch.tensor([len(said) for said in sentences]),
        )
        return self.decoder.word_log_likelihoods(text, self.words, self.condition.expand(len(sentences), -1))

    def chances(self) -> Tensor:
        """Returns the probability of each sentence, those of two words whatever would come after them."""
        told = self.told(self.all)
        parts = torch.split(told.values, told.lengths.tolist())
        return torch.stack([part[: self.most].sum().exp() for part in parts])

    def parameters(self) -> list[Tensor]:
        return [self.words.weight, *self.decoder.parameters()]


def gradients(loss: Tensor, speaker: Speaker) -> Tensor:
    found = torch.autograd.grad(loss, speaker.parameters(), allow_unused=True)
    return torch.cat([g.flatten() for g in found if g is not None])


def test_sentences_are_drawn_as_likely_as_they_are() -> None:
    speaker = Speaker()
    chances = speaker.chances()
    torch.testing.assert_close(chances.sum(), torch.tensor(1.0))
    torch.manual_seed(0)
    said = drawn(speaker.decoder, speaker.words, speaker.condition.expand(20_000, -1), speaker.most)
    cut = sentences_of(said, speaker.decoder.end)
    rows = torch.split(cut.values, cut.lengths.tolist())
    counts = [sum(tuple(row.tolist()) == one for row in rows) for one in speaker.all]
    assert sum(counts) == 20_000
    for count, chance in zip(counts, chances.tolist(), strict=True):
        assert abs(count / 20_000 - chance) < 5 * math.sqrt(chance * (1 - chance) / 20_000)


def test_on_average_the_gradient_is_that_of_the_expected_reward_whatever_the_baseline() -> None:
    speaker = Speaker()
    worth = torch.tensor([0.1, 0.9, 0.3, 0.5, 0.2, 0.7, 0.0])
    exact = gradients(-(speaker.chances() * worth).sum(), speaker)
    for baseline in (0.0, 0.4):
        total = torch.zeros_like(exact)
        for said, own, chance in zip(speaker.all, worth, speaker.chances().detach(), strict=True):
            choices = min(len(said) + 1, speaker.most)
            loss = choices * self_critical_loss(speaker.told([said]), speaker.most, (own - baseline)[None])
            total += chance * gradients(loss, speaker)
        torch.testing.assert_close(total, exact, atol=1e-5, rtol=1e-4)


def test_the_expected_reward_rises_in_training() -> None:
    speaker = Speaker()
    worth = torch.tensor([0.0, 0.0, 0.1, 0.2, 1.0, 0.0, 0.0])  # the sentence of words 1 and 2 is the best by far
    before = float((speaker.chances() * worth).sum().detach())
    optimiser = torch.optim.Adam(speaker.parameters(), lr=0.05)
    value = dict(zip(speaker.all, worth.tolist(), strict=True))
    torch.manual_seed(1)
    for _ in range(60):
        said = drawn(speaker.decoder, speaker.words, speaker.condition.expand(64, -1), speaker.most)
        cut = sentences_of(said, speaker.decoder.end)
        sentences = [tuple(row.tolist()) for row in torch.split(cut.values, cut.lengths.tolist())]
        rewards = torch.tensor([value[one] for one in sentences])
        loss = self_critical_loss(speaker.told(sentences), speaker.most, rewards - rewards.mean())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    after = float((speaker.chances() * worth).sum().detach())
    assert before < 0.5
    assert after > 0.9


def test_held_out_videos_are_judged_by_what_is_said_of_them(
    make_training_data: Any, make_model: Any, record: Any
) -> None:
    model = make_model("dvc", epochs=4, selection="held-out")
    data = make_training_data(16, heldout=4)
    model.fit(data, record().training())
    held = data.split()[1]
    said = [sentence for paragraph in model.caption(held.videos.batch(range(4))) for sentence in paragraph]
    wanted = [sentence for paragraph in held.paragraphs for sentence in paragraph]
    plain = [[" ".join(s.replace(".", " . ").split()) for s in texts] for texts in (said, wanted)]
    expected = meteor(plain[0], [[text] for text in plain[1]])[1]
    found = model.network.merit(model.examples(held), model.execution)
    assert found == pytest.approx(sum(expected) / len(expected), abs=1e-6)
