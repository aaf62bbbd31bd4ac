"""Which files a plugin reads: heard from the interpreter, so that weights nobody stated are told.

Heard are files that Python opens, and safetensors. What a library written in C opens by itself is not.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

CODE = (".py", ".pyc", ".pyi", ".so", ".pyd", ".egg-link")
SYSTEM = ("/proc", "/sys", "/dev", "/etc", "/usr")

_listeners: list[list[Path]] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _listeners:
        return
    path, mode, flags = arguments
    writes = any(letter in mode for letter in "wax+") if mode else bool((flags or 0) & (os.O_WRONLY | os.O_RDWR))
    if not writes and isinstance(path, (str, bytes, os.PathLike)):
        _note(path)


def _note(path: Any) -> None:
    with suppress(OSError, ValueError):  # a path that cannot be: whoever opens it is told
        _listeners[-1].append(Path(os.fsdecode(path)).resolve())


_installed: list[bool] = []  # an audit hook stays for ever: there is one


@contextmanager
def listening(files: list[Path]) -> Iterator[None]:
    """Adds to `files` the files that its body reads."""
    if not _installed:
        sys.addaudithook(_hear)
        _installed.append(True)
    _listeners.append(files)
    try:
        with _hearing_safetensors():
            yield
    finally:
        _listeners.remove(files)


@contextmanager
def _hearing_safetensors() -> Iterator[None]:
    """Hears of files that safetensors maps without Python's `open`."""
    import safetensors

    real = safetensors.safe_open

    def heard(filename: Any, *arguments: Any, **options: Any) -> Any:
        _note(filename)
        return real(filename, *arguments, **options)

    holders = [module for module in list(sys.modules.values()) if vars(module).get("safe_open") is real]
    before = [patch.object(module, "safe_open", heard) for module in holders]
    for one in before:
        one.start()
    try:
        yield
    finally:
        for one in before:
            one.stop()


def unstated(files: Sequence[Path], package: str, places: Sequence[str]) -> list[Path]:
    """Returns the files among `files` that belong to nothing that is known.

    Args:
        package: the plugin's module or package.
        places: files and folders that the model's settings name.
    """
    known = [*_of_installation(), *_of_package(package), *(Path(place).resolve() for place in places)]
    return [
        path for path in dict.fromkeys(files) if path.suffix not in CODE and path.is_file() and not _in(path, known)
    ]


def _in(path: Path, known: Sequence[Path]) -> bool:
    metadata = path.parent.suffix == ".dist-info"  # of whatever is installed, by whichever path file
    return metadata or any(path == place or place in path.parents for place in known)


def _of_installation() -> list[Path]:
    """Returns the folders of the interpreter, of installed libraries and of the system."""
    libraries = [place for place in sys.path if Path(place).name in ("site-packages", "dist-packages")]
    named = [sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *libraries, *SYSTEM]
    return [Path(place).resolve() for place in named] + _of_package("bench")


def _of_package(name: str) -> list[Path]:
    spec = find_spec(name.partition(".")[0])
    return [Path(place).resolve() for place in spec.submodule_search_locations or ()] if spec else []
