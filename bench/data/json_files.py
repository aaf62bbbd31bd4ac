"""JSON files, plain or gzip, read without surprises: a key given twice is an error, and so is half a file."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

from bench.errors import InvalidData, MissingData

GZIP = b"\x1f\x8b"


def read_json(path: Path, layout: str) -> Any:
    """Returns the value in a JSON file; gzip is recognised by content.

    Args:
        layout: which file is expected, in words, for the error.

    Raises: MissingData when the file is not there; InvalidData when it is broken or gives a key twice.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise MissingData(f"{path}: no such file. Expected {layout}.") from None
    except OSError as error:
        raise MissingData(f"{path} cannot be read: {error.strerror}. Expected {layout}.") from error
    if content.startswith(GZIP):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidData(f"{path} is not a whole gzip file ({error}). Download it again.") from error
    try:
        return json.loads(content, object_pairs_hook=unique_keys)
    except KeyGivenTwiceError as error:
        raise InvalidData(f"{path}: {error.key!r} occurs twice in one object. Remove one of the two.") from None
    except (ValueError, RecursionError) as error:
        raise InvalidData(f"{path} is not whole JSON ({error}). Download or write it again.") from error


class KeyGivenTwiceError(ValueError):
    """One object gives a key twice."""

    def __init__(self, key: str) -> None:
        super().__init__(f"key {key[:60]!r} occurs twice")
        self.key = key


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Returns a JSON object; plain JSON would silently keep the last of two equal keys. Raises: KeyGivenTwiceError."""
    unique = dict(pairs)
    if len(unique) < len(pairs):
        names = [name for name, _ in pairs]
        raise KeyGivenTwiceError(max(names, key=names.count))
    return unique
