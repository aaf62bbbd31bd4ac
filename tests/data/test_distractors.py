"""Hard negatives: one sentence of each paragraph is another's, and the draw is fixed."""

from __future__ import annotations

import pytest

from bench.data.distractors import with_one_sentence_swapped
from bench.errors import UsageError
from bench.inputs import Inputs


def inputs_of(*paragraphs):
    return Inputs(videos=None, paragraph_ids=tuple(f"p{i}" for i in range(len(paragraphs))), paragraphs=paragraphs)


PLAIN = inputs_of(("a", "b", "c"), ("d", "e"), ("f",), ("a", "g"))


@pytest.mark.parametrize("seed", range(20))
def test_one_sentence_differs_and_comes_from_another_paragraph(seed):
    swapped = with_one_sentence_swapped(PLAIN, seed)
    assert swapped.paragraph_ids == PLAIN.paragraph_ids
    for before, after in zip(PLAIN.paragraphs, swapped.paragraphs, strict=True):
        changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        assert len(changed) == 1
        assert changed[0][1] not in before
        assert any(changed[0][1] in other for other in PLAIN.paragraphs if other is not before)


def test_a_seed_fixes_the_draw_and_another_changes_it():
    assert with_one_sentence_swapped(PLAIN, 1) == with_one_sentence_swapped(PLAIN, 1)
    assert len({with_one_sentence_swapped(PLAIN, seed).paragraphs for seed in range(10)}) > 5


@pytest.mark.parametrize("paragraphs", [(("a", "b"),), (("a",), ("a",))])
def test_without_another_sentence_there_is_no_distractor(paragraphs):
    with pytest.raises(UsageError, match="can stand in"):
        with_one_sentence_swapped(inputs_of(*paragraphs), 0)
