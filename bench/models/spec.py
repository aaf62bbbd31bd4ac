"""A model as its plugin offers it: a light `ModelSpec` that names the code and what it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from bench.execution import Resources
from bench.models.settings import Setting, Settings, Value, resolved

Lesson = Literal["paragraphs", "videos", "labels"]
"""What a model learns from: videos with paragraphs, videos alone, or videos with classes."""


@dataclass(frozen=True)
class ModelSpec:
    """A model as its plugin offers it; light enough to list without importing the model.

    Attributes:
        name: what users type after `--model`.
        summary: one line.
        loader: `"package.module:object"`; called as `object(settings, execution)`, returns the model.
        provides: the protocols it implements.
        by_setting: those of `provides` that its settings decide on: the loader returns an object with at least one.
        paper: what it re-implements, with year; empty for controls.
        settings: its settings by name.
        recipes: settings that belong to a training set, by the recipe name of the dataset (such as `sample`);
            they replace defaults and are replaced by what the user sets. `sample/VideoCaptioner` holds those that apply
            only where the role is taken.
        roles: settings that follow from what a task asks for: by capability, for a model that learns one thing or
            another, such as S2VT to embed or to caption. They too are replaced by what the user sets.
        learns_from: which training data `fit` is given.
        base: name of the model whose fitted form `fit` finds in `Training.base`; the user sets its settings as
            `base.<setting>`. What the model needs of it afterwards belongs into its own state.
        revision: raised by the author when training changes, so that old checkpoints are not reused.
        max_rows: the loader sub-samples each clip and video evenly to at most this many feature rows.
        uses_segments: false for models that look at whole videos only; their predictions do not depend on segments.
        fingerprint: `"package.module:object"`; called as `object(settings)` before anything is reused, returns one line
            that changes with whatever else the model loads, such as weights inside a library; empty for nothing.
        dim: numbers of a feature row that it can read, where these are those of one encoder; 0 for any.
        reads_own: the setting of kind `encoder` whose encoder must have made the features; "" for features of any.
        reads_pictures: whether it looks at the frames themselves (`VideoBatch.pictures`), which is possible where bench
            made the features from videos, a row of each frame.
        control: true for controls, shown shaded on every board.
        resources: what a run of it needs on a cluster; users may say otherwise.
        across_ranks: whether several processes of torch.distributed that call `fit` together fit what one would.
    """

    kind: ClassVar[str] = "model"

    name: str
    summary: str
    loader: str
    provides: tuple[type, ...]
    paper: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    recipes: Mapping[str, Settings] = field(default_factory=dict)
    revision: int = 1
    max_rows: int = 80
    uses_segments: bool = True
    control: bool = False
    by_setting: tuple[type, ...] = ()
    roles: Mapping[type, Settings] = field(default_factory=dict)
    learns_from: Lesson = "paragraphs"
    base: str = ""
    fingerprint: str = ""
    dim: int = 0
    reads_own: str = ""
    resources: Resources = field(default_factory=Resources)
    across_ranks: bool = False
    reads_pictures: bool = False

    def resolve(
        self, recipe: str | None, chosen: Mapping[str, object], accepted: Sequence[type] = ()
    ) -> dict[str, Value]:
        """Returns every setting with its value: defaults, the recipe's, those of the role, then what the user chose.

        Args:
            accepted: the capabilities that the task accepts; the first that is among `roles` is the role.

        Raises: UsageError for an unknown setting or a value of the wrong type.
        """
        role = next((capability for capability in accepted if capability in self.roles), None)
        given: dict[str, object] = {**self.recipes.get(recipe or "", {})}
        if role is not None:
            given |= {**self.roles[role], **self.recipes.get(f"{recipe}/{role.__name__}", {})}
        given |= chosen
        return resolved(f"{self.kind} {self.name!r}", given, self.settings)
