"""Captions become measurements and evidence: the one door for tasks and for files that somebody else's model wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from bench.files import digest
from bench.metrics.captions.bleu import bleu_counts
from bench.metrics.captions.cider import cider
from bench.metrics.captions.dense import dense_pairs, summed
from bench.metrics.captions.evidence import KIND, item_values, measure, smallest
from bench.metrics.captions.items import TIOUS, Rules, VideoCaptions
from bench.metrics.captions.meteor.counting import meteor_counts
from bench.metrics.captions.meteor.formula import meteor
from bench.metrics.captions.meteor.program import MeteorProgram
from bench.metrics.captions.ngrams import ngram_counts
from bench.metrics.captions.pairing import Item, check, corpus_items, dense_videos, paragraph_items
from bench.metrics.captions.rouge import rouge_l
from bench.metrics.captions.soda import soda_c
from bench.metrics.captions.texts import Items, cut_at_spaces, encode, number_items
from bench.metrics.captions.tokenising import tokenised
from bench.metrics.captions.variety import variety_counts
from bench.results import Evidence, Measurement

__all__ = [
    "CaptionScores",
    "Item",
    "Members",
    "Rules",
    "VideoCaptions",
    "caption_counts",
    "item_values",
    "pool_of",
    "score",
]

_SINGLE = "CIDEr of a single item is 0: every n-gram occurs in all of the references"


@dataclass(frozen=True)
class CaptionScores:
    """What captions are worth.

    Attributes:
        measurements: BLEU@1-4, METEOR unless left out, ROUGE-L and CIDEr, percent; where whole videos are told about,
            SODA_c and how captions vary.
        evidence: enough to recompute each of them.
        items: what the rows of the evidence are, in its order; empty for `densevid`, whose rows are videos.
        notes: remarks for the user, such as how many videos are missing.
        expected: items of the test set, with those left out for want of a prediction.
    """

    measurements: tuple[Measurement, ...]
    evidence: Evidence
    items: tuple[Item, ...]
    notes: tuple[str, ...]
    expected: int

    @property
    def whole(self) -> bool:
        """Whether nothing was left out for want of a prediction."""
        return self.expected == sum(self.evidence.n_items.values())


def score(videos: Sequence[VideoCaptions], rules: Rules, pool: str | None = None) -> CaptionScores:
    """Returns the scores of predicted captions; the order of videos and sentences does not matter.

    Args:
        pool: SHA-256 of the test set; None for that of the references.

    Raises: InvalidData for what cannot be scored, MissingData where a prediction is missing and that is an error,
    ToolError when Java is needed and fails.
    """
    check(videos)
    pool = pool or pool_of(videos)
    if rules.protocol == "densevid":
        selected = dense_videos(videos, rules)
        evidence = _dense(selected.chosen, rules, pool)
        return CaptionScores(measure(evidence), evidence, (), selected.notes, selected.expected)
    selected = (corpus_items if rules.protocol == "corpus" else paragraph_items)(videos, rules)
    items: tuple[Item, ...] = selected.chosen
    counts = caption_counts([item.caption for item in items], [item.references for item in items], rules)
    _, video = np.unique([item.video for item in items], return_inverse=True)
    if rules.protocol == "paragraph":
        said = {video.video: video.predicted or () for video in videos}
        counts["variety"] = variety_counts([said[item.video] for item in items])
    evidence = _evidence({"video": video, **counts}, rules, len(items), pool)
    notes = selected.notes + ((_SINGLE,) if len(items) == 1 else ())
    return CaptionScores(measure(evidence), evidence, items, notes, selected.expected)


def pool_of(videos: Sequence[VideoCaptions]) -> str:
    """Returns the SHA-256 of the references: which videos, which annotations, which sentences and times."""
    return digest(
        [
            [video.video, [[[s.text, list(s.segment or ())] for s in annotation] for annotation in video.references]]
            for video in sorted(videos, key=lambda video: video.video)
        ]
    )


def caption_counts(
    captions: Sequence[str],
    references: Sequence[Sequence[str]],
    rules: Rules,
    members: Members | None = None,
    for_meteor: int = 0,
) -> dict[str, np.ndarray]:
    """Returns what was counted for each item: arrays `bleu` (n, 10), `rouge` (n,), `cider` and, if asked, `meteor`.

    Args:
        captions: (n,) as written.
        references: (n,) as written, at least one of each.
        members: which item belongs to which corpus; None where all are one. `cider` has a row for each member.
        for_meteor: how many items, the last ones, are counted by METEOR alone.
    """
    cut = _tokenised([*captions, *(text for texts in references for text in texts)], rules)
    mine = [cut[text] for text in captions]
    theirs = [[cut[text] for text in texts] for texts in references]
    pairs = list(zip(mine, theirs, strict=True))
    with ExitStack() as stack:
        # the program loads its tables while the rest is scored
        program = stack.enter_context(MeteorProgram(pairs)) if rules.meteor == "java" else None
        compared = len(mine) - for_meteor
        sentences, items = number_items(mine[:compared], theirs[:compared])
        texts = encode(sentences)
        orders = list(ngram_counts(texts))
        counts = {
            "bleu": bleu_counts(texts, orders, items),
            "rouge": rouge_l(cut_at_spaces(sentences, texts), items),
            "cider": cider(texts, orders, members.of(items) if members else items),
        }
        if rules.meteor != "none":
            counts["meteor"] = program.counts() if program is not None else meteor_counts(pairs)
    return counts


@dataclass(frozen=True)
class Members:
    """Which item belongs to which corpus; an item may belong to several.

    Attributes:
        item: (m,) int64.
        corpus: (m,) int64, rising.
    """

    item: np.ndarray
    corpus: np.ndarray

    def of(self, items: Items) -> Items:
        """Returns one item for each member, of items with one reference each."""
        one = np.ones(len(self.item), dtype=np.int64)
        return Items(items.captions[self.item], items.references[self.item], one, self.corpus)


def _dense(kept: Sequence[VideoCaptions], rules: Rules, pool: str) -> Evidence:
    pairs = dense_pairs(kept, rules)
    members = Members(pairs.pair, pairs.corpus)
    told = [(text,) for text in pairs.references]
    counts = caption_counts(pairs.captions, told, rules, members, pairs.only_told)
    corpora, shape = len(kept) * len(TIOUS), (len(kept), len(TIOUS))
    sizes = np.bincount(pairs.corpus, minlength=corpora)
    arrays = {"pairs": sizes.reshape(shape), "variety": variety_counts([video.predicted or () for video in kept])}
    if "meteor" in counts:
        arrays["soda"] = soda_c(pairs.stories, meteor(counts["meteor"].astype(np.int64)))
    for name, rows in counts.items():
        of_members = rows if name == "cider" else rows[pairs.pair]
        totals = summed(of_members, pairs.corpus, corpora)
        arrays[name] = (totals if rows.ndim > 1 else totals / np.maximum(sizes, 1)).reshape(*shape, *rows.shape[1:])
    return _evidence(arrays, rules, len(kept), pool)


def _evidence(counts: Mapping[str, np.ndarray], rules: Rules, n: int, pool: str) -> Evidence:
    arrays = {name: array if array.dtype.kind == "f" else smallest(array) for name, array in counts.items()}
    return Evidence(counts=arrays, pool=pool, n_items={rules.protocol: n}, kind=KIND)


def _tokenised(sentences: Sequence[str], rules: Rules) -> dict[str, str]:
    distinct = list(dict.fromkeys(sentences))
    return dict(zip(distinct, tokenised(distinct, rules.tokeniser), strict=True))
