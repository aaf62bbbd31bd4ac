"""From an answer of one word or letter to how sure it is: by the probabilities of its first token, where given.

A word counts in whatever case and dress its tokens come: `Yes`, ` yes` and `yes.` are one. What is not among the
alternatives is less likely than the last of them, and is counted as that likely.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from bench.api import Answer

SPAN = 50.0
"""The surest verdict, also where no probabilities are given."""


def log_odds(answer: Answer) -> float:
    """Returns log(p(yes) / p(no)) within `SPAN`; a refusal is the surest no, an answer that is neither is 0."""
    if answer.how == "refused":
        return -SPAN
    yes, no = (_logarithm(answer, word) for word in ("yes", "no"))
    if yes is None or no is None:
        said = _word(answer.text)
        return {"yes": SPAN, "no": -SPAN}.get(said, 0.0)
    return min(max(yes - no, -SPAN), SPAN)


def shares(answer: Answer, words: Sequence[str]) -> list[float]:
    """Returns how likely each of some words is as the answer, together 1; equal where the answer is none of them."""
    if answer.how == "refused":
        return [1 / len(words)] * len(words)
    logarithms = [_logarithm(answer, word.lower()) for word in words]
    told = [value for value in logarithms if value is not None]
    if len(told) < len(words):
        said = _word(answer.text)
        hits = [word.lower() == said for word in words]
        return [float(hit) for hit in hits] if any(hits) else [1 / len(words)] * len(words)
    most = max(told)
    weights = [math.exp(value - most) for value in told]
    return [weight / sum(weights) for weight in weights]


def is_unclear(answer: Answer, words: Sequence[str]) -> bool:
    """Whether an answer that was given is none of the words that were asked for."""
    return answer.how != "refused" and _word(answer.text) not in {word.lower() for word in words}


def _logarithm(answer: Answer, word: str) -> float | None:
    """Returns the log-probability of a word as the first token, at most that of the last alternative where it is none.

    None without alternatives, and where no alternative is a word at all that could be meant.
    """
    if not answer.alternatives:
        return None
    meant = [value for token, value in answer.alternatives if _word(token) == word]
    if not meant:
        return answer.alternatives[-1][1]
    most = max(meant)
    return most + math.log(sum(math.exp(value - most) for value in meant))


def _word(text: str) -> str:
    """Returns the first word of a text in lower case; "" where there is none."""
    found = re.search(r"[A-Za-z]+", text[:200])
    return found[0].lower() if found else ""
