"""float32 in full where torch would round unasked: autocast and TF32 kept away from cuDNN's recurrences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def without_tf32() -> Iterator[None]:
    """Keeps TF32 out of cuDNN; its other switches, such as `deterministic`, stay as the user set them.

    cuDNN's backward pass asks anew, so what needs it there has to run inside too.
    """
    allowed = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = allowed


@contextmanager
def float32_recurrence(device: torch.device) -> Iterator[None]:
    """Runs torch's own recurrences on `device` in the type of what they are given.

    Under autocast torch casts cuDNN's recurrences to float16 whatever autocast's own type is, and a run in bfloat16
    scales no loss: gradients below 6e-8, such as those of HSE's low decoders, would be exactly 0.
    """
    with torch.autocast(device.type, enabled=False), without_tf32():
        yield
