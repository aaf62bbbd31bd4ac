"""Captions as words, the way coco-caption cuts them: PTB tokens in lower case, joined by spaces, without punctuation.

Stanford's tokeniser needs Java; ours follows its rules for what captions hold and needs nothing. Both are given
sentences on one line: every kind of line break and control character becomes a space, or all later captions of a file
would be compared with the wrong references.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from bench.errors import ToolError
from bench.metrics.captions.items import Tokeniser
from bench.metrics.captions.java import PATIENCE, JavaLines, jar
from bench.metrics.captions.ptb_rules import NAMES, SHORT, TOKEN, plain

PUNCTUATION = frozenset(
    ["''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";"]
)
"""What coco-caption drops. The brackets are in capitals there and so never occur: `-lrb-` stays a word."""

_PLAIN = re.compile(r"[a-z ,]*[a-z]{2}\.?")
"""Sentences of words and commas, which need few rules."""
_SPECIAL = frozenset(["cannot", "gonna", "wanna", "gotta", "lemme", "gimme", *SHORT.split(), *NAMES.split()])
"""Words of plain sentences that have rules of their own, at least where a dot follows."""
_WRITTEN = {"[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
_QUOTES = frozenset('"“”’‘«»‹›‐‑‒–—―…')
_INITIAL = re.compile(r"(?<!\w)[A-Za-z]\.\W*$")
_RULE = re.compile(r"\.{2,}|-{2,}")


def one_line(text: str) -> str:
    """Returns a caption without line breaks, control characters or surplus spaces."""
    return (
        " ".join(text.split()) if text.isprintable() else " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())
    )


def tokenised(sentences: Sequence[str], tokeniser: Tokeniser, patience: float = PATIENCE) -> list[str]:
    """Returns each sentence as words joined by single spaces; equal sentences are cut once.

    Raises: ToolError when Java is missing or fails.
    """
    lines = [one_line(sentence) for sentence in sentences]
    distinct = list(dict.fromkeys(lines))
    cut = _ptb(distinct, patience) if tokeniser == "ptb" else [_regex(line) for line in distinct]
    words_of = dict(zip(distinct, cut, strict=True))
    return [words_of[line] for line in lines]


@lru_cache(maxsize=1 << 15)  # the references of a test set are cut for every model that is scored on it
def _regex(sentence: str) -> str:
    lower = sentence.lower()
    if _PLAIN.fullmatch(lower) and _SPECIAL.isdisjoint(words := lower.removesuffix(".").replace(",", " ").split()):
        return " ".join(words)
    if not sentence.isascii() or "&" in sentence:
        sentence = plain(sentence)
    return " ".join(_word(token) for token in TOKEN.findall(sentence) if not _dropped(token))


def _word(token: str) -> str:
    token = _WRITTEN.get(token, token).lower().replace("’", "'").replace(" ", "\xa0")
    return token.replace("(", "-lrb-").replace(")", "-rrb-") if "(" in token or ")" in token else token


def _dropped(token: str) -> bool:
    return token in PUNCTUATION or token in _QUOTES or _RULE.fullmatch(token) is not None


def _ptb(sentences: Sequence[str], patience: float) -> list[str]:
    arguments = ("-cp", str(jar("tokenizer", "stanford-corenlp-3.4.1.jar")), "edu.stanford.nlp.process.PTBTokenizer")
    # It looks into the next line: "T." keeps its dot unless a word like "The" follows. A line of ours lies between.
    guarded = [
        line for sentence in sentences for line in ((sentence, "x") if _INITIAL.search(sentence) else (sentence,))
    ]
    with JavaLines("the PTB tokeniser", (*arguments, "-preserveLines", "-lowerCase"), patience) as program:
        program.send(guarded)
        lines = program.answers(len(guarded))
        if not program.ended():
            raise ToolError("the PTB tokeniser gave more lines than it was given: captions and answers do not match.")
    answers = iter(lines)
    lines = [(next(answers), _INITIAL.search(sentence) and next(answers))[0] for sentence in sentences]
    return [" ".join(word for word in line.rstrip().split(" ") if word not in PUNCTUATION) for line in lines]
