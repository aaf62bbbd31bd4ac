"""Encoders of transformers out of a folder: CLIP, SigLIP, X-CLIP, VideoMAE, V-JEPA 2, DINOv3 and others of their kind.

What a folder holds decides what it encodes: models with `get_image_features` or `get_video_features` are dual encoders,
and their vectors have length 1; the others give what they pool, or the mean of their last tokens. X-CLIP's own score
also bends texts towards each video; its vectors here are those from before that, compared by cosine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from bench.api import Execution, InvalidData, Settings, UsageError
from bench_encoders.hub import offline
from bench_encoders.torchvision_import import import_torchvision
from bench_torch.training import autocast

PADDED_TO_THE_END = ("siglip", "siglip2")
"""Models that were trained with texts padded to their whole length, and read the padding."""
SEVERAL_INPUTS = ("siglip2",)
"""Models of pictures of their own proportions, which ask for a mask and a shape beside the pixels."""


class Loaded:
    """A model with its preprocessing, on its device."""

    def __init__(self, folder: Path, execution: Execution) -> None:
        self.execution, self.folder = execution, folder
        self.model = _model(folder).eval().to(execution.device)
        self.config: Any = self.model.config

    def shown(self, processor: Any) -> str:
        """Returns a processor's settings in words."""
        asked = ("size", "crop_size", "resample", "image_mean", "image_std")
        settings = {name: getattr(processor, name, None) for name in asked}
        words = ", ".join(f"{name} {_plain(value)}" for name, value in settings.items() if value is not None)
        return f"transformers {version('transformers')} {type(processor).__name__}: {words}"

    def ask(self, method: str, **inputs: Tensor) -> Tensor:
        """Returns (n, d) float32 from one of the model's methods, `forward` among them."""
        with torch.inference_mode(), autocast(self.execution):
            answer = getattr(self.model, method)(**{k: v.to(self.execution.device) for k, v in inputs.items()})
        if isinstance(answer, Tensor):
            return answer.float()
        pooled = getattr(answer, "pooler_output", None)
        return cast("Tensor", (answer.last_hidden_state.mean(dim=1) if pooled is None else pooled).float())


class FrameModel:
    """Frames by an image model."""

    def __init__(self, loaded: Loaded) -> None:
        from transformers import AutoImageProcessor

        self.loaded = loaded
        self.method = "get_image_features" if hasattr(loaded.model, "get_image_features") else "forward"
        self.processor = AutoImageProcessor.from_pretrained(loaded.folder, backend="pil", local_files_only=True)
        self.preprocessing = loaded.shown(self.processor)
        self.dim = int(self.embed_frames(self.prepare(np.zeros((8, 8, 3), np.uint8))[None]).shape[1])

    def prepare(self, frame: np.ndarray) -> Tensor:
        writable = np.require(frame, requirements="W")  # torch warns of others
        inputs = self.processor(images=writable, return_tensors="pt", input_data_format="channels_last")
        return cast("Tensor", inputs["pixel_values"][0])

    def embed_frames(self, frames: Tensor) -> Tensor:
        return _compared(self.loaded.ask(self.method, pixel_values=frames), self.method)


class WindowModel:
    """Windows of frames by a video model."""

    def __init__(self, loaded: Loaded, window: int) -> None:
        self.loaded, self.window = loaded, window
        self.method = "get_video_features" if hasattr(loaded.model, "get_video_features") else "forward"
        self.is_video = (loaded.folder / "video_preprocessor_config.json").is_file()
        self.processor = _window_processor(loaded.folder, self.is_video)
        self.preprocessing = loaded.shown(self.processor)
        black = np.zeros((window, 8, 8, 3), np.uint8)
        self.dim = int(self.embed_windows(self.prepare_window(black)[None]).shape[1])

    def prepare_window(self, frames: np.ndarray) -> Tensor:
        if self.is_video:
            moving = torch.from_numpy(frames.copy()).permute(0, 3, 1, 2)
            inputs = self.processor(videos=[moving], do_sample_frames=False, return_tensors="pt")
            return cast("Tensor", inputs["pixel_values_videos"][0])
        writable = np.require(frames, requirements="W")
        inputs = self.processor(list(writable), return_tensors="pt", input_data_format="channels_last")
        pixels = inputs["pixel_values"]
        return cast("Tensor", pixels[0] if pixels.ndim == 5 else pixels)

    def embed_windows(self, windows: Tensor) -> Tensor:
        if hasattr(self.loaded.model, "get_vision_features"):  # V-JEPA 2, whose forward also predicts
            return self.loaded.ask("get_vision_features", pixel_values_videos=windows).mean(dim=1)
        return _compared(self.loaded.ask(self.method, pixel_values=windows), self.method)


class TextModel:
    """Texts by the text side of a dual encoder."""

    def __init__(self, loaded: Loaded) -> None:
        from transformers import AutoTokenizer

        self.loaded = loaded
        self.tokenizer: Any = AutoTokenizer.from_pretrained(loaded.folder, local_files_only=True)
        self.max_tokens = int(loaded.config.text_config.max_position_embeddings)
        self.padding = "max_length" if loaded.config.model_type in PADDED_TO_THE_END else "longest"
        self.dim_text = int(self.embed_texts(["a"]).shape[1])

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        batch, device = self.loaded.execution.batch_size, self.loaded.execution.device
        vectors = [self._vectors(texts[first : first + batch]) for first in range(0, len(texts), batch)]
        return torch.cat(vectors) if vectors else torch.zeros(0, self.dim_text, device=device)

    def truncated(self, texts: Sequence[str]) -> int:
        return sum(len(self.tokenizer(text, verbose=False).input_ids) > self.max_tokens for text in texts)

    def _vectors(self, texts: Sequence[str]) -> Tensor:
        inputs = self.tokenizer(
            list(texts), padding=self.padding, truncation=True, max_length=self.max_tokens, return_tensors="pt"
        )
        return _compared(self.loaded.ask("get_text_features", **inputs), "get_text_features")


class DualFrameModel(FrameModel, TextModel):
    """Frames and texts in one space."""

    def __init__(self, loaded: Loaded) -> None:
        FrameModel.__init__(self, loaded)
        TextModel.__init__(self, loaded)


class DualWindowModel(WindowModel, TextModel):
    """Windows and texts in one space."""

    def __init__(self, loaded: Loaded, window: int) -> None:
        WindowModel.__init__(self, loaded, window)
        TextModel.__init__(self, loaded)


def open_model(settings: Settings, execution: Execution) -> FrameModel | WindowModel:
    """Returns the encoder that a folder holds. Raises: UsageError, InvalidData."""
    if not settings["repository"]:
        raise UsageError("transformers: name what to load: transformers:OWNER/NAME@COMMIT, or transformers:./FOLDER.")
    import_torchvision()
    with offline(), _quiet():
        loaded = Loaded(Path(str(settings["repository"])), execution)
        window = _window(loaded.config)
        if hasattr(loaded.model, "get_text_features"):
            return DualWindowModel(loaded, window) if window else DualFrameModel(loaded)
        return WindowModel(loaded, window) if window else FrameModel(loaded)


def _model(folder: Path) -> Any:
    """Returns the model of a folder, in float32, every weight of it from there. Raises: InvalidData, UsageError."""
    from transformers import AutoConfig, AutoModel

    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        if config.model_type in SEVERAL_INPUTS:
            raise UsageError(
                f"transformers: {config.model_type} takes pictures of their own proportions, which bench does not do. "
                "Take weights of a fixed size, such as google/siglip2-base-patch16-224."
            )
        model, report = AutoModel.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InvalidData(
            f"transformers: {folder.name} cannot be loaded: {reason}. It must hold config.json, model.safetensors and "
            "the files of its processor."
        ) from error
    if lacking := sorted(report["missing_keys"]):
        raise InvalidData(
            f"transformers: {folder.name} lacks {len(lacking)} weights of {type(model).__name__}, such as "
            f"{lacking[0]}; they would be random. Name the repository of the whole model."
        )
    return model


def _window(config: Any) -> int:
    """Returns how many frames a model looks at together; 0 for one of single frames."""
    vision = getattr(config, "vision_config", config)
    return int(getattr(vision, "num_frames", 0) or getattr(vision, "frames_per_clip", 0) or 0)


def _window_processor(folder: Path, is_video: bool) -> Any:
    from transformers import AutoImageProcessor, AutoVideoProcessor

    if is_video:
        return AutoVideoProcessor.from_pretrained(folder, local_files_only=True)
    return AutoImageProcessor.from_pretrained(folder, backend="pil", local_files_only=True)


def _compared(vectors: Tensor, method: str) -> Tensor:
    return vectors if method == "forward" else torch.nn.functional.normalize(vectors, dim=-1)


def _plain(value: Any) -> str:
    sizes = vars(value) if hasattr(value, "__dict__") else value
    if isinstance(sizes, dict):
        return " ".join(f"{key} {inner}" for key, inner in sizes.items() if inner is not None)
    return str(tuple(value)) if isinstance(value, list) else str(value)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps transformers from drawing bars and from saying which of its two resizers it took: that is on record."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        logging.enable_progress_bar()


def fingerprint(settings: Settings) -> str:
    """Returns the release of transformers."""
    return f"transformers {version('transformers')}"
