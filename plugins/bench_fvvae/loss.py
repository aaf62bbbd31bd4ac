"""What FV-VAE learns: the reduction of frames, and the losses of its autoencoder and its classifier.

Letters for shapes: `R` rows, `D` features, `r` reduced features, `l` hidden variables, `B` videos.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from bench.api import Ragged


@dataclass(frozen=True)
class Reduction:
    """A linear map from features to descriptors: take off `mean` (D,), multiply by `directions` (D, r)."""

    mean: Tensor
    directions: Tensor


def reduction_of(batches: Iterable[Tensor], reduced: int, scale: float) -> Reduction:
    """Returns PCA of all rows, to directions of greatest variance, brought to a root mean square of `scale`.

    Directions keep their own variances; the one scale is for all of them. The sign of a direction is that of its
    greatest entry, so that it does not depend on the library.

    Args:
        batches: (R, D) float32 each; read once.
        reduced: at most D.
        scale: root mean square of a number of a descriptor.
    """
    count, total, products = 0, torch.zeros(()), torch.zeros(())
    for rows in batches:
        precise = rows.double()
        count += len(rows)
        total = total.to(rows.device) + precise.sum(dim=0)
        products = products.to(rows.device) + precise.t() @ precise
    mean = total / count
    variances, vectors = torch.linalg.eigh(products / count - torch.outer(mean, mean))
    kept, kept_variances = vectors[:, -reduced:].flip(1), variances[-reduced:].clamp(min=0)
    kept = kept * kept.gather(0, kept.abs().argmax(dim=0, keepdim=True)).sign()
    spread = kept_variances.mean().sqrt()
    return Reduction(mean.float(), (kept * (scale / spread if spread > 0 else 1.0)).float())


def variational_loss(rows: Tensor, guess: Tensor, hidden: tuple[Tensor, Tensor], of_rows: Tensor) -> Tensor:
    """Returns minus the evidence lower bound, mean over descriptors, without the constant of the Gaussian.

    Args:
        rows, guess: (R, r), descriptors and what the decoder made of the hidden variables.
        hidden: means (R, l) and log variances (l,) of the hidden variables, whose prior is standard normal.
        of_rows: (r,), log variances of descriptors about the guess.

    Source: Kingma and Welling 2014; Qiu et al., CVPR 2017, section 3.2: variances do not depend on the input.
    """
    means, of_hidden = hidden
    decoded = 0.5 * ((rows - guess).square() * (-of_rows).exp() + of_rows).sum(dim=1).mean()
    prior = 0.5 * (means.square().sum(dim=1).mean() + (of_hidden.exp() - of_hidden - 1).sum())
    return decoded + prior


def class_loss(scores: Ragged, shares: Tensor) -> Tensor:
    """Returns the cross-entropy of the classes of videos, whose scores are the greatest over their descriptors.

    Args:
        scores: B sequences of (rows, classes).
        shares: (B, classes), a video's classes in equal parts.
    """
    owners = scores.owners()[:, None].expand_as(scores.values)
    lowest = scores.values.new_full((len(scores), scores.values.shape[1]), -torch.inf)
    return functional.cross_entropy(lowest.scatter_reduce(0, owners, scores.values, "amax"), shares)
