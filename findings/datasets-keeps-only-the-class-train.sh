#!/usr/bin/env bash
# Finding: a folder of videos, one folder a class, is read by datasets as the class "train" alone when there is such a class.
# Versions: datasets 5.2.0, pillow 13.0.0, numpy 2.4.6 (Python 3.11)
# Expected: load_dataset("videofolder") takes what is in the folder, and folders are classes: train, bus and boat are vehicles.
# Behaviour: names are looked through for words of splits (train, test, val, dev, eval, ...) first, and as soon as one file bears
#   one, the files that bear none belong to no split and are gone, without a word. A class of railway trains, one clip
#   "crash-test", or an id of YouTube with "-dev-" in it is then the whole data set, without labels. Naming all files in
#   `data_files` keeps them. Pictures (imagefolder) and sound have the same rule.
# Seen: what load_dataset makes of twelve files, with and without such a name
#   boat bus car plane: train 12 of 12
#   boat bus car train: train 3 of 12
#   one of twelve clips is named crash-test: test 1 of 12
#   one of twelve clips has the id Qk-dev-8hZ0w: validation 1 of 12
#   boat bus car train, data_files="**": train 12 of 12
#   the same classes as frames, loaded: train 3 of 12, with columns image
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'datasets==5.2.0' 'pillow==13.0.0' 'numpy==2.4.6'
export HF_HOME="$folder/cache" HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1
env/bin/python - <<'PYTHON'
import sys
from pathlib import Path

import datasets
from PIL import Image


def by_class(classes, ending):
    return [f"{name}/{number}.{ending}" for name in classes for number in range(3)]


def made(name, files):
    for file in files:
        path = Path(name, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(path, format="PNG")  # not looked into, where a video is meant
    return name


def splits(folder, files, **given):
    builder = datasets.load_dataset_builder("videofolder", data_dir=made(folder, files), **given)
    return {str(split): len(paths) for split, paths in builder.config.data_files.items()}


clips = [f"clip{number}.mp4" for number in range(11)]
vehicles = by_class(("boat", "bus", "car", "train"), "mp4")
found = {
    "boat bus car plane": splits("a", by_class(("boat", "bus", "car", "plane"), "mp4")),
    "boat bus car train": splits("b", vehicles),
    "one of twelve clips is named crash-test": splits("c", [*clips, "crash-test.mp4"]),
    "one of twelve clips has the id Qk-dev-8hZ0w": splits("d", [*clips, "Qk-dev-8hZ0w.mp4"]),
    'boat bus car train, data_files="**"': splits("e", vehicles, data_files="**"),
}
for what, sizes in found.items():
    print(f"{what}:", ", ".join(f"{split} {size} of 12" for split, size in sizes.items()))
frames = datasets.load_dataset("imagefolder", data_dir=made("f", by_class(("boat", "bus", "car", "train"), "png")))
for split, rows in frames.items():
    print(f"the same classes as frames, loaded: {split} {len(rows)} of 12, with columns {' '.join(rows.column_names)}")
expected = [{"train": 12}, {"train": 3}, {"test": 1}, {"validation": 1}, {"train": 12}]
as_told = list(found.values()) == expected and {split: len(rows) for split, rows in frames.items()} == {"train": 3}
if not as_told:
    print("The behaviour has changed.", file=sys.stderr)
sys.exit(0 if as_told else 1)
PYTHON
