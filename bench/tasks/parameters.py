"""What our own tasks share: parameters behind their names, said where they are not as usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

from bench.data.sets.named import NamedSet, named_set
from bench.errors import UsageError
from bench.inputs import View
from bench.matching import Unit

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


NO_SET = "none"
"""The parameter `set` where a task asks the whole split that bench.yaml declares."""


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

    @cached_property
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
    """A task whose segments are a parameter, and the named set that it asks (`bench list sets`).

    Attributes:
        view: what the model sees of the videos.
        default: the view meant when the name says nothing.
        field_name: the dataset of the field that its dataset is said to be, such as `msrvtt`; "" where nobody says.
        whole: the split that is asked about when the name says no set; "" as long as it says none.
    """

    view: View = field(default_factory=View)
    default: View = field(default_factory=View)
    field_name: str = field(default="", kw_only=True)
    whole: str = field(default="", kw_only=True)

    _unsaid: ClassVar[Mapping[str, Any]] = {}
    """Fields behind further parameters, as they are when the name says nothing."""
    units: ClassVar[tuple[str, ...]] = ()
    """What one query may be in a set that the task can ask."""

    def _usual(self) -> Self:
        return replace(self, view=self.default, split=self.whole or self.split, whole="", **self._unsaid)

    @property
    def _asked_set(self) -> Parameter:
        """The parameter that says which named set is asked."""
        value = self.split.removeprefix(f"{self.field_name}:") if self.whole else NO_SET
        return Parameter(value, "the named test set that is asked", form=f"{NO_SET}, or one of `bench list sets`")

    def _on_set(self, chosen: Mapping[str, str]) -> Self:
        """Returns the same task on the set that the parameter `set` chooses, asked as that set is.

        Raises: UsageError for a set of another dataset, or one that this task cannot ask; UnknownName.
        """
        if (asked := chosen.get("set")) is None:
            return self
        usual = self._usual()
        if asked == NO_SET:
            return replace(self, view=replace(self.view, text=self.default.text), split=usual.split, whole="")
        if ":" not in asked and not self.field_name:
            raise UsageError(
                f"task {self.base!r}: set={asked}: nothing says which dataset of the field {self.dataset!r} is. Write "
                f"set=DATASET:{asked}, or datasets.{self.dataset}.set in bench.yaml; `bench list sets` shows them."
            )
        named = named_set(asked if ":" in asked else f"{self.field_name}:{asked}")
        own, _, _ = named.name.partition(":")
        if self.field_name not in ("", own):
            raise UsageError(
                f"task {self.base!r}: set={asked}: a set of {own}, and {self.dataset!r} is {self.field_name}. Use one "
                f"of its sets, `bench list sets` shows them; or correct datasets.{self.dataset}.set."
            )
        if named.part == "train":
            raise UsageError(
                f"task {self.base!r}: set={asked}: {named.name} is for training. Declare it as the split train."
            )
        return replace(self, view=replace(self.view, text=self._text_of(named)), split=named.name, whole=usual.split)

    def _text_of(self, named: NamedSet) -> Unit:
        """Returns what one text is where a set is asked. Raises: UsageError for a set that this task cannot ask."""
        whole = self.default.segments == "none"
        if named.unit not in self.units or (named.unit == "caption" and not whole):
            fits = f"which {self.base!r} does not ask"
            fits += "" if whole or named.unit != "caption" else f" where segments are: {self.default.segments}"
            raise UsageError(f"task {self.base!r}: a query of {named.name} is a {named.unit}, {fits}. Choose another.")
        if named.unit == "caption":
            return "caption"
        return "captions-together" if whole and named.unit == "paragraph" else self.default.text
