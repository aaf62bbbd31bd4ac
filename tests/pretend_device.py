"""A CUDA device that is not there, so that what is written for one runs everywhere. It is no GPU, and no GPU test.

Its tensors say that they are on `cuda:0`, hold one of the CPU, and are computed there. What CUDA refuses is refused:
two devices in one operation, `.numpy()` of a device tensor, pinning one. What the host would wait for is counted by the
line of ours that asked for it. Operations are counted as launches: on a GPU some are several, such as sorting, and a
recurrence of cuDNN, one here, is many. A copy to the host that is not waited for holds NaN, or 0, until
an event after it or any other wait.

It cannot show speed, memory, streams, the numbers of CUDA's own kernels, nor which types they lack.

    with pretending() as device:
        train_a_step()
    device.waits, device.launches
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

import torch
from pretend_tensor import (
    MAKES_NOTHING,
    RANDOM,
    Counted,
    PretendTensor,
    held,
    is_pinned,
    move,
    on_device,
    pin,
    state,
    to,
)
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

NAME = "no GPU: a device that tests pretend"
REAL_AUTOCAST, REAL_ENABLED, REAL_TYPE = torch.autocast, torch.is_autocast_enabled, torch.get_autocast_dtype
REAL_RUN, REAL_ALIKE = threading.Thread.run, torch._has_compatible_shallow_copy_type


def numpy(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
    if isinstance(tensor, PretendTensor):
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy it first.")
    return torch.Tensor.numpy(tensor, *args, **kwargs)


def tolist(tensor: torch.Tensor) -> Any:
    if isinstance(tensor, PretendTensor):
        state.wait("tolist")
    return held(tensor).tolist()


def joined(func: Any) -> Callable[..., Any]:
    """Returns `cat` or `stack`, which autocast knows on the CPU and not on CUDA."""

    def run(*args: Any, **kwargs: Any) -> Any:
        with REAL_AUTOCAST("cpu", enabled=False):
            return func(*args, **kwargs)

    return run


SAID: dict[Any, Callable[..., Any]] = {
    torch.Tensor.to: to,
    torch.Tensor.cuda: lambda tensor, device=0, non_blocking=False: move(tensor, away=True, late=non_blocking),
    torch.Tensor.cpu: lambda tensor: move(tensor, away=False, late=False),
    torch.Tensor.pin_memory: pin,
    torch.Tensor.is_pinned: is_pinned,
    torch.Tensor.numpy: numpy,
    torch.Tensor.__array__: lambda tensor, *args: torch.Tensor.__array__(numpy(tensor) and tensor, *args),
    torch.Tensor.tolist: tolist,
    torch.cat: joined(torch.cat),
    torch.stack: joined(torch.stack),
}


class Pretending(TorchFunctionMode):
    """Answers for the device whatever names one."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func in SAID:
            return SAID[func](*args, **kwargs)
        if kwargs.get("device") is None and not kwargs.get("pin_memory"):
            return func(*args, **kwargs)
        away, pinned = on_device(kwargs.pop("device", "cpu")), kwargs.pop("pin_memory", False)
        wanted, name = kwargs.pop("requires_grad", False), func.__name__
        if away and name in ("tensor", "as_tensor", "new_tensor"):
            state.wait("copy to the device")
        if away and name not in MAKES_NOTHING:
            state.counted.launches[name] += 1
        with state.drawing() if away and name.removesuffix("_like") in RANDOM else nullcontext():
            out = func(*tree_map(held, args), **tree_map(held, kwargs), device="cpu")
        out = PretendTensor(out) if away else pin(out) if pinned else out
        return out.requires_grad_() if wanted else out


class Recurrent(torch.autograd.Function):
    """A packed GRU or LSTM: one launch there and one back; float16 under autocast, as torch casts cuDNN's."""

    @staticmethod
    def forward(ctx: Any, run: Any, build: Any, *tensors: torch.Tensor) -> Any:
        with torch.enable_grad(), REAL_AUTOCAST("cpu", enabled=False):
            ctx.inner = [held(t).detach().requires_grad_(t.requires_grad) for t in tensors]
            ctx.out = run(*build(ctx.inner))
        state.counted.launches["recurrence"] += 1
        return tuple(PretendTensor(out.detach().clone()) for out in ctx.out)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        wanted = [t for t in ctx.inner if t.requires_grad]
        owed = [(out, held(grad)) for out, grad in zip(ctx.out, grads, strict=True) if out.requires_grad]
        found = iter(torch.autograd.grad([o for o, _ in owed], wanted, [g for _, g in owed]))
        state.counted.launches["recurrence back"] += 1
        return None, None, *(PretendTensor(next(found)) if t.requires_grad else None for t in ctx.inner)


def recurrent(real: Any) -> Callable[..., Any]:
    """Returns torch's recurrence `real`, packed or padded, as cuDNN runs it."""

    def run(*given: Any) -> Any:
        if not isinstance(given[0], PretendTensor):
            return real(*given)
        packed = isinstance(given[1], torch.Tensor) and given[1].ndim == 1  # the sequences still running at each step
        if packed and isinstance(given[1], PretendTensor):
            raise RuntimeError("batch_sizes tensor should be on CPU")
        tensors = [x for x in tree_leaves(given) if isinstance(x, torch.Tensor) and not (packed and x is given[1])]
        mixed = len({x.dtype for x in tensors}) > 1 and not REAL_ENABLED("cpu")
        if mixed or any(not isinstance(x, PretendTensor) for x in tensors):
            raise RuntimeError("Input and hidden/parameter tensors are not at the same device, or of one type")
        if torch.is_grad_enabled() and any(x.requires_grad for x in tensors) and not given[7 if packed else 6]:
            raise RuntimeError("cudnn RNN backward can only be called in training mode")
        places = {id(tensor): place for place, tensor in enumerate(tensors)}
        if REAL_ENABLED("cpu"):
            with REAL_AUTOCAST("cpu", enabled=False):
                tensors = [tensor.half() for tensor in tensors]

        def build(inner: list[torch.Tensor]) -> Any:
            return tree_map(lambda x: inner[places[id(x)]] if id(x) in places else x, given)

        return Recurrent.apply(real, build, *tensors)  # type: ignore[no-untyped-call]

    return run


class Autocast(REAL_AUTOCAST):
    def __init__(self, device_type: str, *args: Any, **kwargs: Any) -> None:
        super().__init__("cpu" if device_type == "cuda" else device_type, *args, **kwargs)


class WithoutGradients(torch.no_grad):
    """In place of `inference_mode`, in which no view of such a tensor can be made."""

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.mode = mode

    def __enter__(self) -> None:
        super().__enter__()
        torch.set_grad_enabled(not self.mode and self.prev)


class Event:
    """A place in the device's queue; to wait for it is to wait for all that was asked before."""

    def __init__(self, **_: Any) -> None:
        self.before: list[tuple[torch.Tensor, torch.Tensor]] = []

    def record(self, *_: Any) -> None:
        self.before = list(state.late)

    def query(self) -> bool:
        state.arrive(self.before)
        return True

    def synchronize(self) -> None:
        if any(copy is waited for copy in self.before for waited in state.late):
            state.arrive(self.before)
            state.wait("an event", everything=False)


def _run(thread: threading.Thread) -> None:
    with Pretending():
        REAL_RUN(thread)


def _set(given: torch.Tensor, *_: Any) -> None:
    if isinstance(given, PretendTensor):
        raise TypeError("RNG state must be a torch.ByteTensor")
    state.generator.set_state(given)


@contextmanager
def pretending() -> Iterator[Counted]:
    """Runs its body as if there were one CUDA device, and says what was asked of it; its threads know it too."""
    import torch._dynamo  # looks at torch's functions when it is loaded, so before any of them is replaced

    state.clear()
    cuda = {
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "is_initialized": lambda: True,
        "current_device": lambda: 0,
        "get_device_name": lambda *_: NAME,
        "synchronize": lambda *_: state.wait("synchronize"),
        "max_memory_allocated": lambda *_: 0,
        "reset_peak_memory_stats": lambda *_: None,
        "manual_seed": lambda seed: state.generator.manual_seed(seed + 1),
        "manual_seed_all": lambda seed: state.generator.manual_seed(seed + 1),
        "get_rng_state": lambda *_: state.generator.get_state(),
        "get_rng_state_all": lambda: [state.generator.get_state()],
        "set_rng_state": _set,
        "set_rng_state_all": lambda states: _set(states[0]),
        "Event": Event,
        "current_stream": lambda *_: None,
        "set_device": lambda *_: None,
    }
    whole = {
        "autocast": Autocast,
        "inference_mode": WithoutGradients,
        "is_autocast_enabled": lambda kind="cuda": REAL_ENABLED("cpu" if kind == "cuda" else kind),
        "get_autocast_dtype": lambda kind="cuda": REAL_TYPE("cpu" if kind == "cuda" else kind),
        "_has_compatible_shallow_copy_type": lambda *both: all(held(t) is t for t in both) and REAL_ALIKE(*both),
    }
    packed = {name: recurrent(getattr(torch._VF, name)) for name in ("gru", "lstm")}  # type: ignore[attr-defined]
    with ExitStack() as stack:
        stack.enter_context(patch.multiple(torch.cuda, **cuda))
        stack.enter_context(patch.multiple(torch, **whole))
        stack.enter_context(patch.multiple(torch._VF, **packed, create=True))  # type: ignore[attr-defined]
        stack.enter_context(patch.object(torch.backends.cudnn, "is_acceptable", lambda _: False))
        stack.enter_context(patch.object(threading.Thread, "run", _run))
        stack.enter_context(Pretending())
        yield state.counted
