"""torchvision beside another build of torch: the one place that knows how it can be imported.

A wheel of torchvision that was built for CUDA lacks its libraries beside a torch for CPUs. Then `import torchvision`
fails with "operator torchvision::nms does not exist" (0.28.0 beside torch 2.13.0+cpu), and open_clip, timm and
processors of transformers with it. It is `torchvision._meta_registrations` that fails, which only describes those
operators: with that module empty, all works that needs none of them.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

REGISTRATIONS = "torchvision._meta_registrations"


def import_torchvision() -> None:
    """Imports torchvision, without its operators where they do not load. Raises: ImportError where it is missing."""
    try:
        import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        sys.modules[REGISTRATIONS] = ModuleType(REGISTRATIONS)
        import_module("torchvision")
