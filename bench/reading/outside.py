"""Files that others wrote, opened without trust: the one place where what a damaged file can raise becomes an error.

Every reader of such a file opens it between `regular_file`, which refuses what would wait for ever or never end, and
`reading`, which turns whatever the library behind it raises into `InvalidData`. No text of an error holds a whole value
of the file: see `shown`.
"""

from __future__ import annotations

import errno
import gzip
import reprlib
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Any

from bench.errors import BenchError, InvalidData, MissingData
from bench.reading.forms import AGAIN, ARRAYS, form_of

GZIP = b"\x1f\x8b"
LARGEST = 1 << 30
"""Bytes of a text file, unpacked: a small gzip file can hold any number. ActivityNet's sentences are 6 MB."""
CHUNK = 1 << 20

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True)
class Form:
    """A form of file that a reader expects.

    Attributes:
        words: what it is not when it is damaged, such as `a whole HDF5 file`.
        names: what `bench.reading.forms` calls it; a file of another known form is named as what it is.
        remedy: what to do when it is damaged.
    """

    words: str
    names: tuple[str, ...] = ()
    remedy: str = AGAIN


JSON = Form("whole JSON", ("json", "gzip"))
GZIPPED = Form("a whole gzip file", ("gzip",))
TEXT = Form("UTF-8 text", ("json", "text", "lfs", "gzip"))
CSV = Form("CSV text", ("text",))
NUMPY = Form("a whole NumPy file", ("npy", "npz"))
HDF5 = Form("a whole HDF5 file", ("hdf5",))
SAFETENSORS = Form("a whole safetensors file", ("safetensors",))
TORCH = Form("a whole PyTorch file", ("torch",))
LMDB = Form("a whole LMDB database", ("lmdb",))
TAR = Form("a whole tar archive", ("tar",))


def regular_file(path: Path, hint: str = "") -> Path:
    """Returns the path of a file that can be read to its end.

    Raises: MissingData when it is not there or out of reach, with `hint`; InvalidData for a folder, a pipe, a socket or
    a device.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        raise _absent(path, error, hint) from None
    if not stat.S_ISREG(mode):
        kind = next((words for holds, words in _KINDS if holds(mode)), "no regular file")
        if kind == "a folder":
            raise InvalidData(f"{path} is a folder, not a file. Name a file in it.")
        raise InvalidData(f"{path} is {kind}, not a file. Write what it gives into a file, and name that.")
    return path


@contextmanager
def reading(path: Path, form: Form) -> Iterator[None]:
    """Turns whatever a library raises at a file into one of our errors.

    What is read inside must be regular files. Only calls of libraries and the taking apart of what they return belong
    inside: a mistake of our own would be blamed on the file.

    Raises: MissingData for a file that is gone or out of reach; InvalidData for everything else.
    """
    try:
        yield
    except BenchError:
        raise
    except Exception as error:  # whatever it is: a list of types was incomplete with every library so far
        raise damaged(path, form, error) from error


def damaged(path: Path, form: Form, error: Exception) -> BenchError:
    """Returns the error for a file that a library could not read: gone, of another form, too large, or damaged."""
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):  # EINVAL: a seek to nowhere
        return _absent(path, error, "")
    if isinstance(error, MemoryError):
        reason = one_line(error) or "it does not fit into memory"
        return InvalidData(f"{path} holds more than this machine has memory for ({reason}). Split it, or use another.")
    if (other := foreign(path, form)) is not None:
        return other
    reason = one_line(error) or type(error).__name__
    if isinstance(error, RecursionError):
        reason = "it is nested too deeply"
    if not path.stat().st_size:
        reason = "it is empty"
    return InvalidData(f"{path} is not {form.words} ({reason}). {form.remedy}")


def foreign(path: Path, form: Form) -> InvalidData | None:
    """Returns the error for a file of another form, by its first bytes; None where it could be of this one."""
    actual = form_of(path)
    if actual is None or actual.name in form.names or (actual.name == "text" and form.remedy != AGAIN):
        return None
    expected = form.words.replace("whole ", "").replace("a HDF5", "an HDF5").replace("a LMDB", "an LMDB")
    advice = actual.advice_for(path, arrays=not ARRAYS.isdisjoint(form.names))
    return InvalidData(f"{path} is {actual.words}, not {expected}. {advice}")


def _absent(path: Path, error: Exception, hint: str) -> MissingData:
    if isinstance(error, FileNotFoundError):
        return MissingData(f"{path}: no such file. {hint}".rstrip())
    reason = error.strerror if isinstance(error, OSError) else one_line(error)
    return MissingData(f"{str(path)[:200]} cannot be read: {reason}. {hint}".rstrip())


def read_content(path: Path, form: Form, hint: str = "") -> bytes:
    """Returns what a file holds; gzip is recognised by content and unpacked, to no more than `LARGEST` bytes.

    Raises: MissingData when the file is not there or cannot be read; InvalidData for half a gzip file, or too much.
    """
    regular_file(path, hint)
    packed = False
    with reading(path, form), path.open("rb") as file:
        packed = file.read(len(GZIP)) == GZIP
        file.seek(0)
        if not packed:
            content = _read(file)
    if packed:
        with reading(path, GZIPPED), path.open("rb") as file, gzip.GzipFile(fileobj=file) as unpacked:
            content = _read(unpacked)
    if len(content) > LARGEST:
        raise InvalidData(f"{path} holds more than {LARGEST >> 20:,} MB of text. No file of this kind is that large.")
    return content


def read_text(path: Path, form: Form = TEXT, hint: str = "") -> str:
    """Returns the text of a file in UTF-8, with or without a byte order mark, plain or gzip.

    Raises: MissingData, InvalidData.
    """
    content = read_content(path, form, hint)
    with reading(path, form):
        return content.decode("utf-8-sig")


def _read(file: BufferedIOBase) -> bytes:
    """Returns all of a file, or of a larger one a little more than `LARGEST` bytes.

    In chunks: whoever asks for so many bytes at once has memory for all of them reserved.
    """
    content = BytesIO()
    while content.tell() <= LARGEST and (chunk := file.read(CHUNK)):
        content.write(chunk)
    return content.getvalue()


def finite(value: Any) -> float | None:
    """Returns a number of a JSON file as a finite float; None for anything else, and for one beyond every float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if float("-inf") < number < float("inf") else None


class _Short(reprlib.Repr):
    """Looks at no more of a value than it shows; numbers of thousands of digits are never written out."""

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if x.bit_length() < 300 else f"a whole number of {x.bit_length():,} bits"


_SHORT = _Short()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 3, 60, 60


def shown(value: Any, limit: int = 60) -> str:
    """Returns a value of a file for the text of an error, on one line and never longer than `limit` and a dot."""
    text = _SHORT.repr(value)
    return text if len(text) <= limit else f"{text[:limit]}…"


def one_line(error: Exception) -> str:
    """Returns what an error says on one line of at most 160 characters."""
    said = "".join(character if character.isprintable() else " " for character in str(error)[:400])
    return " ".join(said.split())[:160]
