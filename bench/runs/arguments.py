"""Values that a caller from Python gives, checked before anything is done with them: whatever is wrong is a UsageError.

The command line needs none of this: click has parsed its flags.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Mapping, Sequence
from typing import Any, SupportsIndex

from bench.errors import UsageError
from bench.runs.progress import Reporter


def as_text(name: str, value: str, example: str) -> str:
    """Returns a text. Raises: UsageError for anything else, such as a list of names."""
    if not isinstance(value, str):
        raise UsageError(f"{name}={value!r}: one text is wanted, such as {example!r}. Call once for each of several.")
    return value


def as_texts(name: str, value: Sequence[str]) -> tuple[str, ...]:
    """Returns several texts. Raises: UsageError for anything else; one text would count as its letters."""
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
        raise UsageError(f"{name}={value!r}: a list of texts is wanted, such as ['t2v/R@1'].")
    return tuple(value)


def as_whole(name: str, value: SupportsIndex) -> int:
    """Returns a whole number; numpy's count too. Raises: UsageError for anything else."""
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    raise UsageError(f"{name}={value!r}: a whole number is wanted.")


def as_flag(name: str, value: bool) -> bool:
    """Returns a truth value. Raises: UsageError for anything else: the text 'no' would count as true."""
    if not isinstance(value, bool):
        raise UsageError(f"{name}={value!r}: True or False is wanted.")
    return value


def as_settings(name: str, value: Mapping[str, object] | None) -> dict[str, object]:
    """Returns settings by name. Raises: UsageError for anything but a mapping from texts."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise UsageError(f"{name}={value!r}: a dictionary of settings by name is wanted, such as {{'hidden': 256}}.")
    return dict(value)


def as_choice(name: str, value: Any, choices: tuple[str, ...]) -> Any:
    """Returns one of several texts. Raises: UsageError for anything else."""
    if value not in choices:
        raise UsageError(f"{name}={value!r}: one of {', '.join(map(repr, choices))} is wanted.")
    return value


def as_reporter(name: str, value: Reporter) -> Reporter:
    """Returns what is told of long work. Raises: UsageError for anything that cannot be told."""
    if not all(callable(getattr(value, method, None)) for method in ("say", "step")):
        raise UsageError(f"{name}={value!r}: an object with the methods say(line) and step(…) is wanted.")
    return value


def call(function: str, given: Mapping[str, object], defaults: Mapping[str, object] | None) -> str:
    """Returns a call as a user would write it, without the arguments that have their defaults."""
    usual = defaults or {}
    said = [f"{name}={_written(value)}" for name, value in given.items() if name not in usual or value != usual[name]]
    return f"{function}({', '.join(said)})"


def _written(value: object) -> str:
    return repr(os.fspath(value)) if isinstance(value, os.PathLike) else repr(value)
