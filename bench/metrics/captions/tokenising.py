"""Captions as words, the way coco-caption cuts them: PTB tokens in lower case, joined by spaces, without punctuation.

Stanford's tokeniser needs Java; ours follows its rules for plain English sentences and needs nothing. Both are given
sentences on one line: every kind of line break and control character becomes a space, or all later captions of a file
would be compared with the wrong references.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bench.errors import ToolError
from bench.metrics.captions.items import Tokeniser
from bench.metrics.captions.java import PATIENCE, JavaLines, jar

PUNCTUATION = frozenset(
    ["''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";"]
)
"""What coco-caption drops. The brackets are in capitals there and so never occur: `-lrb-` stays a word."""

_SHORT = "mr|mrs|ms|dr|prof|st|jr|sr|vs|etc|inc|co|corp|ltd|mt|ft|gen|col|sgt|lt|capt"
"""Abbreviations that keep their full stop."""
# Some tokens hold a space in PTB, which writes it as a no-break space: `1 1/2`, telephone numbers.
_TOKEN = re.compile(
    r"""
      (?:[a-z]\.){2,}(?![a-z])                              # u.s.  a.m.
    | (?:SHORT)\.(?=\s+\S|\s*$)
    | can(?=not\b) | gon(?=na\b) | wan(?=na\b) | got(?=ta\b) | lem(?=me\b) | gim(?=me\b)
    | [^\W\d_]+(?=n['’]ts?\b) | n['’]ts?\b                  # do n't
    | ['’](?:s|re|ve|d|ll|m)\b
    | (?:\d{3}[ ])?\d{3}[- ]\d{3,4}[- ]\d{4}\b | \d+[ ]\d/\d\b
    | '\d\d\b(?!')                                          # '98
    | \d+(?:[.,:/]\d+)*\w*(?:-\w+)*
    | \w+(?:[-@]\w+)+
    | [do]['’](?!s\b)\w+(?:-\w+)*                           # d'orient
    | [^\W\d_]+(?:/[^\W\d_]+)+\b                            # arms/legs
    | www\.[\w.]+\w
    | @?\w+
    | [!?]{2,} | \.{2,} | -{2,} | [^\w\s]
    """.replace("SHORT", _SHORT),
    re.VERBOSE,
)
_PLAIN = re.compile(r"[a-z ,]*[a-z]{2}\.?")
"""Sentences of words and commas, which need few rules."""
_SPECIAL = frozenset(["cannot", "gonna", "wanna", "gotta", "lemme", "gimme", *(f"{w}." for w in _SHORT.split("|"))])
"""Words of plain sentences that have rules of their own."""
_WRITTEN = {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
_QUOTES = frozenset('"“”’‘')
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
    found = dict(zip(distinct, cut, strict=True))
    return [found[line] for line in lines]


def _regex(sentence: str) -> str:
    lower = sentence.lower()
    if _PLAIN.fullmatch(lower) and _SPECIAL.isdisjoint(words := lower.replace(",", " ").split()):
        return " ".join(words).removesuffix(".")
    return " ".join(_word(token) for token in _TOKEN.findall(lower) if not _dropped(token))


def _word(token: str) -> str:
    return _WRITTEN.get(token, token).replace("’", "'").replace(" ", "\xa0")


def _dropped(token: str) -> bool:
    return token in PUNCTUATION or token in _QUOTES or _RULE.fullmatch(token) is not None


def _ptb(sentences: Sequence[str], patience: float) -> list[str]:
    arguments = ("-cp", str(jar("tokenizer", "stanford-corenlp-3.4.1.jar")), "edu.stanford.nlp.process.PTBTokenizer")
    with JavaLines("the PTB tokeniser", (*arguments, "-preserveLines", "-lowerCase"), patience) as program:
        program.send(sentences)
        lines = program.answers(len(sentences))
        if not program.ended():
            raise ToolError("the PTB tokeniser gave more lines than it was given: captions and answers do not match.")
    return [" ".join(word for word in line.rstrip().split(" ") if word not in PUNCTUATION) for line in lines]
