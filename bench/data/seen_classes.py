"""What was known of the classes before a zero-shot test: names in training captions, labels behind the features."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bench.data.declared import SAMPLE, SIMULATED

if TYPE_CHECKING:
    from bench.data.dataset import Dataset

_NO_WORD = re.compile(r"[^\w]+")


def remarks(dataset: Dataset, *, captions: bool) -> tuple[str, ...]:
    """Returns one line each for names in training captions, if asked for, and for what the features learned from."""
    lines = [named_in_captions(dataset)] if captions and dataset.declaration.captions else []
    declared = dataset.declaration.features
    if declared.reader in (SAMPLE, SIMULATED):
        return tuple(lines)
    what = declared.trained_on or "unknown (say it as trained_on under features in bench.yaml)"
    extractor = dataset.features.identity(()).extractor if dataset.class_splits else declared.name
    return (*lines, f"the features {extractor} were trained on: {what}")


def named_in_captions(dataset: Dataset) -> str:
    """Returns how many class names stand word for word in training captions, and how often a video's own one does."""
    if "train" not in dataset.tables:
        return "there are no training captions that could name the classes"
    columns = dataset.columns("train")
    names = [_plain(name) for name in dataset.class_names()]
    texts = {v: _plain(" ".join(told)) for v, told in zip(columns["video_id"], columns["sentences"], strict=True)}
    everything = " ".join(texts.values())
    named = sum(name in everything for name in names)
    line = f"{named} of {len(names)} class names stand word for word in the training captions"
    training = dataset.columns(dataset.class_splits[0]) if dataset.class_splits else {"video_id": []}
    both = [(texts[v], own) for v, own in zip(training["video_id"], training["labels"], strict=True) if v in texts]
    if not both:
        return line
    own = sum(any(names[label] in text for label in labels) for text, labels in both)
    return f"{line}; that of the video itself in {100 * own / len(both):.1f} % of them"


def _plain(text: str) -> str:
    """Returns the words of a text in lower case, one space around each."""
    return f" {_NO_WORD.sub(' ', text.casefold()).strip()} "
