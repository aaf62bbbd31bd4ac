"""The GRU recurrence on CPU, written for ragged batches: nothing is padded and no weight gradient is made per step.

torch's own CPU GRU adds up a (3H, H) weight gradient at every time step. Here the steps are taken in chunks of some
thousand rows: a chunk's inputs are projected by one matrix product, and on the way back each of its weight gradients
is one matrix product more. Steps work in place on slices of buffers made once. When the maximum over time is all that
is wanted it is kept running, and without gradients nothing else is.

Letters for shapes: `n` sequences, `R` rows (the sum of their lengths), `D` input and `H` hidden size.
A row of a "cell" has four parts of H numbers: candidate, reset, update, and recurrent, the part of the candidate that
comes from the state before. The first three read the input, the last three the state: each a block of 3H columns, so
that one matrix product serves all of them.
Source: Cho et al. 2014 in the form of `torch.nn.GRU`: h' = (1 - z) * n + z * h, n = tanh(x W + b + r * (h U + c)).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

CHUNK_ROWS = 2048
"""Rows of a chunk, about: enough for a matrix product to run at full rate, few enough to stay near the processor."""

tanh_backward = torch.ops.aten.tanh_backward.grad_input
sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input


@dataclass(frozen=True)
class Plan:
    """How a recurrence runs over its packed rows.

    Attributes:
        sizes: sequences still running at each step, falling.
        repeated: true when the input is one row per sequence, read again at every step.
        pooled: true when the maximum over time is wanted, (n, H) by falling length, instead of all states (R, H).
        training: true when gradients will be asked for, and what they need must be kept.
        products: the type matrix products are computed in; states and gradients keep the type of the weights.
    """

    sizes: tuple[int, ...]
    repeated: bool
    pooled: bool
    training: bool
    products: torch.dtype


@dataclass(frozen=True)
class Chunk:
    """Consecutive steps that are worked on together.

    Attributes:
        start: the first packed row.
        rows: how many packed rows they have.
        steps: of each step its first row within the chunk, how many sequences are running at it, and how many were
            running at the step before, which is 0 at the very first.
    """

    start: int
    rows: int
    steps: tuple[tuple[int, int, int], ...]


def chunks(sizes: tuple[int, ...]) -> list[Chunk]:
    """Returns all steps in chunks of at most `CHUNK_ROWS` rows, or of one step if that is larger."""
    parts: list[Chunk] = []
    steps: list[tuple[int, int, int]] = []
    start, rows, before = 0, 0, 0
    for size in sizes:
        if rows and rows + size > CHUNK_ROWS:
            parts.append(Chunk(start, rows, tuple(steps)))
            start, rows, steps = start + rows, 0, []
        steps.append((rows, size, before))
        rows, before = rows + size, size
    return [*parts, Chunk(start, rows, tuple(steps))]


class Recurrence(torch.autograd.Function):
    """GRU states of packed sequences, or their maximum over time.

    Arguments of `apply`: plan, inputs ((R, D) packed, or (n, D) by falling length when repeated), initial state
    ((n, H) by falling length, or None for zeros), and weights as in `torch.nn.GRU`: weight_ih (3H, D),
    weight_hh (3H, H), bias_ih (3H,), bias_hh (3H,). The gradient of a maximum reached at several steps goes to the
    last of them, so it is counted once. Kept for it are cells (R, 4H), states (R, H) and their maximum (n, H); without
    it buffers of one chunk are used anew by the next. Types are as given: autocast is to be off around it.
    """

    @staticmethod
    def forward(ctx: Any, plan: Plan, inputs: Tensor, initial: Tensor | None, *weights: Tensor) -> Tensor:
        weight_ih, weight_hh, bias_ih, bias_hh = weights
        hidden, parts = weight_hh.shape[1], chunks(plan.sizes)
        from_input = _input_order(weight_ih).to(plan.products).t()
        from_state = weight_hh.to(plan.products).t()
        bias = torch.cat([_input_order(bias_ih), bias_hh[2 * hidden :]])
        bias[hidden : 3 * hidden] += bias_hh[: 2 * hidden]
        keeps_cells, keeps_states = plan.training, plan.training or not plan.pooled
        whole, buffer = sum(plan.sizes), max(chunk.rows for chunk in parts)
        cells = bias.new_empty(whole if keeps_cells else buffer, 4 * hidden)
        states = bias.new_empty(whole if keeps_states else buffer, hidden)
        best = bias.new_full((plan.sizes[0], hidden), -torch.inf) if plan.pooled else None
        previous = initial
        once = torch.mm(inputs.to(plan.products), from_input).to(inputs.dtype) if plan.repeated else None
        for chunk in parts:
            rows, front = slice(chunk.start, chunk.start + chunk.rows), slice(chunk.rows)
            cell = cells[rows if keeps_cells else front]
            out = states[rows if keeps_states else front]
            cell.copy_(bias)
            if once is None:
                _add_product(cell[:, : 3 * hidden], inputs[rows], from_input)
            if previous is not None and not keeps_states:
                previous = previous.clone()  # its rows are about to be written over
            for begin, size, _ in chunk.steps:
                step = slice(begin, begin + size)
                if once is not None:
                    cell[step, : 3 * hidden] += once[:size]
                _step(cell[step], None if previous is None else previous[:size], from_state, out[step])
                previous = out[step]
                if best is not None:
                    torch.maximum(best[:size], previous, out=best[:size])
        ctx.plan = plan
        if plan.training:
            ctx.save_for_backward(inputs, initial, weight_ih, weight_hh, cells, states, best)
        return states if best is None else best

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        with torch.autocast(grads[0].device.type, enabled=False):
            walk = _WayBack(ctx.plan, ctx.saved_tensors, grads[0], wants_inputs=ctx.needs_input_grad[1])
            return None, *walk.gradients()


def _step(cell: Tensor, previous: Tensor | None, from_state: Tensor, out: Tensor) -> None:
    """Finishes a cell that holds the projected inputs and biases, and writes the new state to `out`."""
    candidate, reset, update, recurrent = cell.chunk(4, dim=1)
    hidden = out.shape[1]
    if previous is not None:
        _add_product(cell[:, hidden:], previous, from_state)
    cell[:, hidden : 3 * hidden].sigmoid_()
    candidate.addcmul_(reset, recurrent).tanh_()
    if previous is None:
        torch.addcmul(candidate, candidate, update, value=-1, out=out)
    else:
        torch.lerp(candidate, previous, update, out=out)


class _WayBack:
    """One walk back through time, adding up gradients."""

    def __init__(self, plan: Plan, saved: tuple[Any, ...], owed: Tensor, *, wants_inputs: bool) -> None:
        self.plan = plan
        self.inputs, self.initial, weight_ih, weight_hh, self.cells, self.states, self.best = saved
        self.owed = owed.clone() if plan.pooled else owed
        self.weight_ih, self.weight_hh = _input_order(weight_ih).to(plan.products), weight_hh.to(plan.products)
        self.hidden = hidden = weight_hh.shape[1]
        self.at_weight_ih, self.at_weight_hh = torch.zeros_like(weight_ih), torch.zeros_like(weight_hh)
        self.at_bias = owed.new_zeros(4 * hidden)
        self.carried = owed.new_zeros(plan.sizes[0], hidden)
        self.equal = torch.empty_like(self.carried) if plan.pooled else None
        self.at_once = owed.new_zeros(plan.sizes[0], 3 * hidden) if plan.repeated else None
        self.at_inputs = torch.empty_like(self.inputs) if wants_inputs else None

    def gradients(self) -> tuple[Tensor | None, ...]:
        """Returns gradients at inputs, initial state and the four weights."""
        parts, hidden = chunks(self.plan.sizes), self.hidden
        buffer = max(chunk.rows for chunk in parts)
        at_cells = self.cells.new_empty(buffer, 4 * hidden)
        factors = at_cells.to(self.plan.products)  # at_cells itself, or room for its rounded copy
        before = self.cells.new_empty(buffer, hidden, dtype=self.plan.products)
        for chunk in reversed(parts):
            for begin, size, earlier in reversed(chunk.steps):
                step = slice(begin, begin + size)
                row = chunk.start + begin
                previous = self.states[row - earlier : row - earlier + size] if earlier else self.initial
                self.step_back(slice(row, row + size), previous, at_cells[step], factors[step])
                if previous is not None:
                    before[step] = previous
            self.add_up(chunk, at_cells[: chunk.rows], factors[: chunk.rows], before)
        if self.at_once is not None:
            self.add_inputs(self.at_once, slice(None))
        at_bias_hh = self.at_bias[hidden:]
        return (
            self.at_inputs,
            None if self.initial is None else self.carried,
            _torch_order(self.at_weight_ih),
            self.at_weight_hh,
            _torch_order(self.at_bias[: 3 * hidden]),
            at_bias_hh,
        )

    def step_back(self, rows: slice, previous: Tensor | None, at_cell: Tensor, factors: Tensor) -> None:
        """Takes what is owed to the states `rows`, fills `at_cell` and leaves in `carried` what earlier states owe."""
        candidate, reset, update, recurrent = self.cells[rows].chunk(4, dim=1)
        at_candidate, at_reset, at_update, at_recurrent = at_cell.chunk(4, dim=1)
        size = len(at_cell)
        at_state = self.carried[:size]
        if self.equal is None:
            at_state.add_(self.owed[rows])
        else:
            owed, equal = self.owed[:size], self.equal[:size]
            torch.eq(self.states[rows], self.best[:size], out=equal)
            at_state.addcmul_(equal, owed)
            owed.addcmul_(equal, owed, value=-1)  # paid in full, so an earlier equal state gets exactly 0
        torch.addcmul(at_state, at_state, update, value=-1, out=at_candidate)
        tanh_backward(at_candidate, candidate, grad_input=at_candidate)
        if previous is None:
            torch.neg(candidate, out=at_update)
        else:
            torch.sub(previous, candidate, out=at_update)
        at_update.mul_(at_state)
        torch.mul(at_candidate, recurrent, out=at_reset)
        at_gates = at_cell[:, self.hidden : 3 * self.hidden]
        sigmoid_backward(at_gates, self.cells[rows, self.hidden : 3 * self.hidden], grad_input=at_gates)
        torch.mul(at_candidate, reset, out=at_recurrent)
        if factors.dtype != at_cell.dtype:
            factors.copy_(at_cell)
        if previous is not None:
            at_state.mul_(update)
            _add_product(at_state, factors[:, self.hidden :], self.weight_hh)

    def add_up(self, chunk: Chunk, at_cells: Tensor, factors: Tensor, before: Tensor) -> None:
        """Adds a finished chunk to the gradients of the weights and of the inputs."""
        _, size, earlier = chunk.steps[0]
        first = 0 if earlier or self.initial is not None else size  # rows that no state came before
        _add_product(self.at_weight_hh, factors[first:, self.hidden :].t(), before[first : chunk.rows])
        self.at_bias += at_cells.sum(0)
        if self.at_once is None:
            self.add_inputs(factors[:, : 3 * self.hidden], slice(chunk.start, chunk.start + chunk.rows))
            return
        for begin, size, _ in chunk.steps:
            self.at_once[:size] += at_cells[begin : begin + size, : 3 * self.hidden]

    def add_inputs(self, at_projected: Tensor, rows: slice) -> None:
        """Adds the gradients at the projected inputs `rows` to those of the inputs and their weights."""
        factors = at_projected.to(self.plan.products)
        _add_product(self.at_weight_ih, factors.t(), self.inputs[rows].to(self.plan.products))
        if self.at_inputs is None:
            return
        if self.at_inputs.dtype == self.weight_ih.dtype:
            torch.mm(factors, self.weight_ih, out=self.at_inputs[rows])
        else:
            self.at_inputs[rows] = torch.mm(factors, self.weight_ih).to(self.at_inputs.dtype)


def _add_product(out: Tensor, left: Tensor, right: Tensor) -> None:
    """Adds `left @ right` to `out`, computed in the type of `right`."""
    if out.dtype == right.dtype:
        out.addmm_(left, right)
    else:
        out.add_(torch.mm(left.to(right.dtype), right))


def _input_order(gates: Tensor) -> Tensor:
    """Returns (3H, *): reset, update, candidate as torch has them in the order of a cell: candidate, reset, update."""
    return gates.roll(len(gates) // 3, 0)


def _torch_order(gates: Tensor) -> Tensor:
    """Undoes `_input_order`."""
    return gates.roll(-(len(gates) // 3), 0)
