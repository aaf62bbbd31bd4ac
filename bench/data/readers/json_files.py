"""JSON files, plain or gzip, read without surprises: a key given twice is an error, and so is half a file."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.errors import InvalidData
from bench.reading.outside import JSON, Form, read_content, reading

HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""Where JSON may hold one half of a character that UTF-16 writes in two; pairs of them are whole characters."""


def read_json(path: Path, layout: str, *, halves: bool = False) -> Any:
    """Returns the value in a JSON file; gzip is recognised by content.

    Args:
        layout: which file is expected, in words, for the error.
        halves: whether half a character stays, for a reader that refuses it and says where it is; else it becomes `?`.

    Raises: MissingData when the file is not there; InvalidData when it is broken or gives a key twice.
    """
    return parse_json(path, read_content(path, JSON, f"Expected {layout}."), halves=halves)


def parse_json(path: Path, content: bytes | str, form: Form = JSON, *, halves: bool = False) -> Any:
    """Returns the value of the JSON that `path` holds; half a character, which no file could hold, becomes `?`.

    Args:
        halves: as in `read_json`.

    Raises: InvalidData when it is broken or gives a key twice.
    """
    with reading(path, form):
        try:
            # json itself would take bytes that are no text, such as one half of a character
            text = content if isinstance(content, str) else content.decode(json.detect_encoding(content))
            value = json.loads(text, object_pairs_hook=unique_keys)
            if HALF.search(text) and not halves:
                whole = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
                value = json.loads(whole, object_pairs_hook=unique_keys)
            return value
        except json.JSONDecodeError as error:
            if form is not JSON:  # one line of several
                raise ValueError(f"{error.msg}, column {error.colno}") from None
            if error.msg != "Extra data" or not text.lstrip().startswith(("{", "[")):
                raise
            raise InvalidData(
                f"{path} holds several JSON values, one after the other (JSON Lines), expected one. Write them as one."
            ) from None
        except KeyGivenTwiceError as error:
            where = "" if form is JSON else f" of {form.words.rpartition(': ')[2]}"
            raise InvalidData(
                f"{path}: {error.key!r} occurs twice in one object{where}. Remove one of the two."
            ) from None


def json_lines(path: Path, form: Form, text: str) -> list[tuple[int, Any]]:
    """Returns the number and the value of each line of the JSON Lines that `path` holds, blank lines left out.

    Raises: InvalidData naming the first line that is broken or gives a key twice.
    """
    told = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    return [
        (number, parse_json(path, line, replace(form, words=f"{form.words}: line {number}"))) for number, line in told
    ]


class KeyGivenTwiceError(ValueError):
    """One object gives a key twice."""

    def __init__(self, key: str) -> None:
        super().__init__(f"key {key[:60]!r} occurs twice")
        self.key = key


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Returns a JSON object; plain JSON would silently keep the last of two equal keys. Raises: KeyGivenTwiceError."""
    unique = dict(pairs)
    if len(unique) < len(pairs):
        raise KeyGivenTwiceError(Counter(name for name, _ in pairs).most_common(1)[0][0])
    return unique
