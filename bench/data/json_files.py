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
        return json.loads(content, object_pairs_hook=_unique)
    except _KeyGivenTwiceError as error:
        raise InvalidData(f"{path}: {error.args[0]!r} occurs twice in one object. Remove one of the two.") from None
    except (ValueError, RecursionError) as error:
        raise InvalidData(f"{path} is not whole JSON ({error}). Download or write it again.") from error


class _KeyGivenTwiceError(Exception):
    """Carries the key."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        seen: set[str] = set()
        raise _KeyGivenTwiceError(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return unique
