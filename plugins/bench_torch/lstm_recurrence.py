"""The LSTM recurrence on CPU, written for ragged batches: no weight gradient is made per step.

torch's own CPU LSTM adds up a (4H, H) weight gradient at every time step. Here the way back keeps the gradients at all
gates, and the gradient of the weights is one matrix product over all rows; steps work in place.

Letters for shapes: `n` sequences, `R` rows (sum of their lengths) in packed order, `H` hidden size.
Source: Hochreiter and Schmidhuber 1997 as in `torch.nn.LSTM`: c' = f c + i g, h' = o tanh(c'); gates i, f, g, o.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class LSTMRecurrence(torch.autograd.Function):
    """Hidden states and cells of packed sequences from projected inputs.

    Arguments of `apply`: sizes (sequences still running at each step, falling), projected inputs with biases (R, 4H),
    weight_hh (4H, H), and the cells before the first step (n, H) by falling length, or None for zeros. What hidden
    states before the first step give to its gates is part of the projected inputs. Returns hidden states (R, H) and
    cells (R, H).
    """

    @staticmethod
    def forward(
        ctx: Any, sizes: tuple[int, ...], projected: Tensor, weight: Tensor, start: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        gates, width = projected.clone(), weight.shape[1]
        hidden, cells = gates.new_empty(len(gates), width), gates.new_empty(len(gates), width)
        for begin, size, before in steps(sizes):
            rows, earlier = slice(begin, begin + size), slice(before, before + size)
            gate = gates[rows]
            if begin:
                gate.addmm_(hidden[earlier], weight.t())
            gate[:, : 2 * width].sigmoid_()
            gate[:, 2 * width : 3 * width].tanh_()
            gate[:, 3 * width :].sigmoid_()
            enter, forget, candidate, leave = gate.chunk(4, dim=1)
            torch.mul(enter, candidate, out=cells[rows])
            before_it = cells[earlier] if begin else start
            if before_it is not None:
                cells[rows].addcmul_(forget, before_it)
            torch.tanh(cells[rows], out=hidden[rows]).mul_(leave)
        ctx.sizes = sizes
        ctx.save_for_backward(gates, hidden, cells, weight, start)
        return hidden, cells

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *owed: Tensor) -> tuple[None, Tensor, Tensor, Tensor | None]:
        gates, hidden, cells, weight, start = ctx.saved_tensors
        width = weight.shape[1]
        at_gates = torch.empty_like(gates)
        at_hidden, at_cell = (hidden.new_zeros(ctx.sizes[0], width) for _ in range(2))
        for begin, size, before in reversed(list(steps(ctx.sizes))):
            rows = slice(begin, begin + size)
            enter, forget, candidate, leave = gates[rows].chunk(4, dim=1)
            at_enter, at_forget, at_candidate, at_leave = at_gates[rows].chunk(4, dim=1)
            now, cell = at_hidden[:size].add_(owed[0][rows]), at_cell[:size].add_(owed[1][rows])
            squashed = torch.tanh(cells[rows])
            torch.mul(now, squashed, out=at_leave)
            cell.addcmul_(now * leave, 1 - squashed * squashed)
            torch.mul(cell, candidate, out=at_enter)
            torch.mul(cell, enter, out=at_candidate)
            if begin:
                torch.mul(cell, cells[before : before + size], out=at_forget)
            elif start is not None:
                torch.mul(cell, start, out=at_forget)
            else:
                at_forget.zero_()
            at_gates[rows, : 2 * width] *= gates[rows, : 2 * width] * (1 - gates[rows, : 2 * width])
            at_candidate *= 1 - candidate * candidate
            at_leave *= leave * (1 - leave)
            cell.mul_(forget)
            torch.mm(at_gates[rows], weight, out=now)
        earlier = [hidden[before : before + size] for begin, size, before in steps(ctx.sizes) if begin]
        at_start = None if start is None else at_cell
        if not earlier:
            return None, at_gates, torch.zeros_like(weight), at_start
        return None, at_gates, at_gates[ctx.sizes[0] :].t() @ torch.cat(earlier), at_start


def steps(sizes: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Returns for each step: its first packed row, its size, and the first row of the step before (0 at the first)."""
    taken, begin, before = [], 0, 0
    for size in sizes:
        taken.append((begin, size, before))
        before, begin = begin, begin + size
    return taken
