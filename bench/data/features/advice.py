"""What a folder holds, and which reader reads it, for errors about features that were looked for elsewhere."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bench.reading.forms import NO_PICKLE
from bench.reading.numbers import number_of

READERS = {
    ".npy": "npy-folder",
    ".npz": "npz-folder",
    ".safetensors": "safetensors-folder",
    ".pt": "torch-folder",
    ".pth": "torch-folder",
    ".tar": "webdataset",
    ".mdb": "lmdb",
}
"""Endings of what lies in a folder, and the reader of such a folder."""
_EACH = "import pathlib, {also}numpy as np; [np.save(p.with_suffix('.npy'), {load}) for p in {files}]"
_TEXT = "np.loadtxt(p, ndmin=2{})"
_PICKLE = "np.asarray(pickle.load(p.open('rb')))"
LOADED = {
    ".csv": (_TEXT.format(", delimiter=','"), ""),
    ".txt": (_TEXT.format(""), ""),
    ".pkl": (_PICKLE, "pickle, "),
    ".pickle": (_PICKLE, "pickle, "),
}
"""Endings of files that no reader reads: what loads one `p`, and what has to be imported for that."""


def held_in(folder: Path) -> str:
    """Returns in words what a folder holds, by endings, and how it is read or written as what is read."""
    try:
        endings = Counter("" if path.is_dir() else path.suffix or "no ending" for path in folder.iterdir())
    except OSError as error:
        return f"the folder cannot be looked into: {error.strerror}"
    told = [f"{count:,} of {end}" if end else number_of(count, "folder") for end, count in endings.most_common(3)]
    held = f"the folder holds {', '.join(told) or 'no files'}"
    if reader := next((name for ending, name in READERS.items() if endings[ending]), ""):
        return f"{held}; reader: {reader} reads them"
    ending = next((ending for ending in LOADED if endings[ending]), "")
    if not ending:
        return held
    load, also = LOADED[ending]
    lines = _EACH.format(also=also, load=load, files=f"pathlib.Path('.').glob('*{ending}')")
    trust = f"{NO_PICKLE}Where you trust them, in" if also else "In"
    return f"{held}. {trust} that folder, this writes npy, for reader: npy-folder: {lines}"
