"""What our own tasks share: parameters behind their names, said where they are not as usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from bench.errors import UsageError
from bench.inputs import View


@dataclass(frozen=True)
class Parametrised:
    """A task with parameters.

    Attributes:
        base: the task's name without parameters, such as `anet-retrieval`.
        dataset: name of the dataset.
        split: the split that is asked about.
    """

    base: str
    dataset: str
    split: str

    @property
    def parameters(self) -> Mapping[str, str]:
        """The parameters users may set in the name, with their values."""
        raise NotImplementedError

    def _usual(self) -> Self:
        """Returns the task that the name means when it says no parameters."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """The base, and behind it every parameter that is not as usual."""
        usual = self._usual()
        if self == usual:
            return self.base
        changed = [f"{key}={value}" for key, value in self.parameters.items() if value != usual.parameters.get(key)]
        return f"{self.base}:{','.join(changed)}" if changed else self.base

    def _with_values(self, chosen: Mapping[str, str]) -> dict[str, str]:
        """Returns all parameters, the chosen ones among them. Raises: UsageError for one that there is not."""
        for name in chosen:
            if name not in self.parameters:
                known = ", ".join(self.parameters)
                raise UsageError(f"task {self.base!r} has no parameter {name!r}. Parameters: {known}.")
        return {**self.parameters, **chosen}


@dataclass(frozen=True)
class Viewed(Parametrised):
    """A task whose segments are a parameter.

    Attributes:
        view: what the model sees of the videos.
        default: the view meant when the name says nothing.
    """

    view: View = field(default_factory=View)
    default: View = field(default_factory=View)

    _unsaid: ClassVar[Mapping[str, Any]] = {}
    """Fields behind further parameters, as they are when the name says nothing."""

    def _usual(self) -> Self:
        return replace(self, view=self.default, **self._unsaid)
