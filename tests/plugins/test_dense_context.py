"""The parts of DENSE: context from past and future segments, candidates of a sentence, and whole videos from parts."""

from __future__ import annotations

import math

import pytest
import torch

from bench.api import InvalidData, Ragged
from bench_dense.context import SegmentEncoder
from bench_dense.loss import aggregate, mean_directions
from bench_torch.candidates import candidates, caption_loss

COUNTS = torch.tensor([3, 1, 4])
# ends out of order, and two that are equal: an equal end counts as future
SEGMENTS = Ragged(torch.tensor([[0, 5], [1, 2], [2, 9], [0, 1], [0, 4], [0, 4], [3, 8], [1, 3]]).float(), COUNTS)


def described_one_by_one(encoder: SegmentEncoder, states: torch.Tensor) -> torch.Tensor:
    """Follows the formula segment by segment."""
    rows, start = [], 0
    for count in COUNTS.tolist():
        for i in range(start, start + count):
            sums = {"past": torch.zeros(states.shape[1]), "future": torch.zeros(states.shape[1])}
            numbers = {"past": 0, "future": 0}
            for j in range(start, start + count):
                if i == j:
                    continue
                side = "past" if SEGMENTS.values[j, 1] < SEGMENTS.values[i, 1] else "future"
                weight = 1.0 if encoder.attention is None else encoder.attention(states[i]) @ states[j]
                sums[side] = sums[side] + weight * states[j]
                numbers[side] += 1
            means = {side: sums[side] / max(1, numbers[side]) for side in sums}
            parts = {
                "full": [means["past"], states[i], means["future"]],
                "online": [means["past"], states[i]],
                "none": [states[i]],
            }
            rows.append(torch.cat(parts[encoder.context]))
        start += count
    return torch.stack(rows)


@pytest.mark.parametrize("context", ["full", "online", "none"])
@pytest.mark.parametrize("attention", [True, False])
def test_a_segment_is_described_as_the_formula_says(context: str, attention: bool) -> None:
    torch.manual_seed(0)
    encoder = SegmentEncoder(6, 5, context, attention=attention)
    if encoder.attention is not None:
        torch.nn.init.normal_(encoder.attention.bias)
        torch.nn.init.normal_(encoder.attention.weight)
    states = torch.randn(8, 5)
    found = encoder.describe(states, SEGMENTS)
    assert found.values.shape == (8, encoder.size)
    assert torch.equal(found.lengths, COUNTS)
    torch.testing.assert_close(found.values, described_one_by_one(encoder, states))


def test_what_happens_later_is_not_seen_online() -> None:
    torch.manual_seed(0)
    encoder = SegmentEncoder(6, 5, "online", attention=True)
    states = torch.randn(8, 5)
    changed = states.clone()
    changed[2] += 1.0  # the last segment of the first video
    before, after = (encoder.describe(s, SEGMENTS).values for s in (states, changed))
    assert torch.equal(before[:2], after[:2])
    assert not torch.equal(before[2], after[2])


def test_an_aligned_sentence_has_its_own_segment_only() -> None:
    found = candidates(COUNTS, COUNTS, aligned=True)
    assert found.sentences.tolist() == found.segments.tolist() == list(range(8))
    assert found.mixture(torch.arange(8.0)).tolist() == list(range(8))


def test_a_sentence_may_describe_any_segment_of_its_video_otherwise() -> None:
    found = candidates(torch.tensor([2, 1]), torch.tensor([1, 2]), aligned=False)
    assert found.sentences.tolist() == [0, 0, 1, 2]
    assert found.segments.tolist() == [0, 1, 2, 2]
    mixed = found.mixture(torch.log(torch.tensor([0.2, 0.4, 0.5, 0.1])))
    torch.testing.assert_close(mixed.exp(), torch.tensor([0.3, 0.5, 0.1]))


def test_gradients_of_a_mixture_reach_every_candidate() -> None:
    found = candidates(torch.tensor([2, 1]), torch.tensor([1, 2]), aligned=False)
    logs = torch.tensor([-1.0, -1.0, -2.0, -3.0], requires_grad=True)
    found.mixture(logs).sum().backward()
    assert logs.grad is not None
    assert logs.grad.tolist() == [0.5, 0.5, 1.0, 1.0]


def test_unequal_numbers_are_refused_when_aligned() -> None:
    with pytest.raises(InvalidData, match="1 of 2 videos"):
        candidates(torch.tensor([2, 1]), torch.tensor([2, 2]), aligned=True)


def test_a_word_costs_its_cross_entropy() -> None:
    sentences = Ragged(torch.zeros(5, dtype=torch.int64), torch.tensor([2, 3]))
    assert float(caption_loss(torch.tensor([-3.0, -4.0]), sentences)) == 1.0  # seven words with both ends


def test_a_video_scores_the_mean_over_sentences_of_its_best_segment() -> None:
    scores = torch.tensor([[1.0, 5, 2], [3, 0, 4], [9, 7, 8]])
    found = aggregate(scores, torch.tensor([2, 1]), torch.tensor([2, 1]))
    assert found.tolist() == [[4.0, 3.0], [9.0, 8.0]]


def test_mean_directions_do_not_depend_on_length() -> None:
    found = mean_directions(Ragged(torch.tensor([[3.0, 0], [0, 5], [0, 2]]), torch.tensor([2, 1])))
    torch.testing.assert_close(found, torch.tensor([[0.5, 0.5], [0, 1]]))
    assert math.isclose(float(found[1].norm()), 1.0)
