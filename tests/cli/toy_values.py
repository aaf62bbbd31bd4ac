"""A task with measurements of its own: how near in cosine each text comes to its video, among the nearest texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.api import View, hookimpl
from bench.task_api import ParagraphVideoRetrieval, QueryValues, Scored, measure, values_evidence


@dataclass(frozen=True)
class Nearness(ParagraphVideoRetrieval):
    """Texts are asked in pairs of neighbours, which share a "video" here: two queries each."""

    primary: ClassVar[str] = "near@0.5"

    def rules(self) -> Mapping[str, str]:
        return {"ties": "none"}

    def score(self, predictions, annotations, device):
        videos = dict(zip(predictions.video_ids, unit(predictions.videos), strict=True))
        texts = dict(zip(predictions.paragraph_ids, unit(predictions.paragraphs), strict=True))
        right = annotations.matching.by_text
        cosines = np.array([texts[text] @ videos[right[text][0]] for text in sorted(right)], dtype=np.float64)
        evidence = values_evidence(
            [
                QueryValues("near@0.5", 100.0 * (cosines >= 0.5), share=True),
                QueryValues("angle", np.arccos(np.clip(cosines, -1, 1)), unit="score", higher_is_better=False),
                QueryValues("sharpness", 1000.0 * cosines, unit="score", higher_is_better=None),
                QueryValues("median angle", np.arccos(np.clip(cosines, -1, 1)), "median", "score", False),
            ],
            annotations.pool,
            len(annotations),
            [i // 2 for i in range(len(cosines))],
        )
        return Scored(measure(evidence), evidence)


class Undeclared(Nearness):
    """The same with evidence of a kind that nobody knows."""

    def score(self, predictions, annotations, device):
        from dataclasses import replace

        scored = super().score(predictions, annotations, device)
        return replace(scored, evidence=replace(scored.evidence, kind="mine"))


class Described(Nearness):
    """The same, ranked by what has no direction."""

    primary: ClassVar[str] = "sharpness"


class Apart(Nearness):
    """The same with queries of one video that stand apart."""

    def score(self, predictions, annotations, device):
        values_evidence([QueryValues("a", [1.0, 2.0, 3.0])], annotations.pool, len(annotations), ["x", "y", "x"])


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@hookimpl
def bench_tasks(datasets):
    view = View("gt")
    return [
        kind(name, "anet", "val_1", view, view)
        for name, kind in (
            ("anet-nearness", Nearness),
            ("anet-undeclared", Undeclared),
            ("anet-apart", Apart),
            ("anet-described", Described),
        )
    ]
