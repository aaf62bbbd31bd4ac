"""What code from elsewhere may not change: the working directory, random states, torch's defaults.

Code of a plugin runs between a snapshot and a comparison. What it changed is put back and named, so that one plugin
never decides what the next one computes.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from importlib import import_module
from io import StringIO
from typing import Any


@dataclass
class Disturbance:
    """What a piece of code left behind; filled when its block ends.

    Attributes:
        changed: what it changed and we put back, in words.
        printed: what it wrote to stdout, where that was captured.
    """

    changed: list[str] = field(default_factory=list)
    printed: str = ""


@contextmanager
def undisturbed(*, seed: int | None = None, capture: bool = False) -> Iterator[Disturbance]:
    """Runs its body, then puts back the working directory, random states and torch's defaults.

    Args:
        seed: seeds the random generators of python, numpy and torch for the body, as far as they are loaded.
        capture: keeps what the body prints in `printed`; else it goes to stderr, because stdout belongs to results.
    """
    left = Disturbance()
    text = StringIO()
    if seed is not None and "numpy" in sys.modules:
        import_module("numpy.random")  # numpy loads it at its first use, which must not be inside the body
    before = _snapshot()
    if seed is not None:
        random.seed(seed)
        if "numpy.random" in sys.modules:
            sys.modules["numpy.random"].seed(seed)
        if _torch() is not None:
            _torch().manual_seed(seed)
    begun = _snapshot()
    try:
        with redirect_stdout(text if capture else sys.stderr):
            yield left
    finally:
        left.printed = text.getvalue()
        left.changed += [name for name, was in begun.items() if not _still(name, was)]
        for name, was in before.items():
            if name in left.changed or not _still(name, was):
                _restore(name, was)


DIRECTORY, PYTHON, NUMPY, TORCH, CUDA, DEFAULTS = (
    "the working directory",
    "the random state of python",
    "the random state of numpy",
    "the random state of torch",
    "the random state of CUDA",
    "torch's defaults",
)
RANDOM_STATES = frozenset({PYTHON, NUMPY, TORCH, CUDA})


def _snapshot() -> dict[str, Any]:
    """Returns name -> state of everything that is loaded; nothing is imported to look at it."""
    loaded = [DIRECTORY, PYTHON]
    if "numpy.random" in sys.modules:
        loaded.append(NUMPY)
    if _torch() is not None:
        loaded += [TORCH, DEFAULTS]
        if _torch().cuda.is_initialized():
            loaded.append(CUDA)
    return {name: _now(name) for name in loaded}


def _torch() -> Any:
    torch = sys.modules.get("torch")
    return torch if hasattr(torch, "default_generator") else None  # half imported is not there


def _now(name: str) -> Any:
    if name == DIRECTORY:
        with suppress(FileNotFoundError):
            return os.getcwd()  # noqa: PTH109 (the plain text, as chdir takes it)
        return None
    if name == PYTHON:
        return random.getstate()
    if name == NUMPY:
        return sys.modules["numpy.random"].get_state()
    torch = _torch()
    if name == TORCH:
        return torch.get_rng_state()
    if name == CUDA:
        return torch.cuda.get_rng_state_all()
    return {
        "dtype": torch.get_default_dtype(),
        "threads": torch.get_num_threads(),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "tf32": torch.backends.cuda.matmul.allow_tf32,
        "cudnn tf32": torch.backends.cudnn.allow_tf32,
        "benchmark": torch.backends.cudnn.benchmark,
    }


def _still(name: str, was: Any) -> bool:
    """Returns whether a state is what it was. That of numpy and those of CUDA's devices are several, arrays among them.

    That of python is numbers alone, which compare at once.
    """
    now = _now(name)
    pairs = zip(was, now, strict=False) if name in (NUMPY, CUDA) else [(was, now)]
    return all(bool((a == b).all()) if hasattr(a, "shape") else bool(a == b) for a, b in pairs)


def _restore(name: str, was: Any) -> None:
    if name == DIRECTORY:
        if was is not None:
            os.chdir(was)
    elif name == PYTHON:
        random.setstate(was)
    elif name == NUMPY:
        sys.modules["numpy.random"].set_state(was)
    elif name == TORCH:
        _torch().set_rng_state(was)
    elif name == CUDA:
        _torch().cuda.set_rng_state_all(was)
    else:
        _restore_defaults(was)


def _restore_defaults(was: dict[str, Any]) -> None:
    torch = _torch()
    torch.set_default_dtype(was["dtype"])
    if torch.get_num_threads() != was["threads"]:
        torch.set_num_threads(was["threads"])
    torch.set_grad_enabled(was["gradients"])
    torch.use_deterministic_algorithms(was["deterministic"])
    torch.backends.cuda.matmul.allow_tf32 = was["tf32"]
    torch.backends.cudnn.allow_tf32 = was["cudnn tf32"]
    torch.backends.cudnn.benchmark = was["benchmark"]
