"""What our own tasks share: parameters behind their names, said where they are not as usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

from bench.errors import UsageError
from bench.inputs import View

if TYPE_CHECKING:
    from bench.tasks.task import Task


@dataclass(frozen=True)
class Parameter:
    """One parameter of a task, as users write it behind the task's name.

    Attributes:
        value: what it is here.
        doc: one line: what it does.
        choices: the values allowed, or () where `form` says how they are written.
        form: in words, for what is no choice.
    """

    value: str
    doc: str
    choices: tuple[str, ...] = ()
    form: str = ""

    def __str__(self) -> str:
        return f"{self.value} ({', '.join(self.choices) or self.form}) — {self.doc}"


def segments_of(view: View) -> Parameter:
    """Returns the parameter that says which clips of its videos a task shows."""
    return Parameter(view.segments, "the clips a model sees beside the whole video", form="gt, none or uniform-K")


@runtime_checkable
class Explaining(Protocol):
    """A task that says of each of its parameters what it does."""

    @property
    def declared(self) -> Mapping[str, Parameter]:
        """The parameters users may set in the name."""


def explained(task: Task) -> dict[str, str]:
    """Returns all that is known of each parameter of a task: its value alone where the task explains none."""
    named = task.declared if isinstance(task, Explaining) else task.parameters
    return {name: str(parameter) for name, parameter in named.items()}


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
    def declared(self) -> Mapping[str, Parameter]:
        """The parameters users may set in the name."""
        raise NotImplementedError

    @property
    def parameters(self) -> Mapping[str, str]:
        """Their values."""
        return {name: parameter.value for name, parameter in self.declared.items()}

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
        """Returns the values of all parameters, the chosen ones among them.

        Raises: UsageError for one that there is not, and for a value that is not among its choices.
        """
        for name, value in chosen.items():
            if (parameter := self.declared.get(name)) is None:
                known = ", ".join(self.declared)
                raise UsageError(f"task {self.base!r} has no parameter {name!r}. Parameters: {known}.")
            if parameter.choices and value not in parameter.choices:
                raise UsageError(f"task {self.base!r}: {name}={value}: use {', '.join(parameter.choices)}.")
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
