"""FV-VAE: a video is encoded by how it would change the decoder of an autoencoder of frames.

A variational autoencoder is trained on the frames of the training videos, with a classifier beside it that looks at the
hidden variables. The Fisher vector of a video is the gradient of how well its frames are decoded, by the weights of the
decoder, summed over its frames:

    G = sum_t ((mu_x(z_t) - x_t) / sigma_x^2) [z_t ; 1]^T      with z_t = mu_z(x_t)

Each of its columns is divided by the column's norm over the training videos, then signed roots are taken, and the row
is brought to length 1.

Source: Qiu, Yao, Mei, CVPR 2017, equation 11, and the released code. There a frame is a bag of 50 descriptors from a
spatial pyramid; here a frame is one descriptor, and a video the bag. Departures: descriptors are reduced by PCA of the
training frames and so have both signs, wherefore the decoder has no ReLU; the loss is averaged over descriptors instead
of summed, and the weight of the classifier is 1e3 / 50 accordingly; Adam.

Letters for shapes: `R` rows of a batch, `D` features, `r` reduced features, `l` hidden variables.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.api import Ragged, State, Training, TrainingData, VideoBatch, length_ordered
from bench_fvvae.loss import Reduction, class_loss, reduction_of, variational_loss
from bench_torch.labels import Labels
from bench_torch.network_model import NetworkModel
from bench_torch.training import Examples, TrainableNetwork

FLOOR = -7.0
"""Least log variance: a direction in which nothing varies would get ever more certain."""


@dataclass(frozen=True)
class FVVAEShape:
    """The sizes of the network and its settings; see the plugin for what they mean."""

    reduced: int
    latent: int
    classes: int
    class_weight: float
    dropout: float


class FVVAENetwork(TrainableNetwork):
    """The autoencoder, the classifier, and the columns of the Fisher vectors of the training videos."""

    mean: Tensor
    directions: Tensor
    columns: Tensor

    def __init__(self, dim: int, shape: FVVAEShape) -> None:
        super().__init__(dim)
        self.shape = shape
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("directions", torch.zeros(dim, shape.reduced))
        self.register_buffer("columns", torch.ones(shape.reduced, shape.latent + 1))
        self.dropout = nn.Dropout(shape.dropout)
        self.encoder = nn.Sequential(nn.Linear(shape.reduced, shape.latent), nn.ReLU())
        self.decoder = nn.Linear(shape.latent, shape.reduced)
        self.log_variance_z = nn.Parameter(torch.zeros(shape.latent))
        self.log_variance_x = nn.Parameter(torch.zeros(shape.reduced))
        self.classifier = nn.Linear(shape.latent, shape.classes)

    def reduce_by(self, reduction: Reduction) -> None:
        """Sets the map from features to descriptors."""
        self.mean.copy_(reduction.mean)
        self.directions.copy_(reduction.directions)

    def descriptors(self, frames: Ragged) -> Tensor:
        """Returns (R, r) float32."""
        return (frames.values.float() - self.mean) @ self.directions

    def variances(self) -> tuple[Tensor, Tensor]:
        """Returns log variances of the hidden variables (l,) and of the descriptors (r,)."""
        return self.log_variance_z.clamp(min=FLOOR), self.log_variance_x.clamp(min=FLOOR)

    def loss(self, videos: VideoBatch, labels: Labels, /) -> Tensor:
        """Returns the mean over descriptors of the variational loss, and the weighted loss of the classifier."""
        with torch.autocast(videos.frames.values.device.type, enabled=False):
            rows = self.descriptors(videos.frames)
            means = self.encoder(self.dropout(rows))
            of_hidden, of_rows = self.variances()
            hidden = means + torch.randn_like(means) * (0.5 * of_hidden).exp() if self.training else means
            total = variational_loss(rows, self.decoder(hidden), (means, of_hidden), of_rows)
            scores = self.classifier(hidden)
            return total + self.shape.class_weight * class_loss(Ragged(scores, videos.frames.lengths), labels.shares)

    def gradients(self, videos: VideoBatch) -> Tensor:
        """Returns (B, r, l + 1) float32: the G of each video."""
        with torch.autocast(videos.frames.values.device.type, enabled=False):
            rows = self.descriptors(videos.frames)
            hidden = self.encoder(rows)
            errors = (self.decoder(hidden) - rows) * (-self.variances()[1]).exp()
            seen = torch.cat([hidden, hidden.new_ones(len(hidden), 1)], dim=1)
            lengths = videos.frames.lengths
            return Ragged(errors, lengths).padded().transpose(1, 2) @ Ragged(seen, lengths).padded()

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, r * (l + 1)) float32, of length 1."""
        scaled = self.gradients(videos) / self.columns
        rooted = scaled.sign() * scaled.abs().sqrt()
        return nn.functional.normalize(rooted.flatten(1))


class FVVAE(NetworkModel[FVVAENetwork]):
    """The model `fv-vae`."""

    def fit(self, data: TrainingData, training: Training) -> None:
        """Trains the autoencoder, then measures the columns of all training videos."""
        super().fit(data, training)
        network = self.network.eval()
        total = torch.zeros_like(network.columns)
        groups = length_ordered(data.videos.rows, self.execution.batch_size)
        with torch.no_grad():
            for batch in data.videos.batches(groups, self.execution.device):
                total += network.gradients(batch).square().sum(dim=0)
        network.columns.copy_(torch.where(total > 0, total.sqrt(), 1.0))

    def start(self, data: TrainingData, training: Training) -> None:
        """Finds the reduction of the training frames and builds the network for the classes of `data`.

        Raises: InvalidData for a video without a class.
        """
        reduced = min(self.setting("reduced", int), data.videos.dim)
        network = self.build(data.videos.dim, reduced, Labels.of(data).classes)
        self.use(network)
        groups = length_ordered(data.videos.rows, self.execution.batch_size)
        frames = (batch.frames.values for batch in data.videos.batches(groups, self.execution.device))
        network.reduce_by(reduction_of(frames, reduced, self.setting("scale", float)))

    def build(self, dim: int, reduced: int, classes: int) -> FVVAENetwork:
        """Returns a fresh network."""
        shape = FVVAEShape(
            reduced=reduced,
            latent=self.setting("latent", int),
            classes=classes,
            class_weight=self.setting("class_weight", float),
            dropout=self.setting("dropout", float),
        )
        return FVVAENetwork(dim, shape)

    def examples(self, data: TrainingData) -> Examples:
        """Returns videos and their classes."""
        return Examples(data.videos, Labels.of(data))

    def state(self) -> State:
        """Returns weights, reduction, columns, and the sizes of the network."""
        state, shape = super().state(), self.network.shape
        return State(state.arrays, {**state.values, "reduced": shape.reduced, "classes": shape.classes})

    def rebuild(self, state: State) -> FVVAENetwork:
        """Returns a network of the shapes that `state` was saved with."""
        return self.build(*(int(state.values[name]) for name in ("dim", "reduced", "classes")))

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, reduced * (latent + 1)) float32. Raises: InvalidData for features of another dimension."""
        self.check_dim(videos)
        with self.predicting():
            return self.network.embed_videos(videos.to(self.execution.device))
