"""Captions for `peers.py`, and what each scorer makes of them: bench, pycocoevalcap, evaluate and others."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from peers_retrieval import SEED, measured_by_bench, scratch

Captions = dict[str, list[str]]


def corpus(videos: int) -> tuple[Captions, Captions]:
    """Returns one caption and three references for each video, as people write: capitals, commas, full stops."""
    rng = np.random.default_rng(SEED)
    who = ["A man", "The woman", "Two boys", "A dog", "An old lady", "The players"]
    does = ["rides", "is washing", "runs past", "doesn't see", "picks up", "slowly paints"]
    what = ["a horse", "the red car", "a well-worn ball", "some vegetables", "the fence", "his brother's bike"]
    where = ["in the park", "on a street, at night", "near the lake", "in front of a crowd", "at home", "on stage"]

    def told(video: int) -> str:
        parts = [
            words[video % 6] if rng.random() < 0.6 else words[rng.integers(6)] for words in (who, does, what, where)
        ]
        return " ".join(parts) + "."

    said = {f"v{video:02}": [told(video)] for video in range(videos)}
    return said, {f"v{video:02}": [told(video) for _ in range(3)] for video in range(videos)}


Scores = dict[str, float]
METRICS = ("BLEU@4", "METEOR", "ROUGE-L", "CIDEr")


def captions_by_bench(said: Captions, told: Captions) -> Scores:
    folder = Path(tempfile.mkdtemp(dir=scratch()))
    for name, value in (("said", said), ("told", told)):
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    files = ("--predictions", str(folder / "said.json"), "--references", str(folder / "told.json"))
    return measured_by_bench("captions", *files, "--protocol", "corpus")


def cut(texts: Captions) -> Captions:
    """Returns texts as the PTB tokeniser of pycocoevalcap cuts them: a program that is started once for equal texts."""
    return _cut(json.dumps(texts))


@cache
def _cut(texts: str) -> Captions:
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    captions = {video: [{"caption": text} for text in own] for video, own in json.loads(texts).items()}
    return dict(PTBTokenizer().tokenize(captions))


@cache
def coco_meteor() -> Any:
    """Returns the METEOR of pycocoevalcap, a program that takes seconds to start, for all rows."""
    from pycocoevalcap.meteor.meteor import Meteor

    return Meteor()


def captions_by_pycocoevalcap(said: Captions, told: Captions, *, tokens: str = "both", mean: bool = False) -> Scores:
    """Scores of pycocoevalcap: `tokens` of both, of the references or of none; of the corpus, or the captions' mean."""
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    hypotheses = cut(said) if tokens == "both" else said
    references = told if tokens == "none" else cut(told)
    found = {}
    for name, scorer in (("BLEU@4", Bleu(4)), ("METEOR", coco_meteor()), ("ROUGE-L", Rouge()), ("CIDEr", Cider())):
        whole, each = scorer.compute_score(references, hypotheses)
        whole, each = (whole[3], each[3]) if name == "BLEU@4" else (whole, each)
        found[name] = 100 * float(np.mean(each) if mean else whole)
    return found


def captions_by_evaluate(folder: Path | None) -> Callable[[Captions, Captions], Scores]:
    """Returns the scorer of evaluate's metrics in a folder; those that lack a download are left out."""

    def scored(said: Captions, told: Captions) -> Scores:
        import evaluate

        if folder is None:
            raise ModuleNotFoundError("the metrics of evaluate")
        texts = {"predictions": [own[0] for own in said.values()], "references": [told[video] for video in said]}
        found = {}
        for name, metric, part in (
            ("BLEU@4", "bleu", "bleu"),
            ("METEOR", "meteor", "meteor"),
            ("ROUGE-L", "rouge", "rougeL"),
        ):
            try:
                value = evaluate.load(str(folder / metric / f"{metric}.py")).compute(**texts)[part]
            except (ConnectionError, LookupError):
                continue
            found[name] = 100 * float(value)
        return found

    return scored


def captions_by_nltk(said: Captions, told: Captions) -> Scores:
    """BLEU@4 of nltk's corpus_bleu, of texts cut at blanks."""
    from nltk.translate.bleu_score import corpus_bleu

    references = [[text.split() for text in told[video]] for video in said]
    return {"BLEU@4": 100 * float(corpus_bleu(references, [own[0].split() for own in said.values()]))}


def captions_by_rouge(said: Captions, told: Captions) -> Scores:
    """ROUGE-L of the package rouge, by the first reference: it takes one."""
    from rouge import Rouge

    pairs = [(own[0], told[video][0]) for video, own in said.items()]
    return {"ROUGE-L": 100 * float(Rouge().get_scores(*zip(*pairs, strict=True), avg=True)["rouge-l"]["f"])}


def shards(said: Captions, told: Captions, size: int) -> Scores:
    """Returns the mean over parts of `size` videos of the CIDEr that pycocoevalcap gives for each part."""
    from pycocoevalcap.cider.cider import Cider

    hypotheses, references, videos = cut(said), cut(told), list(said)
    parts = [videos[start : start + size] for start in range(0, len(videos), size)]
    found = [
        Cider().compute_score({v: references[v] for v in own}, {v: hypotheses[v] for v in own})[0] for own in parts
    ]
    return {"CIDEr": 100 * float(np.mean(found))}


def caption_rows(videos: int, metrics: Path | None) -> list[tuple[str, str, Callable[[], Scores]]]:
    """Returns what is given, the package that it is given to, and what computes it."""
    said, told = corpus(videos)
    split = {
        video: [text.replace(" ", "\u2028", 1) if video == "v04" else text for text in own]
        for video, own in said.items()
    }
    steps = {f"v{n:02}": ["cut the onion" if n % 2 else "fry the onion in hot oil"] for n in range(videos)}
    repeated = {video: [" ".join(own * 3)] for video, own in steps.items()}
    of_coco, of_evaluate = captions_by_pycocoevalcap, captions_by_evaluate(metrics)
    return [
        ("texts as written: bench", "vtbench", lambda: captions_by_bench(said, told)),
        ("PTB tokens on both sides: pycocoevalcap", "pycocoevalcap", lambda: of_coco(said, told)),
        ("texts as written: pycocoevalcap", "pycocoevalcap", lambda: of_coco(said, told, tokens="none")),
        (
            "PTB tokens of the references only: pycocoevalcap",
            "pycocoevalcap",
            lambda: of_coco(said, told, tokens="refs"),
        ),
        ("texts as written: evaluate", "evaluate", lambda: of_evaluate(said, told)),
        ("mean of the captions' own scores: pycocoevalcap", "pycocoevalcap", lambda: of_coco(said, told, mean=True)),
        ("mean of shards of 12 videos: pycocoevalcap", "pycocoevalcap", lambda: shards(said, told, 12)),
        ("mean of shards of 1 video: pycocoevalcap", "pycocoevalcap", lambda: shards(said, told, 1)),
        ("one caption holds U+2028: bench", "vtbench", lambda: captions_by_bench(split, told)),
        ("one caption holds U+2028: pycocoevalcap", "pycocoevalcap", lambda: of_coco(split, told)),
        ("the references themselves, half of three words: bench", "vtbench", lambda: captions_by_bench(steps, steps)),
        ("the same: pycocoevalcap", "pycocoevalcap", lambda: of_coco(steps, steps)),
        ("the same: nltk", "nltk", lambda: captions_by_nltk(steps, steps)),
        ("each reference said three times over: bench", "vtbench", lambda: captions_by_bench(repeated, steps)),
        ("the same: pycocoevalcap", "pycocoevalcap", lambda: of_coco(repeated, steps)),
        ("the same: rouge", "rouge", lambda: captions_by_rouge(repeated, steps)),
    ]
