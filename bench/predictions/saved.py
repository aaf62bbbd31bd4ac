"""What a kind of predictions must be able to do, and which of the kinds that a task takes a file holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from bench.errors import InvalidData
from bench.files import PathLike, read_tensors

if TYPE_CHECKING:
    import numpy as np

AGAIN = "Run again with --no-resume."


class Predictions(Protocol):
    """What a model answers to a task; a task may bring a class of its own.

    Attributes:
        kind: what records call it, in a few small words, such as `class scores`.
        suffix: of its files, such as `.safetensors`.
    """

    kind: ClassVar[str]
    suffix: ClassVar[str]

    def check(self, model: str) -> None:
        """Raises ModelError, naming the model, for an answer that cannot be scored."""

    def save(self, path: PathLike) -> None:
        """Writes one file, whole or not at all; equal predictions give equal bytes."""

    @classmethod
    def load(cls, path: PathLike) -> Self:
        """Reads what `save` wrote. Raises: InvalidData for any other file."""


class Tensors:
    """Predictions in a safetensors file that says their kind: read by `from_file` of the class."""

    kind: ClassVar[str]
    suffix: ClassVar[str] = ".safetensors"

    @classmethod
    def load(cls, path: PathLike) -> Self:
        """Reads what `save` wrote. Raises: InvalidData for any other file."""
        arrays, values = read_tensors(path)
        if values.get("kind") != cls.kind:
            raise InvalidData(f"{path} holds {values.get('kind')}, not {cls.kind}. {AGAIN}")
        try:
            return cls.from_file(arrays, values)
        except KeyError as error:
            raise InvalidData(f"{path} holds no {cls.kind}: it lacks {error}. {AGAIN}") from error

    @classmethod
    def from_file(cls, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> Self:
        """Returns what `save` wrote. Raises KeyError for what is lacking."""
        raise NotImplementedError


def load_predictions(path: PathLike, answers: Sequence[type[Predictions]], kind: str = "") -> Predictions:
    """Returns the predictions in a file, read by that one of `answers` that wrote it.

    Args:
        answers: the kinds that a task takes.
        kind: what the record calls them; "" where it does not, and the file must tell.

    Raises: InvalidData for a file of none of these kinds.
    """
    path = Path(path)
    alike = [answer for answer in answers if answer.suffix == path.suffix]
    if not kind and len(alike) == 1:
        return alike[0].load(path)
    named = kind or str(read_tensors(path)[1].get("kind"))
    for answer in answers:
        if answer.kind == named:
            return answer.load(path)
    expected = " or ".join(answer.kind for answer in answers)
    raise InvalidData(f"{path} holds {named}; expected {expected}. Score it under the task it was made for. {AGAIN}")
