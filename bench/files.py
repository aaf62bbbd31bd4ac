"""Files that are either whole or absent: atomic writes, and tensors with JSON values in one safetensors file.

Every file bench writes goes through here, so that a full disk, a read-only folder, Ctrl-C or SIGKILL never leaves
a half-written file under its final name. Failures are `SaveError`; unreadable tensor files are `InvalidData`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import InvalidData, SaveError

if TYPE_CHECKING:
    import numpy as np

METADATA_KEY = "bench"  # one key only: safetensors does not keep the order of several


def write_atomically(path: Path, content: bytes, *, overwrite: bool = True, durable: bool = True) -> None:
    """Writes `content` to `path` so that `path` is whole or untouched at every moment.

    Args:
        durable: wait until the disk has it, so that it also survives a loss of power; hundreds of files that can be
            made again in seconds need not wait.

    Raises: SaveError when the file cannot be written, or exists and `overwrite` is false.
    """
    if not overwrite and path.exists():
        raise SaveError(f"{path} exists and is never overwritten. Choose another --output.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            Path(temporary).chmod(0o666 & ~_umask())
            if overwrite:
                Path(temporary).replace(path)
            else:
                path.hardlink_to(temporary)  # fails if `path` exists: two writers cannot both win
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SaveError(f"cannot write {path}: {reason}. Free space or choose another --output.") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_json(path: Path, value: Any, *, overwrite: bool = True) -> None:
    """Writes `value` as indented JSON with a final newline; NaN and infinity are refused."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(path, (text + "\n").encode(), overwrite=overwrite)


def write_tensors(
    path: Path, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any], *, overwrite: bool = True
) -> None:
    """Writes named arrays and a JSON object into one safetensors file; equal content gives equal bytes."""
    import numpy as np
    from safetensors.numpy import save

    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    metadata = {METADATA_KEY: json.dumps(values, sort_keys=True, ensure_ascii=False, allow_nan=False)}
    write_atomically(path, save(contiguous, metadata=metadata), overwrite=overwrite)


def read_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Returns the arrays and the JSON object that `write_tensors` put into `path`.

    Raises: InvalidData when the file is missing, truncated, or was not written by bench.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        values = json.loads(metadata[METADATA_KEY])
    except FileNotFoundError as error:
        raise InvalidData(f"{path} does not exist. It is written by `bench run`.") from error
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise InvalidData(f"{path} is not a whole file written by bench ({error}). Delete it and run again.") from error
    return arrays, values


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file's bytes as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(value: Any) -> str:
    """Returns the SHA-256 of a JSON-like value in canonical form, as 64 hex digits."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def slug(name: str) -> str:
    """Returns `name` as a safe part of a file name: letters, digits, dot, dash and underscore, at most 80."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:80] or "unnamed"
