from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from bench.api import InvalidData, Ragged
from bench_torch import recurrence
from bench_torch.encoder import POOLINGS, Maximum, Pooling, SequenceEncoder
from bench_torch.gru import GRU, run_cudnn, run_recurrence
from bench_torch.lstm import LSTM
from bench_torch.packing import Packing

LENGTHS = torch.tensor([3, 1, 5, 5, 2])


def double_gru(inputs: int = 4, hidden: int = 6) -> GRU:
    torch.manual_seed(0)
    gru = GRU(inputs, hidden).double()
    for parameter in gru.parameters():
        nn.init.normal_(parameter, std=0.5)
    return gru


def rows(dim: int = 4, dtype: torch.dtype = torch.double) -> torch.Tensor:
    return torch.randn(int(LENGTHS.sum()), dim, dtype=dtype, generator=torch.Generator().manual_seed(1))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_packing_goes_step_by_step_over_running_sequences(counts: list[int]) -> None:
    packing = Packing.of(torch.tensor(counts))
    expected = [
        sum(counts[:i]) + t
        for t in range(max(counts))
        for i in sorted(range(len(counts)), key=lambda i: -counts[i])
        if counts[i] > t
    ]
    assert packing.rows.tolist() == expected
    assert packing.sizes == tuple(sum(c > t for c in counts) for t in range(max(counts)))
    values = torch.arange(sum(counts))
    assert packing.unpack(packing.pack(values)).values.tolist() == values.tolist()
    assert packing.last(packing.pack(values)).tolist() == [sum(counts[: i + 1]) - 1 for i in range(len(counts))]


@pytest.mark.parametrize("counts", [[], [2, 0]])
def test_an_empty_sequence_is_refused(counts: list[int]) -> None:
    with pytest.raises(InvalidData, match="without a single row"):
        Packing.of(torch.tensor(counts, dtype=torch.int64))


@pytest.fixture(params=[1, 4, 7, 2048], ids=lambda rows: f"chunk-{rows}")
def chunk_rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many rows the recurrence works on together; no result may depend on it."""
    monkeypatch.setattr(recurrence, "CHUNK_ROWS", request.param)
    return int(request.param)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 40))
def test_chunks_hold_every_step_once_and_in_order(counts: list[int], rows: int) -> None:
    sizes = Packing.of(torch.tensor(counts)).sizes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recurrence, "CHUNK_ROWS", rows)
        chunks = recurrence.chunks(sizes)
    steps = [(chunk.start + begin, *sizes) for chunk in chunks for begin, *sizes in chunk.steps]
    assert steps == [(sum(sizes[:t]), sizes[t], sizes[t - 1] if t else 0) for t in range(len(sizes))]
    assert all(chunk.rows <= rows or len(chunk.steps) == 1 for chunk in chunks)


@pytest.mark.usefixtures("chunk_rows")
@pytest.mark.parametrize("with_initial", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_recurrence_agrees_with_torchs_packed_gru(with_initial: bool, dtype: torch.dtype) -> None:
    gru = double_gru().to(dtype)
    inputs = rows(dtype=dtype).requires_grad_()
    initial = torch.randn(5, 6, dtype=dtype).requires_grad_() if with_initial else None
    packing = Packing.of(LENGTHS)
    ours = run_recurrence(gru.cell, packing.pack(inputs), packing, initial)
    theirs = run_cudnn(gru.cell, packing.pack(inputs), packing, initial)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    weight = torch.randn_like(ours)
    wanted = [inputs, *gru.parameters(), *([] if initial is None else [initial])]
    for mine, reference in zip(
        torch.autograd.grad((ours * weight).sum(), wanted),
        torch.autograd.grad((theirs * weight).sum(), wanted),
        strict=True,
    ):
        assert (mine - reference).norm() <= 1e-5 * reference.norm()


def test_recurrence_agrees_with_a_gru_over_padded_sequences() -> None:
    gru, inputs = double_gru(), rows()
    states = gru(Ragged(inputs, LENGTHS)).ragged()
    start = 0
    for i, length in enumerate(LENGTHS.tolist()):
        alone, _ = gru.cell(inputs[start : start + length])
        torch.testing.assert_close(states.values[start : start + length], alone)
        assert states.lengths[i] == length
        start += length


@pytest.mark.usefixtures("chunk_rows")
@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("with_initial", [False, True])
def test_gradients_of_the_recurrence_are_those_of_finite_differences(with_initial: bool, pooled: bool) -> None:
    gru = double_gru(3, 2)
    initial = torch.randn(5, 2, dtype=torch.double).requires_grad_() if with_initial else None
    encoder = SequenceEncoder(3, 2, "max")
    encoder.gru = gru
    module = encoder if pooled else gru
    names = [name for name, _ in module.named_parameters()]

    def states(values: torch.Tensor, start: torch.Tensor | None, *weights: torch.Tensor) -> torch.Tensor:
        arguments = (Ragged(values, LENGTHS), start)
        found = torch.func.functional_call(module, dict(zip(names, weights, strict=True)), arguments)
        return found if pooled else found.packed

    assert torch.autograd.gradcheck(states, (rows(3).requires_grad_(), initial, *gru.parameters()))


@pytest.mark.usefixtures("chunk_rows")
def test_a_repeated_input_equals_the_same_rows_written_out() -> None:
    gru = double_gru()
    vectors = torch.randn(5, 4, dtype=torch.double).requires_grad_()
    short = gru.repeat(vectors, LENGTHS).ragged().values
    long = gru(Ragged(vectors.repeat_interleave(LENGTHS, 0), LENGTHS)).ragged().values
    torch.testing.assert_close(short, long)
    wanted = [vectors, *gru.parameters()]
    weight = torch.randn_like(short)
    for mine, reference in zip(
        torch.autograd.grad((short * weight).sum(), wanted),
        torch.autograd.grad((long * weight).sum(), wanted),
        strict=True,
    ):
        torch.testing.assert_close(mine, reference)


def test_a_single_step_everywhere_trains_too() -> None:
    gru = double_gru()
    gru(Ragged(torch.randn(3, 4, dtype=torch.double), torch.ones(3, dtype=torch.int64))).packed.sum().backward()
    assert gru.cell.weight_hh_l0.grad.abs().sum() == 0  # there was no earlier state to learn from


def test_weights_start_xavier_uniform_for_each_gate_and_biases_at_zero() -> None:
    weight_ih, weight_hh, *biases = GRU(100, 200).cell.parameters()
    for gate in weight_ih.chunk(3):
        assert gate.detach().abs().max() == pytest.approx((6 / 300) ** 0.5, rel=0.01)
    for gate in weight_hh.chunk(3):
        assert gate.detach().abs().max() == pytest.approx((6 / 400) ** 0.5, rel=0.01)
    assert all(not bias.any() for bias in biases)


def test_bf16_autocast_keeps_states_and_gradients_in_float32() -> None:
    gru = double_gru().float()
    inputs = rows(dtype=torch.float32).requires_grad_()
    exact = gru(Ragged(inputs, LENGTHS)).packed
    with torch.autocast("cpu", torch.bfloat16):
        rounded = gru(Ragged(inputs, LENGTHS)).packed
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, exact, rtol=0.05, atol=0.02)
    assert not torch.equal(rounded, exact)
    wanted = [inputs, *gru.parameters()]
    for mine, reference in zip(
        torch.autograd.grad(rounded.sum(), wanted), torch.autograd.grad(exact.sum(), wanted), strict=True
    ):
        assert mine.dtype == torch.float32
        assert (mine - reference).norm() <= 0.05 * reference.norm()


@pytest.mark.parametrize("kind", [GRU, LSTM])
def test_torchs_own_recurrence_is_never_run_under_autocast(
    kind: type[nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On CUDA autocast makes float16 of cuDNN's recurrences, whatever its own type; so it must not reach them."""
    name, seen = kind.__name__.lower(), []
    real = getattr(torch._VF, name)

    def watched(inputs: torch.Tensor, *rest: Any) -> Any:
        settings = (torch.is_autocast_enabled("cpu"), torch.backends.cudnn.allow_tf32)
        seen.append((*settings, torch.backends.cudnn.deterministic, inputs.dtype))
        return real(inputs, *rest)

    monkeypatch.setattr(torch._VF, name, watched)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    recurrence_, packing = kind(4, 6), Packing.of(LENGTHS)
    given = packing.pack(rows(dtype=torch.float32))
    with torch.autocast("cpu", torch.bfloat16):
        if kind is GRU:
            states = run_cudnn(recurrence_.cell, given.bfloat16(), packing, torch.zeros(5, 6, dtype=torch.bfloat16))
        else:
            states, _ = recurrence_.run_cudnn(given, packing)
    assert states.dtype == torch.float32
    assert seen == [(False, False, True, torch.float32)]
    assert torch.backends.cudnn.allow_tf32


def test_running_maximum_is_the_maximum_over_valid_steps() -> None:
    gru, inputs = double_gru(), rows()
    states = gru(Ragged(inputs, LENGTHS))
    pooled = Pooling("max", 6)(states)
    for mine, sequence in zip(pooled, states.ragged().values.split(LENGTHS.tolist()), strict=True):
        assert torch.equal(mine, sequence.amax(0))


@pytest.mark.usefixtures("chunk_rows")
@pytest.mark.parametrize("with_initial", [False, True])
def test_pooling_inside_the_recurrence_equals_pooling_its_states(with_initial: bool) -> None:
    gru, inputs = double_gru(), rows().requires_grad_()
    initial = torch.randn(5, 6, dtype=torch.double).requires_grad_() if with_initial else None
    inside = gru.maximum(Ragged(inputs, LENGTHS), initial)
    outside = Pooling("max", 6)(gru(Ragged(inputs, LENGTHS), initial))
    assert torch.equal(inside, outside)
    wanted = [inputs, *gru.parameters(), *([] if initial is None else [initial])]
    weight = torch.randn_like(inside)
    for mine, reference in zip(
        torch.autograd.grad((inside * weight).sum(), wanted),
        torch.autograd.grad((outside * weight).sum(), wanted),
        strict=True,
    ):
        torch.testing.assert_close(mine, reference)


def test_a_maximum_reached_twice_inside_the_recurrence_gets_its_gradient_once() -> None:
    gru = GRU(1, 1).double()
    with torch.no_grad():
        for parameter in gru.parameters():
            parameter.zero_()  # states stay at half of the initial state each step: 0 from 0 on, so all steps tie
    inputs = torch.ones(3, 1, dtype=torch.double, requires_grad=True)
    pooled = gru.maximum(Ragged(inputs, torch.tensor([3])))
    (at_bias,) = torch.autograd.grad(pooled.sum(), [gru.cell.bias_ih_l0])
    assert at_bias.tolist() == [0, 0, 0.5 + 0.25 + 0.125]  # the last step, and what the earlier two passed on to it


@pytest.mark.usefixtures("chunk_rows")
@pytest.mark.parametrize("with_initial", [False, True])
def test_without_gradients_the_same_values_come_out(with_initial: bool) -> None:
    gru, sequences = double_gru(), Ragged(rows(), LENGTHS)
    initial = torch.randn(5, 6, dtype=torch.double) if with_initial else None
    pooled, states = gru.maximum(sequences, initial), gru(sequences, initial).packed
    with torch.inference_mode():
        assert torch.equal(gru.maximum(sequences, initial), pooled)
        assert torch.equal(gru(sequences, initial).packed, states)


def test_without_gradients_only_a_chunk_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    empty = torch.Tensor.new_empty

    def counted(self: torch.Tensor, *size: int, **options: torch.dtype) -> torch.Tensor:
        made.append(size[0])
        return empty(self, *size, **options)

    monkeypatch.setattr(torch.Tensor, "new_empty", counted)
    monkeypatch.setattr(recurrence, "CHUNK_ROWS", 4)
    gru, sequences = double_gru(), Ragged(rows(), LENGTHS)
    with torch.inference_mode():
        gru.maximum(sequences)
    assert max(made) <= 5  # one step of five sequences
    gru.maximum(sequences)
    assert max(made) == int(LENGTHS.sum())


def test_a_maximum_reached_twice_gets_its_gradient_once() -> None:
    packed = torch.tensor([[1.0], [2.0], [1.0], [3.0]], requires_grad=True)  # two sequences: 1 1 and 2 3
    latest_first = Packing.of(torch.tensor([2, 2])).latest_first()
    Maximum.apply(packed, latest_first).backward(torch.tensor([[5.0], [7.0]]))
    assert packed.grad.flatten().tolist() == [0, 0, 5, 7]


def test_the_gradient_of_the_maximum_over_time_is_that_of_finite_differences() -> None:
    packed = torch.randn(9, 3, dtype=torch.double, requires_grad=True)
    latest_first = Packing.of(torch.tensor([2, 1, 3, 3])).latest_first()
    assert torch.autograd.gradcheck(lambda p: Maximum.apply(p, latest_first), (packed,))


def test_last_pooling_takes_the_state_after_the_last_step() -> None:
    states = double_gru()(Ragged(rows(), LENGTHS))
    pooled = Pooling("last", 6)(states)
    for mine, sequence in zip(pooled, states.ragged().values.split(LENGTHS.tolist()), strict=True):
        assert torch.equal(mine, sequence[-1])


def test_attention_pooling_weighs_the_steps_of_each_sequence_by_a_softmax() -> None:
    states = double_gru()(Ragged(rows(), LENGTHS))
    pooling = Pooling("attention", 6).double()
    for mine, sequence in zip(pooling(states), states.ragged().values.split(LENGTHS.tolist()), strict=True):
        weights = pooling.attention(sequence).float().softmax(0).double()
        torch.testing.assert_close(mine, (weights * sequence).sum(0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_an_encoding_does_not_depend_on_the_other_sequences_or_their_order(pooling: str) -> None:
    torch.manual_seed(0)
    encoder = SequenceEncoder(4, 6, pooling)
    sequences = torch.randn(int(LENGTHS.sum()), 4).split(LENGTHS.tolist())
    together = encoder(Ragged(torch.cat(sequences), LENGTHS))
    order = [4, 2, 0, 3, 1]
    shuffled = encoder(Ragged(torch.cat([sequences[i] for i in order]), LENGTHS[order]))
    torch.testing.assert_close(shuffled, together[order])
    for i, sequence in enumerate(sequences):
        torch.testing.assert_close(encoder(Ragged(sequence, LENGTHS[i : i + 1]))[0], together[i])
