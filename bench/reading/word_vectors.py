"""Word vectors in text files, as GloVe, fastText and word2vec write them: a word and its numbers on each line."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Set
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING

from bench.errors import InvalidData
from bench.reading.numbers import real_in, whole_in
from bench.reading.outside import GZIP, Form, reading, regular_file, shown

if TYPE_CHECKING:
    import numpy as np

LONGEST = 1 << 20
"""Characters of a line. Those of 300 numbers have 3,000."""
LARGEST = 1 << 35
"""Characters of a file, unpacked: a small gzip file can hold any number. The largest known one has 6e9."""
ANOTHER = (
    "Name a text file with a word and its numbers on each line, as GloVe has it. Of word2vec's binary form, gensim's "
    "KeyedVectors.load_word2vec_format(FILE, binary=True).save_word2vec_format('vectors.txt') makes one."
)
FORM = Form("word vectors in UTF-8 text", ("gzip", "json"), ANOTHER)


def read_word_vectors(path: Path, wanted: Set[str], dim: int) -> dict[str, np.ndarray]:
    """Returns the vectors (dim,) float32 of the wanted words, read line by line; the first of two equal words counts.

    Plain or gzip. A first line of two whole numbers, as word2vec and fastText write it, is no word.
    Raises: MissingData when the file is not there; InvalidData for a damaged one, naming the line.
    """
    import numpy as np

    vectors: dict[str, np.ndarray] = {}
    first = 1
    for number, line in enumerate(_lines(path), start=1):
        if number == 1 and (stated := _stated(line, dim)) is not None:
            if stated != dim:
                raise InvalidData(f"{path}, line 1: vectors of {stated} numbers, expected {dim}. {_or_dim(stated)}")
            first = 2
            continue
        # some words of the published files hold spaces, so a line may have more fields, but never fewer
        fields = line.count(" ")
        if fields < dim or (number == first and fields > dim):
            remedy = _or_dim(fields) if number == first else "Get the file again."
            raise InvalidData(f"{path}, line {number}: a word and {fields} numbers, expected {dim}. {remedy}")
        word = line[: line.index(" ")]
        if word in wanted and word not in vectors and fields == dim:
            numbers = [_number(path, number, one) for one in line.split(" ")[1:]]
            with np.errstate(over="ignore"):
                vector = np.array(numbers, dtype=np.float32)
            if not np.isfinite(vector).all():
                raise InvalidData(f"{path}, line {number}: a number beyond float32. Get the file again.")
            vectors[word] = vector
    return vectors


def _lines(path: Path) -> Iterator[str]:
    """Yields the lines of a text file, plain or gzip, without the spaces at their ends."""
    seen = 0
    regular_file(path)
    with reading(path, FORM), path.open("rb") as file:
        packed = file.read(len(GZIP)) == GZIP
        file.seek(0)
        opened: IO[bytes] = gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[assignment]
        with TextIOWrapper(opened, encoding="utf-8-sig", newline="\n") as text:
            while line := text.readline(LONGEST + 1):
                seen += len(line)
                if len(line) > LONGEST or seen > LARGEST:
                    raise InvalidData(f"{path}: a line, or the file, is longer than any of word vectors. {ANOTHER}")
                yield line.rstrip(" \r\n")
    if not seen:
        raise InvalidData(f"{path} is empty. {ANOTHER}")


def _stated(line: str, dim: int) -> int | None:
    """Returns the dimension that a first line states, or None where it is a word and its numbers."""
    fields = line.split(" ")
    if dim == 1 or len(fields) != 2 or None in (numbers := [whole_in(field) for field in fields]):
        return None
    return numbers[1]


def _or_dim(fields: int) -> str:
    return f"Use --set word_dim={fields}, or another file." if fields else ANOTHER


def _number(path: Path, number: int, text: str) -> float:
    if (value := real_in(text)) is None:
        raise InvalidData(f"{path}, line {number}: {shown(text)} is no finite number. Get the file again.")
    return value
