"""R@1 of a retrieval model on folds of the sample's training split: what its sample recipe was chosen by, never val_1.

python benchmarks/folds.py hse lr=0.001 lr=0.003 lr=0.01 lr=0.02
python benchmarks/folds.py hse --folds 3 lr=0.01 lr=0.01,lr_drop=28
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping

from bench.config import CHECKOUT, load
from bench.fitting import resolve
from bench.inputs import TrainingData, View
from bench.models import ModelSpec
from bench.session import Session
from bench.training import Execution, Training
from bench_torch.recall import recalls
from bench_torch.training import embed_all


def held_out(spec: ModelSpec, chosen: Mapping[str, str], data: TrainingData, fold: int, folds: int) -> list[float]:
    """Returns R@1 in percent, paragraph to video and video to paragraph, of every `folds`-th video from `fold` on."""
    execution = Execution(seed=fold)
    fitting = data.subset([i for i in range(len(data)) if i % folds != fold])
    asked = data.subset(range(fold, len(data), folds))
    model = resolve(spec.loader)(spec.resolve("sample", chosen), execution)
    model.fit(
        fitting, Training(execution, None, lambda *_: None, lambda _: None, resume=lambda: None, stop_requested=bool)
    )
    videos, texts = embed_all(model.network, model.examples(asked), execution)
    return [recalls(texts, videos, (1,))[0], recalls(videos, texts, (1,))[0]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("settings", nargs="+", help="KEY=VALUE,KEY=VALUE: what replaces the recipe's")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--limit", type=int, help="the first videos of train only")
    asked = parser.parse_args()
    session = Session(load(CHECKOUT))
    spec = session.catalogue.model(asked.model)
    view = View("gt" if spec.uses_segments else "none")
    data = session.dataset("anet").training(view, max_rows=spec.max_rows, limit=asked.limit)
    print(f"{asked.model}, {len(data)} training videos of the sample, {asked.folds} folds, R@1")
    print(f"{'settings':<40} {'t2v':>6} {'v2t':>6} {'mean':>6}")
    for settings in asked.settings:
        chosen = dict(part.split("=", 1) for part in settings.split(","))
        found = [held_out(spec, chosen, data, fold, asked.folds) for fold in range(asked.folds)]
        t2v, v2t = (statistics.fmean(way) for way in zip(*found, strict=True))
        print(f"{settings:<40} {t2v:>6.1f} {v2t:>6.1f} {(t2v + v2t) / 2:>6.1f}", flush=True)


if __name__ == "__main__":
    main()
