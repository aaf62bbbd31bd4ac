"""Counts of better and equal partners: against float64, across tile borders, with duplicates, for unusable input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import ModelError
from bench.metrics import ranking
from bench.metrics.ranking import rank_pairs, tile_height


def random_pairs(
    count: int, dim: int, seed: int, noise: float = 2.0
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Returns queries, items in another order, and the place of each query's item."""
    generator = torch.Generator().manual_seed(seed)
    queries = torch.randn(count, dim, generator=generator)
    positives = torch.randperm(count, generator=generator)
    items = torch.empty_like(queries)
    items[positives] = queries + noise * torch.randn(count, dim, generator=generator)
    return queries, items, positives


def counts_in_float64(
    queries: torch.Tensor, items: torch.Tensor, positives: torch.Tensor
) -> tuple[np.ndarray, np.ndarray]:
    """Returns n_greater by query and by item, from the whole matrix in float64."""
    q, v = (x.double().numpy() / np.linalg.norm(x.double().numpy(), axis=1, keepdims=True) for x in (queries, items))
    similarities = q @ v.T
    own = similarities[np.arange(len(q)), positives.numpy()]
    by_query = (similarities > own[:, None] + 1e-12).sum(axis=1)
    own_of_item = np.empty_like(own)
    own_of_item[positives.numpy()] = own
    return by_query, (similarities > own_of_item[None, :] + 1e-12).sum(axis=0)


def test_a_hand_worked_case() -> None:
    queries = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
    items = torch.tensor([[0.0, 1.0], [5.0, 0.0], [1.0, 0.2]])  # cosines: q0 0 1 .98; q1 1 0 .20; q2 .71 .71 .83
    counts = rank_pairs(queries, items, torch.tensor([2, 0, 1]))
    assert counts.queries.tolist() == [[1, 0], [0, 0], [1, 1]]
    assert counts.items.tolist() == [[0, 0], [1, 0], [0, 0]]


@pytest.mark.parametrize("count", [1, 2, 15, 17, 511, 512, 513, 1025])
def test_counts_equal_those_of_the_whole_matrix_in_float64(count: int) -> None:
    pairs = random_pairs(count, 33, seed=count)
    counts = rank_pairs(*pairs)
    by_query, by_item = counts_in_float64(*pairs)
    # Two cosines that differ by less than float32 tells apart may change places: at most a few among 1025 squared.
    assert np.abs(counts.queries[:, 0] - by_query).sum() <= 2
    assert np.abs(counts.items[:, 0] - by_item).sum() <= 2


@pytest.mark.parametrize("count", [2, 63, 511, 513, 1025, 1500])
@pytest.mark.parametrize("dim", [1, 64, 257, 1024])
def test_duplicates_tie_exactly_wherever_they_stand(count: int, dim: int) -> None:
    kinds = min(5, count)
    generator = torch.Generator().manual_seed(count)
    vectors = torch.randn(2, kinds, dim, generator=generator)
    if dim == 1:
        vectors = vectors.abs()  # all directions are one
    kind = torch.arange(count) % kinds
    shuffled = torch.randperm(count, generator=generator)
    items = torch.empty(count, dim)
    items[shuffled] = vectors[1, kind]
    counts = rank_pairs(vectors[0, kind], items, shuffled)
    unit = torch.nn.functional.normalize(vectors.double(), dim=2)
    above = unit[0] @ unit[1].t()
    above -= above.diagonal()[:, None].clone()
    sizes = torch.bincount(kind, minlength=kinds)
    greater = (torch.where(above > 1e-9, sizes, 0)).sum(dim=1)
    equal = (torch.where(above.abs() <= 1e-9, sizes, 0)).sum(dim=1) - 1
    assert (counts.queries == torch.stack([greater, equal], dim=1)[kind].numpy()).all()


def test_a_constant_embedding_ties_with_everything() -> None:
    ones = torch.full((1025, 96), 0.3)
    counts = rank_pairs(ones, ones * 7, torch.arange(1025).flip(0))
    for side in (counts.queries, counts.items):
        assert (side == [0, 1024]).all()


def test_identical_sides_rank_every_pair_first() -> None:
    queries, _, _ = random_pairs(777, 64, seed=1)
    counts = rank_pairs(queries, queries.clone(), torch.arange(777))
    assert not counts.queries.any()
    assert not counts.items.any()


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 70),
    dim=st.integers(1, 9),
    seed=st.integers(0, 2**31),
    scale=st.sampled_from([1e-38, 1e-20, 1.0, 1e20, 1e37]),
)
def test_scaling_a_query_or_an_item_by_a_power_of_two_changes_nothing(
    count: int, dim: int, seed: int, scale: float
) -> None:
    queries, items, positives = random_pairs(count, dim, seed)
    before = rank_pairs(queries, items, positives)
    exact = 2.0 ** np.floor(np.log2(scale))
    after = rank_pairs(queries * exact, items, positives)
    assert (before.queries == after.queries).all()
    assert (before.items == after.items).all()


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 90), kinds=st.integers(1, 6), seed=st.integers(0, 2**31))
def test_both_directions_are_mirror_images(count: int, kinds: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    table = torch.randn(kinds, 8, generator=generator)
    queries = table[torch.randint(kinds, (count,), generator=generator)]
    items = table[torch.randint(kinds, (count,), generator=generator)]
    positives = torch.randperm(count, generator=generator)
    forward = rank_pairs(queries, items, positives)
    backward = rank_pairs(items, queries, positives.argsort())
    assert (forward.queries == backward.items).all()
    assert (forward.items == backward.queries).all()


@settings(max_examples=25, deadline=None)
@given(count=st.integers(1, 80), tile=st.sampled_from([16, 32, 48]), seed=st.integers(0, 2**31))
def test_the_tile_size_does_not_matter(count: int, tile: int, seed: int) -> None:
    pairs = random_pairs(count, 12, seed)
    whole = rank_pairs(*pairs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "TILE", {"cpu": tile})
        patch.setattr(ranking, "STRIPE_BYTES", 2 * tile * 12 * 4)
        parts = rank_pairs(*pairs)
    assert (whole.queries == parts.queries).all()
    assert (whole.items == parts.items).all()


def test_an_uneven_matrix_product_is_noticed_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    product = torch.mm

    def uneven(left: torch.Tensor, right: torch.Tensor, **options: torch.Tensor) -> torch.Tensor:
        result = product(left, right, **options)
        if result.dtype == torch.float32:
            result[:, -1] = torch.nextafter(result[:, -1], torch.tensor(torch.inf))
        return result

    monkeypatch.setattr(torch, "mm", uneven)
    ones = torch.ones(600, 24)
    counts = rank_pairs(ones, ones, torch.arange(600))
    assert (counts.queries == [0, 599]).all()
    assert (counts.items == [0, 599]).all()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("side", [0, 1])
def test_a_value_that_is_not_finite_is_refused(bad: float, side: int) -> None:
    pairs = random_pairs(40, 8, seed=0)
    pairs[side][17, 3] = bad
    with pytest.raises(ModelError, match=r"embedding 17 holds NaN or infinity"):
        rank_pairs(*pairs)


def test_a_zero_vector_is_refused() -> None:
    queries, items, positives = random_pairs(40, 8, seed=0)
    items[5] = 0.0
    with pytest.raises(ModelError, match=r"item embedding 5 is all zeros"):
        rank_pairs(queries, items, positives)


@pytest.mark.parametrize("positives", [[0, 0, 1], [0, 1, 3], [0, 1]])
def test_positives_must_be_one_to_one(positives: list[int]) -> None:
    queries, items, _ = random_pairs(3, 4, seed=0)
    with pytest.raises(ValueError, match="one to one"):
        rank_pairs(queries, items, torch.tensor(positives))


def test_precision_settings_of_the_process_are_neither_used_nor_changed() -> None:
    pairs = random_pairs(300, 128, seed=2)
    expected = rank_pairs(*pairs)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            counts = rank_pairs(*pairs)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    assert (counts.queries == expected.queries).all()


def test_inputs_are_left_as_they_were() -> None:
    pairs = random_pairs(50, 8, seed=4)
    copies = [tensor.clone() for tensor in pairs]
    rank_pairs(*pairs)
    assert all(torch.equal(tensor, copy) for tensor, copy in zip(pairs, copies, strict=True))


@settings(deadline=None)
@given(count=st.integers(1, 200_000), dim=st.integers(1, 20_000), device=st.sampled_from(["cpu", "cuda"]))
def test_tiles_stay_small_and_pad_little(count: int, dim: int, device: str) -> None:
    height = tile_height(count, dim, device)
    assert height % 16 == 0
    assert height <= 2040
    assert height == 16 or height * dim * 4 <= ranking.BLOCK_BYTES
    blocks = -(-count // height)
    assert blocks * height - count < 16 * blocks


@pytest.mark.usefixtures("cuda")
@pytest.mark.parametrize("count", [3, 513, 5000])
def test_ranks_on_the_device_equal_those_on_the_cpu(count: int) -> None:
    queries, items, positives = random_pairs(count, 257, seed=count)
    items[positives[: count // 3]] = items[positives[0]].clone()
    cpu = rank_pairs(queries, items, positives)
    device = rank_pairs(queries.cuda(), items.cuda(), positives)
    # The two add up in different orders: scores closer than the last bits of float32 may change places.
    assert np.abs(cpu.queries - device.queries).sum() <= 2 + count // 500
    assert np.abs(cpu.items - device.items).sum() <= 2 + count // 500
