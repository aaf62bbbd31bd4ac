"""Small valid files that only a run reads: word vectors, judgements, queries, checkpoints; and a paper's tables."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

import mutating
from targets import VIDEOS, Target

CONFIG = """
version: 1
word_vectors: WORDS
runs: run-runs
datasets:
  asked:
    reader: activitynet
    root: .
    features: npy
    segments: none
    captions: each
    splits: {train: {file: told_each.json, take: [0, 3]}, test: {file: told_each.json, take: [3, 6]}}
    relevance: judged.txt
    queries: queries.json
  plain:
    reader: activitynet
    root: .
    features: npy
    splits: {train: {file: captions.json, take: [0, 3]}, test: {file: captions.json, take: [3, 6]}}
  forms: {reader: captions, root: ., features: npy, segments: none, captions: each, splits: {FORMS}}
  classes: {reader: labels, root: ., features: npy}
features:
  npy: {reader: npy-folder, path: npy}
"""
PAPER = """
schema: bench-paper/1
tables:
  t:
    title: Retrieval on toys
    columns: [t2v/R@1, v2t/R@1]
    notes: [Nothing is known.]
    rows:
      - {system: A, features: F, model: random, task: plain-retrieval, settings: {}, values: [1.5, null]}
      - {system: B, needs: features that nobody has, values: [2.5, 3.5]}
figures:
  f: {title: A figure, classes: 2, rows: [{system: A, model: random, task: plain-retrieval}]}
"""
PLUGIN = """
from bench.api import Paper, hookimpl

@hookimpl
def bench_papers():
    return [Paper(name="toy2026", title="Somebody: A paper", tables="toy_paper:toy.yaml")]
"""
SMALL = ("--set", "epochs=1", "--set", "hidden=4", "--set", "word_dim=2")


def _run(model: str, task: str, *more: str, config: str = "run.yaml") -> tuple[str, ...]:
    return ("run", "--config", config, "-m", model, "-t", task, *more)


FSE, LISTED = ("fse", "plain-retrieval", *SMALL), ("random", "asked-retrieval")
TABLE = ("reproduce", "--config", "run.yaml", "toy2026", "t", "--dry-run")
RUN_TARGETS: Mapping[str, Target] = {
    # 3: finite word vectors, or weights, of which a model makes NaN
    "word vectors": Target("words.txt", _run(*FSE, config="words.yaml"), mutating.text_mutated, frozenset({0, 3, 4})),
    "word vectors, gzip": Target("words.gz", _run(*FSE, config="packed.yaml"), mutating.bytes_mutated),
    "checkpoint": Target(
        "given.safetensors",
        _run(*FSE, "--checkpoint", "given.safetensors"),
        mutating.tensors_mutated,
        frozenset({0, 2, 3, 4}),
    ),
    "judgements": Target("judged.txt", _run(*LISTED), mutating.text_mutated),
    "queries": Target("queries.json", _run(*LISTED), mutating.json_mutated),
    "captions to be asked": Target("told_each.json", _run(*LISTED), mutating.json_mutated),
    "captions, table": Target("forms.csv", ("data", "verify", "forms", "--config", "run.yaml"), mutating.text_mutated),
    "captions, MSR-VTT": Target(
        "msrvtt.json", ("data", "verify", "forms", "--config", "msrvtt.yaml"), mutating.json_mutated
    ),
    "bench.yaml of a run": Target(
        "run.yaml", ("data", "verify", "asked", "--config", "run.yaml"), mutating.yaml_mutated, frozenset({0, 2, 3, 4})
    ),
    "paper": Target("site/toy_paper/toy.yaml", TABLE, mutating.yaml_mutated, frozenset({0, 2, 3})),
}


def make_for_runs(folder: Path) -> None:
    """Writes every valid file but the checkpoint, which a run writes."""
    words = "".join(f"{word} {i} -0.5\n" for i, word in enumerate(["a", "man", "runs", "he", "."]))
    (folder / "words.txt").write_text(words)
    (folder / "words.gz").write_bytes(gzip.compress(words.encode(), mtime=0))
    (folder / "told_each.json").write_text(json.dumps({v: [f"a {v} runs", f"a {v} jumps"] for v in VIDEOS}))
    (folder / "judged.txt").write_text("".join(f"q{i} 0 v{3 + i} 1\n" for i in range(3)))
    (folder / "queries.json").write_text(json.dumps({"q0": "a man", "q1": ["a dog", "it runs"], "q2": "nobody"}))
    table = "".join(f"{v},a {v} runs\n" for v in VIDEOS)
    (folder / "forms.csv").write_text(f"video_id,caption\n{table}")
    told = [{"video_id": v, "sen_id": i, "caption": f"a {v} runs"} for i, v in enumerate(VIDEOS)]
    videos = [{"video_id": v, "split": "train" if v < "v3" else "test"} for v in VIDEOS]
    (folder / "msrvtt.json").write_text(json.dumps({"videos": videos, "sentences": told}))
    halves = "train: {file: forms.csv, take: [0, 3]}, test: {file: forms.csv, take: [3, 6]}"
    parts = "train: {file: msrvtt.json, part: train}, test: {file: msrvtt.json, part: test}"
    for name, vectors, forms in (
        ("run", "null", halves),
        ("words", "words.txt", halves),
        ("packed", "words.gz", halves),
        ("msrvtt", "null", parts),
    ):
        (folder / f"{name}.yaml").write_text(CONFIG.replace("WORDS", vectors).replace("FORMS", forms))
    package = folder / "site" / "toy_paper"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(PLUGIN)
    (package / "toy.yaml").write_text(PAPER)
    metadata = folder / "site" / "toy_paper-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toy_paper\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[bench]\ntoy_paper = toy_paper\n")
