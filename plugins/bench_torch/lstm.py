"""A single-layer LSTM over ragged sequences, our packed recurrence on CPU, cuDNN on CUDA; it can be taken by steps.

It computes in float32 whatever autocast says: log-likelihoods are sums over many steps.

Letters for shapes: `n` sequences, `R` rows (sum of their lengths), `D` input and `H` hidden size.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from bench.api import Ragged
from bench_torch.float32 import float32_recurrence
from bench_torch.lstm_recurrence import LSTMRecurrence
from bench_torch.packing import Packing
from bench_torch.transfer import beside


@dataclass(frozen=True)
class Memory:
    """What an LSTM carries from step to step: `hidden` and `cell`, each (n, H) float32."""

    hidden: Tensor
    cell: Tensor

    @classmethod
    def empty(cls, count: int, like: LSTM) -> Memory:
        """Returns the memory before the first step: zeros."""
        zeros = like.weights[1].new_zeros(count, like.hidden)
        return cls(zeros, zeros)

    def first(self, count: int) -> Memory:
        """Returns the memory of the first `count` sequences."""
        return Memory(self.hidden[:count], self.cell[:count])

    def select(self, indices: Tensor) -> Memory:
        """Returns the memory of the sequences at `indices` (k,) int64, in that order."""
        rows = beside(indices, self.hidden)
        return Memory(self.hidden[rows], self.cell[rows])


class LSTM(nn.Module):
    """One layer, one direction; parameters as in `torch.nn.LSTM`, and started as there but for the biases.

    Biases start at 0, that of the forget gate at 1, so that early frames are not forgotten before anything is learnt.
    Source: Hochreiter and Schmidhuber 1997 in the form of `torch.nn.LSTM`; Jozefowicz et al. 2015 for the bias.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.cell = nn.LSTM(inputs, hidden)
        _, _, bias_ih, bias_hh = self.cell.parameters()
        with torch.no_grad():
            bias_ih.zero_()
            bias_hh.zero_()
            bias_ih[hidden : 2 * hidden] = 1.0

    @property
    def weights(self) -> tuple[Tensor, Tensor]:
        """(4H, D) for the input and (4H, H) for the state; gates in the order input, forget, candidate, output."""
        from_input, from_state, _, _ = self.cell.parameters()
        return from_input, from_state

    @property
    def bias(self) -> Tensor:
        """(4H,): both of torch's biases together."""
        _, _, bias_ih, bias_hh = self.cell.parameters()
        return bias_ih + bias_hh

    def forward(self, sequences: Ragged, initial: Memory | None = None) -> tuple[Ragged, Memory]:
        """Returns the hidden state at each step, n sequences of (length, H), and the memory after the last.

        Sequence i starts from the memory i of `initial`, or from zeros.
        """
        packing = Packing.of(sequences.lengths, sequences.values.device)
        with torch.autocast(sequences.values.device.type, enabled=False):
            inputs = packing.pack(sequences.values).float()
            start = None if initial is None else initial.select(packing.order)
            states, memory = (self.run_cudnn if inputs.is_cuda else self.run_recurrence)(inputs, packing, start)
        return packing.unpack(states), memory

    def run_recurrence(self, inputs: Tensor, packing: Packing, start: Memory | None = None) -> tuple[Tensor, Memory]:
        """Returns states (R, H) and last memory of packed inputs (R, D), by our own recurrence.

        `start` is the memory before the first step, by falling length.
        """
        from_input, from_state = self.weights
        projected = nn.functional.linear(inputs, from_input, self.bias)
        if start is not None:
            first = projected[: packing.sizes[0]] + start.hidden @ from_state.t()
            projected = torch.cat([first, projected[packing.sizes[0] :]])
        apply = LSTMRecurrence.apply
        cell = None if start is None else start.cell
        hidden, cells = apply(packing.sizes, projected, from_state, cell)  # type: ignore[no-untyped-call]
        return hidden, Memory(packing.last(hidden), packing.last(cells))

    def run_cudnn(self, inputs: Tensor, packing: Packing, start: Memory | None = None) -> tuple[Tensor, Memory]:
        """Returns the same by torch's own packed LSTM, which on CUDA is cuDNN's; float32, without TF32."""
        initial = None if start is None else (start.hidden[None], start.cell[None])
        with float32_recurrence(inputs.device):
            states, (hidden, cell) = self.cell(PackedSequence(inputs, torch.tensor(packing.sizes)), initial)
        return states.data, Memory(hidden[0][packing.ranks], cell[0][packing.ranks])

    def step(self, projected: Tensor, memory: Memory) -> Memory:
        """Returns the memory after one step more.

        Args:
            projected: (n, 4H), the input of the step times its weights, plus `bias`.
            memory: of n sequences.
        """
        with torch.autocast(projected.device.type, enabled=False):
            gates = torch.addmm(projected.float(), memory.hidden, self.weights[1].t())
            enter, forget, candidate, leave = gates.chunk(4, dim=1)
            cell = torch.sigmoid(forget) * memory.cell + torch.sigmoid(enter) * torch.tanh(candidate)
            return Memory(torch.sigmoid(leave) * torch.tanh(cell), cell)
