"""How captions vary: repetition, diversity, vocabulary and length of what was said, whatever the references say.

`Rep-4`: of the 4-grams of a video's sentences, how many came before in them (MART's R@4). `Div-2`: distinct bigrams of
a video over its words. Both are means over the videos of which something was said; n-grams end with their sentence.
`Vocabulary`: distinct words of all sentences, in lower case. `Words/sentence`, and `Words/video` for paragraphs.

A word is what stands between spaces after one full stop at the end is taken off and commas are made spaces. Source:
Park et al., "Adversarial Inference for Multi-Sentence Video Description", CVPR 2019, and Lei et al., "MART", ACL 2020;
evaluateCaptionsDiversity.py and evaluateRepetition.py of jayleicn/recurrent-transformer (commit 3c31d24) give the same
for sentences that are not empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bench.metrics.captions.items import Sentence
from bench.results import Unit

COLUMNS = ("sentences", "words", "bigrams", "fourgrams", "repeated", "new")
"""Of each video: sentences with words, words, distinct bigrams, 4-grams, those that came before, and words in lower
case that no video before said: their sum is the vocabulary."""
_SENTENCES, _WORDS, _BIGRAMS, _FOURGRAMS, _REPEATED, _NEW = range(len(COLUMNS))


def variety_counts(videos: Sequence[Sequence[Sentence]]) -> np.ndarray:
    """Returns (V, 6) int64 counts of the sentences said of each video, see `COLUMNS`."""
    known: set[str] = set()
    rows = np.zeros((len(videos), len(COLUMNS)), dtype=np.int64)
    for row, sentences in zip(rows, videos, strict=True):
        said = [words for sentence in sentences if (words := words_of(sentence.text))]
        bigrams = {pair for words in said for pair in pairwise(words)}
        fours = Counter(four for words in said for four in zip(words, words[1:], words[2:], words[3:], strict=False))
        new = {word.lower() for words in said for word in words} - known
        known |= new
        row[:] = len(said), sum(map(len, said)), len(bigrams), fours.total(), fours.total() - len(fours), len(new)
    return rows


def words_of(text: str) -> list[str]:
    """Returns the words of a sentence as the published programs cut them; [] for one without any."""
    bare = text.removesuffix(".").rstrip(" ").replace(",", " ")
    while "  " in bare:
        bare = bare.replace("  ", " ")
    return bare.split(" ") if bare.strip() else []


@dataclass(frozen=True)
class Variety:
    """A measurement of how captions vary.

    Attributes:
        unit: of its value.
        higher_is_better: whether more is better; None for lengths and the vocabulary, of which neither is.
        of: counts (V, 6) -> (V, 2), whose summed first column over its summed second is the value.
        scale: what 1 of that is in `unit`.
        is_mean: whether it is a mean over videos or sentences, and so has an interval.
    """

    unit: Unit
    higher_is_better: bool | None
    of: Callable[[np.ndarray], np.ndarray]
    scale: float = 100.0
    is_mean: bool = True


def _share(part: int, whole: int) -> Callable[[np.ndarray], np.ndarray]:
    """Returns, for each video that has words, its own share, so that the value is their mean."""

    def rows(counts: np.ndarray) -> np.ndarray:
        shares = counts[:, part] / np.maximum(counts[:, whole], 1)
        return np.stack([shares, counts[:, _WORDS] > 0], axis=-1)

    return rows


MEASURED: Mapping[str, Variety] = {
    "Rep-4": Variety("percent", False, _share(_REPEATED, _FOURGRAMS)),
    "Div-2": Variety("percent", True, _share(_BIGRAMS, _WORDS)),
    "Vocabulary": Variety(
        "score", None, lambda c: np.stack([c[:, _NEW], np.arange(len(c)) == 0], -1), 1.0, is_mean=False
    ),
    "Words/sentence": Variety("score", None, lambda c: c[:, [_WORDS, _SENTENCES]], 1.0),
    "Words/video": Variety("score", None, lambda c: np.stack([c[:, _WORDS], c[:, _WORDS] > 0], -1), 1.0),
}


def ratio(rows: np.ndarray) -> np.ndarray:
    """Returns the first column of sums (…, 2) over the second; 0 where that is 0."""
    rows = np.asarray(rows, dtype=np.float64)
    above, below = rows[..., 0], rows[..., 1]
    return np.asarray(np.divide(above, below, out=np.zeros(np.shape(below)), where=below != 0))
