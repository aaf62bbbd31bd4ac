"""METEOR's paraphrases and synonyms as arrays, built from the data that pycocoevalcap installs.

Paraphrases come as lines: a probability, a phrase, its paraphrase; grouped by phrase. Synonyms as lines: a word, the
numbers of its synsets. Exceptions: a word, its inflected forms. Letters for shapes: `s` phrases that have paraphrases,
`t` paraphrases, `p` pairs of them, `w` words with synsets, `y` their synsets, `x` exceptions.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import InvalidData
from bench.metrics.captions.meteor.hashing import Spans, byte_spans, find, word_numbers

_CHUNK = 1 << 20
BLOOM_BITS = 26
_LINE, _SPACE = 10, 32
_LISTS = ("function/english.words", "nonbreaking/english.prefixes")


def built(paraphrases: Path, program: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Returns the arrays of the table and its word lists.

    The arrays: `sources` (s,) uint64 sorted; `offsets` (s + 1,) uint32 into `pairs` (p,) uint32, which are places in
    `targets` (t,) uint64 sorted; `bloom`, the bits of all phrases; `words` (w,) uint64 sorted, `word_offsets` (w + 1,)
    into `synsets` (y,) uint32; `forms` (x,) uint64 sorted and `bases` (x,) int32, places in `words`, or -1.

    Raises: InvalidData for a damaged installation.
    """
    try:
        sources, offsets, targets = _paraphrases(paraphrases)
        words = _words(program)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InvalidData(
            f"METEOR's data cannot be read from {paraphrases.parent.parent} ({error}). Install pycocoevalcap again."
        ) from error
    distinct, pairs = _numbered(targets)
    order = np.argsort(sources)
    counts = np.diff(offsets)[order]
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32)
    if (np.diff(order) != 1).any():  # grouped by phrase as they are, but sorted by letters
        moved = np.repeat(offsets[:-1][order], counts) + np.arange(len(pairs)) - np.repeat(starts[:-1], counts)
        pairs = pairs[moved]
    arrays, lists = words
    arrays |= {"sources": sources[order], "offsets": starts, "pairs": pairs, "targets": distinct}
    arrays["bloom"] = _bloom(arrays["sources"], distinct)
    return arrays, lists


def _numbered(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the distinct values in order, and the place (n,) uint32 of each value among them.

    As np.unique does by hashing, in a third of the time.
    """
    order = np.argsort(values)
    values = values[order]
    new = np.append(True, values[1:] != values[:-1])
    places = np.empty(len(values), dtype=np.uint32)
    places[order] = np.cumsum(new, dtype=np.uint32) - np.uint32(1)
    return values[new], places


def bloom_places(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the byte of each phrase in the bloom filter, and its bit there."""
    places = numbers >> np.uint64(64 - BLOOM_BITS)
    return (places >> np.uint64(3)).astype(np.int64), np.uint8(1) << (places & np.uint64(7)).astype(np.uint8)


def _bloom(*numbers: np.ndarray) -> np.ndarray:
    bits = np.zeros(1 << BLOOM_BITS - 3, dtype=np.uint8)
    for some in numbers:
        for start in range(0, len(some), _CHUNK):
            np.bitwise_or.at(bits, *bloom_places(some[start : start + _CHUNK]))
    return bits


def _paraphrases(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns phrases (s,), where the paraphrases of each begin (s + 1,) and the paraphrases (p,), in file order."""
    sources, targets = [], []
    for phrase, paraphrase in _pairs(path):
        sources.append(phrase)
        targets.append(paraphrase)
    source = np.concatenate(sources)
    sources.clear()
    first = np.flatnonzero(np.append(True, source[1:] != source[:-1]))
    kept = source[first]
    if len(_numbered(kept)[0]) != len(kept):
        raise ValueError("the paraphrases are not grouped by phrase")
    return kept, np.append(first, len(source)), np.concatenate(targets)


def _pairs(path: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the numbers of phrases and of their paraphrases, a part of the file at a time."""
    rest = b""
    with gzip.open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            content = np.frombuffer(rest + chunk, dtype=np.uint8)
            lines = np.flatnonzero(content == _LINE)
            whole = len(lines) // 3 * 3
            if whole:
                yield _numbers(content[: lines[whole - 1] + 1])
                rest = content[lines[whole - 1] + 1 :].tobytes()
            else:
                rest += chunk
    if rest.strip():
        raise ValueError("the paraphrases end within an entry")


def _numbers(content: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the numbers of the second and third of every three lines."""
    ends = np.flatnonzero((content == _LINE) | (content == _SPACE))
    starts = np.append(0, ends[:-1] + 1)
    line_ends = np.flatnonzero(content[ends] == _LINE)  # which word ends each line
    words = byte_spans(content, starts, ends)
    spans = Spans(words)
    return (
        spans.of(line_ends[0::3] + 1, line_ends[1::3] + 1),
        spans.of(line_ends[1::3] + 1, line_ends[2::3] + 1),
    )


def _words(program: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    with zipfile.ZipFile(program) as archive:
        synsets, exceptions = (archive.read(f"synonym/english.{name}").decode() for name in ("synsets", "exceptions"))
        function, prefixes = (archive.read(name).decode() for name in _LISTS)
    lines = synsets.splitlines()
    entries = [(word, sets.split()) for word, sets in zip(lines[::2], lines[1::2], strict=True) if "_" not in word]
    numbers = word_numbers([word for word, _ in entries])
    order = np.argsort(numbers)
    lengths = np.array([len(entries[place][1]) for place in order], dtype=np.uint32)
    sets = np.array([int(number) for place in order for number in entries[place][1]], dtype=np.uint32)
    lines = exceptions.splitlines()
    pairs = [(form, base) for base, forms in zip(lines[::2], lines[1::2], strict=True) for form in forms.split()]
    forms = word_numbers([form for form, _ in pairs])
    bases = find(numbers[order], word_numbers([base for _, base in pairs]))
    by_form = np.argsort(forms, kind="stable")
    arrays = {
        "words": numbers[order],
        "word_offsets": np.append(0, np.cumsum(lengths)).astype(np.uint32),
        "synsets": sets,
        "forms": forms[by_form],
        "bases": bases[by_form].astype(np.int32),
    }
    return arrays, {"function": function.split(), **_prefixes(prefixes)}


def _prefixes(text: str) -> dict[str, list[str]]:
    """Returns abbreviations that keep their dot, and those that keep it before a digit."""
    prefixes: dict[str, list[str]] = {"plain": [], "numeric": []}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            prefix, _, mark = line.partition("#")
            prefixes["numeric" if mark.startswith("NUMERIC_ONLY") else "plain"].append(prefix.strip())
    return prefixes
