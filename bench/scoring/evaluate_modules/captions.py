"""Our caption metrics as a module of `evaluate`: `evaluate.load(".../bench/scoring/evaluate_modules/captions.py")`.

`evaluate` copies this file and imports the copy, so it stands alone and imports what it needs by full names.
"""

from __future__ import annotations

from typing import Any

import datasets
import evaluate

from bench.metrics.captions.evidence import names_of, value_of
from bench.metrics.captions.items import Sentence, VideoCaptions, rules
from bench.metrics.captions.scoring import score

_CITATION = "bench, https://pypi.org/project/vtbench: BLEU, METEOR, ROUGE-L and CIDEr as coco-caption computes them."
_INPUTS = """
Args:
    predictions: one caption for each item.
    references: the references of each item.
    java: count by METEOR and the PTB tokeniser in Java, the references of our own (default: False).
Returns:
    BLEU@1 to BLEU@4, METEOR, ROUGE-L and CIDEr; all from 0 to 100, CIDEr to 1000.
"""


class CaptionMetrics(evaluate.Metric):  # type: ignore[misc]
    """BLEU@1-4, METEOR, ROUGE-L and CIDEr of captions that are one corpus."""

    def _info(self) -> Any:
        texts = datasets.Value("string")
        return evaluate.MetricInfo(
            description=self.__doc__ or "",
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": texts, "references": datasets.Sequence(texts)}),
        )

    def _compute(self, predictions: list[str], references: list[list[str]], java: bool = False) -> dict[str, float]:
        videos = [
            VideoCaptions(f"{number:012d}", (Sentence(caption),), tuple((Sentence(text),) for text in texts))
            for number, (caption, texts) in enumerate(zip(predictions, references, strict=True))
        ]
        evidence = score(videos, rules("corpus", java=java)).evidence
        return {name: value_of(evidence, name) for name in names_of(evidence)}
