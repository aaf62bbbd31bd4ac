"""METEOR's paraphrases and synonyms in the user's cache: built once, mapped into memory by every process.

The file is named for the size and the check sums of what it was built from, so that other data gets a file of its own.
It is whole or absent; whoever finds it absent builds it, and those who come meanwhile wait for that one.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import DataError, InvalidData, SaveError
from bench.files import METADATA_KEY, TENSORS, digest, write_tensors
from bench.locks import LOCK, held
from bench.metrics.captions.java import jar
from bench.reading.outside import reading

FORMAT = 1
"""Raised when the arrays or the numbers of phrases change."""
CACHE = "BENCH_CACHE"
_ARRAYS = frozenset(
    ("sources", "offsets", "pairs", "targets", "bloom", "words", "word_offsets", "synsets", "forms", "bases")
)
_TYPES = {"U8": np.uint8, "U32": np.uint32, "U64": np.uint64, "I32": np.int32}


class ParaphraseTable:
    """What METEOR knows of English words. Arrays as in `building.built`.

    Attributes:
        arrays: mapped from the file.
        function: words such as "the", which count less.
        plain, numeric: abbreviations that keep their dot; those that keep it before a digit.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], lists: Mapping[str, Any]) -> None:
        self.arrays = arrays
        self.function = frozenset(lists["function"])
        self.plain, self.numeric = frozenset(lists["plain"]), frozenset(lists["numeric"])


def cache_folder() -> Path:
    """Returns where bench keeps what it can make again: `BENCH_CACHE`, or `vtbench` in the user's cache."""
    if named := os.environ.get(CACHE):
        return Path(named)
    usual = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(usual) if Path(usual).is_absolute() else Path("~/.cache").expanduser()) / "vtbench"


def table() -> ParaphraseTable:
    """Returns the table of the pycocoevalcap that is installed; the first time it is built, in some ten seconds.

    Raises: ToolError when pycocoevalcap is missing, InvalidData when it is damaged, SaveError for an unusable cache.
    """
    paraphrases, program = _installed()
    return _table(table_path(paraphrases, program), paraphrases, program)


def installed_path() -> Path:
    """Returns where the table is, or will be. Raises: ToolError, InvalidData."""
    return table_path(*_installed())


def _installed() -> tuple[Path, Path]:
    return jar("meteor", "data", "paraphrase-en.gz"), jar("meteor", "meteor-1.5.jar")


def table_path(paraphrases: Path, program: Path) -> Path:
    """Returns the file of the table that these two give; their content is not read. Raises: InvalidData."""
    try:
        with paraphrases.open("rb") as file:
            file.seek(-8, os.SEEK_END)  # gzip ends with the check sum and the size of the content
            ending = file.read().hex()
        with zipfile.ZipFile(program) as archive:
            sums = [[entry.filename, entry.CRC, entry.file_size] for entry in archive.infolist()]
    except (OSError, zipfile.BadZipFile) as error:
        raise InvalidData(f"METEOR's data cannot be read ({error}). Install pycocoevalcap again.") from error
    key = digest([FORMAT, paraphrases.stat().st_size, ending, sums])
    return cache_folder() / f"meteor-{key[:16]}.safetensors"


@cache
def _table(path: Path, paraphrases: Path, program: Path) -> ParaphraseTable:
    if (mapped := _mapped(path)) is not None:
        return mapped
    try:
        with held(path.with_suffix(LOCK)):
            if (mapped := _mapped(path)) is None:
                for left in path.parent.glob(f".{path.name[:40]}.*.part"):
                    left.unlink(missing_ok=True)  # of one that was killed: whoever builds holds the lock
                from bench.metrics.captions.meteor.building import built

                write_tensors(path, *built(paraphrases, program))
    except (OSError, SaveError) as error:
        raise SaveError(
            f"METEOR's table cannot be kept in {path.parent} ({error}). Name a folder with 60 MB free by {CACHE}."
        ) from error
    mapped = mapped or _mapped(path)
    if mapped is None:
        raise SaveError(f"{path} was written and cannot be read again. Name another folder by {CACHE}.")
    return mapped


def _mapped(path: Path) -> ParaphraseTable | None:
    """Returns the table in a file, or None where there is no whole one."""
    try:
        with reading(path, TENSORS), path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
            content = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + length)
            lists = json.loads(header.pop("__metadata__")[METADATA_KEY])
            arrays = {
                name: np.asarray(content[slice(*entry["data_offsets"])].view(_TYPES[entry["dtype"]]))
                for name, entry in header.items()
            }
            if set(arrays) != _ARRAYS or any(a.shape != tuple(header[name]["shape"]) for name, a in arrays.items()):
                return None
            return ParaphraseTable(arrays, lists)
    except DataError:
        return None
