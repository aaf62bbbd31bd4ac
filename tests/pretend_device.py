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

Letters: `held` is the tensor of the CPU that a tensor of the device stands for.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("cuda", 0)
NAME = "no GPU: a device that tests pretend"
OURS = Path(__file__).resolve().parents[1]
RANDOM = frozenset(("rand", "randn", "randint", "randperm", "bernoulli", "normal", "uniform", "exponential"))
RANDOM |= frozenset(("dropout", "native_dropout", "multinomial"))
ASKED = frozenset(("_local_scalar_dense", "nonzero", "masked_select", "equal", "bincount", "multinomial"))
ASKED |= frozenset(("_unique2", "unique_dim", "_linalg_eigh"))
"""Operations whose answer, or the size of it, the host has to know."""
MAKES_NOTHING = ("empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "set_")


class Counted:
    """What one stretch of work asked of the device: `waits` by line, and `launches` by operation."""

    def __init__(self) -> None:
        self.waits: Counter[str] = Counter()
        self.launches: Counter[str] = Counter()

    def clear(self) -> None:
        """Forgets what was counted so far."""
        self.waits.clear()
        self.launches.clear()


class _State:
    """What there is of the device while it pretends to be there."""

    def __init__(self) -> None:
        self.counted = Counted()
        self.generator = torch.Generator().manual_seed(0)
        self.pinned: dict[int, torch.Tensor] = {}  # kept, so that no other tensor gets their places in memory
        self.late: list[tuple[torch.Tensor, torch.Tensor]] = []

    def arrive(self, copies: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Lets copies to the host arrive."""
        for target, held in copies:
            target.copy_(held)
        self.late = [copy for copy in self.late if all(copy is not done for done in copies)]

    def wait(self, what: str, *, everything: bool = True) -> None:
        """Counts a wait, after which everything has arrived unless it was for an event."""
        if everything:
            self.arrive(self.late)
        frame: Any = sys._getframe(1)
        while frame is not None:
            file = Path(frame.f_code.co_filename)
            if file.is_relative_to(OURS) and file != Path(__file__).resolve():
                break
            frame = frame.f_back
        place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else "elsewhere"
        self.counted.waits[f"{what} at {place}"] += 1

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Draws from the device's generator, not from that of the CPU."""
        before = REAL_GET()
        REAL_SET(self.generator.get_state())
        try:
            yield
        finally:
            self.generator.set_state(REAL_GET())
            REAL_SET(before)


REAL_GET, REAL_SET, REAL_AUTOCAST = torch.get_rng_state, torch.set_rng_state, torch.autocast
REAL_ENABLED, REAL_TYPE = torch.is_autocast_enabled, torch.get_autocast_dtype
REAL_RUN, REAL_ALIKE = threading.Thread.run, torch._has_compatible_shallow_copy_type
state = _State()


def on_device(device: Any) -> bool:
    return device is not None and (isinstance(device, int) or torch.device(device).type == "cuda")


def held(value: Any) -> Any:
    return value.held if isinstance(value, PretendTensor) else value


class PretendTensor(torch.Tensor):
    """A tensor of the device."""

    held: torch.Tensor
    device = property(lambda self: DEVICE)  # type: ignore[assignment]
    is_cuda = property(lambda self: True)  # type: ignore[assignment]
    is_cpu = property(lambda self: False)  # type: ignore[assignment]
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, tensor: torch.Tensor) -> PretendTensor:
        made = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, tensor.shape, strides=tensor.stride(), storage_offset=tensor.storage_offset(), dtype=tensor.dtype
        )
        made.held = tensor.detach()
        return made

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"PretendTensor({self.held!r})"

    def __deepcopy__(self, memo: dict[int, Any]) -> PretendTensor:
        return PretendTensor(self.held.clone()).requires_grad_(self.requires_grad)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise RuntimeError("a tensor of the device was pickled")

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = dict(kwargs or {}), func._schema.name.partition("::")[2]
        check(name, args, kwargs)
        returns = func._schema.returns
        views = [r.alias_info is not None and not r.alias_info.is_write for r in returns]
        if not any(views) and name not in MAKES_NOTHING:
            state.counted.launches[name] += 1
        if on_device(kwargs.get("device")):
            kwargs["device"] = "cpu"
        with state.drawing() if name.rstrip("_").removesuffix("_like") in RANDOM else nullcontext():
            out = func(*tree_map(held, args), **tree_map(held, kwargs))
        written = [
            kwargs.get(a.name, args[i] if i < len(args) else None)
            for i, a in enumerate(func._schema.arguments)
            if a.alias_info is not None and a.alias_info.is_write
        ]
        if written:
            given = tuple(tensor for tensor in written if tensor is not None)
            return given[0] if len(returns) == 1 else given if returns else None
        return tree_map(lambda x: PretendTensor(x) if isinstance(x, torch.Tensor) else x, out)


def check(name: str, args: Any, kwargs: Any) -> None:
    """Counts what the host would wait for. Raises: RuntimeError where CUDA would."""
    tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
    if name in ("index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index"):
        indices = [i for i in args[1] if i is not None]
        if any(not isinstance(i, PretendTensor) for i in indices):
            state.wait("copy of an index to the device")
        fills = name != "index" and len(indices) == 1 and args[2].numel() == 1
        if any(i.dtype in (torch.bool, torch.uint8) for i in indices) and not fills:
            state.wait("size of a boolean mask")
        tensors = [x for x in (args[0], *args[2:3]) if isinstance(x, torch.Tensor)]
    if name == "copy_":
        if isinstance(args[0], PretendTensor) and not isinstance(args[1], PretendTensor) and args[1].ndim:
            state.wait("copy to the device")
        elif not isinstance(args[0], PretendTensor):
            state.wait("copy to the host")
    elif any(x.ndim and not isinstance(x, PretendTensor) for x in tensors):
        raise RuntimeError(f"Expected all tensors to be on the same device, but found cuda:0 and cpu (in {name})")
    if name in ASKED or (name == "repeat_interleave" and kwargs.get("output_size") is None):
        state.wait(name)


def to(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    """`Tensor.to`: between the devices, and to other types."""
    values = [args[0].device, args[0].dtype, *args[1:]] if args and isinstance(args[0], torch.Tensor) else list(args)
    if (other := kwargs.pop("other", None)) is not None:
        values = [other.device, other.dtype]
    device, kind = kwargs.pop("device", None), kwargs.pop("dtype", None)
    if values and (values[0] is None or not isinstance(values[0], (bool, torch.dtype))):
        device = values.pop(0)
    if values and isinstance(values[0], torch.dtype):
        kind = values.pop(0)
    late = bool(kwargs.pop("non_blocking", values[0] if values else False))
    moved = tensor if device is None else move(tensor, away=on_device(device), late=late)
    if kind is not None and kind != moved.dtype:
        return torch.Tensor.to(moved, kind)
    return moved.clone() if kwargs.pop("copy", False) and moved is tensor else moved


def move(tensor: torch.Tensor, *, away: bool, late: bool) -> torch.Tensor:
    """Returns a tensor on the device or on the host; `late` copies are not waited for, if the host's side is pinned."""
    if away == isinstance(tensor, PretendTensor):
        return tensor
    if tensor.requires_grad and torch.is_grad_enabled():
        return Crossing.apply(tensor, away, late)  # type: ignore[no-untyped-call, no-any-return]
    state.counted.launches["copy"] += 1
    if away:
        if not (late and is_pinned(tensor)):
            state.wait("copy to the device")
        return PretendTensor(tensor.detach().clone())
    now = held(tensor).clone()
    if not late:
        state.wait("copy to the host")
        return now
    target = pin(torch.full_like(now, torch.nan if now.is_floating_point() else 0))
    state.late.append((target, now))
    return target


class Crossing(torch.autograd.Function):
    """A move, and the gradient's move back."""

    @staticmethod
    def forward(ctx: Any, tensor: torch.Tensor, away: Any, late: Any) -> torch.Tensor:
        ctx.away = away
        return move(tensor.detach(), away=away, late=late)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return move(grads[0], away=not ctx.away, late=False), None, None


def is_pinned(tensor: torch.Tensor, *_: Any, **__: Any) -> bool:
    return not isinstance(tensor, PretendTensor) and tensor.untyped_storage().data_ptr() in state.pinned


def pin(tensor: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
    if isinstance(tensor, PretendTensor):
        raise RuntimeError("cannot pin 'torch.cuda.FloatTensor': only dense CPU tensors can be pinned")
    copy = tensor.clone()
    state.pinned[copy.untyped_storage().data_ptr()] = copy
    return copy


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
    global state
    import torch._dynamo  # looks at torch's functions when it is loaded, so before any of them is replaced

    state = _State()
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
