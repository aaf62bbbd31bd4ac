"""Four processes of gloo that train together: `python ranked.py FOLDER`, for `test_ranks.py`.

The first two do everything as two ranks, then all four do it as four. Rank 0 writes what came out to FOLDER.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed

from bench.api import Execution, Interrupted, State, TrainingData
from bench_torch import ranks
from bench_torch.ranks import average_gradients, part_of, sharing

_spec = importlib.util.spec_from_file_location("plugins_conftest", Path(__file__).with_name("conftest.py"))
assert _spec is not None
assert _spec.loader is not None
_tiny = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _tiny
_spec.loader.exec_module(_tiny)
Record, make_data = _tiny.Record, _tiny.make_data

CASES: dict[str, tuple[str, dict[str, object]]] = {
    "fse": ("fse", {}),
    "fse, hardest": ("fse", {"hardest": True}),
    "mean-pool": ("mean-pool", {"candidates": "0.01/0.1/8"}),
    "hse, strong": ("hse", {"low": "strong", "tau": 0.5, "tau_low": 0.1}),
    "hse, weak": ("hse", {"low": "weak", "hardest": True, "tau": 0.5}),
    "captions of one video": ("hse", {"low": "strong", "tau": 0.5}),
}
SMALL = {"hidden": 6, "word_dim": 5, "epochs": 4, "batch": 5, "lr": 0.01}
BATCH = [7, 2, 9, 0, 4]
STEPS_BEFORE = 5


def made(name: str, settings: dict[str, object]) -> Any:
    """Returns a small bundled model, unfitted."""
    package = {"mean-pool": "controls"}.get(name, name)
    specs = importlib.import_module(f"bench_{package}.plugin").bench_models()
    spec = next(spec for spec in specs if spec.name == name)
    module, _, attribute = spec.loader.partition(":")
    known = {key: value for key, value in SMALL.items() if key in spec.settings}
    return getattr(importlib.import_module(module), attribute)(spec.resolve(None, known | settings), Execution())


def gradients(case: str) -> dict[str, Any]:
    """Returns the loss of one batch, and the gradient of all parameters in a row, as this rank has it."""
    name, settings = CASES[case]
    model, data = made(name, settings), make_data()
    with model.seeded():
        model.start(data, Record().training())
    group = part_of(BATCH)
    videos = data.videos.batch(group)
    if case == "captions of one video":  # entries 2 and 0 are of one video, on different ranks
        videos = replace(videos, ids=tuple("video-0" if i == 2 else f"video-{i}" for i in group))
    text = model.examples(data).targets.select(group)
    model.network.double()
    with sharing(len(group) < len(BATCH)):
        loss = model.network.loss(doubled(videos), text)
        loss.backward()
    average_gradients(model.network.parameters())
    return {
        "loss": float(loss.detach()),
        "gradient": torch.cat([p.grad.flatten() for p in model.network.parameters()]).tolist(),
    }


def doubled(videos: Any) -> Any:
    """Returns a batch in float64: a sum in another order is the same to many digits."""
    wide = {name: replace(part, values=part.values.double()) for name, part in vars(videos).items() if name in ROWS}
    return replace(videos, **wide)


ROWS = ("frames", "clip_frames")


def put_back(rows: Tensor) -> Tensor:
    """Gathers as is often done: without gradients, the own rows in their place."""
    everything, counts = ranks._all_rows(rows)
    start = sum(counts[: distributed.get_rank()])
    return torch.cat([everything[:start], rows, everything[start + len(rows) :]])


def fitted(data: TrainingData, start: State | None, stop_after: int = -1) -> State:
    """Returns the state of an FSE that was fitted, or stopped after so many steps."""
    model, record = made("fse", {}), Record(start=start, stop_after=stop_after)
    try:
        model.fit(data, record.training())
    except Interrupted:
        return record.states[-1]
    return model.state()


def main(folder: Path, rank: int) -> None:
    """Takes part as one of four."""
    torch.set_num_threads(1)
    stopped: State | None = None
    for size in (2, 4):
        if rank < size:
            store = distributed.FileStore(str(folder / f"store-{size}"), size)
            distributed.init_process_group("gloo", store=store, rank=rank, world_size=size)
            found: dict[str, Any] = {case: gradients(case) for case in CASES}
            right = ranks._Gathered.apply
            ranks._Gathered.apply = put_back
            found["put back"] = gradients("fse")
            ranks._Gathered.apply = right
            if size == 2:
                stopped = fitted(make_data(), None, STEPS_BEFORE)
                if rank == 0:
                    np.savez(folder / "stopped.npz", **stopped.arrays)
                    (folder / "stopped.json").write_text(json.dumps(stopped.values))
            else:
                arrays = dict(np.load(folder / "stopped.npz"))
                state = fitted(make_data(), State(arrays, json.loads((folder / "stopped.json").read_text())))
                if rank == 0:
                    np.savez(folder / "fitted.npz", **state.arrays)
            if rank == 0:
                (folder / f"{size}.json").write_text(json.dumps(found))
            distributed.destroy_process_group()


def start_all(folder: Path) -> None:
    """Starts four processes of this file and waits for them. Raises: RuntimeError with what one of them said."""
    commands = [[sys.executable, __file__, str(folder), str(rank)] for rank in range(4)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    said = [process.communicate(timeout=300)[1] for process in processes]
    if any(process.returncode for process in processes):
        raise RuntimeError("\n".join(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
