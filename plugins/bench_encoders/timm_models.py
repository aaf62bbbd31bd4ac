"""Every image network of timm, its classifier left off: frames by what the network pools."""

from __future__ import annotations

from importlib.metadata import version
from typing import cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bench.api import Execution, MissingData, Settings, UsageError
from bench_encoders.hub import cached, offline
from bench_encoders.torchvision_import import import_torchvision
from bench_torch.training import autocast


class Timm:
    """An image network; preprocessing is that of its weights."""

    def __init__(self, settings: Settings, execution: Execution) -> None:
        import_torchvision()
        import timm

        self.execution = execution
        name, weights = _source(settings)
        with offline():
            self.network = timm.create_model(
                name, pretrained=True, num_classes=0, pretrained_cfg_overlay={"file": weights} if weights else None
            )
        config = timm.data.resolve_model_data_config(self.network)
        self.transform = timm.data.create_transform(**config, is_training=False)
        self.network.eval().to(execution.device)
        self.preprocessing = (
            f"timm {version('timm')}: {'×'.join(map(str, config['input_size'][1:]))} of {config['crop_pct']:g}, "
            f"{config['crop_mode']}, {config['interpolation']} (Pillow), mean {tuple(config['mean'])}, "
            f"standard deviation {tuple(config['std'])}"
        )
        self.dim = int(self.embed_frames(self.prepare(np.zeros((8, 8, 3), np.uint8))[None]).shape[1])

    def prepare(self, frame: np.ndarray) -> Tensor:
        return cast("Tensor", self.transform(Image.fromarray(frame)))

    def embed_frames(self, frames: Tensor) -> Tensor:
        with torch.inference_mode(), autocast(self.execution):
            return cast("Tensor", self.network(frames.to(self.execution.device)).float())


def _source(settings: Settings) -> tuple[str, str]:
    """Returns what timm calls the network, and the file of its weights; "" where its folder has them.

    Raises: UsageError for no network or two, and for one that timm does not know; MissingData.
    """
    import timm

    model, weights, repository = (str(settings[name]) for name in ("model", "weights", "repository"))
    if bool(model) == bool(repository) or (repository and weights):
        raise UsageError(
            "timm: write timm:NAME.TAG for weights of the local cache, timm:NAME and weights=FILE, or timm alone and "
            "repository=FOLDER."
        )
    if repository:
        return f"local-dir:{repository}", ""
    if not timm.is_model(model):
        near = ", ".join(timm.list_models(f"*{model.split('_')[0]}*")[:8])
        raise UsageError(f"timm: no network {model!r}. Near it: {near or 'none'}.")
    if weights:
        return model, weights
    return f"local-dir:{_cached(model)}", ""


def _cached(model: str) -> str:
    """Returns the folder of a network's weights in the local cache of the Hub."""
    import timm

    config = timm.get_pretrained_cfg(model)
    if config is None or not config.hf_hub_id:
        raise MissingData(f"timm: {model} has no weights on the Hub. Name a file: weights=FILE.")
    return str(cached(config.hf_hub_id))


def fingerprint(settings: Settings) -> str:
    """Returns the release of timm, and the commit of weights that are named by their tag."""
    import_torchvision()
    stated, name = f"timm {version('timm')}", _source(settings)[0]
    named = name.startswith("local-dir:") and not settings["repository"]
    return f"{stated}, commit {name.rpartition('/')[2]}" if named else stated
