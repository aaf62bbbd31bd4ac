"""The device that tests pretend: it refuses what CUDA refuses, and counts what the host would wait for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from pretend_device import pretending
from torch.nn.utils.rnn import PackedSequence


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (lambda x: x + torch.ones(3), "same device"),
        (lambda x: torch.cat([x, torch.ones(3)]), "same device"),
        (lambda x: x.numpy(), "can't convert"),
        (lambda x: x.pin_memory(), "cannot pin"),
        (lambda x: torch.nn.GRU(1, 1)(x[:, None]), "same device"),
        (lambda x: PackedSequence(x[:, None], torch.ones(3, dtype=torch.int64).cuda()), "CPU"),
    ],
)
def test_what_cuda_refuses_is_refused(refused: Callable[[torch.Tensor], object], said: str) -> None:
    with pretending(), pytest.raises((RuntimeError, TypeError, ValueError), match=said):
        refused(torch.ones(3, device="cuda"))


@pytest.mark.parametrize(
    ("work", "waits"),
    [
        (lambda x: x.sum().item(), 1),
        (lambda x: bool(x[0] > 0), 1),
        (lambda x: x.tolist(), 1),
        (lambda x: x.cpu(), 1),
        (lambda x: x[x > 0], 1),
        (lambda x: x[[0, 1]], 1),
        (lambda x: x.nonzero(), 1),
        (lambda x: torch.equal(x, x), 1),
        (lambda x: x.long().repeat_interleave(x.long()), 1),
        (lambda x: x.long().repeat_interleave(x.long(), output_size=3), 0),
        (lambda x: torch.multinomial(x, 1), 1),
        (lambda x: torch.ones(2).to("cuda", non_blocking=True), 1),
        (lambda x: torch.ones(2).pin_memory().to("cuda"), 1),
        (lambda x: torch.ones(2).pin_memory().to("cuda", non_blocking=True), 0),
        (lambda x: torch.tensor([1.0], device="cuda"), 1),
        (lambda x: x.to("cpu", non_blocking=True), 0),
        (lambda x: (x * 2 + torch.arange(3, device="cuda")).sort(), 0),
    ],
)
def test_waits_are_counted(work: Callable[[torch.Tensor], object], waits: int) -> None:
    with pretending() as counted:
        given = torch.ones(3, device="cuda")
        counted.clear()
        work(given)
    assert counted.waits.total() == waits, counted.waits
    assert all("test_pretend_device.py:" in place for place in counted.waits)


def test_a_copy_that_nobody_waited_for_is_not_there_yet() -> None:
    with pretending():
        early = torch.full((2,), 5.0, device="cuda").to("cpu", non_blocking=True)
        arrival = torch.cuda.Event()
        arrival.record()
        later = torch.full((2,), 6.0, device="cuda").to("cpu", non_blocking=True)
        assert early.isnan().all()
        arrival.synchronize()
        assert early.tolist() == [5.0, 5.0]
        assert later.isnan().all()
        torch.cuda.synchronize()
        assert later.tolist() == [6.0, 6.0]


def test_a_recurrence_is_float16_under_autocast_as_that_of_cudnn_is() -> None:
    with pretending() as counted:
        gru = torch.nn.GRU(2, 3).cuda()
        rows = PackedSequence(torch.randn(3, 2, device="cuda"), torch.tensor([2, 1]))
        counted.clear()
        with torch.autocast("cuda", torch.bfloat16):
            states = gru(rows)[0].data
        states.float().sum().backward()
        assert states.dtype == torch.float16
        assert (counted.launches["recurrence"], counted.launches["recurrence back"]) == (1, 1)
    assert not torch.cuda.is_available()
