"""Captions that people labelled: what tells whether a judge says what people say. JSON Lines, one label a line.

    {"caption": "a man runs", "references": ["somebody is running"], "label": 4, "video": "v_1", "judge": "Ada"}

A label is a number on any scale on which more is better; of several labels of one caption of a video their mean counts.
`video` and `judge` may be left out: captions of one video are resampled together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.data.readers.json_files import json_lines
from bench.errors import InvalidData
from bench.reading.outside import Form, read_text

KEYS = frozenset({"caption", "references", "label", "video", "judge"})
LINE = '{"caption": "a man runs", "references": ["somebody is running"], "label": 4}'
FORM = Form("a file of labels", ("json", "text"), f"A line is such as {LINE}.")


@dataclass(frozen=True)
class LabelledCaption:
    """A caption beside its references, and what people made of it.

    Attributes:
        caption, references: as written.
        label: mean of its labels.
        video: what it is about, as the file calls it, and what it is resampled with; its line where none is named.
        line: FILE:NUMBER, where it is labelled first.
    """

    caption: str
    references: tuple[str, ...]
    label: float
    video: str
    line: str


def read_labels(paths: Sequence[Path]) -> tuple[LabelledCaption, ...]:
    """Returns the labelled captions of files, each once, in their order.

    Raises: MissingData where a file is not there; InvalidData for one of another form, or with none.
    """
    labels: dict[tuple[str, tuple[str, ...], str], list[float]] = {}
    lines_of: dict[tuple[str, tuple[str, ...], str], str] = {}
    for path in paths:
        for number, value in json_lines(path, FORM, read_text(path, FORM)):
            caption, label = _labelled(f"{path}:{number}", value)
            labels.setdefault(caption, []).append(label)
            lines_of.setdefault(caption, f"{path}:{number}")
    if not labels:
        raise InvalidData(f"{', '.join(map(str, paths))}: no label. {FORM.remedy}")
    return tuple(
        LabelledCaption(said, references, math.fsum(given) / len(given), video or line, line)
        for ((said, references, video), given), line in zip(labels.items(), lines_of.values(), strict=True)
    )


def _labelled(where: str, value: Any) -> tuple[tuple[str, tuple[str, ...], str], float]:
    """Returns caption with references and video, "" where none is named, and the label. Raises: InvalidData."""
    if not isinstance(value, dict) or not {"caption", "references", "label"} <= set(value) <= KEYS:
        raise InvalidData(f"{where}: expected caption, references and label, and maybe video and judge. {FORM.remedy}")
    caption, references, label = value["caption"], value["references"], value["label"]
    texts = isinstance(references, list) and references and all(isinstance(one, str) for one in references)
    if not isinstance(caption, str) or not texts:
        raise InvalidData(f"{where}: the caption is a text, and references are a list of one text or more.")
    if not isinstance(label, int | float) or isinstance(label, bool) or not math.isfinite(label):
        raise InvalidData(f"{where}: the label is a number.")
    return (caption, tuple(references), str(value.get("video") or "")), float(label)
