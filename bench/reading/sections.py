"""Sections of a file, which are keys and values, become frozen dataclasses; what does not fit is told with its place.

A field of such a dataclass is a `key`, which names the function that reads its value. Light: listings read bench.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, field, fields
from pathlib import Path
from typing import Any, TypeVar

from bench.reading.numbers import whole_in
from bench.reading.outside import shown

T = TypeVar("T")
Reader = Callable[[Any, str], T]
"""From a value and its place in the file to what it means. Raises: Misfit."""


class Misfit(ValueError):
    """A value that does not fit; the message says where it stands, and what was expected or is known there."""


def key(read: Reader[Any], default: Any = MISSING) -> Any:
    """Returns a field whose value `read` reads; one with a default may be left out, or be null where that is None."""
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata={"read": read})
    return field(default=default, metadata={"read": read})


def section(kind: type[T]) -> Reader[T]:
    """Returns the reader of a section with the fields of `kind`, a dataclass."""

    def read(value: Any, where: str) -> T:
        given = _keys_and_values(value, where)
        known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
        for name in given:  # before what is missing: an unknown key explains the missing one beside it
            if name not in known:
                import difflib  # here: a file that is in order needs none of it

                near = difflib.get_close_matches(name, known, n=1)
                hint = f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(sorted(known))}."
                raise Misfit(f"{_inside(where, name)}: unknown key. {hint}")
        for name, one in known.items():
            if name not in given and one.default is MISSING and one.default_factory is MISSING:
                raise Misfit(f"{_inside(where, name)}: missing. Add it; README shows an example.")
        said = {name: one for name, one in given.items() if one is not None or known[name].default is not None}
        return kind(**{name: known[name].metadata["read"](one, _inside(where, name)) for name, one in said.items()})

    return read


def by_name(read: Reader[T]) -> Reader[Mapping[str, T]]:
    """Returns the reader of things by name."""

    def read_all(value: Any, where: str) -> Mapping[str, T]:
        given = _keys_and_values(value, where)
        return {name_of(name, _inside(where, name)): read(one, _inside(where, name)) for name, one in given.items()}

    return read_all


def listed(read: Reader[T]) -> Reader[tuple[T, ...]]:
    """Returns the reader of a list."""

    def read_all(value: Any, where: str) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise _unexpected(where, "a list", value)
        return tuple(read(one, f"{where}.{place}") for place, one in enumerate(value))

    return read_all


def text(pattern: str = r"(?s:.*)", words: str = "text") -> Reader[str]:
    """Returns the reader of text that a pattern describes; `words` say what that is."""

    def read(value: Any, where: str) -> str:
        if not isinstance(value, str):
            plain = value is not None and not isinstance(value, Mapping | list)
            raise _unexpected(where, "text", value, " Put it in quotes." if plain else "")
        if not re.fullmatch(pattern, value):
            raise _unexpected(where, words, value)
        return value

    return read


def pathname(value: Any, where: str) -> Path:
    """Reads a path, as it is written."""
    return Path(text(words="a path")(value, where))


def one_of(*choices: str | int) -> Reader[Any]:
    """Returns the reader of one of several words or numbers."""

    def read(value: Any, where: str) -> Any:
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise _unexpected(where, " or ".join(map(repr, choices)), value)
        return value

    return read


def whole(least: int) -> Reader[int]:
    """Returns the reader of a whole number, `least` or more; in quotes it is one too."""

    def read(value: Any, where: str) -> int:
        number = whole_in(value) if isinstance(value, str) else value
        if type(number) is not int or number < least:
            raise _unexpected(where, f"a whole number, {least} or more", value)
        return number

    return read


def span(value: Any, where: str) -> tuple[int, int]:
    """Reads two positions, the first and the one past the last, such as [0, 900]."""
    if not isinstance(value, list) or len(value) != 2:
        raise _unexpected(where, "two whole numbers such as [0, 900]", value)
    return whole(0)(value[0], f"{where}.0"), whole(1)(value[1], f"{where}.1")


name_of = text(
    r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", "a name: at most 64 letters, digits and '_.-', the first a letter or a digit"
)
"""Reads what something may be called."""


def _keys_and_values(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _unexpected(where, "keys and values", value)
    return value


def _inside(where: str, name: str) -> str:
    """Returns the place of a key below another; what cannot be printed, or would fill the line, is left out."""
    seen = "".join(character for character in name[:64] if character.isprintable())
    return f"{where}.{seen}" if where else seen


def _unexpected(where: str, words: str, value: Any, remedy: str = "") -> Misfit:
    return Misfit(f"{where or 'the file'}: expected {words}, found {shown(value)}.{remedy}")
