"""Tensors of a device that is not there, and what happens to them; `pretend_device` says what it is all for.

Letters: `held` is the tensor of the CPU that a tensor of the device stands for.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("cuda", 0)
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
        self.clear()

    def clear(self) -> None:
        """Begins anew, with a device that did nothing yet."""
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
            if file.is_relative_to(OURS) and not file.name.startswith("pretend_"):
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


REAL_GET, REAL_SET = torch.get_rng_state, torch.set_rng_state
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
