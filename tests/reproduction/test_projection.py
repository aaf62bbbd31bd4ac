"""t-SNE of embeddings: groups stay together, equal input gives equal output, and what cannot be drawn is refused."""

import numpy as np
import pytest

from bench.errors import InvalidData, ModelError
from bench.papers.projection import agreement, most_frequent, project


def groups(sizes, dim=16, spread=0.3, seed=0):
    """Returns (n, dim) float32 around one centre for each group, and (n,) their groups."""
    rng = np.random.default_rng(seed)
    classes = np.repeat(np.arange(len(sizes)), sizes)
    centres = rng.standard_normal((len(sizes), dim))
    return (centres[classes] + spread * rng.standard_normal((len(classes), dim))).astype(np.float32), classes


def test_groups_in_space_are_groups_in_the_picture():
    rows, classes = groups([40, 40, 40])
    found = project(rows)
    assert found.coordinates.shape == (120, 2)
    assert found.perplexity == 30
    assert agreement(rows, found.coordinates, classes).in_picture > 95


def test_equal_embeddings_give_equal_coordinates_whatever_their_lengths():
    rows, _ = groups([20, 20])
    lengths = 2.0 ** np.random.default_rng(1).integers(-3, 3, size=(40, 1))
    first, other = project(rows), project((rows * lengths).astype(np.float32))
    assert (first.coordinates == other.coordinates).all()
    assert first.divergence == other.divergence


def test_few_points_have_a_smaller_perplexity():
    assert project(groups([4, 6])[0]).perplexity == 3
    assert project(groups([5])[0]).perplexity == pytest.approx(4 / 3)


def test_too_few_points_are_refused():
    with pytest.raises(InvalidData, match="4 videos of the classes drawn make no picture; 5 are needed"):
        project(groups([4])[0])


@pytest.mark.parametrize("rows", [np.ones((9, 3)), np.arange(1.0, 10.0)[:, None]], ids=["equal", "one number"])
def test_embeddings_without_a_plane_are_refused(rows):
    with pytest.raises(ModelError, match="nothing can be drawn"):
        project(rows.astype(np.float32))


def same_by_sorting(distances, classes, count):
    """Percent of the `count` nearest others that are of the same class, one video at a time."""
    np.fill_diagonal(distances, np.inf)
    nearest = [np.argsort(row)[:count] for row in distances]
    return 100 * np.mean([(classes[near] == own).mean() for near, own in zip(nearest, classes, strict=True)])


def test_agreement_is_that_of_sorting_by_cosine_and_by_distance():
    rows, classes = groups([9, 14, 17], spread=1.0)
    picture = np.random.default_rng(2).standard_normal((40, 2))
    found = agreement(rows, picture, classes)
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert found.neighbours == 10
    assert found.in_space == pytest.approx(same_by_sorting(-units @ units.T, classes, 10))
    apart = np.linalg.norm(picture[:, None] - picture[None], axis=2)
    assert found.in_picture == pytest.approx(same_by_sorting(apart, classes, 10))
    assert found.chance == pytest.approx(100 * (9 * 8 + 14 * 13 + 17 * 16) / (40 * 39))


def test_fewer_videos_than_neighbours_are_all_neighbours():
    found = agreement(*(groups([2, 2], dim)[0] for dim in (4, 2)), np.array([0, 0, 1, 1]))
    assert found.neighbours == 3
    assert found.in_space == found.in_picture == pytest.approx(found.chance) == pytest.approx(100 / 3)


def test_agreement_of_strangers_is_chance():
    rng = np.random.default_rng(3)
    found = agreement(rng.standard_normal((900, 20)), rng.standard_normal((900, 2)), rng.integers(0, 3, size=900))
    assert found.chance == pytest.approx(100 / 3, abs=0.5)
    assert found.in_space == pytest.approx(found.chance, abs=2)
    assert found.in_picture == pytest.approx(found.chance, abs=2)


def test_the_most_frequent_classes_come_first_and_equal_ones_by_name():
    assert most_frequent(["b", "c", "a", "c", "b", "d", "c"], 3) == ("c", "b", "a")
    assert most_frequent(["b"], 3) == ("b",)
