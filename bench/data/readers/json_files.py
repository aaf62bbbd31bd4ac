"""JSON files, plain or gzip, read without surprises: a key given twice is an error, and so is half a file."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from bench.errors import InvalidData
from bench.reading.outside import JSON, Form, read_content, reading


def read_json(path: Path, layout: str) -> Any:
    """Returns the value in a JSON file; gzip is recognised by content.

    Args:
        layout: which file is expected, in words, for the error.

    Raises: MissingData when the file is not there; InvalidData when it is broken or gives a key twice.
    """
    return parse_json(path, read_content(path, JSON, f"Expected {layout}."))


def parse_json(path: Path, content: bytes | str, form: Form = JSON) -> Any:
    """Returns the value of the JSON that `path` holds. Raises: InvalidData when it is broken or gives a key twice."""
    with reading(path, form):
        try:
            return json.loads(content, object_pairs_hook=unique_keys)
        except KeyGivenTwiceError as error:
            raise InvalidData(f"{path}: {error.key!r} occurs twice in one object. Remove one of the two.") from None


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
