from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.api import Ragged
from bench_torch.losses import (
    block_loss,
    cluster_loss,
    contrastive_loss,
    cosines,
    hinge,
    of_parts,
    part_cluster_loss,
    ranking_loss,
    reconstruction_loss,
)

seeds = st.integers(0, 2**31 - 1)


def pairs(seed: int, count: int, dim: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, dim, generator=generator), torch.randn(count, dim, generator=generator)


def naive_rank(similarities: torch.Tensor, margin: float, hardest: bool) -> float:
    """The definition, pair by pair."""
    s, size = similarities.tolist(), len(similarities)
    rows = [[max(0.0, margin + s[i][j] - s[i][i]) for j in range(size) if j != i] for i in range(size)]
    columns = [[max(0.0, margin + s[j][i] - s[i][i]) for j in range(size) if j != i] for i in range(size)]
    pick = max if hardest else sum
    return sum(pick(costs) for costs in rows + columns if costs) / size**2


def test_ranking_loss_of_two_pairs_by_hand() -> None:
    x = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    y = torch.tensor([[3.0, 0.0], [4.0, 3.0]])  # cosines: 1, 0.8 / 0, 0.6
    # rows: 0.2+0.8-1 = 0 and [0.2+0-0.6] = 0; columns: [0.2+0-1] = 0 and 0.2+0.8-0.6 = 0.4; divided by 4
    assert ranking_loss(x, y, 0.2).item() == pytest.approx(0.1, abs=1e-6)


def test_hinge_of_three_pairs_by_hand_summed_and_hardest() -> None:
    similarities = torch.tensor([[0.5, 0.4, 0.6], [0.0, 0.5, 0.4], [0.0, 0.0, 0.5]])
    # rows: 0.1+0.3, 0.1, 0; columns: 0, 0.1, 0.3+0.1
    assert hinge(similarities, 0.2).item() == pytest.approx(1.0 / 9)
    assert hinge(similarities, 0.2, hardest=True).item() == pytest.approx((0.3 + 0.1 + 0.1 + 0.3) / 9)


@given(seeds, st.integers(1, 7), st.booleans())
def test_ranking_loss_agrees_with_a_loop_over_pairs(seed: int, count: int, hardest: bool) -> None:
    x, y = pairs(seed, count)
    expected = naive_rank(cosines(x, y), 0.2, hardest)
    assert ranking_loss(x, y, 0.2, hardest=hardest).item() == pytest.approx(expected, abs=1e-6)


@given(seeds, st.integers(1, 7), st.floats(0.01, 100))
def test_ranking_loss_is_symmetric_and_blind_to_scale_and_common_order(seed: int, count: int, scale: float) -> None:
    x, y = pairs(seed, count)
    loss = ranking_loss(x, y, 0.2)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    assert loss >= 0
    torch.testing.assert_close(ranking_loss(y, x, 0.2), loss)
    torch.testing.assert_close(ranking_loss(x * scale, y, 0.2), loss, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(ranking_loss(x[order], y[order], 0.2), loss)


def test_pairs_further_apart_than_the_margin_cost_nothing() -> None:
    x = torch.eye(4)
    assert ranking_loss(x, x, 0.2).item() == 0
    assert cluster_loss(x, x, 0.2).item() == 0


def test_cluster_loss_by_hand_pushes_only_near_things_apart() -> None:
    x = torch.tensor([[1.0, 0.0], [0.9, math.sqrt(0.19)]])  # cosine 0.9: 0.1 too near, in both rows and columns
    y = torch.eye(2)
    assert cluster_loss(x, y, 0.2).item() == pytest.approx((4 * 0.1 / 4) / 2, abs=1e-6)


def things(values: torch.Tensor, *lengths: int) -> Ragged:
    return Ragged(values, torch.tensor(lengths))


def test_block_loss_by_hand() -> None:
    clips = things(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 3.0]]), 2, 1)
    sentences = things(torch.tensor([[2.0, 0.0], [0.0, 1.0]]), 1, 1)
    # mean blocks: 0.5, 0.5 / 0, 1 -> rows 0.2 and 0, columns 0 and 0; greatest: 1, 1 / 0, 1 -> row 0.2, column 0.2
    assert block_loss(clips, sentences, 0.2).item() == pytest.approx(0.2 / 4)
    assert block_loss(clips, sentences, 0.2, hardest=True).item() == pytest.approx(0.4 / 4)


@given(seeds, st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=4), st.booleans())
def test_block_loss_agrees_with_a_loop_over_blocks(seed: int, counts: list[tuple[int, int]], hardest: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    n_clips, n_sentences = ([pair[side] for pair in counts] for side in (0, 1))
    c = torch.randn(sum(n_clips), 4, generator=generator)
    s = torch.randn(sum(n_sentences), 4, generator=generator)
    reduce = torch.amax if hardest else torch.mean
    blocks = torch.stack([torch.stack([reduce(cosines(a, b)) for b in s.split(n_sentences)]) for a in c.split(n_clips)])
    loss = block_loss(things(c, *n_clips), things(s, *n_sentences), 0.2, hardest=hardest)
    assert loss.item() == pytest.approx(naive_rank(blocks, 0.2, hardest), abs=1e-6)


def test_contrastive_loss_by_hand() -> None:
    x, y = torch.eye(2), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    # cosines: 1, 1 / 0, 0; rows: log 2 twice; columns: log(1 + 1/e^2) and log(1 + e^2) at temperature 0.5
    expected = (math.log(2) + (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(2))) / 2) / 2
    assert contrastive_loss(x, y, 0.5).item() == pytest.approx(expected)


@given(seeds, st.integers(1, 6))
def test_contrastive_loss_of_equal_things_is_the_log_of_their_number(seed: int, count: int) -> None:
    x, _ = pairs(seed, 1)
    assert contrastive_loss(x.repeat(count, 1), x.repeat(count, 1), 0.1).item() == pytest.approx(
        math.log(count), abs=1e-5
    )


def test_reconstruction_loss_by_hand_gives_no_gradient_to_the_target() -> None:
    guess = torch.tensor([[3.0, 4.0], [0.0, 0.0]], requires_grad=True)
    target = torch.zeros(2, 2, requires_grad=True)
    loss = reconstruction_loss(guess, target)
    loss.backward()
    assert loss.item() == pytest.approx(2.5)
    assert target.grad is None
    torch.testing.assert_close(guess.grad, torch.tensor([[0.3, 0.4], [0.0, 0.0]]))


def test_losses_stay_in_float32_under_autocast() -> None:
    x, y = pairs(0, 5)
    parts = things(x, 2, 3), things(y, 1, 4)
    exact = ranking_loss(x, y, 0.2), block_loss(*parts, 0.2), contrastive_loss(x, y, 0.1), reconstruction_loss(x, y)
    with torch.autocast("cpu", torch.bfloat16):
        cast = ranking_loss(x, y, 0.2), block_loss(*parts, 0.2), contrastive_loss(x, y, 0.1), reconstruction_loss(x, y)
    assert exact == cast


# Entries 0 and 1 are one video with two captions, entry 2 is another.
SAME = torch.tensor([[True, True, False], [True, True, False], [False, False, True]])
SIMILAR = torch.tensor([[0.9, 0.8, 0.1], [0.7, 0.6, 0.2], [0.3, 0.4, 0.5]], dtype=torch.float64)


def test_a_second_caption_of_a_video_is_no_negative_of_the_hinge() -> None:
    """By hand, margin 0.2: of the pairs across videos only row 2 with column 1 costs, 0.2 + 0.4 - 0.5 = 0.1.

    Counted as negatives, the video's own two captions would cost 0.1 and 0.3 by row and 0.4 by column more.
    """
    assert hinge(SIMILAR, 0.2, same=SAME).item() == pytest.approx(0.1 / 9)
    assert hinge(SIMILAR, 0.2, hardest=True, same=SAME).item() == pytest.approx(0.1 / 9)
    assert hinge(SIMILAR, 0.2).item() == pytest.approx(0.9 / 9)


@given(seeds)
def test_infonce_of_a_repeated_video_is_that_without_the_pairs(seed: int) -> None:
    """Entry 0 picks among columns 0 and 2, entry 1 among 1 and 2, entry 2 among all; likewise by column."""
    x, y = pairs(seed, 3)
    logits = (cosines(x, y) / 0.1).double()
    allowed = {0: [0, 2], 1: [1, 2], 2: [0, 1, 2]}
    rows = [torch.logsumexp(logits[i, own], 0) - logits[i, i] for i, own in allowed.items()]
    columns = [torch.logsumexp(logits[own, i], 0) - logits[i, i] for i, own in allowed.items()]
    expected = (sum(rows) + sum(columns)) / 6
    assert contrastive_loss(x, y, 0.1, same=SAME).item() == pytest.approx(float(expected), rel=1e-4, abs=1e-4)


@given(seeds)
def test_where_every_video_stands_once_the_losses_are_equal_to_the_bit(seed: int) -> None:
    x, y = pairs(seed, 6)
    lengths = torch.tensor([1, 2, 3])
    clips, sentences = Ragged(x, lengths), Ragged(y, lengths)
    for hardest in (False, True):
        assert torch.equal(
            ranking_loss(x, y, 0.2, hardest=hardest), ranking_loss(x, y, 0.2, hardest=hardest, same=torch.eye(6).bool())
        )
        assert torch.equal(
            cluster_loss(x, y, 0.2, hardest=hardest), cluster_loss(x, y, 0.2, hardest=hardest, same=torch.eye(6).bool())
        )
        of_videos = torch.eye(3).bool()
        assert torch.equal(
            block_loss(clips, sentences, 0.2, hardest=hardest),
            block_loss(clips, sentences, 0.2, hardest=hardest, same=of_videos),
        )
        assert torch.equal(
            part_cluster_loss(clips, sentences, 0.2, hardest=hardest, same=None),
            part_cluster_loss(clips, sentences, 0.2, hardest=hardest, same=of_videos),
        )
    assert torch.equal(contrastive_loss(x, y, 0.1), contrastive_loss(x, y, 0.1, same=torch.eye(6).bool()))


def test_parts_of_another_entry_of_a_video_are_no_negatives_and_those_of_one_entry_are() -> None:
    """Entries 0 and 1 are one video, with 1 and 2 clips; entry 2 has 1. Of 4 clips, 0 meets 1 and 2, not 3."""
    parts = Ragged(torch.eye(4), torch.tensor([1, 2, 1]))
    assert of_parts(SAME, parts).int().tolist() == [[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]]
