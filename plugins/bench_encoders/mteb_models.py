"""Models of mteb as encoders: frames, windows of frames and texts go through mteb's own `get_model` and `encode`.

Frames are those of bench's sampler, at the size they have; what mteb's code for a model does to them is the
preprocessing. A model of videos is given a decoder that holds the frames of a window, one a second, and nothing else:
to take any but all of them in order is an error. Frames and windows are encoded one by one, as vectors of some models
depend on what is encoded beside them. Texts are queries and frames documents of a task of mteb, in both directions of
retrieval; models that take instructions take that task's.

Vectors of a dual encoder have length 1; those of a model without texts are as mteb gives them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from bench.api import Execution, MissingData, Settings, UsageError
from bench_encoders.hub import offline
from bench_encoders.mteb_registry import looks_at, meta_of, quiet, task_of
from bench_encoders.torchvision_import import import_torchvision
from bench_torch.training import autocast

UNKNOWN = 2**31 - 1
"""Tokens of a text that are read, where mteb does not say."""
NEAR = 1e-6
"""Vectors of length 1 that differ by less are of one input."""


class Rows(Dataset[dict[str, Any]]):
    """Inputs as `encode` is given them: rows of one column, which is text, image or video.

    Models of mteb ask for `features` alone, to see which columns there are.
    """

    def __init__(self, column: str, values: Sequence[Any]) -> None:
        self.column, self.values = column, values
        self.features = {column: None}

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {self.column: self.values[index]}


@dataclass
class DecodedWindow:
    """The frames of a window (n, 3, H, W) uint8 as a decoder of torchcodec offers them, one a second.

    Attributes:
        taken: which frames were asked for, in order.
    """

    frames: Tensor
    taken: list[int] = field(default_factory=list)

    @property
    def metadata(self) -> SimpleNamespace:
        return SimpleNamespace(num_frames=len(self.frames), end_stream_seconds=float(len(self.frames)), average_fps=1.0)

    def get_frames_at(self, indices: Sequence[int]) -> SimpleNamespace:
        self.taken = list(indices)
        return SimpleNamespace(data=self.frames[self.taken])


class MtebModel:
    """A model of mteb on its device, and the task under whose name it encodes."""

    def __init__(self, meta: Any, settings: Settings, execution: Execution) -> None:
        import mteb

        self.meta, self.task, self.execution = meta, task_of(settings), execution
        if find_spec("torchvision"):
            import_torchvision()
        with quiet(), offline(), _loading(meta):
            self.model: Any = mteb.get_model(meta.name, device=execution.device)
        self.dual = "text" in meta.modalities
        self.stated = f"mteb {version('mteb')}, {meta.name}, task {self.task.name}"

    def encode(self, column: str, values: Sequence[Any]) -> Tensor:
        """Returns (n, d) float32 on the device, of length 1 where there are texts too.

        Raises: UsageError for vectors that no cosine compares as mteb does.
        """
        from mteb.types import PromptType

        size = self.execution.batch_size
        own = torch.Generator()  # a DataLoader draws a seed, if only for workers that it has not
        rows = DataLoader(Rows(column, values), batch_size=size, collate_fn=_collated, generator=own)
        role = PromptType.query if column == "text" else PromptType.document
        where = {"task_metadata": self.task, "hf_split": "test", "hf_subset": "default", "prompt_type": role}
        with quiet(), offline(), torch.inference_mode(), autocast(self.execution):
            made = self.model.encode(rows, **where, batch_size=size, show_progress_bar=False)
        vectors = torch.as_tensor(made).float().to(self.execution.device)
        if str(self.meta.similarity_fn_name) == "dot" and len(vectors):
            length = vectors.norm(dim=1)
            if not torch.allclose(length, torch.ones_like(length), atol=1e-2):
                raise UsageError(
                    f"mteb: {self.meta.name} is compared by the dot product of vectors whose lengths differ, and bench "
                    "compares by cosine: another model. Take one that mteb compares by cosine."
                )
        return torch.nn.functional.normalize(vectors, dim=1) if self.dual else vectors


class TextSide:
    """Texts as queries."""

    loaded: MtebModel

    def _measure_texts(self) -> None:
        tokens = self.loaded.meta.max_tokens
        self.max_tokens = int(tokens) if tokens and tokens < UNKNOWN else UNKNOWN
        self.dim_text = int(self.loaded.encode("text", ["a"]).shape[1])

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        if not texts:
            return torch.zeros(0, self.dim_text, device=self.loaded.execution.device)
        return self.loaded.encode("text", list(texts))

    def truncated(self, texts: Sequence[str]) -> int:
        """Returns how many texts are cut: those whose last letter is not seen in their vector.

        No byte makes more than a token, so short texts are read whole and not asked about.
        """
        long = [text.strip() for text in texts if len(text.strip().encode()) + 2 > self.max_tokens]
        vectors = self.embed_texts([part for text in long for part in (text, text[:-1])])
        differ = (vectors[0::2] - vectors[1::2]).norm(dim=1)
        return int((differ < NEAR).sum())


class ImageModel:
    """Frames by a model of images, each as one document."""

    def __init__(self, loaded: MtebModel) -> None:
        self.loaded, self.preprocessing = loaded, f"as {loaded.stated} prepares images"
        self.dim = len(self.prepare(np.zeros((8, 8, 3), np.uint8)))

    def prepare(self, frame: np.ndarray) -> Tensor:
        """Returns the vector (d,): what mteb prepares and what it encodes cannot be told apart."""
        from PIL import Image

        return self.loaded.encode("image", [Image.fromarray(frame)])[0].cpu()

    def embed_frames(self, frames: Tensor) -> Tensor:
        return frames.to(self.loaded.execution.device)


class VideoModel:
    """Windows of frames by a model of videos, each as one document."""

    def __init__(self, loaded: MtebModel, window: int) -> None:
        self.loaded, self.window = loaded, window
        self.preprocessing = f"as {loaded.stated} prepares videos of {window} frames"
        self.dim = len(self.prepare_window(np.zeros((window, 64, 64, 3), np.uint8)))

    def prepare_window(self, frames: np.ndarray) -> Tensor:
        """Returns the vector (d,) of a window. Raises: UsageError where the model does not take it as it is."""
        window = DecodedWindow(torch.from_numpy(frames.copy()).permute(0, 3, 1, 2))
        vector = self.loaded.encode("video", [window])[0].cpu()
        if window.taken != list(range(self.window)):
            took = ", ".join(map(str, window.taken[:8])) or "none"
            raise UsageError(
                f"mteb: of a window of {self.window} frames, {self.loaded.meta.name} took {len(window.taken)} "
                f"({took}), and the sampler decides here. Set `window` to a number that it takes as it is."
            )
        return vector

    def embed_windows(self, windows: Tensor) -> Tensor:
        return windows.to(self.loaded.execution.device)


class DualImageModel(ImageModel, TextSide):
    """Frames and texts in one space."""

    def __init__(self, loaded: MtebModel) -> None:
        ImageModel.__init__(self, loaded)
        self._measure_texts()


class DualVideoModel(VideoModel, TextSide):
    """Windows and texts in one space."""

    def __init__(self, loaded: MtebModel, window: int) -> None:
        VideoModel.__init__(self, loaded, window)
        self._measure_texts()


def open_model(settings: Settings, execution: Execution) -> ImageModel | VideoModel:
    """Returns the encoder that a model of mteb is. Raises: UsageError, UnsupportedTask, MissingData."""
    meta = meta_of(settings)
    if looks_at(meta, settings) == "image":
        loaded = MtebModel(meta, settings, execution)
        return DualImageModel(loaded) if loaded.dual else ImageModel(loaded)
    window = _window(meta, settings)
    loaded = MtebModel(meta, settings, execution)
    return DualVideoModel(loaded, window) if loaded.dual else VideoModel(loaded, window)


def _window(meta: Any, settings: Settings) -> int:
    """Returns how many frames a model of videos is shown. Raises: UsageError where neither mteb nor settings say."""
    window = int(str(settings["window"])) or int(meta.loader_kwargs.get("num_frames") or 0)
    if not window:
        raise UsageError(
            f"mteb: {meta.name} takes videos of any length. Say how many frames it is shown: settings: {{window: 16}}, "
            "and sampler: frames=16."
        )
    return window


@contextmanager
def _loading(meta: Any) -> Iterator[None]:
    """Says in one line what mteb lacks to load a model."""
    try:
        yield
    except ImportError as error:
        lines = str(error).splitlines()
        remedy = next((line for line in lines if "pip install" in line or "uv" in line), "")
        command = remedy.partition("`")[2].partition("`")[0] or f"pip install {error.name or 'what it lacks'}"
        raise MissingData(f"mteb: {lines[0].rstrip('.') if lines else meta.name}. Install them: {command}") from error
    except OSError as error:
        reason = " ".join(str(error).split()).partition(". ")[0].rstrip(".")[:200]
        at = f" --revision {meta.revision}" if meta.revision else ""
        raise MissingData(
            f"mteb: the weights of {meta.name} are not in the Hugging Face cache of this machine, and bench downloads "
            f"nothing: {reason}. Fetch them: hf download {meta.name}{at}"
        ) from error


def _collated(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {column: [row[column] for row in rows] for column in rows[0]}
