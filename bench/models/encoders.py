"""An encoder as its plugin offers it, and what it can do: frames, windows of frames and sentences become vectors.

A dual encoder has both sides in one space: its text vectors and its vectors of frames or windows compare by cosine.
Nothing is trained here, and nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from bench.errors import UsageError
from bench.models.settings import Setting, Value, resolved

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


@runtime_checkable
class FrameEncoder(Protocol):
    """Turns frames into vectors, each frame by itself.

    Attributes:
        dim: numbers of a vector.
        preprocessing: from a frame to an input in words, such as `short side 256 bicubic, centre crop 224`.
    """

    dim: int
    preprocessing: str

    def prepare(self, frame: np.ndarray) -> Tensor:
        """Returns one input, on the CPU, all of one shape, from a frame (H, W, 3) uint8 RGB of any size from 1 × 1."""

    def embed_frames(self, frames: Tensor) -> Tensor:
        """Returns (n, dim) float32 on the encoder's device from n stacked inputs, on the CPU or on that device."""


@runtime_checkable
class ClipEncoder(Protocol):
    """Turns windows of frames into vectors, each window by itself.

    Attributes:
        dim: numbers of a vector.
        window: frames of a window.
        preprocessing: from frames to an input in words.
    """

    dim: int
    window: int
    preprocessing: str

    def prepare_window(self, frames: np.ndarray) -> Tensor:
        """Returns one input, on the CPU, all of one shape, from frames (window, H, W, 3) uint8 RGB of any size."""

    def embed_windows(self, windows: Tensor) -> Tensor:
        """Returns (n, dim) float32 on the encoder's device from n stacked inputs, on the CPU or on that device."""


@runtime_checkable
class TextEncoder(Protocol):
    """Turns texts into vectors, each text by itself.

    Attributes:
        dim_text: numbers of a vector; `dim` of the same encoder where it has frames or windows too.
        max_tokens: tokens of a text that are read, with those that the tokenizer adds; what follows is cut off.
    """

    dim_text: int
    max_tokens: int

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Returns (n, dim_text) float32 on the encoder's device; a text may be empty."""

    def truncated(self, texts: Sequence[str]) -> int:
        """Returns how many of the texts are longer than is read."""


@dataclass(frozen=True)
class EncoderSpec:
    """An encoder as its plugin offers it; light enough to list without importing the encoder.

    Attributes:
        name: what users type where an encoder is asked for; what follows a colon there is the `argument`.
        summary: one line.
        loader: `"package.module:object"`; called as `object(settings, execution)`, returns the encoder.
        provides: the protocols it implements.
        by_setting: those of `provides` that its settings decide on: the loader returns an object with at least one.
        settings: its settings by name; weights are settings of kind `file` or `hub`.
        argument: the setting that stands after a colon, as in `open-clip:ViT-B-32`; "" for an encoder that has none.
        extra: what to install for it, such as `vtbench[encoders]`; "" for nothing beyond its own package.
        trained_on: what its weights have seen, in words; "" where that is up to the user's weights.
        paper: what it is, with year.
        revision: raised by the author when vectors change, so that old features are not taken for new ones.
        fingerprint: `"package.module:object"`; called as `object(settings)`, returns one line that changes with
            whatever else the encoder loads, such as weights inside a package; "" for nothing.
    """

    kind: ClassVar[str] = "encoder"

    name: str
    summary: str
    loader: str
    provides: tuple[type, ...]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    argument: str = ""
    by_setting: tuple[type, ...] = ()
    extra: str = ""
    trained_on: str = ""
    paper: str = ""
    revision: int = 1
    fingerprint: str = ""

    def resolve(self, chosen: Mapping[str, object]) -> dict[str, Value]:
        """Returns every setting with its value. Raises: UsageError for an unknown or a wrong one."""
        return resolved(f"{self.kind} {self.name!r}", chosen, self.settings)

    def with_argument(self, argument: str) -> EncoderSpec:
        """Returns the encoder that `name:argument` names: its argument is the default of the setting it stands for.

        Raises: UsageError for an encoder that takes none, or not this one.
        """
        if not self.argument:
            raise UsageError(f"encoder {self.name!r} takes nothing after a colon. Write {self.name}.")
        setting = self.settings[self.argument]
        default = setting.check(self.argument, argument)
        settings = {**self.settings, self.argument: replace(setting, default=default)}
        return replace(self, name=f"{self.name}:{argument}", settings=settings)
