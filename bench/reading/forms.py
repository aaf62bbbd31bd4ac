"""What a file is, told by its first bytes: an error about a file that is whole, but of another form, names that form.

Nothing is unpacked, and nothing is looked at beyond the first bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HEAD = 4096
ARRAYS = frozenset({"npy", "npz", "hdf5", "safetensors"})
EMPTY_ZIP = b"PK\x05\x06"
AGAIN = "Download or write it again."
NO_PICKLE = "bench opens no pickle, which could run any code. "
WRITE_IT = "Write it in the form that is expected."
WRITE_ARRAYS = (
    "Where you trust it, write its array by np.save('{stem}.npy', np.asarray({load})), or its dictionary (id -> rows) "
    "as npz: import numpy as np; rows = {{i: np.atleast_2d(np.asarray(r)) for i, r in {load}.items()}}; "
    "np.savez('{stem}.npz', video_id=list(rows), features=np.concatenate(list(rows.values())), "
    "lengths=[len(r) for r in rows.values()])"
)


@dataclass(frozen=True)
class KnownForm:
    """A form that a file has: a short name, what to call it, and what to do where another form is expected."""

    name: str
    words: str
    advice: str


_UNPACK = "Unpack it, and name what was in it."
_STARTS = (
    (b"\x93NUMPY", KnownForm("npy", "a NumPy array (npy)", "Name the reader of that form, or write the other form.")),
    (b"\x89HDF\r\n\x1a\n", KnownForm("hdf5", "an HDF5 file", "Name the reader of that form, or write the other form.")),
    (b"\x1f\x8b", KnownForm("gzip", "a gzip file", _UNPACK)),
    (b"BZh", KnownForm("bzip2", "a bzip2 file", _UNPACK)),
    (b"\xfd7zXZ\x00", KnownForm("xz", "an xz file", _UNPACK)),
    (b"\x28\xb5\x2f\xfd", KnownForm("zstd", "a zstd file", _UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", KnownForm("7z", "a 7z archive", _UNPACK)),
    (b"Rar!", KnownForm("rar", "a rar archive", _UNPACK)),
    (b"PAR1", KnownForm("parquet", "a Parquet table", WRITE_IT)),
    (b"ARROW1", KnownForm("arrow", "an Arrow table", WRITE_IT)),
    (
        b"MATLAB 5.0",
        KnownForm("mat", "a MATLAB file", "Load it by scipy.io.loadmat, and write the form that is expected."),
    ),
    (b"SQLite format 3", KnownForm("sqlite", "an SQLite database", "Write the form that is expected.")),
    (
        b"version https://git-lfs",
        KnownForm("lfs", "a pointer of Git LFS, not the file itself", "Get the file by `git lfs pull`."),
    ),
    (b"%PDF", KnownForm("pdf", "a PDF document", "Name another file.")),
)


def form_of(path: Path) -> KnownForm | None:
    """Returns the form of a file, or None where it has none of those that are known, or cannot be opened."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError:
        return None
    if head.startswith((b"PK\x03\x04", EMPTY_ZIP)):
        return _zip(path, head)
    for start, form in _STARTS:
        if head.startswith(start):
            return form
    if head[16:20] == b"\xde\xc0\xef\xbe":
        return KnownForm("lmdb", "an LMDB database", "Write what it holds in the form that is expected.")
    if head[257:262] == b"ustar":
        return KnownForm("tar", "a tar archive", _UNPACK)
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        return _pickle("a pickle", path, f"__import__('pickle').load(open({path.name!r}, 'rb'))")
    if head[8:10] == b'{"' and int.from_bytes(head[:8], "little") < 1 << 27:
        return KnownForm("safetensors", "a safetensors file", "Name the reader of that form, or write the other form.")
    return _text(head)


def _zip(path: Path, head: bytes) -> KnownForm:
    first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    if b"data.pkl" in head:
        return _pickle("a PyTorch file (a pickle)", path, f"__import__('torch').load({path.name!r}, weights_only=True)")
    if first.endswith(b".npy") or head.startswith(EMPTY_ZIP):
        return KnownForm("npz", "an npz file", "Name the reader of that form, or write the other form.")
    return KnownForm("zip", "a zip archive", _UNPACK)


def _pickle(words: str, path: Path, load: str) -> KnownForm:
    return KnownForm("pickle", words, NO_PICKLE + WRITE_ARRAYS.format(load=load, stem=path.stem))


def _text(head: bytes) -> KnownForm | None:
    try:
        text = head.decode("utf-8-sig").lstrip()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return None
        text = head[: error.start].decode("utf-8-sig").lstrip()
    if text[:15].lower().startswith(("<!doctype html", "<html")):
        return KnownForm("html", "a web page (HTML)", "Download the file itself, not the page that shows it.")
    if text.startswith(("{", "[")):
        return KnownForm("json", "JSON", "Name the option or reader of that form, or write the other form.")
    return None
