"""Captions for tests, and pycocoevalcap's scores of them, computed in the same process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "captions"


@pytest.fixture(scope="session")
def golden() -> dict[str, Any]:
    """Returns captions and references as written, with the tokens and scores that pycocoevalcap gave for them."""
    entries = json.loads((GOLDEN / "captions.json").read_text(encoding="utf-8"))
    scores = json.loads((GOLDEN / "scores.json").read_text(encoding="utf-8"))
    return {
        "captions": [entry["caption"] for entry in entries],
        "references": [entry["references"] for entry in entries],
        **scores,
    }


@pytest.fixture(scope="session")
def reference_scores() -> Any:
    """Returns a function: tokenised captions and references -> corpus and item scores of pycocoevalcap, 0 to 1."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    def score(
        captions: Sequence[str], references: Sequence[Sequence[str]]
    ) -> tuple[dict[str, float], Mapping[str, Any]]:
        told = {i: list(texts) for i, texts in enumerate(references)}
        said = {i: [text] for i, text in enumerate(captions)}
        bleu, bleus = Bleu(4).compute_score(told, said, verbose=0)
        rouge, rouges = Rouge().compute_score(told, said)
        cider, ciders = Cider().compute_score(told, said)
        corpus = {**{f"BLEU@{k + 1}": value for k, value in enumerate(bleu)}, "ROUGE-L": rouge, "CIDEr": cider}
        items = {f"BLEU@{k + 1}": np.array(values) for k, values in enumerate(bleus)}
        return corpus, {**items, "ROUGE-L": rouges, "CIDEr": ciders}

    return score


@pytest.fixture(scope="session")
def java() -> str:
    """Returns the path of Java; skips the test where there is none."""
    from bench.metrics.captions.java import java_program

    found = java_program()
    if found is None:
        pytest.skip("needs Java (Debian: default-jre-headless)")
    return found
