"""The GRU recurrence on CPU, written for ragged batches: nothing is padded and no weight gradient is made per step.

torch's own CPU GRU adds up a (3H, H) weight gradient at every time step. Here the gate activations are kept, and each
weight gradient is one matrix product over all rows. Every step works in place on slices of buffers made once.

Letters for shapes: `n` sequences, `R` rows, `D` input and `H` hidden size. Gates stand in torch's order:
reset, update, new.
Source: Cho et al. 2014 in the form of `torch.nn.GRU`: h' = (1 - z) * n + z * h, n = tanh(x W + b + r * (h U + c)).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

tanh_backward = torch.ops.aten.tanh_backward.grad_input
sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input


@dataclass(frozen=True)
class Plan:
    """How a recurrence runs over its packed rows.

    Attributes:
        sizes: sequences still running at each step, falling.
        repeated: true when the input is one row per sequence, read again at every step.
        products: the type matrix products are computed in; states and gradients keep the type of the weights.
    """

    sizes: tuple[int, ...]
    repeated: bool
    products: torch.dtype


def product_type(device: torch.device, weights: torch.dtype) -> torch.dtype:
    """Returns the type of matrix products: autocast's where it is on, else that of the weights."""
    return torch.get_autocast_dtype(device.type) if torch.is_autocast_enabled(device.type) else weights


def _add_product(out: Tensor, left: Tensor, right: Tensor) -> None:
    """Adds `left @ right` to `out`, computed in the type of `right`."""
    if left.dtype == right.dtype:
        out.addmm_(left, right)
    else:
        out.add_(torch.mm(left.to(right.dtype), right))


def _product(left: Tensor, right: Tensor, products: torch.dtype) -> Tensor:
    """Returns `left @ right` in the type of `left`, computed in `products`."""
    return torch.mm(left.to(products), right.to(products)).to(left.dtype)


class Recurrence(torch.autograd.Function):
    """GRU states (R, H) of packed sequences.

    Arguments of `apply`: plan, inputs ((R, D) packed, or (n, D) by falling length when repeated), initial state
    ((n, H) by falling length, or None for zeros), and weights as in `torch.nn.GRU`: weight_ih (3H, D),
    weight_hh (3H, H), bias_ih (3H,), bias_hh (3H,).
    """

    @staticmethod
    def forward(ctx: Any, plan: Plan, inputs: Tensor, initial: Tensor | None, *weights: Tensor) -> Tensor:
        weight_ih, weight_hh, bias_ih, bias_hh = weights
        hidden = weight_hh.shape[1]
        with torch.autocast(inputs.device.type, enabled=False):
            bias = torch.cat([bias_ih[: 2 * hidden] + bias_hh[: 2 * hidden], bias_ih[2 * hidden :]])
            projected = _product(inputs, weight_ih.t(), plan.products).add_(bias)
            rows = sum(plan.sizes)
            gates = projected.new_empty(rows, 3 * hidden) if plan.repeated else projected
            recurrent = projected.new_empty(rows, hidden)  # h U + c of the new gate, needed again for its gradient
            states = projected.new_empty(rows, hidden)
            upper = weight_hh[: 2 * hidden].t().to(plan.products)
            lower = weight_hh[2 * hidden :].t().to(plan.products)
            bias_new = bias_hh[2 * hidden :]
            start, previous = 0, initial
            for active in plan.sizes:
                step = slice(start, start + active)
                gate, new, state = gates[step], recurrent[step], states[step]
                if plan.repeated:
                    gate.copy_(projected[:active])
                reset_update, candidate = gate[:, : 2 * hidden], gate[:, 2 * hidden :]
                new.copy_(bias_new)
                if previous is not None:
                    _add_product(reset_update, previous[:active], upper)
                    _add_product(new, previous[:active], lower)
                reset_update.sigmoid_()
                candidate.addcmul_(gate[:, :hidden], new).tanh_()
                update = gate[:, hidden : 2 * hidden]
                if previous is None:
                    torch.addcmul(candidate, candidate, update, value=-1, out=state)
                else:
                    torch.lerp(candidate, previous[:active], update, out=state)
                start, previous = start + active, state
        ctx.plan = plan
        ctx.save_for_backward(inputs, initial, weight_ih, weight_hh, states)
        ctx.gates, ctx.recurrent = gates, recurrent
        return states

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        plan: Plan = ctx.plan
        inputs, initial, weight_ih, weight_hh, states = ctx.saved_tensors
        hidden = weight_hh.shape[1]
        with torch.autocast(inputs.device.type, enabled=False):
            at_input, at_new, at_initial = _gate_gradients(ctx, grads[0], initial, weight_hh, states)
            at_input_rows = _sum_steps(at_input, plan.sizes) if plan.repeated else at_input
            at_inputs = _product(at_input_rows, weight_ih, plan.products) if ctx.needs_input_grad[1] else None
            at_weight_ih = _product(at_input_rows.t(), inputs, plan.products)
            at_bias_ih = at_input_rows.sum(0)
            at_bias_hh = torch.cat([at_bias_ih[: 2 * hidden], at_new.sum(0)])
            # the states that each row started from: those of the step before, without the sequences that ended there
            first = 0 if initial is not None else plan.sizes[0]
            blocks = [] if initial is None else [initial]
            start = 0
            for size, following in zip(plan.sizes, plan.sizes[1:], strict=False):
                blocks.append(states[start : start + following])
                start += size
            at_weight_hh = torch.zeros_like(weight_hh)
            if blocks:
                before = torch.cat(blocks).to(plan.products)
                at_weight_hh[: 2 * hidden] = at_input[first:, : 2 * hidden].t().to(plan.products) @ before
                at_weight_hh[2 * hidden :] = at_new[first:].t().to(plan.products) @ before
        return None, at_inputs, at_initial, at_weight_ih, at_weight_hh, at_bias_ih, at_bias_hh


def _gate_gradients(
    ctx: Any, at_states: Tensor, initial: Tensor | None, weight_hh: Tensor, states: Tensor
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Walks back through time. Returns gradients before the gates' non-linearities, (R, 3H), at `h U + c` of the new
    gate, (R, H), and at the initial state, (n, H) or None."""
    sizes, hidden = ctx.plan.sizes, weight_hh.shape[1]
    upper, lower = weight_hh[: 2 * hidden].to(ctx.plan.products), weight_hh[2 * hidden :].to(ctx.plan.products)
    gates, recurrent = ctx.gates, ctx.recurrent
    at_gates, at_recurrent = torch.empty_like(gates), torch.empty_like(recurrent)
    carried = states.new_zeros(sizes[0], hidden)
    stop = states.shape[0]
    for time in range(len(sizes) - 1, -1, -1):
        active = sizes[time]
        step = slice(stop - active, stop)
        before = states[stop - active - sizes[time - 1] :][:active] if time else initial
        reset, update, candidate = gates[step].chunk(3, dim=1)
        at_reset, at_update, at_candidate = at_gates[step].chunk(3, dim=1)
        at_new, at_state = at_recurrent[step], carried[:active]
        at_state.add_(at_states[step])
        torch.addcmul(at_state, at_state, update, value=-1, out=at_candidate)
        tanh_backward(at_candidate, candidate, grad_input=at_candidate)
        if before is None:
            torch.neg(candidate, out=at_update)
        else:
            torch.sub(before, candidate, out=at_update)
        at_update.mul_(at_state)
        sigmoid_backward(at_update, update, grad_input=at_update)
        torch.mul(at_candidate, recurrent[step], out=at_reset)
        sigmoid_backward(at_reset, reset, grad_input=at_reset)
        torch.mul(at_candidate, reset, out=at_new)
        if before is not None:
            at_state.mul_(update)
            _add_product(at_state, at_gates[step, : 2 * hidden], upper)
            _add_product(at_state, at_new, lower)
        stop -= active
    return at_gates, at_recurrent, carried if initial is not None else None


def _sum_steps(rows: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Returns (n, *): packed rows (R, *) summed over the steps of each sequence."""
    total = rows[: sizes[0]].clone()
    start = sizes[0]
    for active in sizes[1:]:
        total[:active].add_(rows[start : start + active])
        start += active
    return total
