"""Every dual encoder that open_clip builds: CLIP, SigLIP 2, PE-Core, MobileCLIP 2 and others, by one call.

Their vectors have length 1, so that a mean over frames weighs each frame alike. Weights are a file, a folder, or what
the local cache of the Hugging Face Hub has; preprocessing and tokenizer are those that open_clip gives the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bench.api import Execution, MissingData, Settings, UsageError
from bench_encoders.hub import cached, offline
from bench_encoders.torchvision_import import import_torchvision
from bench_torch.training import autocast

TAGS_SHOWN = 8


class OpenCLIP:
    """A dual encoder of frames and texts."""

    def __init__(self, settings: Settings, execution: Execution) -> None:
        import_torchvision()
        import open_clip
        from open_clip.transform import PreprocessCfg, image_transform_v2

        self.execution = execution
        name, weights = _source(settings)
        with offline(), _not_downloaded(name):
            self.model = open_clip.create_model(name, weights, require_pretrained=True, pretrained_text=False)
            self.tokenizer: Any = open_clip.get_tokenizer(name)
        config = PreprocessCfg(**{**self.model.visual.preprocess_cfg, **_of_tag(settings)})
        self.transform = image_transform_v2(config, is_train=False)
        self.model.eval().to(execution.device)
        self.preprocessing = (
            f"open_clip {version('open_clip_torch')}: size {config.size}, {config.resize_mode}, {config.interpolation} "
            f"(Pillow), mean {tuple(config.mean)}, standard deviation {tuple(config.std)}"
        )
        self.max_tokens: int = self.tokenizer.context_length
        black = np.zeros((8, 8, 3), np.uint8)
        self.dim = self.dim_text = int(self.embed_frames(self.prepare(black)[None]).shape[1])

    def prepare(self, frame: np.ndarray) -> Tensor:
        return cast("Tensor", self.transform(Image.fromarray(frame)))

    def embed_frames(self, frames: Tensor) -> Tensor:
        with torch.inference_mode(), autocast(self.execution):
            return _unit(self.model.encode_image(frames.to(self.execution.device)))

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        vectors = [torch.zeros(0, self.dim_text, device=self.execution.device)]
        with torch.inference_mode(), autocast(self.execution):
            for first in range(0, len(texts), self.execution.batch_size):
                tokens = self.tokenizer(list(texts[first : first + self.execution.batch_size]))
                vectors.append(_unit(self.model.encode_text(tokens.to(self.execution.device))))
        return torch.cat(vectors)

    def truncated(self, texts: Sequence[str]) -> int:
        return sum(self._tokens(text) > self.max_tokens for text in texts)

    def _tokens(self, text: str) -> int:
        """Returns how many tokens a text has, with those that mark its start and end."""
        if hasattr(self.tokenizer, "encode"):
            return len(self.tokenizer.encode(text)) + 2
        return len(self.tokenizer.tokenizer(self.tokenizer.clean_fn(text)).input_ids)


def _unit(vectors: Tensor) -> Tensor:
    return torch.nn.functional.normalize(vectors.float(), dim=-1)


def _source(settings: Settings) -> tuple[str, str | None]:
    """Returns what open_clip calls the model, and the file of its weights; None where its folder has them.

    Raises: UsageError for no weights, for weights named twice, and for a model that open_clip does not know.
    """
    model, weights, repository = (str(settings[name]) for name in ("model", "weights", "repository"))
    architecture, _, tag = model.partition("/")
    places = (("model=ARCH/TAG", tag), ("weights", weights), ("repository", repository))
    given = [name for name, value in places if value]
    if len(given) != 1 or (repository and model) or (not repository and not model):
        raise UsageError(
            f"open-clip: weights come from one place, and {', '.join(given) or 'none'} is named. Write "
            "open-clip:ARCH/TAG, or open-clip:ARCH and weights=FILE, or open-clip alone and repository=FOLDER."
        )
    if repository:
        return f"local-dir:{repository}", None
    _require_known(architecture)
    return architecture, weights or str(_file_of(architecture, tag))


def _require_known(architecture: str) -> None:
    import difflib

    import open_clip

    known = open_clip.list_models()
    if architecture not in known:
        near = difflib.get_close_matches(architecture, known, n=3)
        raise UsageError(
            f"open-clip: no architecture {architecture!r} among the {len(known)} of open_clip. "
            f"Near it: {', '.join(near) or 'none'}."
        )


def _tag(architecture: str, tag: str) -> dict[str, Any]:
    """Returns what open_clip knows of a tag. Raises: UsageError for one that it does not know or that does not fit."""
    import open_clip
    from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model

    config: dict[str, Any] = get_pretrained_cfg(architecture, tag)
    plain = architecture.removesuffix("-quickgelu")
    other = plain if plain != architecture else f"{plain}-quickgelu"
    quick = [bool(known.get("quick_gelu")) for known in (config, open_clip.get_model_config(architecture))]
    if config and quick[0] != quick[1] and get_pretrained_cfg(other, tag):
        raise UsageError(
            f"open-clip: {architecture} has another activation than the weights {tag!r} were trained with. Write "
            f"open-clip:{other}/{tag}."
        )
    if not config:
        tags = list_pretrained_tags_by_model(architecture)
        shown = ", ".join(tags[:TAGS_SHOWN]) + (", …" if len(tags) > TAGS_SHOWN else "")
        raise UsageError(f"open-clip: {architecture} has no weights called {tag!r}. Known: {shown or 'none'}.")
    return config


def _of_tag(settings: Settings) -> dict[str, Any]:
    """Returns what a tag says of preprocessing, where the weights are named by one."""
    architecture, _, tag = str(settings["model"]).partition("/")
    asked = ("mean", "std", "interpolation", "resize_mode")
    return {key: value for key, value in _tag(architecture, tag).items() if key in asked and value} if tag else {}


def _file_of(architecture: str, tag: str) -> Path:
    """Returns the file of a tag's weights in the local cache of the Hub. Raises: MissingData, UsageError."""
    repository, _, file = str(_tag(architecture, tag).get("hf_hub", "")).rpartition("/")
    if not repository:
        raise MissingData(
            f"open-clip: {architecture}/{tag} is in no repository of the Hub, and bench downloads nothing. Fetch its "
            f"file, and name it: open-clip:{architecture} and weights=FILE."
        )
    folder = cached(repository)
    wanted = [file] if file else ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
    safe = [str(Path(name).with_suffix(".safetensors")) for name in wanted]
    for name in dict.fromkeys([*safe, "open_clip_pytorch_model.safetensors", *wanted]):
        if (folder / name).is_file():
            return folder / name
    raise MissingData(
        f"open-clip: the cache of {repository} has no {' or '.join(wanted)}. Fetch it: hf download {repository}"
    )


@contextmanager
def _not_downloaded(name: str) -> Iterator[None]:
    """Says what lacks where open_clip would download it."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        if "offline" in str(error).lower() or "connect" in str(error).lower():
            raise MissingData(
                f"open-clip: {name} needs a tokenizer or weights that the local cache of the Hub has not, and bench "
                f"downloads nothing: {' '.join(str(error).split())[:200]} Fetch it: hf download OWNER/NAME"
            ) from error
        raise


def fingerprint(settings: Settings) -> str:
    """Returns the release of open_clip, and the commit of weights that a tag names."""
    import_torchvision()
    stated, (_, file) = f"open_clip_torch {version('open_clip_torch')}", _source(settings)
    by_tag = file and not settings["weights"]
    return f"{stated}, {settings['model']} of commit {Path(str(file)).parent.name}" if by_tag else stated
