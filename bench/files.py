"""Files that are either whole or absent: atomic writes, and tensors with JSON values in one safetensors file.

Every file bench writes goes through here, so that a full disk, a read-only folder, Ctrl-C or SIGKILL never leaves
a half-written file under its final name. Failures are `SaveError`; unreadable tensor files are `InvalidData`.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import socket
import tempfile
import time
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import InvalidData, MissingData, SaveError, UsageError
from bench.reading.outside import Form, reading, regular_file

if TYPE_CHECKING:
    import numpy as np

TENSORS = Form("a whole file written by bench", ("safetensors",), "Delete it and run again with --no-resume.")
PathLike = str | os.PathLike[str]
"""What a path may be given as, through every public door."""
METADATA_KEY = "bench"  # one key only: safetensors does not keep the order of several
PART = ".part"
CLAIMS = ".claims"
FULL = {errno.ENOSPC, errno.EDQUOT}
_FORMULA = ("=", "+", "-", "\N{MINUS SIGN}", "@", "\t", "\r", "\n")
A_DAY = 24 * 3600.0


def as_path(name: str, value: PathLike) -> Path:
    """Returns a path given as text or as any path object. Raises: UsageError for anything else."""
    path: object = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str) or not path:
        raise UsageError(f"{name}={value!r}: a path is wanted, as text or as pathlib.Path.")
    return Path(path)


def as_optional_path(name: str, value: PathLike | None) -> Path | None:
    """Returns a path, or None for none. Raises: UsageError for anything else."""
    return None if value is None else as_path(name, value)


def write_atomically(path: PathLike, content: bytes, *, overwrite: bool = True, durable: bool = True) -> None:
    """Writes `content` to `path` so that `path` is whole or untouched at every moment.

    Args:
        durable: wait until the disk has it, so that it also survives a loss of power; hundreds of files that can be
            made again in seconds need not wait.

    Raises: SaveError when the file cannot be written, or exists and `overwrite` is false.
    """
    path = Path(path)
    if not overwrite and taken(path):
        raise _exists(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _tidy_once(os.path.abspath(path.parent))  # noqa: PTH100 (looks at no disk)
        prefix = ".{}.{}-{}.".format(path.name[:40], *_writer())
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=PART)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            mask = os.umask(0)  # it cannot be asked otherwise
            os.umask(mask)
            temporary.chmod(0o666 & ~mask)
            if overwrite:
                temporary.replace(path)
            else:
                _give_name(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SaveError(f"cannot write {path}: {reason}. {_remedy(path, error)}") from error


def _remedy(path: Path, error: OSError) -> str:
    """Returns what to do where a file cannot be written."""
    if error.errno == errno.ENAMETOOLONG:
        return "Choose a shorter name."
    if path.is_dir():
        return "It is a folder: name a file in it, or another."
    above = next((folder for folder in path.parents if folder.exists()), path.parent)
    if not above.is_dir():
        return f"{above} is a file: choose another folder."
    return f"{'Free space' if error.errno in FULL else 'Make the folder writable'}, or choose another folder."


def taken(path: Path) -> bool:
    """True when `path` holds something. An empty file is the claim of a process that was killed before it wrote."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def _give_name(temporary: Path, path: Path) -> None:
    """Gives a whole file its name where nobody has that name: of two writers one wins. Raises: SaveError.

    A hard link does that in one step. Where a file system has none (exFAT, many network and FUSE mounts; each answers
    with an error of its own), the name is claimed by exclusive creation and the file renamed over the claim. The lock
    tells the claim of a living process from one that a killed process left.
    """
    try:
        path.hardlink_to(temporary)
    except FileExistsError as error:
        if taken(path):
            raise _exists(path) from error
    except OSError:
        pass  # whatever else is wrong (disk full, read-only) the second way meets again, and says so
    else:
        return
    from bench.locks import held  # here: no command that only reads needs it

    with held(path.with_name(CLAIMS)):
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666))
        except FileExistsError as error:
            if taken(path):
                raise _exists(path) from error
        temporary.replace(path)


def check_takes_records(folder: Path) -> None:
    """Makes sure that a record can be saved in `folder`, in the way it will be. Raises: SaveError."""
    probe = folder / ".probe.{}-{}.0{}".format(*_writer(), PART)
    probe.unlink(missing_ok=True)
    try:
        write_atomically(probe, b"{}", overwrite=False, durable=False)
    finally:
        probe.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Removes what writers left in `folder` (not below it) that were killed while they wrote.

    A file of a living process of this machine stays; so does one of another machine until it is a day old.
    """
    from bench.locks import alive

    for path in folder.glob(f".*{PART}"):
        host, _, process = path.name.rpartition(PART)[0].rpartition(".")[0].rpartition(".")[2].partition("-")
        with suppress(OSError):  # somebody else may remove it first, and what may not be removed harms nobody
            here = host == _writer()[0] and process.isdecimal()
            if not alive(int(process)) if here else time.time() - path.stat().st_mtime > A_DAY:
                path.unlink()


@lru_cache(maxsize=1024)
def _tidy_once(folder: str) -> None:
    """Removes what killed writers left in a folder, before this process first writes there."""
    remove_leftovers(Path(folder))


def _writer() -> tuple[str, int]:
    """Returns who writes: this machine, and this process."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8], os.getpid()


def _exists(path: Path) -> SaveError:
    return SaveError(f"{path} exists and is never overwritten. Look at it first, or choose another name.")


def write_json(path: Path, value: Any, *, overwrite: bool = True) -> None:
    """Writes `value` as indented JSON with a final newline; NaN and infinity are refused."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(path, (text + "\n").encode(), overwrite=overwrite)


def write_tensors(
    path: PathLike, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any], *, overwrite: bool = True
) -> None:
    """Writes named arrays and a JSON object into one safetensors file; equal content gives equal bytes."""
    import numpy as np
    from safetensors.numpy import save

    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    metadata = {METADATA_KEY: json.dumps(values, sort_keys=True, ensure_ascii=False, allow_nan=False)}
    write_atomically(path, save(contiguous, metadata=metadata), overwrite=overwrite)


def read_tensors(path: PathLike) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Returns the arrays and the JSON object that `write_tensors` put into `path`.

    Raises: InvalidData when the file is missing, truncated, or was not written by bench.
    """
    from safetensors import safe_open

    path = Path(path)
    try:
        regular_file(path)
    except MissingData as error:
        raise InvalidData(f"{path} does not exist. `bench run --no-resume` writes it anew.") from error
    with reading(path, TENSORS):
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        values = json.loads(metadata[METADATA_KEY])
        if not isinstance(values, dict):
            raise ValueError(f"its metadata are a JSON {type(values).__name__}")
    return arrays, values


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file's bytes as 64 hex digits. Raises: MissingData, InvalidData for no regular file."""
    with regular_file(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(value: Any) -> str:
    """Returns the SHA-256 of a JSON-like value in canonical form, as 64 hex digits."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def spreadsheet_cell(text: str) -> str:
    """Returns text as a cell of a CSV file that no spreadsheet takes for a formula: with an apostrophe where it could.

    Some take other forms of the signs as well, such as `＝` (full width): what counts is the sign that they stand for.
    """
    return f"'{text}" if unicodedata.normalize("NFKC", text[:1]).startswith(_FORMULA) else text


def slug(name: str) -> str:
    """Returns `name` as a safe part of a file name: letters, digits, dot, dash and underscore, at most 80."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:80] or "unnamed"
