"""DiDeMo, in either of its two forms, plain or gzip; which one a file has is told by its content.

Official (`val_data.json`): a list with one entry per description, its annotators' moments in chunks of 5 seconds.
Grouped (`val_data_bwzhang.json`): video id -> `{"duration": s, "feature_leng": frames, "times": [[start frame, end
frame], …], "description": [text, …]}`, what the released code of "Cross-Modal and Hierarchical Modeling of Video and
Text" reads. A folder that has both is read from the grouped form. The official form says nothing about lengths: they
are taken from the grouped file beside it; without one a video is taken to last 5 s for each of its chunks, and its
features must cover just that (`bench.data.readers.didemo_moments` has the conversion).

The paragraph of a video is its descriptions in order of time: by start, then end, else in the order of the file. Each
description has a clip of its own, so that a moment described twice is two equal clips. Moments are kept in seconds,
frame * duration / feature_leng, and become feature rows by `bench.data.segments.frame_rows`: start frame to end frame
inclusive where there is a row for each frame.

What is put right (and counted by `bench data verify`):
    - a moment that lies beyond the last frame (7 in the official train, in 3 videos shorter than said): the whole video
    - videos that appear under two file names, with different endings: taken as one, named without ending, also where
      nothing stands after the last dot
    - spaces and uncomposed characters in descriptions, as in `bench.data.readers.activitynet`
What is kept as it is: moments that occur twice; videos longer than the 30 seconds that were described, whose whole
length is what flat models see; paragraphs of one sentence.
What is refused (`InvalidData`, naming file and video or entry): numbers that are no whole numbers, or negative; unequal
numbers of moments and descriptions; empty descriptions; ids that could not be file names.

Official splits: train_data, val_data and test_data. Choose settings and epochs on val or the held-out part of train.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from bench.data.declared import DatasetDeclaration, SplitDeclaration
from bench.data.readers.activitynet import chosen_ids
from bench.data.readers.didemo_moments import VideoLength, group
from bench.data.readers.entries import EntryReader
from bench.data.readers.json_files import read_json
from bench.data.tables import AnnotatedVideos
from bench.errors import InvalidData
from bench.reading.outside import finite, shown

if TYPE_CHECKING:
    from bench.data.dataset import Dataset

SPLITS = {"train": "train_data", "val": "val_data", "test": "test_data"}
"""Official splits and the stem of the file each is in."""
COUNTS = {"train": 8_395, "val": 1_065, "test": 1_004}
"""Videos in the official files."""
GROUPED = "_bwzhang"
LAYOUT = "DiDeMo annotations: train_data, val_data or test_data, official or _bwzhang, .json or .json.gz"
DESCRIBED_SECONDS = 30
MOST_FRAMES = 10**9
BEYOND = "moments beyond the last frame, replaced by the whole video"
REPEATED = "clips whose moment occurred before in their video, kept"
LONG = "videos more than a second longer than the 30 s that were described, kept whole"


def open_dataset(declaration: DatasetDeclaration) -> Dataset:
    """Returns the dataset that bench.yaml declares with `reader: didemo`; splits are read when they are used.

    Raises: ConfigError, and DataError when features or the generated sample cannot be opened.
    """
    from bench.data.opening import AnnotationForm, open_declared
    from bench.data.sample.splits import didemo_sample

    return open_declared(declaration, AnnotationForm(SPLITS, COUNTS, didemo_sample, official_files, read_split))


def official_files(root: Path) -> Mapping[str, SplitDeclaration]:
    """Returns the split files in a folder: grouped before official, plain before gzip; a missing one as official."""
    splits = {}
    for split, stem in SPLITS.items():
        names = [f"{stem}{form}.json{packed}" for form in (GROUPED, "") for packed in ("", ".gz")]
        present = [root / name for name in names if (root / name).is_file()]
        splits[split] = SplitDeclaration(present[0] if present else root / f"{stem}.json")
    return splits


def read_split(declaration: SplitDeclaration) -> AnnotatedVideos:
    """Returns the annotations of one split, in file order. Raises: MissingData, InvalidData."""
    path = declaration.file
    raw = read_json(path, LAYOUT, halves=True)
    oddities: Counter[str] = Counter()
    if isinstance(raw, list) and raw:
        raw = group(raw, _lengths_beside(path), path.name, oddities)
    if not isinstance(raw, dict) or not raw:
        raise InvalidData(f"{path} holds neither a list of descriptions nor an object of videos. Expected {LAYOUT}.")
    ids = chosen_ids(declaration, raw, oddities)
    reader = EntryReader(path.name, oddities)
    frames = {video_id: _frames(path.name, video_id, raw[video_id]) for video_id in raw}
    entries = [
        reader.read(video_id, _in_seconds(path.name, video_id, raw[video_id], frames[video_id], oddities))
        for video_id in ids
    ]
    for entry in entries:
        oddities[REPEATED] += len(entry.timestamps) - len(set(map(tuple, entry.timestamps)))
        oddities[LONG] += entry.duration is not None and entry.duration > DESCRIBED_SECONDS + 1
    return AnnotatedVideos(
        ids=tuple(ids),
        durations=tuple(entry.duration for entry in entries),
        timestamps=tuple(entry.timestamps for entry in entries),
        sentences=tuple(entry.sentences for entry in entries),
        frames=tuple(frames[video_id] for video_id in ids),
        oddities={oddity: count for oddity, count in oddities.items() if count},
    )


def _lengths_beside(path: Path) -> dict[str, VideoLength]:
    """Returns the lengths that the grouped file beside an official one gives; none when there is no such file."""
    stem = path.name.removesuffix(".gz").removesuffix(".json")
    for name in (f"{stem}{GROUPED}.json", f"{stem}{GROUPED}.json.gz"):
        beside = path.with_name(name)
        if beside.is_file():
            raw = read_json(beside, LAYOUT, halves=True)
            if not isinstance(raw, dict):
                raise InvalidData(f"{beside} holds no JSON object of videos. Take the grouped file, or remove it.")
            return {video_id: _length(name, video_id, raw[video_id]) for video_id in raw}
    return {}


def _length(file: str, video_id: str, raw: Any) -> VideoLength:
    frames = _frames(file, video_id, raw)
    duration = raw.get("duration")
    seconds = finite(duration)
    if seconds is None or seconds <= 0:
        _refuse(file, video_id, f"has duration {shown(duration)}, expected seconds above 0")
    if not frames:
        _refuse(file, video_id, "has no feature_leng")
    return VideoLength(seconds, frames)


def _frames(file: str, video_id: str, raw: Any) -> int:
    """Returns the number of frames that the moments of a video count in; 0 where nobody says."""
    if not isinstance(raw, Mapping):
        _refuse(file, video_id, f"is {type(raw).__name__}, not an object")
    frames = raw.get("feature_leng", 0)
    if not isinstance(frames, int) or isinstance(frames, bool) or not 0 <= frames <= MOST_FRAMES:
        _refuse(file, video_id, f"has feature_leng {shown(frames)}, expected a number of frames")
    return frames


def _in_seconds(file: str, video_id: str, raw: Any, frames: int, oddities: Counter[str]) -> dict[str, Any]:
    """Returns an entry of the grouped form in ActivityNet Captions form."""
    times = raw.get("times")
    if not isinstance(times, list) or not all(_is_moment(moment) for moment in times):
        _refuse(file, video_id, f"has times {shown(times)}, expected [start, end] in frames for each description")
    duration = _length(file, video_id, {**raw, "feature_leng": frames or 1}).duration
    last = frames or duration
    inside = [moment if max(moment) <= last else [0, last] for moment in times]
    oddities[BEYOND] += sum(max(moment) > last for moment in times)
    return {
        "duration": duration,
        "timestamps": [[duration * (start / last), duration * (end / last)] for start, end in inside],
        "sentences": raw.get("description"),
    }


def _is_moment(value: Any) -> bool:
    whole = isinstance(value, list) and all(isinstance(part, int) and not isinstance(part, bool) for part in value)
    return whole and len(value) == 2 and min(value) >= 0 and max(value) <= MOST_FRAMES


def _refuse(file: str, video_id: str, reason: str) -> NoReturn:
    raise InvalidData(f"{file}: video {video_id!r} {reason}. Correct the file, or leave the video out.")
