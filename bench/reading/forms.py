"""What a file is, told by its first bytes: an error about a file that is whole, but of another form, names that form.

Nothing is unpacked, and nothing is looked at beyond the first bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HEAD = 4096
ARRAYS = frozenset({"npy", "npz", "hdf5", "safetensors", "torch", "tar", "lmdb"})
"""Forms in which arrays lie."""
EMPTY_ZIP = b"PK\x05\x06"
OLD_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How files begin that torch wrote before release 1.6."""
AGAIN = "Download or write it again."
NO_PICKLE = "bench opens no pickle, which could run any code. "
WRITE_IT = "Write it in the form that is expected."
_UNPACK = "Unpack it, and name what was in it."
_OTHER = "Name the option or reader of that form, or write the other form."
_READER = "As features, `reader: {}` reads it; else give it the ending of what it is."
_PICKLED = (
    NO_PICKLE + "Where you trust it, write its array by np.save('{stem}.npy', np.asarray({load})), or its dictionary "
    "(id -> rows) as npz: import numpy as np; rows = {{i: np.atleast_2d(np.asarray(r)) for i, r in {load}.items()}}; "
    "np.savez('{stem}.npz', video_id=list(rows), features=np.concatenate(list(rows.values())), "
    "lengths=[len(r) for r in rows.values()])"
)
_TABLE = (
    "A table with a head, and an id and then numbers in each row, becomes npz by: import csv, numpy as np; "
    "rows = list(csv.reader(open({name!r})))[1:]; np.savez('{stem}.npz', video_id=[r[0] for r in rows], "
    "features=np.array([r[1:] for r in rows], 'f4'))"
)
_NUMBERS = (
    "A dictionary of id -> rows becomes npz by: import json, numpy as np; np.savez('{stem}.npz', **{{i: np.array(r, "
    "'f4') for i, r in json.load(open({name!r})).items()}})"
)
_MATLAB = (
    "Arrays that are named by ids become npz by: import numpy as np, scipy.io; np.savez('{stem}.npz', **{{i: r for i, "
    "r in scipy.io.loadmat({name!r}).items() if not i.startswith('__')}})"
)


@dataclass(frozen=True)
class KnownForm:
    """A form that a file has.

    Attributes:
        name: short.
        words: what to call it.
        advice: what to do where something else is expected.
        arrays: the same where arrays are expected, with `{name}` and `{stem}` of the file; "" for no other advice.
    """

    name: str
    words: str
    advice: str
    arrays: str = ""

    def advice_for(self, path: Path, *, arrays: bool) -> str:
        """Returns what to do with the file at `path`, where arrays are expected or where they are not."""
        if not (arrays and self.arrays):
            return self.advice
        return self.arrays.format(name=path.name, stem=path.stem, load=_LOAD.get(self.name, "").format(name=path.name))


_LOAD = {"pickle": "__import__('pickle').load(open({name!r}, 'rb'))"}
_STARTS = (
    (b"\x93NUMPY", KnownForm("npy", "a NumPy array (npy)", _OTHER, _READER.format("npy"))),
    (b"\x89HDF\r\n\x1a\n", KnownForm("hdf5", "an HDF5 file", _OTHER, _READER.format("hdf5"))),
    (b"\x1f\x8b", KnownForm("gzip", "a gzip file", _UNPACK)),
    (b"BZh", KnownForm("bzip2", "a bzip2 file", _UNPACK)),
    (b"\xfd7zXZ\x00", KnownForm("xz", "an xz file", _UNPACK)),
    (b"\x28\xb5\x2f\xfd", KnownForm("zstd", "a zstd file", _UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", KnownForm("7z", "a 7z archive", _UNPACK)),
    (b"Rar!", KnownForm("rar", "a rar archive", _UNPACK)),
    (b"PAR1", KnownForm("parquet", "a Parquet table", WRITE_IT)),
    (b"ARROW1", KnownForm("arrow", "an Arrow table", WRITE_IT)),
    (b"MATLAB 5.0", KnownForm("mat", "a MATLAB file", WRITE_IT, _MATLAB)),
    (b"SQLite format 3", KnownForm("sqlite", "an SQLite database", WRITE_IT)),
    (
        b"version https://git-lfs",
        KnownForm("lfs", "a pointer of Git LFS, not the file itself", "Get the file by `git lfs pull`."),
    ),
    (b"%PDF", KnownForm("pdf", "a PDF document", "Name another file.")),
)
_NPZ = KnownForm("npz", "an npz file", _OTHER, _READER.format("npz"))
_TORCH = KnownForm("torch", "a PyTorch file (a pickle)", NO_PICKLE + WRITE_IT, _READER.format("torch"))
_PICKLE = KnownForm("pickle", "a pickle", NO_PICKLE + WRITE_IT, _PICKLED)
_SAFETENSORS = KnownForm("safetensors", "a safetensors file", _OTHER, _READER.format("safetensors"))
_LMDB = KnownForm("lmdb", "an LMDB database", WRITE_IT, _READER.format("lmdb"))
_TAR = KnownForm("tar", "a tar archive", _UNPACK, _READER.format("webdataset"))
_HTML = KnownForm("html", "a web page (HTML)", "Download the file itself, not the page that shows it.")
_JSON = KnownForm("json", "JSON", _OTHER, _NUMBERS)
_TEXT = KnownForm("text", "plain text", "Tables end in .csv, lines of an id and a text in .txt, JSON in .json.", _TABLE)


def form_of(path: Path) -> KnownForm | None:
    """Returns the form of a file, or None where it has none of those that are known, or is no file that can be read.

    A pipe is not opened: that would wait for somebody to write into it.
    """
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return form_in(file.read(HEAD))
    except OSError:
        return None


def form_in(head: bytes) -> KnownForm | None:
    """Returns the form of what begins with these bytes, at most `HEAD` of them; None where it has none."""
    if head.startswith((b"PK\x03\x04", EMPTY_ZIP)):
        return _zip(head)
    for start, form in _STARTS:
        if head.startswith(start):
            return form
    if head[16:20] == b"\xde\xc0\xef\xbe":
        return _LMDB
    if head[257:262] == b"ustar":
        return _TAR
    if head.startswith(OLD_TORCH):
        return _TORCH
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        return _PICKLE
    if head[8:10] == b'{"' and int.from_bytes(head[:8], "little") < 1 << 27:
        return _SAFETENSORS
    return _text(head)


def _zip(head: bytes) -> KnownForm:
    first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    if b"data.pkl" in head:
        return _TORCH
    if first.endswith(b".npy") or head.startswith(EMPTY_ZIP):
        return _NPZ
    return KnownForm("zip", "a zip archive", _UNPACK)


def _text(head: bytes) -> KnownForm | None:
    try:
        text = head.decode("utf-8-sig").lstrip()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return None
        text = head[: error.start].decode("utf-8-sig").lstrip()
    if text[:15].lower().startswith(("<!doctype html", "<html")):
        return _HTML
    if text.startswith(("{", "[")):
        return _JSON
    return _TEXT if text and all(mark.isprintable() or mark.isspace() for mark in text) else None
