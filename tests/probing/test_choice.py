"""The probe whole: which C is chosen and on what, few shots, and training sets that cannot be learned from."""

from __future__ import annotations

import numpy as np
import pytest
from probing_data import thumos14_videos

from bench.errors import InvalidData, ModelError, UsageError
from bench.metrics.class_measurements import measure
from bench.metrics.classification import count_classes, truth_of
from bench.probing.choice import (
    ABSENT,
    STRENGTHS,
    Labelled,
    few_shots,
    fitted_probe,
    held_out_places,
    normalised,
)

NAMES = tuple("abcde")


def world(per_class: int = 10, d: int = 16, noise: float = 1.0, seed: int = 0) -> Labelled:
    rng = np.random.default_rng(seed)
    labels = np.arange(5 * per_class) % 5
    rows = rng.normal(size=(5, d))[labels] + noise * rng.normal(size=(len(labels), d))
    return Labelled(rows.astype(np.float32), tuple((int(i),) for i in labels), NAMES)


def probe(data: Labelled, seed: int = 0):
    return fitted_probe(data, seed, "cpu", lambda done, total: None)


def test_every_c_is_tried_on_the_held_out_part_and_the_best_one_refitted() -> None:
    seen = []
    found = fitted_probe(world(), 0, "cpu", lambda done, total: seen.append((done, total)))
    assert tuple(found.held_out) == STRENGTHS
    assert found.held_out[found.fit.c] == max(found.held_out.values())
    assert found.problem.n == 50
    assert seen == [(i, 9) for i in range(1, 10)]


def test_log_probabilities_are_normalised_and_do_not_depend_on_lengths() -> None:
    found, rows = probe(world()), world(seed=1).embeddings
    scores = found.log_probabilities(rows)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(found.log_probabilities(7 * rows), scores, atol=1e-4)


def test_one_seed_repeats_and_another_holds_out_other_videos() -> None:
    main = world().main
    assert held_out_places(main, 3).tolist() == held_out_places(main, 3).tolist()
    assert held_out_places(main, 3).tolist() != held_out_places(main, 4).tolist()


def test_a_fifth_of_every_class_is_held_out_and_never_its_only_video() -> None:
    main = np.array([0] * 20 + [1] * 2 + [2])
    for seed in range(5):
        held = main[held_out_places(main, seed)]
        assert np.bincount(held, minlength=3).tolist() == [4, 1, 0]


def test_groups_are_never_split_and_a_class_of_one_group_keeps_it() -> None:
    main = np.repeat([0, 1, 2], [40, 10, 6])
    groups = [*np.repeat(range(8), 5), *np.repeat([8, 9], 5), *[10] * 6]
    for seed in range(5):
        places = held_out_places(main, seed, groups)
        held = set(np.array(groups)[places])
        assert places.tolist() == [i for i, group in enumerate(groups) if group in held]
        assert np.bincount(main[places], minlength=3).tolist() == [10, 5, 0]
    assert held_out_places(main, 1, groups).tolist() != held_out_places(main, 2, groups).tolist()


def test_a_group_of_several_classes_takes_no_more_than_half_of_any() -> None:
    main = np.array([0, 0, 0, 1, 0, 1, 1, 1, 0, 1])
    groups = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
    for seed in range(5):
        assert held_out_places(main, seed, groups).tolist() == [8, 9]


def test_more_shots_keep_the_fewer() -> None:
    main = world().main
    two, four = few_shots(main, 2, 1), few_shots(main, 4, 1)
    assert set(two) < set(four)
    assert np.bincount(main[four]).tolist() == [4] * 5


def test_more_shots_than_the_smallest_class_has_are_refused() -> None:
    with pytest.raises(UsageError, match=r"shots=3: the smallest class has 2 training videos"):
        few_shots(np.array([0, 0, 0, 1, 1]), 3, 0)


def test_one_video_a_class_leaves_nothing_to_hold_out_and_takes_the_largest_c() -> None:
    found = probe(world(per_class=1))
    assert found.held_out == {}
    assert found.fit.c == STRENGTHS[-1]


def test_a_class_without_training_videos_is_never_predicted() -> None:
    data = world()
    kept = np.flatnonzero(data.main != 2)
    found = probe(data.at(kept))
    scores = found.log_probabilities(data.embeddings)
    assert (scores[:, 2] == ABSENT).all()
    assert (scores.argmax(axis=1) != 2).all()
    assert np.isfinite(scores).all()


def test_one_class_alone_cannot_be_learned() -> None:
    with pytest.raises(InvalidData, match="at least two classes; 4 videos of 1 are here"):
        probe(Labelled(np.eye(4, dtype=np.float32), ((1,),) * 4, NAMES))


def test_an_embedding_of_zeros_is_an_error() -> None:
    rows = np.ones((3, 4), dtype=np.float32)
    rows[1] = 0.0
    with pytest.raises(ModelError, match=r"1 of 3 embeddings are all zeros \(first at row 1\)"):
        normalised(rows)


def test_columns_that_say_nothing_change_nothing() -> None:
    data = world()
    padded = Labelled(np.pad(data.embeddings, ((0, 0), (0, 4))), data.labels, NAMES)
    one, other = (probe(d).log_probabilities(d.embeddings) for d in (data, padded))
    np.testing.assert_allclose(one, other, atol=0.02)


def test_the_probe_beats_nearest_neighbours_on_thumos14(shared) -> None:
    """1-nearest neighbour from validation to test: 75.9 % of the most frequent labels."""
    (rows, labels), (test_rows, test_labels) = thumos14_videos(shared)
    names = tuple(map(str, range(20)))
    nearest = np.array([own[0] for own in labels])[(test_rows @ rows.T).argmax(axis=1)]
    assert 100 * np.mean([near == own[0] for near, own in zip(nearest, test_labels, strict=True)]) == pytest.approx(
        75.94, abs=0.01
    )
    found = probe(Labelled(rows, tuple(labels), names))
    evidence = count_classes(found.log_probabilities(test_rows), truth_of(test_labels, names), "0" * 64)
    main = {m.name: m for m in measure(evidence)}["main/top1"]
    assert main.ci95 is not None
    assert main.ci95[0] > 75.94
