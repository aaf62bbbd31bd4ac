"""Small valid files of the other layouts and official forms, of studies, and of what boards and papers store."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import mutating
import numpy as np
from mutating import Mutator
from safetensors.numpy import save
from targets import BUILD, CLASSES, RUN, VIDEOS, Target

LAYOUTS = {
    "one-npy": ("npy", "one.npy", "one.npy", mutating.npy_mutated),
    "npy-ids": ("npy", "one.npy", "one.txt", mutating.text_mutated),
    "folder-npz": ("npz-folder", "folder-npz", "folder-npz/v1.npz", mutating.npz_mutated),
    "folder-tensors": ("safetensors-folder", "tensors", "tensors/v1.safetensors", mutating.tensors_mutated),
    "one-torch": ("torch", "one.pt", "one.pt", mutating.bytes_mutated),
    "folder-torch": ("torch-folder", "torch", "torch/v1.pt", mutating.bytes_mutated),
    "shards": ("webdataset", "shards", "shards/0.tar", mutating.bytes_mutated),
    "icep-h5": ("didemo-icep-hdf5", "icep.h5", "icep.h5", mutating.bytes_mutated),
}
FORMS: Mapping[str, tuple[str, Mutator]] = {
    "vatex.json": ("", mutating.json_mutated),
    "lists.json": ("", mutating.json_mutated),
    "youcook2.json": ("timed", mutating.json_mutated),
    "msvd.csv": ("", mutating.text_mutated),
    "msvd.txt": ("", mutating.text_mutated),
    "lsmdc.csv": ("", mutating.bytes_mutated),
    "charades.txt": ("timed", mutating.text_mutated),
}
PLAIN = ("  plain: {reader: npy-folder, path: npy}", "  clips: {reader: npy-folder, path: clips}")
WITH_PAPERS = ("leaderboard", "build", "--results", "results", "--output", "paper-board", "--published", "published")
HEAD = "version: 1\nruns: study-runs\ndatasets:\n"
STUDY = {
    "version": 1,
    "models": {"random": {}, "mean-pool": {"epochs": [1, 2]}},
    "tasks": ["npy-retrieval"],
    "seeds": [0, 1],
    "limit": 4,
    "output": "study-runs",
}
MTEB = {
    "task_name": "MSRVTTV2T",
    "mteb_version": "2.12.0",
    "dataset_revision": "a" * 40,
    "scores": {"test": [{"hf_subset": "default", "languages": ["eng-Latn"], "recall_at_1": 0.25, "recall_at_5": 0.5}]},
}
STORED = {
    "schema": "bench-compared/1",
    "paper": "A paper",
    "table": {
        "title": "A table",
        "columns": ["t2v/R@1"],
        "rows": [{"system": "A", "model": "random", "task": "npy-retrieval", "values": [50.0]}],
    },
    "runs": [["random--npy-retrieval--s0"]],
}


def _verified(dataset: str) -> tuple[str, ...]:
    return ("data", "verify", dataset, "--config", "further.yaml")


def _classified(predictions: str, labels: str) -> tuple[str, ...]:
    return ("score", "classification", "--predictions", predictions, "--labels", labels)


USAGE, NAMED = frozenset({0, 2, 4}), frozenset({0, 2, 3, 4})
FURTHER_TARGETS: Mapping[str, Target] = {
    **{f"features {name}": Target(file, _verified(name), mutate) for name, (_, _, file, mutate) in LAYOUTS.items()},
    **{
        f"captions, {name}": Target(name, _verified(name.replace(".", "-")), mutate)
        for name, (_, mutate) in FORMS.items()
    },
    "list of ids, text": Target("ids.txt", _verified("by-text"), mutating.text_mutated),
    "list of ids, table": Target("ids.csv", _verified("by-table"), mutating.text_mutated),
    "groups": Target("groups.csv", _verified("grouped"), mutating.text_mutated),
    "classes, table": Target("scores.csv", _classified("scores.csv", "labels.json"), mutating.text_mutated, USAGE),
    "classes, npz": Target("scores.npz", _classified("scores.npz", "labels.json"), mutating.npz_mutated, USAGE),
    "labels, UCF101": Target("ucf101.txt", _classified("scores.json", "ucf101.txt"), mutating.text_mutated, USAGE),
    "labels, Kinetics": Target("kinetics.csv", _classified("clips.json", "kinetics.csv"), mutating.text_mutated, USAGE),
    "study file": Target("study.yaml", ("study", "status", "study.yaml"), mutating.yaml_mutated, NAMED),
    "cells": Target("cells.json", ("run", "--cells", "cells.json", "--cell", "0"), mutating.json_mutated, NAMED),
    "result of mteb": Target("mteb.json", ("import", "mteb", "mteb.json"), mutating.json_mutated, NAMED),
    "checked run of a board": Target(f"{RUN}/result.check.json", BUILD, mutating.json_mutated),
    "table of a paper on a board": Target("paper-board/papers/t.json", WITH_PAPERS, mutating.json_mutated),
}


def make_further(folder: Path) -> None:
    """Writes every valid file but those of a run."""
    rows = {video: np.random.default_rng(i).normal(size=(3, 4)).astype(np.float32) for i, video in enumerate(VIDEOS)}
    _write_layouts(folder, rows)
    _write_forms(folder)
    _write_classes(folder)
    lines = [f"  {name}: {{reader: activitynet, root: ., features: {name}, {TOLD}}}" for name in LAYOUTS]
    for name, (timed, _) in FORMS.items():
        parts = f"train: {{file: {name}, take: [0, 3]}}, test: {{file: {name}, take: [3, 6]}}"
        segments, features = "gt" if timed else "none", "clips" if name == "msvd.csv" else "plain"
        own = name.replace(".", "-")
        lines.append(
            f"  {own}: {{reader: captions, root: ., features: {features}, segments: {segments}, splits: {{{parts}}}}}"
        )
    for name, more in (("by-text", "ids: ids.txt"), ("by-table", "ids: ids.csv")):
        parts = f"train: {{file: captions.json, take: [0, 3]}}, test: {{file: captions.json, {more}}}"
        lines.append(f"  {name}: {{reader: activitynet, root: ., features: plain, splits: {{{parts}}}}}")
    lines.append(f"  grouped: {{reader: activitynet, root: ., features: plain, groups: groups.csv, {TOLD}}}")
    layouts = [f"  {name}: {{reader: {reader}, path: {path}}}" for name, (reader, path, _, _) in LAYOUTS.items()]
    text = "\n".join([HEAD.rstrip(), *lines, "features:", *PLAIN, *layouts, ""])
    (folder / "further.yaml").write_text(text)
    _json(folder / "study.yaml", STUDY)
    _json(folder / "mteb.json", MTEB)
    (folder / "paper-board" / "papers").mkdir(parents=True)
    _json(folder / "paper-board" / "papers" / "t.json", STORED)


TOLD = "splits: {train: {file: captions.json, take: [0, 3]}, test: {file: captions.json, take: [3, 6]}}"


def _write_layouts(folder: Path, rows: Mapping[str, np.ndarray]) -> None:
    import torch

    for name in ("folder-npz", "tensors", "torch", "shards", "clips"):
        (folder / name).mkdir()
    np.save(folder / "one.npy", np.stack(list(rows.values())))
    (folder / "one.txt").write_text("\n".join(rows) + "\n")
    with h5py.File(folder / "icep.h5", "w") as file, tarfile.open(folder / "shards" / "0.tar", "w") as tar:
        for video, own in rows.items():
            np.save(folder / "clips" / f"{video}_0_4.npy", own)
            np.savez(folder / "folder-npz" / f"{video}.npz", features=own)
            (folder / "tensors" / f"{video}.safetensors").write_bytes(save({"features": own}))
            torch.save(torch.from_numpy(own), folder / "torch" / f"{video}.pt")
            file.create_dataset(f"{video}.npz", data=own)
            content = mutating.npy(own)
            member = tarfile.TarInfo(f"{video}.npy")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    torch.save({video: torch.from_numpy(own) for video, own in rows.items()}, folder / "one.pt")


def _write_forms(folder: Path) -> None:
    _json(folder / "vatex.json", [{"videoID": v, "enCap": [f"a {v} runs", "it jumps"]} for v in VIDEOS])
    _json(folder / "lists.json", [{"video": v, "caption": [f"a {v} runs", "it jumps"]} for v in VIDEOS])
    cooked = {
        v: {"subset": "training", "duration": 9.5, "annotations": [{"id": 0, "segment": [0, 4], "sentence": "cut it"}]}
        for v in VIDEOS
    }
    _json(folder / "youcook2.json", {"database": cooked})
    lines = [f"{v},0,4,English,a {v} runs" for v in VIDEOS]
    (folder / "msvd.csv").write_text("\n".join(["VideoID,Start,End,Language,Description", *lines, ""]))
    (folder / "msvd.txt").write_text("".join(f"{v} a {v} runs\n" for v in VIDEOS))
    (folder / "lsmdc.csv").write_text("".join(f"{v}\t0\t1\t0\t1\tSomeone runs.\n" for v in VIDEOS))
    (folder / "charades.txt").write_text("".join(f"{v} 0.5 4.0##a {v} runs.\n" for v in VIDEOS))
    (folder / "Charades_v1_train.csv").write_text("\n".join(["id,length", *(f"{v},9.5" for v in VIDEOS), ""]))
    (folder / "ids.txt").write_text("v3\nv4\nv5\n")
    (folder / "ids.csv").write_text("video_id\nv3\nv4\nv5\n")
    (folder / "groups.csv").write_text(
        "\n".join(["video_id,group", *(f"{v},g{i // 2}" for i, v in enumerate(VIDEOS)), ""])
    )


def _write_classes(folder: Path) -> None:
    lines = [f"{v},{name},{0.25 + i}" for v in VIDEOS for i, name in enumerate(CLASSES)]
    (folder / "scores.csv").write_text("\n".join(["video_id,label,score", *lines, ""]))
    scores = np.arange(12, dtype=np.float32).reshape(6, 2)
    np.savez(folder / "scores.npz", video_id=VIDEOS, class_names=list(CLASSES), scores=scores)
    (folder / "ucf101.txt").write_text("".join(f"{CLASSES[i % 2]}/{v}.avi\n" for i, v in enumerate(VIDEOS)))
    lines = [f"{CLASSES[i % 2]},{v},10,20,val" for i, v in enumerate(VIDEOS)]
    (folder / "kinetics.csv").write_text("\n".join(["label,youtube_id,time_start,time_end,split", *lines, ""]))
    _json(folder / "clips.json", {f"{v}_000010_000020": {"run": 0.25, "jump": 0.5} for v in VIDEOS})


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value))
