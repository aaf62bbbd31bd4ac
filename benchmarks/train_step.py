"""Times one training step of HSE and FSE against its own matrix products, and against padded `torch.nn.GRU`.

A step is forward and backward over one batch of the paper's size, without the optimiser. "Its matrix products" are
the multiply-adds that cannot be avoided, over valid rows only, at the rate that one large square matrix product
reaches in the same process, with the same threads and in the same precision.

    python benchmarks/train_step.py
    python benchmarks/train_step.py --threads 2 --precision bf16
    python benchmarks/train_step.py --annotations FOLDER_OF_ACTIVITYNET_CAPTIONS
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from batch import DIM, Batch, annotated_batch, synthetic_batch
from plain import plain_loss
from products import multiply_adds
from timing import GEMM, arguments, measure, square_product, start, table
from torch import Tensor

from bench_fse.model import FSENetwork, FSEShape
from bench_hse.loss import Terms
from bench_hse.model import HSENetwork, HSEShape

WORD_DIM, MARGIN, TAU, TAU_LOW = 300, 0.2, 5e-4, 1e-4
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def networks(hidden: int, words: int) -> dict[str, FSENetwork | HSENetwork]:
    """Returns both networks by name, with the paper's settings but for the hidden size."""
    torch.manual_seed(0)
    vectors = torch.randn(words, WORD_DIM)
    terms = Terms(low="strong", cluster=True, margin=MARGIN, hardest=False, tau=TAU, tau_low=TAU_LOW)
    shape = FSEShape(hidden=hidden, pooling="max", margin=MARGIN, hardest=False)
    return {"hse": HSENetwork(DIM, vectors, terms, HSEShape(hidden, "max")), "fse": FSENetwork(DIM, vectors, shape)}


def step(network: FSENetwork | HSENetwork, loss: Callable[[], Tensor], kind: torch.dtype) -> None:
    """Computes the loss and its gradients once."""
    network.zero_grad(set_to_none=True)
    device = network.words.weight.device.type
    with torch.autocast(device, torch.bfloat16, enabled=kind == torch.bfloat16):
        value = loss()
    value.backward()  # type: ignore[no-untyped-call]


def compare(network: FSENetwork | HSENetwork, batch: Batch, options: dict[str, object]) -> list[tuple[object, ...]]:
    """Returns table rows: our step, the plain step, and the matrix products alone."""
    device, kind, repeats, size = (options[key] for key in ("device", "kind", "repeats", "gemm"))
    assert isinstance(device, str)
    assert isinstance(kind, torch.dtype)
    assert isinstance(repeats, int)
    assert isinstance(size, int)
    videos, text = batch.videos.to(device), batch.text.to(device)
    network.to(device)
    runs: dict[str, Callable[[], object]] = {
        "as shipped": lambda: step(network, lambda: network.loss(videos, text), kind),
        "gemm": square_product(device, kind, size),
    }
    if options["plain"]:
        runs["padded nn.GRU"] = lambda: step(network, lambda: plain_loss(network, videos, text), kind)
    taken = measure(runs, repeats, device)
    gemm = taken.pop("gemm").on(device)
    work = multiply_adds(network, videos, text)
    products = gemm * work / size**3
    rows = [(name, s.on(device), s.wall, s.on(device) / products) for name, s in taken.items()]
    return [*rows, (f"its {2 * work / 1e9:.0f} GFLOP at {2 * size**3 / gemm / 1e9:.0f} GFLOP/s", products, "", 1.0)]


def main() -> None:
    """Prints one table for each network."""
    parser = arguments(__doc__)
    parser.add_argument("--hidden", type=int, default=1024)
    parser.add_argument("--videos", type=int, default=64, help="videos in the batch")
    parser.add_argument("--precision", choices=tuple(TYPES), default="fp32")
    parser.add_argument("--annotations", type=Path, help="folder with train.json or train.json.gz")
    parser.add_argument("--gemm", type=int, default=GEMM, help="size of the square matrix product")
    parser.add_argument("--no-plain", dest="plain", action="store_false", help="leave the slow alternative out")
    chosen = parser.parse_args()
    print(start(chosen))
    batch = annotated_batch(chosen.annotations, chosen.videos) if chosen.annotations else synthetic_batch(chosen.videos)
    print(f"{batch}; hidden {chosen.hidden}, {chosen.precision}")
    options = vars(chosen) | {"kind": TYPES[chosen.precision]}
    for name, network in networks(chosen.hidden, batch.words).items():
        unit = "CPU s" if chosen.device == "cpu" else "s"
        print("\n" + table([(f"{name}, one step", unit, "wall s", "ratio"), *compare(network, batch, options)]))


if __name__ == "__main__":
    main()
