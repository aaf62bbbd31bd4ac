"""The LSTM and the decoder of words: steps agree with whole sequences, log-likelihoods with torch's own modules."""

from __future__ import annotations

from itertools import repeat

import pytest
import torch

from bench.api import InvalidData, Ragged
from bench_torch.decoding import WordDecoder, grid_log_likelihood
from bench_torch.lstm import LSTM, Memory
from bench_torch.packing import Packing
from bench_torch.text import WordVectors

LENGTHS = torch.tensor([3, 1, 5, 2])


@pytest.fixture
def decoder() -> tuple[WordDecoder, WordVectors]:
    torch.manual_seed(0)
    words = WordVectors(torch.randn(7, 4))
    return WordDecoder(words, 6, 3), words


def test_an_lstm_over_ragged_sequences_equals_torch_on_each_of_them() -> None:
    torch.manual_seed(0)
    lstm = LSTM(4, 6)
    inputs = torch.randn(11, 4)
    states, memory = lstm(Ragged(inputs, LENGTHS))
    parts = (values.split(LENGTHS.tolist()) for values in (inputs, states.values))
    for i, (one, found) in enumerate(zip(*parts, strict=True)):
        expected, (hidden, cell) = lstm.cell(one)
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close((memory.hidden[i], memory.cell[i]), (hidden[0], cell[0]))


def test_our_recurrence_and_torchs_own_agree_in_states_memory_and_gradients() -> None:
    torch.manual_seed(0)
    lstm, packing = LSTM(4, 6).double(), Packing.of(LENGTHS)
    inputs = torch.randn(11, 4, dtype=torch.float64, requires_grad=True)
    gradients = []
    for run in (lstm.run_recurrence, lstm.run_cudnn):
        states, memory = run(inputs, packing)
        torch.manual_seed(1)
        owed = sum((part * torch.randn_like(part)).sum() for part in (states, memory.hidden, memory.cell))
        gradients.append((states, memory.hidden, memory.cell, *torch.autograd.grad(owed, [inputs, *lstm.parameters()])))
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_an_lstm_goes_on_from_a_memory_with_the_gradients_of_torchs_own() -> None:
    torch.manual_seed(0)
    lstm, packing = LSTM(4, 6).double(), Packing.of(LENGTHS)
    inputs, hidden, cell = (
        torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in ((11, 4), (4, 6), (4, 6))
    )
    gradients = []
    for run in (lstm.run_recurrence, lstm.run_cudnn):
        states, memory = run(inputs, packing, Memory(hidden, cell))
        torch.manual_seed(1)
        owed = sum((part * torch.randn_like(part)).sum() for part in (states, memory.hidden, memory.cell))
        wanted = [inputs, hidden, cell, *lstm.parameters()]
        gradients.append((states, memory.hidden, memory.cell, *torch.autograd.grad(owed, wanted)))
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_two_halves_of_a_sequence_equal_the_whole() -> None:
    torch.manual_seed(0)
    lstm, lengths = LSTM(4, 6), torch.tensor([2, 2, 2])
    inputs = torch.randn(3, 4, 4)
    whole, last = lstm(Ragged(inputs.flatten(0, 1), torch.tensor([4, 4, 4])))
    _, memory = lstm(Ragged(inputs[:, :2].reshape(6, 4), lengths))
    rest, found = lstm(Ragged(inputs[:, 2:].reshape(6, 4), lengths), memory)
    torch.testing.assert_close(rest.values.view(3, 2, 6), whole.values.view(3, 4, 6)[:, 2:])
    torch.testing.assert_close((found.hidden, found.cell), (last.hidden, last.cell))


@pytest.mark.parametrize("lengths", [[1], [1, 1, 1]])
def test_sequences_of_one_row_have_gradients(lengths: list[int]) -> None:
    lstm = LSTM(4, 6)
    states, _ = lstm(Ragged(torch.randn(len(lengths), 4), torch.tensor(lengths)))
    states.values.sum().backward()
    gradient = lstm.weights[1].grad
    assert gradient is not None
    assert float(gradient.abs().sum()) == 0.0  # no state came before


def test_steps_equal_the_whole_sequence() -> None:
    torch.manual_seed(0)
    lstm = LSTM(4, 6)
    inputs = torch.randn(2, 5, 4)
    whole, last = lstm(Ragged(inputs.flatten(0, 1), torch.tensor([5, 5])))
    memory = Memory.empty(2, lstm)
    for step in range(5):
        projected = torch.nn.functional.linear(inputs[:, step], lstm.weights[0], lstm.bias)
        memory = lstm.step(projected, memory)
        torch.testing.assert_close(memory.hidden, whole.values.view(2, 5, 6)[:, step])
    torch.testing.assert_close(memory.cell, last.cell)


def test_the_forget_gate_starts_open() -> None:
    assert LSTM(2, 3).bias.tolist() == [0.0] * 3 + [1.0] * 3 + [0.0] * 6


def test_an_empty_sequence_is_refused() -> None:
    with pytest.raises(InvalidData, match="without a single row"):
        LSTM(4, 6)(Ragged(torch.randn(2, 4), torch.tensor([2, 0])))


def test_a_sequence_is_read_from_the_end_symbol_and_said_to_it(decoder: tuple[WordDecoder, WordVectors]) -> None:
    read, said = decoder[0].framed(Ragged(torch.tensor([1, 2, 3, 4]), torch.tensor([3, 1])))
    assert read.values.tolist() == [7, 1, 2, 3, 7, 4]
    assert said.values.tolist() == [1, 2, 3, 7, 4, 7]
    assert read.lengths.tolist() == said.lengths.tolist() == [4, 2]


def test_all_words_and_the_end_share_the_probability(decoder: tuple[WordDecoder, WordVectors]) -> None:
    said = decoder[0].log_probabilities(torch.randn(1, 6).expand(8, -1), torch.arange(8))
    torch.testing.assert_close(said.exp().sum(), torch.tensor(1.0))


def test_a_grid_equals_every_pair_by_itself(decoder: tuple[WordDecoder, WordVectors]) -> None:
    network, words = decoder
    text = Ragged(torch.randint(0, 7, (11,)), LENGTHS)
    conditions = torch.randn(5, 3)
    grid = grid_log_likelihood(network, text, words, lambda: repeat(conditions), Memory.empty(5, network.lstm))
    for column in range(5):
        alone = network.log_likelihood(text, words, conditions[column].expand(4, -1))
        torch.testing.assert_close(grid[:, column], alone)
