"""Hard negatives: a paragraph in which one sentence is another video's."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import chain

import numpy as np

from bench.errors import UsageError
from bench.inputs import Inputs
from bench.reading.numbers import number_of


def with_one_sentence_swapped(inputs: Inputs, seed: int) -> Inputs:
    """Returns the inputs with one sentence of each paragraph replaced by a sentence of another paragraph of theirs.

    Which one, and by which, is drawn from the seed and the paragraph's opaque id: a place in the paragraph, and a place
    among all sentences, from which the next one is taken that the paragraph does not hold.

    Raises: UsageError when there is no other sentence, such as in a test set of one paragraph.
    """
    sentences = tuple(chain.from_iterable(inputs.paragraphs))
    swapped = []
    for name, paragraph in zip(inputs.paragraph_ids, inputs.paragraphs, strict=True):
        number = hashlib.sha256(f"swapped\0{seed}\0{name}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(number))
        place, start = int(rng.integers(len(paragraph))), int(rng.integers(len(sentences)))
        walk = (sentences[(start + step) % len(sentences)] for step in range(len(sentences)))
        other = next((sentence for sentence in walk if sentence not in paragraph), None)
        if other is None:
            raise UsageError(
                f"no sentence of the {number_of(len(inputs.paragraphs), 'paragraph')} can stand in for one of another: "
                "two or more must differ. Raise --limit, or take another dataset."
            )
        swapped.append((*paragraph[:place], other, *paragraph[place + 1 :]))
    return replace(inputs, paragraphs=tuple(swapped), under=None)
