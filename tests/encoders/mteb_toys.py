"""Models that mteb knows by name once this is imported: colours by our own code, CLIP and X-CLIP by mteb's.

Installed as a plugin of bench, this file is also how an author brings a model of mteb's interface that mteb itself does
not hold.
"""

from __future__ import annotations

import numpy as np
from mteb.models import ModelMeta
from mteb.models.modality_collators import FramesCollator
from mteb.models.model_implementations import MODEL_REGISTRY
from mteb.models.model_implementations.clip_models import CLIPModel
from mteb.models.model_implementations.xclip_models import XCLIPModel

COLOURS = ("red", "green", "blue", "white")
DIRECTIONS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=np.float32)
REVISION = "0" * 40


class Colours:
    """An image is the mean of its colours, a video that of its frames; a text the colours among its first 4 words."""

    def __init__(self, model_name, revision, device=None, sampled=None, longer=1.0, **settings):
        self.sampled, self.longer, self.seen = sampled or {}, longer, []

    def encode(self, inputs, *, task_metadata, hf_split, hf_subset, prompt_type=None, **settings):
        if "video" in inputs.dataset.features:
            inputs.collate_fn = FramesCollator(**self.sampled)
        vectors = []
        for batch in inputs:
            (column,) = batch
            self.seen += [(column, item, task_metadata.name, str(prompt_type)) for item in batch[column]]
            vectors += [getattr(self, f"_{column}")(item) for item in batch[column]]
        return np.stack(vectors) * self.longer

    def _text(self, text):
        told = [DIRECTIONS[COLOURS.index(word)] for word in text.split()[:4] if word in COLOURS]
        letters = np.float32(sum(map(ord, "".join(text.split()[:4])))) * 1e-4
        return np.append(np.sum([*told, np.zeros(3)], axis=0), [letters, 0.01]).astype(np.float32)

    def _image(self, picture):
        return np.append(np.asarray(picture).mean(axis=(0, 1)) / 255, [0, 0.01]).astype(np.float32)

    def _video(self, frames):
        return np.append(frames.numpy().mean(axis=(0, 2, 3)) / 255, [0, 0.01]).astype(np.float32)


def register(name, modalities=("image", "text"), loader=Colours, max_tokens=6, **more):
    """Makes mteb know a model."""
    about = {"release_date": None, "languages": None, "n_parameters": 1, "memory_usage_mb": 1, "embed_dim": None}
    about |= {"license": "mit", "open_weights": True, "public_training_code": None, "public_training_data": None}
    about |= {"framework": ["PyTorch"], "use_instructions": False, "training_datasets": None}
    about |= {"revision": REVISION, "similarity_fn_name": "cosine", "max_tokens": max_tokens, **more}
    MODEL_REGISTRY[name] = ModelMeta(name=name, modalities=list(modalities), loader=loader, **about)


VIDEO = ("video", "text")
register("toys/colours")
register("toys/clip", loader=CLIPModel, max_tokens=16)
register("toys/xclip", VIDEO, loader=XCLIPModel, loader_kwargs={"num_frames": 4}, max_tokens=16)
register("toys/both", ("image", "video", "text"), loader_kwargs={"num_frames": 3, "sampled": {"num_frames": 3}})
register("toys/any-length", VIDEO, loader_kwargs={"sampled": {"fps": 2.0, "max_frames": 6}})
register("toys/words", ("text",))
register("toys/late", ("image", "text"), model_type=["late-interaction"], similarity_fn_name="MaxSim")
register("toys/service", framework=["API"])
register("toys/coded", loader_kwargs={"trust_remote_code": True})
register("toys/long", similarity_fn_name="dot", loader_kwargs={"longer": 3.0})
register("toys/unmet", extra_requirements_groups=["flagembedding"])
