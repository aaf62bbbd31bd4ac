"""Small valid files of every reader, each with the command that reads it and the way it is damaged."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import h5py
import mutating
import numpy as np
from mutating import Mutator
from safetensors.numpy import save

VIDEOS = [f"v{i}" for i in range(6)]
CLASSES = ("run", "jump")
TRAIN, TEST = "train: {file: captions.json, take: [0, 3]}", "test: {file: captions.json, take: [3, 6]}"
DATASETS = {
    "npy": "npy-folder, path: npy",
    "npz": "npz, path: one.npz",
    "icep": "icep-npz, path: icep",
    "h5": "hdf5, path: plain.h5",
    "c3d": "c3d-hdf5, path: c3d.h5",
    "tensors": "safetensors, path: rows.safetensors",
    "packed": "pack, path: packs/npy",
}
PUBLISHED = {
    "schema": "bench-published/1",
    "task": "toy-retrieval",
    "split": "test",
    "tables": [
        {
            "title": "Retrieval on toys",
            "paper": "Somebody, A paper, 2020",
            "source": "table 1",
            "differs": ["Nothing is known."],
            "gallery": 3,
            "rows": [{"model": "A", "features": "F", "segments": None, "values": {"t2v/R@1": 11.9, "v2t/R@1": 13.2}}],
        }
    ],
}


CARD = """---
language: [en]
tags: [video, retrieval]
model-index:
- name: toy
  results:
  - task: {type: retrieval}
    dataset: {type: toys, name: Toys}
    metrics: [{type: recall, value: 12.5}]
---

# A toy
"""


@dataclass(frozen=True)
class Target:
    """One kind of file.

    Attributes:
        file: the file that is damaged, below the folder of `make_valid`; may be a pattern.
        command: the command that reads it.
        mutate: how it is damaged.
        codes: exit codes that are right, whatever was damaged.
        sealed: where the record states the file's digest, which is put right, so that the file itself is read.
    """

    file: str
    command: tuple[str, ...]
    mutate: Mutator
    codes: frozenset[int] = frozenset({0, 4})
    sealed: str = ""


def _data(dataset: str) -> tuple[str, ...]:
    return ("data", "verify", dataset)


def _captions(side: str, file: str) -> tuple[str, ...]:
    files = {"predictions": "said.json", "references": "told.json"} | {side: file}
    command = ["score", "captions", "--no-java", "--protocol", "paragraph", "--missing", "zero"]
    return (*command, "--predictions", files["predictions"], "--references", files["references"])


def _similarity(file: str, *more: str) -> tuple[str, ...]:
    return ("score", "retrieval", "--similarity", file, *more)


def _classes(predictions: str, labels: str) -> tuple[str, ...]:
    return ("score", "classification", "--predictions", predictions, "--labels", labels)


RUN = "results/run"
RESCORE = ("rescore", RUN)
TENSORS = "sim.safetensors"
RECORD, PREDICTIONS = f"{RUN}/result.json", f"{RUN}/predictions.safetensors"
EVIDENCE = f"{RUN}/*.evidence.safetensors"
USAGE = frozenset({0, 2, 4})  # 2: of several arrays or subsets a flag chooses one
RECORDS = frozenset({0, 2, 3, 4, 6})  # 2 and 3: a record that names settings, a model or a task that is unknown
OF_RECORDS = frozenset({0, 4, 6})
LEFT_OUT = frozenset({0})  # a board leaves out whatever does not hold
TREC = ("score", "retrieval", "--run", "a.run", "--qrels", "a.qrels")
BUILD = ("leaderboard", "build", "--results", "results", "--output", "pages", "--published", "published")

FILE_TARGETS: Mapping[str, Target] = {
    "bench.yaml": Target("bench.yaml", ("list", "datasets"), mutating.yaml_mutated, frozenset({0, 2})),
    "published figures": Target("published/a.yaml", BUILD, mutating.yaml_mutated),
    "annotations": Target("captions.json", _data("npy"), mutating.json_mutated),
    "annotations, gzip": Target("packed.json.gz", _data("zipped"), mutating.bytes_mutated),
    "annotations, DiDeMo": Target("didemo.json", _data("moments"), mutating.json_mutated),
    "annotations, DiDeMo grouped": Target("grouped.json", _data("groups"), mutating.json_mutated),
    "list of ids": Target("ids.json", _data("listed"), mutating.json_mutated),
    "labels.csv": Target("labels.csv", _data("classes"), mutating.text_mutated),
    "features npy": Target("npy/v1.npy", _data("npy"), mutating.npy_mutated),
    "features npz": Target("one.npz", _data("npz"), mutating.npz_mutated),
    "features icep-npz": Target("icep/v1.npz", _data("icep"), mutating.npz_mutated),
    "features hdf5": Target("plain.h5", _data("h5"), mutating.bytes_mutated),
    "features c3d-hdf5": Target("c3d.h5", _data("c3d"), mutating.bytes_mutated),
    "features safetensors": Target("rows.safetensors", _data("tensors"), mutating.tensors_mutated),
    "pack, header": Target("packs/npy/pack.json", _data("packed"), mutating.json_mutated),
    "pack, index": Target("packs/npy/index.safetensors", _data("packed"), mutating.tensors_mutated),
    "pack, rows": Target("packs/npy/rows.bin", _data("packed"), mutating.bytes_mutated),
    "similarities npy": Target("sim.npy", _similarity("sim.npy"), mutating.npy_mutated, USAGE),
    "similarities npz": Target("sim.npz", _similarity("sim.npz"), mutating.npz_mutated, USAGE),
    "similarities safetensors": Target(TENSORS, _similarity(TENSORS), mutating.tensors_mutated, USAGE),
    "columns, JSON": Target("ids_of.json", _similarity("sim.npy", "--ids", "ids_of.json"), mutating.json_mutated),
    "columns, text": Target("ids_of.txt", _similarity("sim.npy", "--ids", "ids_of.txt"), mutating.text_mutated),
    "videos, JSON": Target("of.json", _similarity("sim.npy", "--video-of", "of.json"), mutating.json_mutated),
    "TREC run": Target("a.run", TREC, mutating.text_mutated),
    "TREC qrels": Target("a.qrels", TREC, mutating.text_mutated),
    "captions, challenge": Target("said.json", _captions("predictions", "said.json"), mutating.json_mutated),
    "captions, COCO": Target("coco.json", _captions("predictions", "coco.json"), mutating.json_mutated),
    "captions, lines": Target("said.jsonl", _captions("predictions", "said.jsonl"), mutating.lines_mutated),
    "references": Target("told.json", _captions("references", "told.json"), mutating.json_mutated),
    "references, gzip": Target("told.json.gz", _captions("references", "told.json.gz"), mutating.bytes_mutated),
    "classes": Target("scores.json", _classes("scores.json", "labels.json"), mutating.json_mutated),
    "labels, JSON": Target("labels.json", _classes("scores.json", "labels.json"), mutating.json_mutated, USAGE),
    "labels, table": Target("labels.csv", _classes("scores.json", "labels.csv"), mutating.text_mutated, USAGE),
    "record": Target(RECORD, RESCORE, mutating.json_mutated, RECORDS),
    "evidence": Target(EVIDENCE, RESCORE, mutating.tensors_mutated, OF_RECORDS),
    "predictions": Target(PREDICTIONS, RESCORE, mutating.tensors_mutated, OF_RECORDS),
    "evidence, sealed": Target(EVIDENCE, RESCORE, mutating.tensors_mutated, OF_RECORDS, "evidence"),
    "predictions, sealed": Target(PREDICTIONS, RESCORE, mutating.tensors_mutated, OF_RECORDS, "predictions"),
    "evidence on a board, sealed": Target(EVIDENCE, BUILD, mutating.tensors_mutated, LEFT_OUT, "evidence"),
    "model card": Target("card.md", ("export", RUN, "--output", "card.md"), mutating.card_mutated),
    "record on a board": Target(RECORD, BUILD, mutating.json_mutated, LEFT_OUT),
    "evidence on a board": Target(EVIDENCE, BUILD, mutating.tensors_mutated, LEFT_OUT),
}


def make_valid(folder: Path) -> None:
    """Writes every valid file but those that commands of bench write."""
    random = np.random.default_rng(0)
    rows = {video: random.normal(size=(3 + i % 2, 4)).astype(np.float32) for i, video in enumerate(VIDEOS)}
    _write_features(folder, rows)
    _write_annotations(folder)
    _write_scored(folder, random)
    (folder / "card.md").write_text(CARD)
    (folder / "published").mkdir()
    (folder / "published" / "a.yaml").write_text(json.dumps(PUBLISHED))


def _write_features(folder: Path, rows: Mapping[str, np.ndarray]) -> None:
    for name in ("npy", "icep"):
        (folder / name).mkdir()
    with h5py.File(folder / "plain.h5", "w") as plain, h5py.File(folder / "c3d.h5", "w") as c3d:
        for video, own in rows.items():
            np.save(folder / "npy" / f"{video}.npy", own)
            np.savez_compressed(folder / "icep" / f"{video}.npz", frame_scores=own[:, None, :, None, None])
            plain.create_dataset(video, data=own, chunks=(1, 4), compression="gzip")
            c3d.create_group(video)["c3d_features"] = own
    (folder / "rows.safetensors").write_bytes(save(dict(rows)))
    lengths = [len(own) for own in rows.values()]
    np.savez(folder / "one.npz", video_id=list(rows), features=np.concatenate(list(rows.values())), lengths=lengths)


def _write_annotations(folder: Path) -> None:
    captions: dict[str, Any] = {
        video: {"duration": 9.5, "timestamps": [[0, 4.5], [4.5, 9]], "sentences": [f"A man {i}.", "He runs."]}
        for i, video in enumerate(VIDEOS)
    }
    _json(folder / "captions.json", captions)
    (folder / "packed.json.gz").write_bytes(gzip.compress(json.dumps(captions).encode(), mtime=0))
    _json(folder / "ids.json", VIDEOS[3:])
    moments = [
        {"video": f"{video}.avi", "description": f"a dog {i}", "num_segments": 6, "times": [[0, 1], [1, 1], [0, 0]]}
        for i, video in enumerate(VIDEOS)
    ]
    _json(folder / "didemo.json", moments)
    moment = {"duration": 29.5, "num_segments": 6, "feature_leng": 60, "times": [[0, 10]], "description": ["a cat"]}
    _json(folder / "grouped.json", dict.fromkeys(VIDEOS, moment))
    lines = [f"{video},{'train' if i < 3 else 'val'},{CLASSES[i % 2]}|other,9.5" for i, video in enumerate(VIDEOS)]
    (folder / "labels.csv").write_text("\n".join(["video_id,subset,labels,duration", *lines, ""]))
    features = "\n".join(f"  {name}: {{reader: {reader}}}" for name, reader in DATASETS.items())
    splits = f"splits: {{{TRAIN}, {TEST}}}"
    datasets = [f"  {name}: {{reader: activitynet, root: ., features: {name}, {splits}}}" for name in DATASETS]
    for name, reader, train, test in (
        ("zipped", "activitynet", "packed.json.gz, take: [0, 3]", "packed.json.gz, take: [3, 6]"),
        ("moments", "didemo", "didemo.json, take: [0, 3]", "didemo.json, take: [3, 6]"),
        ("groups", "didemo", "grouped.json, take: [0, 3]", "grouped.json, take: [3, 6]"),
        ("listed", "activitynet", "captions.json, take: [0, 3]", "captions.json, ids: ids.json"),
    ):
        parts = f"{{train: {{file: {train}}}, test: {{file: {test}}}}}"
        datasets.append(f"  {name}: {{reader: {reader}, root: ., features: npy, splits: {parts}}}")
    datasets.append("  classes: {reader: labels, root: ., features: npy}")
    text = "\n".join(["version: 1", "datasets:", *datasets, "features:", features, "runs: runs", ""])
    (folder / "bench.yaml").write_text(text)


def _write_scored(folder: Path, random: np.random.Generator) -> None:
    similarities = random.normal(size=(5, 5)).astype(np.float32)
    np.save(folder / "sim.npy", similarities)
    np.savez_compressed(folder / "sim.npz", sim=similarities)
    (folder / "sim.safetensors").write_bytes(save({"sim": similarities}))
    _json(folder / "ids_of.json", [0, [1, 2], 2, 3, 4])
    (folder / "ids_of.txt").write_text("0\n1 2\n2\n3\n4\n")
    _json(folder / "of.json", ["a", "b", "c", "d", "e"])
    (folder / "a.run").write_text("".join(f"q{i} Q0 d{j} 1 {0.5 * i + j} tag\n" for i in range(3) for j in range(3)))
    (folder / "a.qrels").write_text("".join(f"q{i} 0 d{i} 1\n" for i in range(3)))
    said = {video: [{"sentence": "a man runs", "timestamp": [0, 4.5]}] for video in VIDEOS[:3]}
    _json(folder / "said.json", {"version": "1", "results": said, "external_data": {}})
    coco = [{"image_id": video, "caption": "a dog sits"} for video in VIDEOS[:3]]
    _json(folder / "coco.json", coco)
    (folder / "said.jsonl").write_text("".join(json.dumps(one) + "\n" for one in coco))
    told = {video: {"duration": 9, "timestamps": [[0, 4]], "sentences": ["a man runs away"]} for video in VIDEOS[:3]}
    _json(folder / "told.json", told)
    (folder / "told.json.gz").write_bytes(gzip.compress(json.dumps(told).encode(), mtime=0))
    said_of = [{"label": "run", "score": 0.25}, {"label": "jump", "score": 0.5}]
    scores = dict.fromkeys(VIDEOS, said_of)
    _json(folder / "scores.json", {"results": scores})
    labels = {
        v: {"subset": "validation", "annotations": [{"label": "jump" if i % 2 else "run"}]}
        for i, v in enumerate(VIDEOS)
    }
    _json(folder / "labels.json", {"database": labels})


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value))


def one(folder: Path, file: str) -> Path:
    """Returns the only file that a pattern matches."""
    (path,) = folder.glob(file)
    return path


def put(folder: Path, target: Target, content: bytes) -> None:
    """Replaces a file, and forgets the pages that were built."""
    path = one(folder, target.file)
    path.unlink()
    path.write_bytes(content)
    if target.sealed:
        record = folder / RECORD
        told = json.loads(record.read_text())
        told[target.sealed]["sha256"] = sha256(content).hexdigest()
        record.write_text(json.dumps(told))
    shutil.rmtree(folder / "pages", ignore_errors=True)
