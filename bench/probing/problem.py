"""Multinomial logistic regression as a problem: what is minimised, how far from its minimum a solution is.

    loss(W, b) = mean over videos of -log softmax(W x + b)[class] + |W|^2 / (2 C n)

which is scikit-learn's, divided by C n; the intercept b is not penalised. Two changes of variables leave this loss and
its minimum as they are and make it far easier to descend: rows are centred (the intercept takes up the difference), and
rotated to the axes of their covariance, where the second derivatives of the loss are nearly diagonal.

The loss is strongly convex in W with modulus 1 / (C n), so a gradient g says how far above the minimum it is at most:
|g_W|^2 C n / 2. What the intercept adds is estimated from the curvature along each of its entries. This distance is
compared with the loss where that is small, and with what was gained over guessing, log K, where that is smaller: under
a small C all of the answer lies in a small gain.

Letters for shapes: `n` videos, `d` dimensions, `r <= d` directions after rotation, `K` classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_ROTATION = 4096
"""The smaller of n and d up to which rows are rotated: beyond, finding the axes takes longer than it saves."""


@dataclass(frozen=True)
class ProbeWeights:
    """A linear classifier of centred and rotated rows.

    Attributes:
        matrix: (r, K) float32.
        intercept: (K,) float32.
    """

    matrix: Tensor
    intercept: Tensor


@dataclass(frozen=True)
class Point:
    """The loss at some weights.

    Attributes:
        loss: what is minimised.
        matrix, intercept: (r, K) and (K,) its gradient.
        curvature: (K,) second derivative along each entry of the intercept, mean of p (1 - p); at least 1e-6.
        gap: how far at most `loss` is above the minimum, as a share of the loss there or of the gain over guessing.
    """

    loss: float
    matrix: Tensor
    intercept: Tensor
    curvature: Tensor
    gap: float


@dataclass(frozen=True)
class Problem:
    """Labelled embeddings, centred and rotated.

    Attributes:
        rows: (n, r) float32, or float64 where that is needed (`precise`).
        labels: (n,) int64, indices 0 to K - 1, each of which occurs.
        variances: (r,) float32, mean square of each column of `rows`.
        centre: (d,) float32, taken from every embedding.
        axes: (d, r) float32, or None where rows are not rotated.
        n_classes: K.
    """

    rows: Tensor
    labels: Tensor
    variances: Tensor
    centre: Tensor
    axes: Tensor | None
    n_classes: int

    @property
    def n(self) -> int:
        return len(self.labels)

    def precise(self) -> Problem:
        """Returns the same problem in float64, for minima that float32 cannot reach."""
        return replace(self, rows=self.rows.double(), variances=self.variances.double())

    def logits(self, embeddings: Tensor, weights: ProbeWeights) -> Tensor:
        """Returns (m, K) float32 for embeddings (m, d) float32 of any videos."""
        matrix = weights.matrix if self.axes is None else self.axes @ weights.matrix
        return (embeddings - self.centre) @ matrix + weights.intercept

    def at(self, weights: ProbeWeights, c: float) -> Point:
        """Returns loss, gradient and distance from the minimum at `weights` under C = `c`."""
        import torch

        penalty = 1.0 / (c * self.n)
        chances = torch.addmm(weights.intercept, self.rows, weights.matrix)
        chances -= chances.max(dim=1, keepdim=True).values
        own = chances.gather(1, self.labels[:, None]).double().sum()
        sums = chances.exp_().sum(dim=1, keepdim=True)
        fit = (sums.double().log().sum() - own) / self.n
        chances /= sums
        curvature = ((chances.sum(dim=0) - chances.square().sum(dim=0)) / self.n).clamp_min(1e-6)
        chances[torch.arange(self.n, device=chances.device), self.labels] -= 1.0
        matrix = torch.addmm(weights.matrix, self.rows.t(), chances, beta=penalty, alpha=1.0 / self.n)
        intercept = chances.sum(dim=0) / self.n
        loss = fit + 0.5 * penalty * weights.matrix.double().square().sum()
        gap = matrix.double().square().sum() / (2.0 * penalty) + (intercept.double().square() / curvature).sum() / 2.0
        value, above = torch.stack([loss, gap]).tolist()
        scale = min(value - above, math.log(self.n_classes) - value)
        return Point(value, matrix, intercept, curvature, above / scale if scale > 0.0 else math.inf if above else 0.0)


def problem_of(embeddings: np.ndarray, labels: np.ndarray, device: str = "cpu") -> Problem:
    """Returns the problem of embeddings (n, d) float32 with labels (n,) integers 0 to K - 1, each of which occurs."""
    import torch

    rows = torch.from_numpy(np.ascontiguousarray(embeddings)).to(device)
    centre = rows.double().mean(dim=0).float()
    centred = rows - centre
    axes = _axes(centred) if min(centred.shape) <= LARGEST_ROTATION else None
    turned = centred if axes is None else centred @ axes
    return Problem(
        rows=turned,
        labels=torch.from_numpy(labels.astype(np.int64)).to(device),
        variances=turned.square().mean(dim=0),
        centre=centre,
        axes=axes,
        n_classes=int(labels.max()) + 1,
    )


def _axes(centred: Tensor) -> Tensor:
    """Returns (d, min(n, d)) float32, orthonormal: the principal axes of the rows, which hold all that they span."""
    import torch

    if centred.shape[0] < centred.shape[1]:
        axes: Tensor = torch.linalg.svd(centred, full_matrices=False).Vh.t().contiguous()
    else:
        axes = torch.linalg.eigh((centred.t() @ centred).double()).eigenvectors.float()
    return axes
