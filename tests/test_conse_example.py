"""examples/conse: captions find the videos whose frames look like what they name, with nothing trained."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.extra("encoders")

PROJECT = Path(__file__).resolve().parent.parent

NAMED = {
    "tabby": ("tabby cat", "a cat lies on a sofa"),
    "cab": ("taxicab", "a taxi waits in the street"),
    "pizza": ("pizza", "somebody eats a slice of pizza"),
    "piano": ("grand piano", "a woman plays the piano"),
}
"""Video -> the class that its frames look like, and its caption."""


@pytest.fixture
def conse(bench_command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Returns a function that runs `bench` where the example is installed."""
    monkeypatch.syspath_prepend(str(PROJECT / "examples" / "conse" / "src"))
    metadata = tmp_path / "site" / "vtbench_conse-1.0.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: vtbench-conse\nVersion: 1.0.0\n")
    (metadata / "entry_points.txt").write_text("[bench]\nconse = vtbench_conse.plugin\n")

    yield lambda *arguments, **options: bench_command(*arguments, path=tmp_path / "site", **options)

    for name in [name for name in sys.modules if name.startswith("vtbench_conse")]:
        del sys.modules[name]


def declare(folder: Path, captions: Path, features: Path, layout: str = "npz") -> None:
    (folder / "bench.yaml").write_text(
        f"""
version: 1
datasets:
  mine:
    reader: captions
    root: {captions.parent}
    features: lite0
    captions: each
    splits: {{test: {{file: {captions.name}}}}}
features: {{lite0: {{reader: {layout}, path: {features}, extractor: lite0}}}}
"""
    )


def test_captions_find_what_the_classifier_sees(bench_command: Any, conse: Callable[..., Any]) -> None:
    from vtbench_conse.classes import classifier, names

    folder = bench_command.folder
    weights = classifier()[0].numpy()
    rows = {
        video: np.stack([weights[names().index(name)] * 20 for _ in range(3)]) for video, (name, _) in NAMED.items()
    }
    np.savez(folder / "rows.npz", video_id=np.array(list(rows)), features=np.stack(list(rows.values())))
    (folder / "captions.json").write_text(json.dumps({video: [said] for video, (_, said) in NAMED.items()}))
    declare(folder, folder / "captions.json", folder / "rows.npz")

    record = json.loads(conse("run", "-m", "conse", "-t", "mine-retrieval", "--json").stdout)[0]

    assert record["measurements"][0]["value"] == 100.0
    assert record["model"]["settings"]["text"].startswith("minilm@sha256:")
    assert "EfficientNet-Lite0 sha256:" in record["model"]["fingerprint"]


def test_it_keeps_what_models_promise(conse: Callable[..., Any]) -> None:
    assert ", 0 failed, " in conse("plugin", "check", "conse").stdout.splitlines()[0]


def test_features_of_another_encoder_are_refused(conse: Callable[..., Any]) -> None:
    said = conse("run", "-m", "conse", "-t", "anet-retrieval", exit_code=3).stderr

    assert "model 'conse' reads features of 1,280 numbers per row; 'sample' of dataset 'anet' has 64" in said


@pytest.mark.slow
@pytest.mark.parametrize(("data", "least"), [("msvd_clips/lite0_16.npz", 15.0), ("flickr8k_1000/lite0.npz", 4.0)])
def test_it_leads_chance_on_real_pictures(
    bench_command: Any, conse: Callable[..., Any], shared: Callable[[str], Path], data: str, least: float
) -> None:
    features = shared(f"data/{data}")
    declare(bench_command.folder, features.with_name("captions.json"), features)

    for task in ("mine-retrieval", "mine-retrieval:captions=together"):
        models = (("conse",), ("random", "--seeds", "0,1,2,3,4,5,6,7,8,9"))  # of 24 videos chance alone finds 0 to 3
        records = [json.loads(conse("run", "-m", *model, "-t", task, "--json").stdout)[0] for model in models]
        runs = [f"runs/{record['run'].rpartition('--s0')[0]}--s*" for record in records]
        compared = json.loads(conse("compare", *runs, "--json").stdout)["comparisons"]

        first = next(row for row in compared if row["metric"] == "t2v/R@1")
        assert records[0]["measurements"][0]["value"] > least
        assert first["ci95"][0] > 0
