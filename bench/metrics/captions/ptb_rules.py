"""The rules by which Stanford's PTB tokeniser 3.4.1 cuts English captions, found by asking it.

They cover what people write into captions, not all of the tokeniser: a test compares both on real sentences.
"""

from __future__ import annotations

import re

# In small letters, with a capital, or in capitals alone; "bldg." and "supt." have no form with one capital.
SHORT = (
    "adj adm adv al ala alex apr ariz assn assoc asst atty aug ave bancorp bhd bldg blvd brig bros calif capt "
    "cf cie cmdr co col colo comdr conn corp cos cpl ct dak dec dept det dr drs elec ens esq est etc ext feb "
    "fla fri ft ga gen gov hon inc ind intl invt jan jos jr jul jun kan ky lieut lt ltd maj mar md messrs mfg "
    "mich minn mlle mme mo mon mont mr mrs ms msgr mt mtg natl neb nev nov oct okla penn pfc ph plc pres prof "
    "pte pty pvt rd rep reps rev rt sen sens sep sept seq sfc sgt spc sq sr st ste supt sys tel tenn thu thurs "
    "tue tues univ va vs vt wed wis wisc wm wyo "
)
"""Abbreviations that keep their full stop."""
NAMES = "ark az del ill la mass miss ore pa tex wash"
"""Those that keep it when they begin with a capital: in small letters they are words, or nothing."""
_STARTS = (
    "A About According After An As At But He Her Here However If In It Last Many More Now Once One Other Our "
    "She Since So Some That The Their Then There These They This We What When While Yet You "
)
"""Words that begin a sentence: a dot between a single letter and one of them ends a sentence."""
_LETTER = r"[^\W\d_]"
_WORD = rf"[^\W_](?:[^\W_]|{'[MARKS]'})*"
_PARTS = {
    "ABBREVIATION": "|".join(f"[{w[0]}{w[0].upper()}]{w[1:]}|{w.upper()}" for w in SHORT.split())
    + "|"
    + "|".join(f"{w.capitalize()}|{w.upper()}" for w in NAMES.split()),
    "STARTS": "|".join(_STARTS.split()),
    "LETTER": _LETTER,
    "WORD": _WORD,
    # marks belong to the letter before them: accents, and the vowels of Indian and other scripts
    "MARKS": "\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0962\u0963"
    "\u0981-\u0983\u09bc-\u09cd\u0a01-\u0a03\u0a3c-\u0a4d\u0a81-\u0a83\u0abc-\u0acd\u0b82\u0bbe-\u0bcd\u0c01-\u0c03"
    "\u0c3e-\u0c4d\u0c82\u0c83\u0cbe-\u0ccd\u0d02\u0d03\u0d3e-\u0d4d\u0e31\u0e34-\u0e3a\u0e47-\u0e4e",
}
_PATTERN = r"""
      https?://[^\s<>"|(){}]*[^\s<>"|(){}.!?,;:'-]
    | [\w.+-]{0,63}\w@\w+(?:[.-]\w+)*\.\w+                         # a@b.com
    | </?[A-Za-z][^<>]*>
    | [<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]](?!\w) | :o(?!\w)     # :-)
    | \((?:\^_\^|-_-|>_<)\) | \^_\^ | -_-(?!\w) | >_<
    | '' | [`]{2}
    | '(?:n'|(?i:n|em|cause|till?)\b|[2-9]0s\b)                # 'n', 'em, '90s
    | '(?i:t)(?=is\b|was\b)
    | (?i:can(?=not\b)|gon(?=na\b)|wan(?=na\b)|got(?=ta\b)|lem(?=me\b)|gim(?=me\b))
    | LETTER+(?=[nN]['’][tT]s?\b) | [nN]['’][tT]s?\b          # do n't
    | ['’](?i:s|re|ve|d|ll|m)\b
    | (?:[A-HJ-XZdlno]['’](?![sS]\b)LETTER{2,} | LETTER+[aeiouyAEIOUY]['’][aeiou](?!n\b)LETTER* | [eE]'er)(?:-\w+)*
    | (?i:ma'am|c'mon|li'l|nat'l|ev'ry|s'mores|nor'easter)(?!\w)
    | (?i:ol'|somethin'|dunkin') | [dDjJlL]'(?!(?i:s|re|ve|d|ll|m)\b) | [yY]'(?=LETTER)
    | (?:[A-Za-z]\.){2,}(?![A-Za-z])(?:-LETTER+)? | LETTER+-(?:[A-Za-z]\.){2,}(?![A-Za-z]) | Ph\.D\.
    | (?:ABBREVIATION)\.(?!\w)
    | (?i:no|nos|fig|figs|pp|art)\.(?=\ ?\d)
    | LETTER[^\W_]*(?:\.LETTER(?:[^\W_]|-(?=\w))*|[!?]LETTER[^\W_]*)+  # no space after a full stop
    | [A-Za-z]\.(?!\w|\ (?:(?:STARTS)\ |Mr\.)) | [A-Za-z]\.(?=\d)
    | [A-Z]+(?:[+&][A-Z]+)+(?!\w) | [Cc](?:\+\+|\#)(?!\w)
    | (?:\(\d{3}\)\ ?|\d{3}\ )?\d{3}[- ]\d{4}\b | \d{3}[- ]\d{3,4}[- ]\d{4}\b | \(\d{3}\)\ ?\d{3}[- ]\d{3,4}\b
    | \d+(?:-\d+/|\ \d/)\d+\b                                 # 7-1/2, 7 1/2
    | '\d\d\b(?!['"])                                            # '98
    | [A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2}
    | \d+(?:,\d+)*(?:\.\d+)*(?:[-]WORD)+ | \d+(?:[.,:]\d+)+ | \d+_?WORD(?:[-_]WORD)* | [A-Z]+\$
    | (?:(?<!LETTER)-|\+)?(?:\d+|[.,:](?=\d))(?:[.,:]?\d+)*
    | WORD(?:[-\u2010\u2011@_]WORD)*
    | \#[A-Za-z]+ | @LETTER\w*
    | [!?]{2,} | \.{3,} | \.(?=\.\d) | \.\. | -{2,} | _+ | \*{2,} | <<|>>|\#{2,} | [^\w\s]
"""
_NAMED = re.compile("|".join(_PARTS))


def _spelt(pattern: str) -> str:
    """Returns the pattern with the names of its parts spelt out."""
    while (spelt := _NAMED.sub(lambda part: _PARTS[part[0]], pattern)) != pattern:
        pattern = spelt
    return pattern


TOKEN = re.compile(_spelt(_PATTERN), re.VERBOSE)
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&nbsp;": " "}
_SIGNS = {"£": " # ", "€": " $ ", "¤": " $ ", "¢": " cents ", "…": " ... ", "½": "  1/2 ", "¼": "  1/4 ", "¾": "  3/4 "}
_NOTHING = "\u00ad\ufeff\u200e\u200f"
_ODD = re.compile("|".join([*_ENTITIES, *_SIGNS, f"[{_NOTHING}]", "[\u200b-\u200d\U00010000-\U0010ffff]"]))


def plain(text: str) -> str:
    """Returns text in which signs are written as the tokeniser writes them, and those it passes over are left out."""

    def instead(match: re.Match[str]) -> str:
        sign = match[0]
        return _ENTITIES.get(sign) or _SIGNS.get(sign) or ("" if sign in _NOTHING else " ")

    return _ODD.sub(instead, text)
