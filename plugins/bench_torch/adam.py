"""Adam as torch computes it, fused, without the class around it.

Making a `torch.optim.Optimizer` imports the compiler of torch (2.13): 1.3 CPU seconds of every process that trains, and
nothing of it is used here. `torch.optim.adam.adam` takes the same step, to the last bit.

Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, with the constants of their Algorithm 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.adam import adam

from bench_torch.checkpoints import as_array, as_tensor

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
STEP, FIRST, SECOND = "step", "exp_avg", "exp_avg_sq"


class Adam:
    """Steps of Adam on some parameters, and the moments that it keeps of their gradients.

    Attributes:
        lr: the learning rate of the next step.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        self.lr = lr
        self._parameters = tuple(parameters)
        self._kept: dict[int, dict[str, Tensor]] = {}

    def clear_gradients(self) -> None:
        """Forgets all gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Moves every parameter that has a gradient."""
        moved = [(i, one, one.grad) for i, one in enumerate(self._parameters) if one.grad is not None]
        for i, parameter, _ in moved:
            if i not in self._kept:
                count = torch.zeros((), dtype=torch.float32, device=parameter.device)
                self._kept[i] = {STEP: count, FIRST: torch.zeros_like(parameter), SECOND: torch.zeros_like(parameter)}
        kept = [self._kept[i] for i, _, _ in moved]
        adam(
            [parameter for _, parameter, _ in moved],
            [gradient for _, _, gradient in moved],
            [own[FIRST] for own in kept],
            [own[SECOND] for own in kept],
            [],
            [own[STEP] for own in kept],
            fused=True,
            amsgrad=False,
            beta1=BETA1,
            beta2=BETA2,
            lr=self.lr,
            weight_decay=0.0,
            eps=EPSILON,
            maximize=False,
        )

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """Returns copies of what is kept as `prefix`, number of the parameter, `.`, name."""
        return {f"{prefix}{i}.{name}": as_array(value) for i, own in self._kept.items() for name, value in own.items()}

    def restore(self, arrays: Mapping[str, np.ndarray], prefix: str) -> None:
        """Puts back what `arrays` returned."""
        self._kept = {}
        for key, array in arrays.items():
            if key.startswith(prefix):
                number, _, name = key.removeprefix(prefix).partition(".")
                device = self._parameters[int(number)].device
                self._kept.setdefault(int(number), {})[name] = as_tensor(array).to(device)
