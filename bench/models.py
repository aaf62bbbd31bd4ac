"""What a model is: a light `ModelSpec` that plugins offer, and the protocols of what a model can do.

A spec names its code as `"package.module:object"`; nothing heavy is imported until a run needs the model.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from bench.errors import UsageError
from bench.execution import State, Training
from bench.inputs import Paragraph, Ragged, TrainingData, VideoBatch
from bench.reading.numbers import real_in, whole_in

if TYPE_CHECKING:
    from torch import Tensor

Value = bool | int | float | str
Lesson = Literal["paragraphs", "videos", "labels"]
"""What a model learns from: videos with paragraphs, videos alone, or videos with classes."""
Settings = Mapping[str, Value]


@runtime_checkable
class VideoEncoder(Protocol):
    """Turns videos into vectors."""

    def embed_videos(self, videos: VideoBatch) -> Tensor:
        """Returns (B, d) float32 on the model's device, finite; need not be normalised."""


@runtime_checkable
class VideoTextEncoder(VideoEncoder, Protocol):
    """Turns videos and paragraphs into vectors of one space, compared by cosine."""

    def embed_paragraphs(self, paragraphs: Sequence[Paragraph]) -> Tensor:
        """Returns (n, d) float32 on the model's device, finite; need not be normalised."""


@runtime_checkable
class VideoTextScorer(Protocol):
    """Scores pairs of a video and a paragraph, for models that compare them by more than a cosine.

    Each side is encoded once, in the tiles in which `score` will meet it again; what an encoded tile is, only the model
    knows. The score of a pair depends on that pair alone, not on what else is in the tile.
    """

    def encode_videos(self, videos: VideoBatch) -> Any:
        """Returns a tile of videos, encoded; it is handed to `score` as it is."""

    def encode_paragraphs(self, paragraphs: Sequence[Paragraph]) -> Any:
        """Returns a tile of paragraphs, encoded; it is handed to `score` as it is."""

    def score(self, videos: Any, paragraphs: Any) -> Tensor:
        """Returns (paragraphs of the tile, videos of the tile) float32, finite; higher means closer."""


@runtime_checkable
class VideoCaptioner(Protocol):
    """Describes segments of videos in words."""

    def caption(self, videos: VideoBatch) -> list[Paragraph]:
        """Returns B paragraphs: one sentence for each segment of a video, in the order of its segments."""


@runtime_checkable
class VideoClassifier(Protocol):
    """Scores the classes it was trained on (`TrainingData.class_names`)."""

    def classify(self, videos: VideoBatch) -> Tensor:
        """Returns (B, classes) float32 on the model's device, finite; higher means likelier."""


@runtime_checkable
class ClipTextEncoder(Protocol):
    """Turns clips and sentences into vectors of one space."""

    def embed_clips(self, videos: VideoBatch) -> Ragged:
        """Returns B sequences of (segments, d)."""

    def embed_sentences(self, paragraphs: Sequence[Paragraph]) -> Ragged:
        """Returns n sequences of (sentences, d)."""


@runtime_checkable
class Trainable(Protocol):
    """Learns from training data; its state can be saved and restored."""

    def fit(self, data: TrainingData, training: Training) -> None:
        """Trains from scratch, or goes on from `training.resume()`."""

    def state(self) -> State:
        """Returns everything `load_state` needs to restore the fitted model exactly."""

    def load_state(self, state: State) -> None:
        """Restores a fitted model; afterwards it predicts what the saved one predicted."""


@dataclass(frozen=True)
class Setting:
    """One typed setting of a model. Its type is that of its default.

    Attributes:
        default: the value when nothing is said.
        doc: one line: what it does, and where it comes from.
        choices: the values allowed, or () for any.
        minimum: the smallest number allowed, or None.
        trained: whether it changes training; if not, it is no part of the checkpoint key.
        kind: `value`; `file`, a path, of which the SHA-256 enters keys and records, or "" for none; `hub`, a repository
            of the Hugging Face Hub, `OWNER/NAME` or `OWNER/NAME@REVISION`, which is pinned to its commit in the local
            cache, or "" for none. The loader gets the path of the file, or of the repository's folder.
    """

    default: Value
    doc: str
    choices: tuple[Value, ...] = ()
    minimum: float | None = None
    trained: bool = True
    kind: Literal["value", "file", "hub"] = "value"

    def check(self, name: str, value: object) -> Value:
        """Returns `value` in the type of the default; text is parsed.

        Raises: UsageError when it has another type or is not allowed.
        """
        parsed = self._parse(name, value)
        if self.choices and parsed not in self.choices:
            raise UsageError(f"setting {name}={value}: not allowed. Choose from {', '.join(map(str, self.choices))}.")
        if self.minimum is not None and not isinstance(parsed, (str, bool)) and not parsed >= self.minimum:
            raise UsageError(f"setting {name}={value}: must be at least {self.minimum:g}.")
        return parsed

    def _parse(self, name: str, value: object) -> Value:
        kind = type(self.default)
        if isinstance(value, bool) or kind is bool:
            text = str(value).lower()
            if kind is bool and text in {"true", "false", "1", "0", "yes", "no", "on", "off"}:
                return text in {"true", "1", "yes", "on"}
        elif kind is str and isinstance(value, str):
            return value
        elif isinstance(value, str):
            number = whole_in(value.strip()) if kind is int else real_in(value.strip())
            if number is not None:
                return number
        elif isinstance(value, (int, float)):
            try:
                return kind(value) if kind(value) == value else self._refuse(name, value)
            except (ValueError, OverflowError):
                pass
        return self._refuse(name, value)

    def _refuse(self, name: str, value: object) -> Value:
        raise UsageError(
            f"setting {name}={value}: expected {type(self.default).__name__}, such as {name}={self.default}."
        )


SCHEDULE: Mapping[str, Setting] = MappingProxyType(
    {
        "lr": Setting(1e-3, "learning rate of Adam", minimum=0),
        "batch": Setting(64, "videos per step", minimum=1),
        "epochs": Setting(15, "passes over the training videos", minimum=0),
        "lr_drop": Setting(10, "the learning rate is divided by 10 after each of so many epochs", minimum=1),
        "selection": Setting("fixed", "which epoch: the last, or the best on held-out videos", ("fixed", "held-out")),
    }
)
"""How fast and how long a network is trained: `settings={..., **SCHEDULE}`. The bundled networks all take these."""


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
        control: true for controls, shown shaded on every board.
    """

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

    def resolve(
        self, recipe: str | None, chosen: Mapping[str, object], accepted: Sequence[type] = ()
    ) -> dict[str, Value]:
        """Returns every setting with its value: defaults, the recipe's, those of the role, then what the user chose.

        Args:
            accepted: the capabilities that the task accepts; the first that is among `roles` is the role.

        Raises: UsageError for an unknown setting or a value of the wrong type.
        """
        for name in chosen:
            if name not in self.settings:
                near = difflib.get_close_matches(name, self.settings, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                known = ", ".join(sorted(self.settings)) or "none"
                raise UsageError(f"model {self.name!r} has no setting {name!r}.{hint} Settings: {known}.")
        role = next((capability for capability in accepted if capability in self.roles), None)
        given: dict[str, object] = {**self.recipes.get(recipe or "", {})}
        if role is not None:
            given |= {**self.roles[role], **self.recipes.get(f"{recipe}/{role.__name__}", {})}
        given |= chosen
        return {
            name: setting.check(name, given[name]) if name in given else setting.default
            for name, setting in self.settings.items()
        }
