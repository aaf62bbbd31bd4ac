"""The real sets of `real_rows.py`, declared for a folder that holds them: a bench.yaml, and what has to be derived.

Nothing of the data is in this repository. `DATA` holds a folder for each set, as `docs/real-data.md` lists them.
Beside a set stands the same with `-val` behind its name: its test split is the validation part, and nothing is chosen
on another.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bench.files import write_atomically

PROBED = "ucf101-15"
LAST = 5
"""Of a class's training videos one in five validates: the last in the order of ids, so that few groups are cut."""


@dataclass(frozen=True)
class CaptionSet:
    """Videos with captions: the first train, the next validate, the last test, in the order of the file.

    Attributes:
        name: its tasks are called after it.
        folder: below DATA; holds `captions.json`.
        file: its features, an .npz with `video_id`.
        array: the name of the features in it.
        ends: where the training, the validation and the test part end.
        note: what every result says of it.
        features: what bench.yaml says of the features beside reader and path.
        equal: whether videos with equal texts are right for one another.
    """

    name: str
    folder: str
    file: str
    array: str
    ends: tuple[int, int, int]
    note: str
    features: dict[str, Any]
    equal: bool = False


CAPTIONED = (
    CaptionSet(
        "msrvtt-train1000", "msrvtt1000_vggae", "features.npz", "features", (700, 800, 1000),
        "video0 to video999, in the order of their numbers: all of MSR-VTT's official training list, none of the "
        "official test and none of 1k-A; one caption a video. No published figure is on this test.",
        {"extractor": "VGG16-autoencoder", "stride": "50 rows a video",
         "trained_on": "not said by its source: VGG16, then an autoencoder to 128 numbers"},
    ),
    CaptionSet(
        "vidvrd", "vidvrd_resnet152", "features.npz", "resnet152", (297, 347, 447),
        "447 clips of ImageNet-VidVRD with one text each, subject relation object; clips of equal texts are right for "
        "one another, and some texts of test clips are those of training clips. No published figure is on this test.",
        {"extractor": "ResNet152-mean", "stride": "whole video", "trained_on": "not said by its source: ResNet-152"},
        equal=True,
    ),
    CaptionSet(
        "flickr8k-1000", "flickr8k_1000", "lite0.npz", "features", (700, 800, 1000),
        "1,000 photographs of Flickr8k as videos of one frame, in the order of their names, up to five captions each. "
        "No published figure is on this test.",
        {"extractor": "EfficientNet-Lite0", "stride": "one photograph", "trained_on": "ImageNet-1k, classes"},
    ),
)  # fmt: skip
UCF101_NOTE = (
    "15 of UCF101's 101 classes, its official split 1; 5 of 25 frames a video, PCA fitted on the training videos. No "
    "published figure is on these classes."
)
UCF101_FEATURES = {
    "reader": "npz", "extractor": "VGG16-fc6-PCA256", "stride": "5 of 25 frames",
    "trained_on": "not said by its source: VGG16",
}  # fmt: skip


def declare(data: Path, work: Path) -> None:
    """Writes bench.yaml and what it names below `work`; what is there and equal stays as it is."""
    data = data.resolve()
    datasets: dict[str, Any] = {}
    features: dict[str, Any] = {}
    for one in CAPTIONED:
        declare_captions(one, data, work, datasets, features)
    declare_classes(data, work, datasets, features)
    written = {"version": 1, "datasets": datasets, "features": features}
    keep(work / "bench.yaml", yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=120))


def declare_captions(
    one: CaptionSet, data: Path, work: Path, datasets: dict[str, Any], features: dict[str, Any]
) -> None:
    """Adds a captioned set and its `-val` to what bench.yaml will say."""
    source = there(data / one.folder / one.file)
    if one.array != "features":
        source = renamed(source, one.array, work / f"{one.name}.npz")
    features[one.name] = {"reader": "npz", "path": str(source), **one.features}
    captions = there(data / one.folder / "captions.json")
    trained, validated, tested = one.ends
    for name, part in ((one.name, [validated, tested]), (f"{one.name}-val", [trained, validated])):
        datasets[name] = {
            "reader": "captions", "root": str(captions.parent), "features": one.name, "captions": "each",
            "note": one.note,
            "splits": {
                "train": {"file": captions.name, "take": [0, trained]}, "test": {"file": captions.name, "take": part}
            },
        }  # fmt: skip
        if one.equal:
            judged = work.resolve() / f"{name}.qrels"
            keep(judged, equal_texts(json.loads(captions.read_text(encoding="utf-8")), part))
            datasets[name]["relevance"] = str(judged)


def equal_texts(captions: dict[str, list[str]], part: list[int]) -> str:
    """Returns as TREC qrels which videos of a part of the file have the text of which."""
    texts = {video: own[0] for video, own in list(captions.items())[slice(*part)]}
    pairs = [(a, b) for a in texts for b in texts if texts[a] == texts[b]]
    return "".join(f"{a}#0 0 {b} 1\n" for a, b in pairs)


def declare_classes(data: Path, work: Path, datasets: dict[str, Any], features: dict[str, Any]) -> None:
    """Adds UCF101's classes, and `-val` with a part of the training videos to test on."""
    folder = data / "ucf101_15_vgg16"
    features[PROBED] = {**UCF101_FEATURES, "path": str(there(folder / "features.npz"))}
    with there(folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    training = [row for row in rows if row["subset"] == "train"]
    counts, seen, lines = (
        Counter(row["labels"] for row in training),
        Counter[str](),
        ["video_id,subset,labels,duration"],
    )
    for row in training:
        seen[row["labels"]] += 1
        validates = LAST * (counts[row["labels"]] - seen[row["labels"]]) < counts[row["labels"]]
        lines.append(",".join([row["video_id"], "val" if validates else "train", row["labels"], row["duration"]]))
    chosen = work.resolve() / f"{PROBED}-val"
    keep(chosen / "labels.csv", "\n".join(lines) + "\n")
    for name, root in ((PROBED, folder), (f"{PROBED}-val", chosen)):
        datasets[name] = {"reader": "labels", "root": str(root), "features": PROBED, "note": UCF101_NOTE}


def renamed(source: Path, array: str, target: Path) -> Path:
    """Returns a file with one array of `source` under the name that a reader expects."""
    if not target.exists():
        with np.load(source, allow_pickle=False) as found:
            target.parent.mkdir(parents=True, exist_ok=True)
            np.savez(target, video_id=found["video_id"], features=found[array])
    return target.resolve()


def keep(path: Path, text: str) -> None:
    """Writes a file unless it says that already."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode(), durable=False)


def there(path: Path) -> Path:
    """Returns a path that exists, and stops otherwise."""
    if not path.exists():
        sys.exit(f"{path} is not there. Name the folder that holds the sets; docs/real-data.md lists their files.")
    return path
