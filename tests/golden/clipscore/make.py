"""Writes scores.json: what the authors' release of CLIPScore counts for vectors drawn from a seed.

    python tests/golden/clipscore/make.py CLIPSCORE

CLIPSCORE: a checkout of jmhessel/clipscore (commit 1036465276513621f77f1c2208d742e4a430781f). Its `get_clip_score` and
`get_refonlyclipscore` ran unchanged, on NumPy 2; a stand-in for CLIP hands out the drawn vectors of texts. The last
line of its `main`, the harmonic mean, is written here again. Nothing of the release is kept.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

FOLDER = Path(__file__).parent
COUNT, DIM = 16, 12


class Drawn:
    """Stands in for CLIP: a text is its number, and its vector was drawn."""

    def __init__(self, vectors: dict[str, np.ndarray], dtype: str) -> None:
        self.known, self.dtype = list(vectors), dtype
        self.vectors = np.stack(list(vectors.values())).astype(dtype)
        self.read: list[str] = []

    def tokenize(self, text: str, truncate: bool) -> torch.Tensor:
        self.read.append(text)
        return torch.tensor([[next(i for i, known in enumerate(self.known) if text.endswith(known))]])

    def encode_text(self, numbers: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(self.vectors[numbers[:, None].flatten().numpy()])


def counted(release: ModuleType, seen: np.ndarray, texts: dict[str, np.ndarray], dtype: str) -> dict[str, Any]:
    """Returns what the release counts in numbers of `dtype`: float32 on a CPU, float16 on a GPU."""
    model = Drawn(texts, dtype)
    release.clip.tokenize = model.tokenize
    release.extract_all_captions.__defaults__ = (256, 0)  # no processes, which have their own lists
    captions = [name for name in texts if name.startswith("c")]
    references = [[name for name in texts if name.startswith(f"r{caption[1:]} ")] for caption in captions]
    _, first, vectors = release.get_clip_score(model, seen.astype(dtype), captions, "cpu")
    _, nearest = release.get_refonlyclipscore(model, references, vectors, "cpu")
    both = 2 * first * nearest / (first + nearest)
    told = [float(value) if np.isfinite(value) else None for value in both]
    return {"CLIPScore": [float(value) for value in first], "RefCLIPScore": told, "read": model.read[:1]}


def main(checkout: str) -> None:
    sys.path.insert(0, checkout)
    for name in ("clip", "generation_eval_utils", "torchvision", "torchvision.transforms"):
        sys.modules[name] = ModuleType(name)
    for name in ("Compose", "Resize", "CenterCrop", "ToTensor", "Normalize"):
        setattr(sys.modules["torchvision.transforms"], name, None)
    release = import_module("clipscore")
    draw = np.random.default_rng(22)
    seen = draw.normal(size=(COUNT, DIM)).astype(np.float32) * 3
    texts: dict[str, np.ndarray] = {}
    for number in range(COUNT):
        near = 0.0 if number % 4 == 3 else 0.3  # every fourth has nothing to do with its picture
        texts[f"c{number}"] = near * seen[number] + draw.normal(size=DIM).astype(np.float32)
        for one in range(1 + number % 3):
            texts[f"r{number} {one}"] = 3 * near * texts[f"c{number}"] + draw.normal(size=DIM).astype(np.float32)
    texts["c7"] = -seen[7]  # on the other side than its picture, and than its references
    texts["r7 0"], texts["r7 1"] = seen[7], seen[7] * 2
    texts["c5"] = seen[5]  # as its picture is, and its references on the other side
    texts["r5 0"], texts["r5 1"], texts["r5 2"] = -seen[5], -2 * seen[5], -3 * seen[5]
    content = {
        "made by": "jmhessel/clipscore 1036465",
        "seen": seen.tolist(),
        "texts": {name: np.asarray(vector, dtype=np.float32).tolist() for name, vector in texts.items()},
        "float32": counted(release, seen, texts, "float32"),
        "float16": counted(release, seen, texts, "float16"),
    }
    (FOLDER / "scores.json").write_text(json.dumps(content) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
