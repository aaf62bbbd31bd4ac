"""Which words of a caption are in its references, and where they stand in what was written.

Words are the tokens that the caption was scored by. A word is matched as BLEU@1 counts it: at most as often as in the
reference that has it most often, the first ones of the caption. In a reference, a word is matched as often as the
caption says it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bench.leaderboard.pages.wording import plain

Pieces = tuple[tuple[str, bool], ...]
"""A text cut where marks begin or end: each piece, and whether it is marked."""


def matched(caption: Sequence[str], references: Sequence[Sequence[str]]) -> list[bool]:
    """Returns for each word of a caption whether it is matched."""
    most: Counter[str] = Counter()
    for reference in references:
        most |= Counter(reference)
    return taken(caption, most)


def taken(words: Sequence[str], times: Counter[str]) -> list[bool]:
    """Returns for each word whether it is among the first `times` of its kind."""
    seen: Counter[str] = Counter()
    found = []
    for word in words:
        seen[word] += 1
        found.append(seen[word] <= times[word])
    return found


def pieces(text: str, words: Sequence[str], marks: Sequence[bool], longest: int) -> Pieces:
    """Returns a text of at most `longest` characters with its matched words marked.

    A word that is not in the text as it stands, such as a bracket that is scored as `-lrb-`, bears no mark.
    """
    shown = plain(text, longest)
    lower = shown.lower()
    if len(lower) != len(shown):  # a few letters have two in lower case: places would shift
        lower = "".join(letter.lower()[:1] for letter in shown)
    cut: list[tuple[str, bool]] = []
    end = 0
    for word, marked in zip(words, marks, strict=True):
        start = _start(lower, word, end)
        if start < 0:
            continue
        cut += [(shown[end:start], False), (shown[start : start + len(word)], marked)]
        end = start + len(word)
    cut.append((shown[end:], False))
    return _joined(cut)


def _start(text: str, word: str, end: int) -> int:
    """Returns where a word stands next, -1 if nowhere: not inside a longer word, unless that began the one before."""
    start = text.find(word, end)
    while start > end and text[start - 1].isalnum() and word[:1].isalnum():
        start = text.find(word, start + 1)
    return start


def _joined(cut: Sequence[tuple[str, bool]]) -> Pieces:
    """Returns pieces without empty ones, neighbours of one kind as one; two marked words with a space between stay."""
    joined: list[tuple[str, bool]] = []
    for text, marked in cut:
        if not text:
            continue
        if joined and joined[-1][1] == marked:
            joined[-1] = (joined[-1][0] + text, marked)
        else:
            joined.append((text, marked))
    return tuple(joined)
