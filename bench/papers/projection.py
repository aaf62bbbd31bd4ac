"""Video embeddings on a plane by t-SNE, for the most frequent classes, with what the picture is made from.

A t-SNE picture shows which videos are near one another; sizes of groups and distances between them mean nothing. So
each panel also says what holds in the space itself: the share of a video's nearest neighbours that are of its class.

Embeddings are scaled to length 1, as for retrieval; then Euclidean distance orders pairs as the cosine does. It starts
from the first two principal components, and everything drawn at random follows from the seed; on one machine equal
embeddings give equal coordinates.

Source: van der Maaten and Hinton, "Visualizing Data using t-SNE", JMLR 9 (2008); scikit-learn's implementation.

Letters for shapes: `n` points, `d` dimensions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bench.errors import InvalidData, ModelError
from bench.metrics.hierarchy import unit_rows
from bench.reading.numbers import number_of

PERPLEXITY = 30.0
SEED = 0
NEIGHBOURS = 10
FEWEST = 5
"""Fewer points make no picture."""


@dataclass(frozen=True)
class Projection:
    """Points on a plane.

    Attributes:
        coordinates: (n, 2) float64, without a unit.
        perplexity: 30, or a third of the other points where these are fewer than 90.
        divergence: Kullback-Leibler divergence at the end, in nats.
        iterations: steps of gradient descent.
    """

    coordinates: np.ndarray
    perplexity: float
    divergence: float
    iterations: int


@dataclass(frozen=True)
class Agreement:
    """The share of the nearest neighbours of a video that are of its class, in percent, and that of random ones."""

    neighbours: int
    in_space: float
    in_picture: float
    chance: float


def most_frequent(class_names: Iterable[str], count: int) -> tuple[str, ...]:
    """Returns the `count` most frequent names, the most frequent first, equally frequent ones by name."""
    counts = Counter(class_names)
    return tuple(sorted(counts, key=lambda name: (-counts[name], name))[:count])


def project(embeddings: np.ndarray) -> Projection:
    """Returns `embeddings` (n, d) float32 on a plane.

    Raises: InvalidData for fewer than five; ModelError where all are equal, or have a single dimension.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    n, dim = embeddings.shape
    if n < FEWEST:
        raise InvalidData(
            f"{number_of(n, 'video')} of the classes drawn make no picture; {FEWEST} are needed. Use more videos: a "
            "higher --limit."
        )
    rows = unit_rows(embeddings)
    if dim < 2 or float(rows.std(axis=0).max()) < 1e-7:
        raise ModelError(
            f"the {number_of(n, 'video')} have equal embeddings or embeddings of one number: nothing can be drawn."
        )
    perplexity = min(PERPLEXITY, (n - 1) / 3)
    tsne = TSNE(n_components=2, perplexity=perplexity, init="pca", learning_rate="auto", random_state=SEED, n_jobs=1)
    with threadpool_limits(1):  # sums over threads would differ in their last bits from run to run
        coordinates = tsne.fit_transform(rows.astype(np.float32))
    return Projection(coordinates.astype(np.float64), perplexity, float(tsne.kl_divergence_), int(tsne.n_iter_))


def agreement(embeddings: np.ndarray, coordinates: np.ndarray, classes: np.ndarray) -> Agreement:
    """Returns how often near videos are of one class, by cosine in the space and by distance in the picture.

    Args:
        embeddings: (n, d). coordinates: (n, 2). classes: (n,) int64.
    """
    count, n = min(NEIGHBOURS, len(classes) - 1), len(classes)
    sizes = np.bincount(classes)
    return Agreement(
        neighbours=count,
        in_space=_same(unit_rows(embeddings), classes, count),
        in_picture=_same(coordinates, classes, count),
        chance=100.0 * float((sizes * (sizes - 1)).sum()) / (n * (n - 1)),
    )


def _same(points: np.ndarray, classes: np.ndarray, count: int) -> float:
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=count, n_jobs=1).fit(points).kneighbors(return_distance=False)
    return 100.0 * float((classes[nearest] == classes[:, None]).mean())
