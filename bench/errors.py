"""Every error that bench raises on purpose, each with the exit code that the command line returns for it.

Each message answers three questions in one line: what was asked, what exists, what to do next.

    BenchError                 1   something we could not do
    ├── UsageError             2   the request itself is wrong
    │   └── ConfigError        2   bench.yaml cannot be read or says something unknown
    ├── CatalogueError         3   a model, task or plugin is unknown or cannot be loaded
    │   ├── UnknownName        3   no model, task or dataset of that name
    │   ├── UnsupportedTask    3   the model cannot do what the task asks for
    │   ├── ModelError         3   a model failed to load, to fit, or answered with something unusable
    │   └── TaskError          3   the code of a plugin's task failed
    ├── DataError              4   data is missing or not as expected
    │   ├── MissingData        4   a file or a video that the protocol needs is not there
    │   └── InvalidData        4   a file is there, but broken, foreign or out of range
    ├── SaveError              1   something could not be written (disk full, read-only, already there)
    ├── TakenOver              1   another process took over what this one held a lock for
    ├── ToolError             1   a program that bench runs (Java) is missing, failed, or gave no answer
    ├── PartialFailure         5   some of several runs failed; the good ones are saved
    ├── VerificationError      6   a record does not agree with its evidence, predictions or schema
    └── Interrupted          130   stopped by Ctrl-C or a signal, after saving what there was
"""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 1_600
"""Characters of a message. What a file says may stand in it, and a file may say anything."""
_JOINERS = "\u200c\u200d"  # words of many scripts need them


def printable(text: str) -> str:
    """Returns text of others on one line, with nothing in it that moves, hides or reorders what a terminal shows."""
    if text.isprintable():
        return text
    kept = ((c, c.isprintable() or c in _JOINERS) for c in text)
    return "".join(c if keep else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c, keep in kept)


class BenchError(Exception):
    """The root of all errors a user can meet; `exit_code` is what the command line returns."""

    exit_code = 1

    def __str__(self) -> str:
        said = printable(super().__str__())
        return said if len(said) <= LONGEST else f"{said[: LONGEST // 2]} […] {said[-LONGEST // 2 :]}"


class UsageError(BenchError):
    """The request itself is wrong: a flag, a setting or a combination that cannot be."""

    exit_code = 2


class ConfigError(UsageError):
    """bench.yaml cannot be read, or says something that bench does not know."""


class CatalogueError(BenchError):
    """A model, task or plugin is unknown, cannot be loaded, or misbehaves."""

    exit_code = 3


class UnknownName(CatalogueError):
    """No model, task or dataset has the name that was asked for."""


class UnsupportedTask(CatalogueError):
    """The model does not provide what the task needs."""


class ModelError(CatalogueError):
    """A model failed to load or to fit, or returned something that cannot be scored."""


class TaskError(CatalogueError):
    """The code of a task that a plugin offers failed."""


class DataError(BenchError):
    """Data is missing or not as expected."""

    exit_code = 4


class MissingData(DataError):
    """A file, or a video in it, that the protocol needs is not there."""


class InvalidData(DataError):
    """A file is there, but it is broken, foreign, or holds values out of range."""


class SaveError(BenchError):
    """Something could not be written; what was there before is untouched."""


class TakenOver(BenchError):
    """Another process took over what this one held a lock for; whoever held it asks for the lock again."""


class ToolError(BenchError):
    """A program that bench runs, such as Java, is missing, failed, or gave no answer."""


class PartialFailure(BenchError):
    """Some of several runs failed; the good ones are saved."""

    exit_code = 5


class VerificationError(BenchError):
    """A record does not agree with its schema, its evidence or its predictions."""

    exit_code = 6


class Interrupted(BenchError):
    """Stopped by the user or a signal, after saving what there was to save."""

    exit_code = 130


def out_of_memory(error: BaseException) -> bool:
    """True when memory was not enough: Python's own error, CUDA's, or PyTorch's and the system's words for it."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    words = ("not enough memory", "out of memory", "cannot allocate memory", "can't allocate memory", "alloc_failed")
    return isinstance(error, RuntimeError | OSError) and any(word in str(error).lower() for word in words)


def unknown_name(kind: str, asked: str, known: Iterable[str]) -> UnknownName:
    """Returns the error for an unknown `kind` ('model', 'task', …): nearest names first, then all of them."""
    import difflib  # here: no command that succeeds needs it

    names = sorted(known)
    alike = [name for name in names if name.lower() == asked.lower()]
    near = alike or difflib.get_close_matches(asked, names, n=3)
    hint = f" Did you mean {' or '.join(repr(name) for name in near)}?" if near else ""
    exists = ", ".join(names) or "none"
    return UnknownName(f"unknown {kind} {asked!r}.{hint} Known {kind}s: {exists}.")
