"""METEOR's own preparation of a line (`-norm`): words and punctuation set apart, in lower case.

Its rules go over the whole line, one after another, each from left to right without overlap.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bench.metrics.captions.meteor.table import ParaphraseTable

_ALPHA = (
    "A-Za-z\u0160\u0161\u017d\u017e\u0178\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017e\u0400-\u0527\ua640-\ua66e\ua67e-\ua697"
    "\u1d00-\u1d7f"
)
_SPACE = " \t\n\x0b\f\r"
_APART = r" \1 "
_DOTS = "DOTMULTI"
"""What stands for dots while the other rules run, with a further `DOT` for each dot more; in a text it means a dot."""
_PLAIN = re.compile(r"[a-z0-9]+(?: [a-z0-9]+)*", re.ASCII)
_SPLIT = re.compile(r"[ \t\n\r\f]+")
_CONTROL = "".join(map(chr, range(0x21)))
_RUNS = re.compile("[ \u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_LETTER = re.compile(f"[{_ALPHA}]")
_Rule = Callable[[str], str]


def _rule(pattern: str, replacement: str) -> _Rule:
    compiled = re.compile(pattern)
    return lambda line: compiled.sub(replacement, line)


def _marked(line: str) -> str:
    """Returns the line with each run of dots set apart as a mark."""
    line = re.sub(r"\.(\.+)", rf" {_DOTS}\1", line)
    while f"{_DOTS}." in line:
        line = re.sub(rf"{_DOTS}\.([^.])", rf"DOT{_DOTS} \1", line).replace(f"{_DOTS}.", f"DOT{_DOTS}")
    return line


_RULES: tuple[_Rule, ...] = (
    _rule(rf"([^{_ALPHA}0-9{_SPACE}.'`,\-\u2018\u2019])", _APART),
    lambda line: _marked(line) if ".." in line or _DOTS in line else line,
    _rule(r"([^0-9]),([^0-9])", r"\1 , \2"),
    _rule(r"([0-9]),([^0-9])", r"\1 , \2"),
    _rule(r"([^0-9]),([0-9])", r"\1 , \2"),
    lambda line: line.replace("`", "'").replace("\u2018", "'").replace("\u2019", "'"),
    lambda line: line.replace("\u201c", ' " ').replace("\u201d", ' " ').replace("''", ' " '),
    lambda line: line.replace("\u2013", "-").replace("--", "-"),
    _rule(rf"([{_ALPHA}0-9.])-([{_ALPHA}0-9])", r"\1 \2"),
    _rule(rf"([^{_ALPHA}])'([^{_ALPHA}])", r"\1 ' \2"),
    _rule(rf"([^{_ALPHA}0-9])'([{_ALPHA}])", r"\1 ' \2"),
    _rule(rf"([{_ALPHA}])'([^{_ALPHA}])", r"\1 ' \2"),
    _rule(rf"([{_ALPHA}])'([{_ALPHA}])", r"\1 '\2"),
    _rule(r"([0-9])'(s)", r"\1 '\2"),
)


def normalised(lines: Sequence[str], table: ParaphraseTable) -> list[str]:
    """Returns each line as METEOR's words, joined by single spaces."""
    return [line if _PLAIN.fullmatch(line) else _normalised(line, table) for line in lines]


def _normalised(line: str, table: ParaphraseTable) -> str:
    line = f" {_valid(line).strip(_CONTROL)} "
    for rule in _RULES:
        line = rule(line)
    words = [word for word in _SPLIT.split(line) if word]
    following = [*words[1:], ""][: len(words)]
    line = " ".join(_without_full_stop(word, after, table) for word, after in zip(words, following, strict=True))
    while f"DOT{_DOTS}" in line:
        line = line.replace(f"DOT{_DOTS}", f"{_DOTS}.")
    line = line.replace(_DOTS, ".")
    line = _RUNS.sub(" ", line).strip(_CONTROL).lower()
    return " ".join(word for word in _SPLIT.split(line) if word)


def _valid(line: str) -> str:
    """Returns the line without halves of characters, as the program is given it."""
    return line.encode("utf-8", "replace").decode()


def _without_full_stop(word: str, after: str, table: ParaphraseTable) -> str:
    """Returns a word with its last dot set apart, unless it belongs to an abbreviation."""
    if len(word) < 2 or not word.endswith("."):
        return word
    rest = word[:-1]
    if "." in rest and _LETTER.search(rest):
        return word.replace(".", "")
    if rest in table.plain or "a" <= after[:1] <= "z":
        return word
    if rest in table.numeric and "0" <= after[:1] <= "9":
        return word
    return f"{rest} ."
