"""Errors in the user's words: models and tasks know videos and texts by opaque ids, people by their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from bench.data.dataset import Dataset
from bench.data.texts import texts_of
from bench.errors import BenchError, ModelError, VerificationError
from bench.inputs import View

OPAQUE = re.compile(r"\b[0-9a-f]{16}\b")
"""What `bench.data.digests.opaque_id` makes."""


@contextmanager
def own_names(dataset: Dataset, split: str, view: View) -> Iterator[None]:
    """Puts the user's ids in place of opaque ones in errors about a model's answers to a split."""
    try:
        yield
    except (ModelError, VerificationError) as error:
        said = str(error)
        names = _names(dataset, split, view) if OPAQUE.search(said) else {}
        named = OPAQUE.sub(lambda match: names.get(match.group(), match.group()), said)
        if named == said:
            raise
        raise type(error)(named) from error


def _names(dataset: Dataset, split: str, view: View) -> dict[str, str]:
    """Returns opaque id -> own id of every video and text of a split, and of the videos of the training splits."""
    splits = (split, *(name for name in dataset.tables if name != split))
    names = {dataset.opaque(one, "video", v): repr(v) for one in splits for v in dataset.columns(one)["video_id"]}
    try:
        texts = texts_of(dataset, split, range(len(dataset.columns(split)["video_id"])), view)
    except BenchError:  # a split that nobody describes, such as one of classes alone, has no texts to name
        return names
    return {**names, **{text.opaque: repr(text.name) for text in texts}}
