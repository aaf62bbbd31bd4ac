"""A single-layer GRU over ragged sequences: our packed recurrence on CPU, cuDNN on CUDA, one set of parameters.

Letters for shapes: `n` sequences, `R` rows (sum of their lengths), `D` input and `H` hidden size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from bench.api import Ragged
from bench_torch.float32 import float32_recurrence
from bench_torch.packing import Packing
from bench_torch.recurrence import Plan, Recurrence


@dataclass(frozen=True)
class States:
    """The states of a GRU at every step of every sequence.

    Attributes:
        packed: (R, H) float32, in packed order.
        packing: the order.
    """

    packed: Tensor
    packing: Packing

    def ragged(self) -> Ragged:
        """Returns n sequences of (length, H): the state at each step."""
        return self.packing.unpack(self.packed)

    def last(self) -> Tensor:
        """Returns (n, H): the state after the last step."""
        return self.packing.last(self.packed)


class GRU(nn.Module):
    """One layer, one direction; parameters as in `torch.nn.GRU`, Xavier-uniform for each gate, biases 0.

    Source: section 4.1 of the HSE paper and its released code (hidden 1024, no dropout).
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.cell = nn.GRU(inputs, hidden)
        weight_ih, weight_hh, bias_ih, bias_hh = self.cell.parameters()
        with torch.no_grad():
            for gate in (*weight_ih.chunk(3), *weight_hh.chunk(3)):
                nn.init.xavier_uniform_(gate)
        nn.init.zeros_(bias_ih)
        nn.init.zeros_(bias_hh)

    def forward(self, sequences: Ragged, initial: Tensor | None = None) -> States:
        """Returns the states over `sequences` (rows of size D), from `initial` (n, H) or from zero."""
        packing = Packing.of(sequences.lengths, sequences.values.device)
        inputs = packing.pack(sequences.values)
        run = run_cudnn if inputs.is_cuda else run_recurrence
        return States(run(self.cell, inputs, packing, initial), packing)

    def maximum(self, sequences: Ragged, initial: Tensor | None = None) -> Tensor:
        """Returns (n, H): the element-wise maximum over the states of each sequence; on the CPU only.

        Equal to pooling the states of `forward`, but without gradients no state is kept longer than a step.
        """
        packing = Packing.of(sequences.lengths)
        best = run_recurrence(self.cell, packing.pack(sequences.values), packing, initial, pooled=True)
        return best[packing.ranks]

    def repeat(self, vectors: Tensor, lengths: Tensor) -> States:
        """Returns the states over sequences that show vector i, of (n, D), again at each of `lengths[i]` steps."""
        packing = Packing.of(lengths, vectors.device)
        if vectors.is_cuda:
            inputs = vectors.index_select(0, packing.owners)
            return States(run_cudnn(self.cell, inputs, packing, None), packing)
        inputs = vectors[packing.order]
        return States(run_recurrence(self.cell, inputs, packing, None, repeated=True), packing)


def run_recurrence(
    cell: nn.GRU,
    inputs: Tensor,
    packing: Packing,
    initial: Tensor | None,
    *,
    repeated: bool = False,
    pooled: bool = False,
) -> Tensor:
    """Returns states (R, H) by our own recurrence or, if pooled, their maximum over time (n, H) by falling length.

    `inputs` are packed (R, D), or (n, D) by falling length if repeated.
    """
    weights = tuple(cell.parameters())  # weight_ih, weight_hh, bias_ih, bias_hh
    kind, device = weights[0].dtype, inputs.device.type
    inputs = inputs.to(kind)
    start = None if initial is None else initial[packing.order].to(kind)
    plan = Plan(
        sizes=packing.sizes,
        repeated=repeated,
        pooled=pooled,
        training=torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in (inputs, start, *weights)),
        products=torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else kind,
    )
    with torch.autocast(device, enabled=False):
        return cast("Tensor", Recurrence.apply(plan, inputs, start, *weights))  # type: ignore[no-untyped-call]


def run_cudnn(cell: nn.GRU, inputs: Tensor, packing: Packing, initial: Tensor | None) -> Tensor:
    """Returns the same states (R, H) by torch's own packed GRU, which on CUDA is cuDNN's; float32, without TF32."""
    kind = next(cell.parameters()).dtype
    start = None if initial is None else initial[packing.order][None].to(kind)
    packed = PackedSequence(inputs.to(kind), torch.tensor(packing.sizes))
    with float32_recurrence(inputs.device):
        states: Tensor = cell(packed, start)[0].data
    return states
