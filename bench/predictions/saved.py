"""What a kind of predictions must be able to do, and which of the kinds that a task takes a file holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

from bench.errors import InvalidData, ModelError
from bench.files import PathLike, read_tensors
from bench.reading.outside import shown

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
        """Raises ModelError, naming the model, for an answer that cannot be scored. Every kind has its own."""

    def save(self, path: PathLike) -> None:
        """Writes one file, whole or not at all; equal predictions give equal bytes."""

    @classmethod
    def load(cls, path: PathLike) -> Self:
        """Reads what `save` wrote. Raises: InvalidData for any other file."""


@runtime_checkable
class Divisible(Protocol):
    """Predictions of which some videos can be taken alone."""

    def among(self, videos: Collection[str], texts: Collection[str]) -> Predictions:
        """Returns what was said of some videos, and of some texts where there are any, in the same order."""


class Tensors:
    """Predictions in a safetensors file that says their kind: read by `from_file` of the class."""

    kind: ClassVar[str]
    suffix: ClassVar[str] = ".safetensors"

    @classmethod
    def load(cls, path: PathLike) -> Self:
        """Reads what `save` wrote. Raises: InvalidData for any other file."""
        arrays, values = read_tensors(path)
        if values.get("kind") != cls.kind:
            raise InvalidData(f"{path} holds {shown(values.get('kind'))}, not {cls.kind}. {AGAIN}")
        try:
            predictions = cls.from_file(arrays, values)
            predictions.check(cls.kind)
        except KeyError as error:
            raise InvalidData(f"{path} holds no {cls.kind}: it lacks {shown(error.args[0])}. {AGAIN}") from error
        except (ModelError, TypeError, ValueError) as error:  # what a model said was checked before it was saved
            raise InvalidData(
                f"{path} is not whole: ids, shapes, types or values of its {cls.kind} do not fit one another. {AGAIN}"
            ) from error
        return predictions

    def check(self, model: str) -> None:
        """Raises ModelError, naming the model, for an answer that cannot be scored."""
        raise NotImplementedError

    @classmethod
    def from_file(cls, arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> Self:
        """Returns what `save` wrote. Raises KeyError for what is lacking, ValueError for what is of another type."""
        raise NotImplementedError


def places_of(ids: Sequence[str], wanted: Collection[str]) -> list[int]:
    """Returns the places of those ids that are wanted."""
    return [i for i, one in enumerate(ids) if one in wanted]


def ids_in(value: Any) -> tuple[str, ...]:
    """Returns ids as a file holds them. Raises ValueError for anything but a list of texts."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("ids that are no list of texts")
    return tuple(value)


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
    held = shown(named)
    raise InvalidData(f"{path} holds {held}; expected {expected}. Score it under the task it was made for. {AGAIN}")
