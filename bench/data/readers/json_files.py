"""JSON files, plain or gzip, read without surprises: a key given twice is an error, and so is half a file."""

from __future__ import annotations

import gzip
import json
import zlib
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Any

from bench.errors import InvalidData, MissingData

GZIP = b"\x1f\x8b"
LARGEST = 1 << 30
"""Bytes of a file, unpacked: a small gzip file can hold any number. The sentences of ActivityNet Captions are 6 MB."""

CHUNK = 1 << 20


def read_json(path: Path, layout: str) -> Any:
    """Returns the value in a JSON file; gzip is recognised by content.

    Args:
        layout: which file is expected, in words, for the error.

    Raises: MissingData when the file is not there; InvalidData when it is broken or gives a key twice.
    """
    try:
        content = read_unpacked(path)
    except MissingData as error:
        raise MissingData(f"{error} Expected {layout}.") from error
    try:
        return json.loads(content, object_pairs_hook=unique_keys)
    except KeyGivenTwiceError as error:
        raise InvalidData(f"{path}: {error.key!r} occurs twice in one object. Remove one of the two.") from None
    except (ValueError, RecursionError) as error:
        raise InvalidData(f"{path} is not whole JSON ({error}). Download or write it again.") from error


def read_unpacked(path: Path) -> bytes:
    """Returns what a file holds; gzip is recognised by content and unpacked, to no more than `LARGEST` bytes.

    Raises: MissingData when the file is not there or cannot be read; InvalidData for half a gzip file, or too much.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(len(GZIP)) == GZIP
            file.seek(0)
            content = _read(gzip.GzipFile(fileobj=file) if packed else file)
    except FileNotFoundError:
        raise MissingData(f"{path}: no such file.") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InvalidData(f"{path} is not a whole gzip file ({error}). Download or write it again.") from error
    except OSError as error:
        raise MissingData(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > LARGEST:
        raise InvalidData(f"{path} holds more than {LARGEST >> 20:,} MB of text. No file of this kind is that large.")
    return content


def _read(file: BufferedIOBase) -> bytes:
    """Returns all of a file, or of a larger one a little more than `LARGEST` bytes.

    In chunks: whoever asks for so many bytes at once has memory for all of them reserved.
    """
    content = BytesIO()
    while content.tell() <= LARGEST and (chunk := file.read(CHUNK)):
        content.write(chunk)
    return content.getvalue()


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
