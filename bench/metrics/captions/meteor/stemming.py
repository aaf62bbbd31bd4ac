"""English stems as METEOR 1.5 has them: the Porter2 rules of Snowball 1 and 2.

Snowball 3 changed the rules (`added`, `evening`, `university` have other stems there), and nltk's are a little apart
(`realization`), so neither gives METEOR's numbers.

Source: Porter, "The English (Porter2) stemming algorithm", as published with Snowball 2.2.
"""

from __future__ import annotations

_VOWELS = frozenset("aeiouy")
_NO_SHORT_END = frozenset("aeiouywxY")
_DOUBLES = frozenset(["bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt"])
_BEFORE_LI = frozenset("cdeghkmnrt")


def _table(pairs: str) -> dict[str, str]:
    """Returns what stands on the left of each `=` with what stands on its right."""
    return dict(pair.split("=") for pair in pairs.split())


_WHOLE = _table(
    "skis=ski skies=sky dying=die lying=lie tying=tie idly=idl gently=gentl ugly=ugli early=earli only=onli "
    "singly=singl sky=sky news=news howe=howe atlas=atlas cosmos=cosmos bias=bias andes=andes"
)
_AFTER_PLURAL = frozenset(["inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed"])
_DERIVED = _table(
    "tional=tion enci=ence anci=ance abli=able entli=ent izer=ize ization=ize ational=ate ation=ate ator=ate alism=al "
    "aliti=al alli=al fulness=ful ousli=ous ousness=ous iveness=ive iviti=ive biliti=ble bli=ble ogi=og fulli=ful "
    "lessli=less li="
)
_FURTHER = _table("tional=tion ational=ate alize=al icate=ic iciti=ic ical=ic ful= ness= ative=")
_LAST = _table("al= ance= ence= er= ic= able= ible= ant= ement= ment= ent= ism= ate= iti= ous= ive= ize= ion=")


def stem(word: str) -> str:
    """Returns the stem of a word in lower case."""
    if word in _WHOLE:
        return _WHOLE[word]
    if len(word) <= 2:
        return word
    word = _with_consonant_y(word.removeprefix("'"))
    first, second = _regions(word)
    word = _plural(_possessive(word))
    if word not in _AFTER_PLURAL:
        word = _past(word, first)
        if len(word) > 2 and word[-1] in "yY" and word[-2] not in _VOWELS:
            word = word[:-1] + "i"
        word = _derived(word, first)
        word = _further(word, first, second)
        word = _last(word, second)
        word = _final(word, first, second)
    return word.replace("Y", "y")


def _with_consonant_y(word: str) -> str:
    """Returns the word with Y for every y that is a consonant: at its beginning and after a vowel."""
    if "y" not in word:
        return word
    letters = list(word)
    for place, letter in enumerate(letters):
        if letter == "y" and (place == 0 or letters[place - 1] in _VOWELS):
            letters[place] = "Y"
    return "".join(letters)


def _regions(word: str) -> tuple[int, int]:
    """Returns where R1 and R2 begin: each after the first consonant that follows a vowel."""
    for prefix in ("gener", "commun", "arsen"):
        if word.startswith(prefix):
            first = len(prefix)
            break
    else:
        first = _after_syllable(word, 0)
    return first, _after_syllable(word, first)


def _after_syllable(word: str, start: int) -> int:
    for place in range(start + 1, len(word)):
        if word[place] not in _VOWELS and word[place - 1] in _VOWELS:
            return place + 1
    return len(word)


def _has_vowel(part: str) -> bool:
    return not _VOWELS.isdisjoint(part)


def _ends_short(word: str) -> bool:
    """Returns whether a word ends in a short syllable."""
    if len(word) >= 3 and word[-3] not in _VOWELS and word[-2] in _VOWELS and word[-1] not in _NO_SHORT_END:
        return True
    return len(word) == 2 and word[0] in _VOWELS and word[1] not in _VOWELS


def _suffix(word: str, longest: int, known: dict[str, str]) -> str:
    """Returns the longest known ending of a word, or nothing."""
    for length in range(min(longest, len(word)), 0, -1):
        if word[-length:] in known:
            return word[-length:]
    return ""


def _possessive(word: str) -> str:
    for ending in ("'s'", "'s", "'"):
        if word.endswith(ending):
            return word.removesuffix(ending)
    return word


def _plural(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith(("ied", "ies")):
        return word[:-2] if len(word) > 4 else word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")) and _has_vowel(word[:-2]):
        return word[:-1]
    return word


def _past(word: str, first: int) -> str:
    for ending in ("eedly", "eed"):
        if word.endswith(ending):
            return word[: -len(ending)] + "ee" if len(word) - len(ending) >= first else word
    for ending in ("ingly", "edly", "ing", "ed"):
        if word.endswith(ending):
            rest = word.removesuffix(ending)
            if not _has_vowel(rest):
                return word
            if rest.endswith(("at", "bl", "iz")):
                return rest + "e"
            if rest[-2:] in _DOUBLES:
                return rest[:-1]
            return rest + "e" if len(rest) == first and _ends_short(rest) else rest
    return word


def _derived(word: str, first: int) -> str:
    ending = _suffix(word, 7, _DERIVED)
    rest = word[: len(word) - len(ending)]
    if not ending or len(rest) < first:
        return word
    if ending == "ogi" and not rest.endswith("l"):
        return word
    if ending == "li" and rest[-1:] not in _BEFORE_LI:
        return word
    return rest + _DERIVED[ending]


def _further(word: str, first: int, second: int) -> str:
    ending = _suffix(word, 7, _FURTHER)
    rest = word[: len(word) - len(ending)]
    if not ending or len(rest) < (second if ending == "ative" else first):
        return word
    return rest + _FURTHER[ending]


def _last(word: str, second: int) -> str:
    ending = _suffix(word, 5, _LAST)
    rest = word[: len(word) - len(ending)]
    if not ending or len(rest) < second or (ending == "ion" and not rest.endswith(("s", "t"))):
        return word
    return rest


def _final(word: str, first: int, second: int) -> str:
    rest = word[:-1]
    if word.endswith("e") and (len(rest) >= second or (len(rest) >= first and not _ends_short(rest))):
        return rest
    return rest if word.endswith("ll") and len(rest) >= second else word
