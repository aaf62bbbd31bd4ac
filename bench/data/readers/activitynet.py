"""ActivityNet Captions, and any other annotations in its form.

A file is one JSON object, plain or gzip: video id -> `{"duration": s, "timestamps": [[start, end], …], "sentences":
[text, …]}`. `timestamps` and `duration` may be left out; then the value may be the bare list of sentences, several
captions of a whole video are its sentences, and a duration nobody gives counts one second per feature row.

What is put right (and counted by `bench data verify`):
    - spaces: stripped at both ends; runs of white space, line breaks too, become one space
    - uncomposed characters are composed (NFC); non-ASCII characters are kept
    - a segment with end before start: the two are swapped
    - a segment that ends after the video, or starts before 0: clipped to the video
      (in the official files by 0.01 s at most, where durations were rounded)
What is kept as it is: the order of annotations, also where segments are not in order of time; overlapping segments;
paragraphs that occur twice.
What is refused (`InvalidData`, naming file and video): timestamps that are no finite numbers; unequal numbers of
timestamps and sentences; a segment entirely outside the video; a duration of 0 or less; no sentences, an empty one, or
one that is no text; an id given twice, or one that could not be a file name (`/`, `\\`, `..`, control characters).

Official splits: train.json, val_1.json and val_2.json (or .json.gz) in one folder. val_2 is a second annotation of
videos of val_1. With split_ids_anet_entities.json of ActivityNet-Entities beside them, ae-val and ae-test are the two
halves of val_1 on which paragraphs are captioned. bench.yaml may declare splits of its own: a file, a list of ids (or
one of several in a file, by its name), a range of positions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.data.declared import HALVES, DatasetDeclaration, SplitDeclaration
from bench.data.readers.entries import EntryReader
from bench.data.readers.id_lists import listed_ids
from bench.data.readers.json_files import read_json
from bench.data.tables import AnnotatedVideos
from bench.errors import InvalidData
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.data.dataset import Dataset

SPLITS = {"train": "train", "val_1": "val_1", "val_2": "val_2"}
"""Official splits and the stem of the file each is in."""
COUNTS = {"train": 10_009, "val_1": 4_917, "val_2": 4_885, "ae-val": 2_460, "ae-test": 2_457}
"""Videos in the official files of ActivityNet Captions."""
HALVES_FILE = "split_ids_anet_entities.json"
WITHOUT_CAPTIONS = "ids of the split's list without captions, left out"


def open_dataset(declaration: DatasetDeclaration) -> Dataset:
    """Returns the dataset that bench.yaml declares with `reader: activitynet`; splits are read when they are used.

    Raises: ConfigError, and DataError when features or the generated sample cannot be opened.
    """
    from bench.data.opening import AnnotationForm, open_declared
    from bench.data.sample.splits import anet_sample

    where = f"It needs {HALVES_FILE} of ActivityNet-Entities beside val_1.json, plain or gzip."
    form = AnnotationForm(SPLITS, COUNTS, anet_sample, official_files, read_split, dict.fromkeys(HALVES, where))
    return open_declared(declaration, form)


def official_files(root: Path) -> Mapping[str, SplitDeclaration]:
    """Returns the official split files in a folder, plain or gzip; one that is missing is named as plain."""
    splits = {}
    for split, stem in SPLITS.items():
        splits[split] = SplitDeclaration(_plain_or_packed(root / f"{stem}.json"))
    halves = _plain_or_packed(root / HALVES_FILE)
    if halves.is_file():
        splits |= {split: SplitDeclaration(splits["val_1"].file, halves, part=part) for split, part in HALVES.items()}
    return splits


def _plain_or_packed(plain: Path) -> Path:
    packed = plain.with_name(f"{plain.name}.gz")
    return packed if packed.is_file() and not plain.is_file() else plain


def read_split(declaration: SplitDeclaration) -> AnnotatedVideos:
    """Returns the annotations of one split, in file order. Raises: MissingData, InvalidData."""
    path = declaration.file
    raw = read_json(
        path, "annotations in ActivityNet Captions form: train, val_1 or val_2 .json or .json.gz", halves=True
    )
    if not isinstance(raw, dict) or not raw:
        raise InvalidData(f"{path} holds no JSON object of videos. Expected video id -> sentences and timestamps.")
    oddities: Counter[str] = Counter()
    ids = chosen_ids(declaration, raw, oddities)
    reader, unused = EntryReader(path.name, oddities), EntryReader(path.name, Counter())
    chosen = set(ids)
    for video_id in raw:
        if video_id not in chosen:
            unused.read(video_id, raw[video_id])  # a broken file is refused whole, whichever part is asked for
    entries = [reader.read(video_id, raw[video_id]) for video_id in ids]
    return AnnotatedVideos(
        ids=tuple(ids),
        durations=tuple(entry.duration for entry in entries),
        timestamps=tuple(entry.timestamps for entry in entries),
        sentences=tuple(entry.sentences for entry in entries),
        oddities={oddity: count for oddity, count in oddities.items() if count},
    )


def chosen_ids(declaration: SplitDeclaration, raw: Mapping[str, Any], oddities: Counter[str]) -> list[str]:
    """Returns the ids of the split in file order: those of its list, and of these the positions it takes.

    Raises: InvalidData for a list or positions that do not fit the file.
    """
    ids = list(raw)
    if declaration.ids is not None:
        listed = listed_ids(declaration.ids)
        if declaration.part:
            listed = _part(declaration.ids, declaration.part, listed)
        if not isinstance(listed, list) or not all(isinstance(video_id, str) for video_id in listed):
            raise InvalidData(f"{declaration.ids} holds no JSON list of video ids. Write it again.")
        wanted = set(listed)
        if len(wanted) < len(listed):
            twice = next(video_id for video_id, count in Counter(listed).items() if count > 1)
            raise InvalidData(f"{declaration.ids}: {twice!r} occurs twice. Remove one of the two.")
        oddities[WITHOUT_CAPTIONS] += len(wanted - set(ids))
        ids = [video_id for video_id in ids if video_id in wanted]
    if declaration.take is not None:
        start, stop = declaration.take
        if not 0 <= start < stop <= len(ids):
            raise InvalidData(
                f"{declaration.file}: take [{start}, {stop}] does not fit {number_of(len(ids), 'video')}. "
                f"Use positions 0 to {len(ids)}, the first smaller than the second."
            )
        ids = ids[start:stop]
    if not ids:
        raise InvalidData(f"{declaration.file} holds none of the ids in {declaration.ids}. Check both files.")
    return ids


def _part(path: Path, part: str, lists: Any) -> Any:
    """Returns one of several lists in a file. Raises: InvalidData when there is none of that name."""
    known = ", ".join(map(str, lists)) if isinstance(lists, dict) else "none: the file holds no JSON object"
    if not isinstance(lists, dict) or part not in lists:
        raise InvalidData(f"{path} holds no list {part!r}. Lists: {known}. Correct 'part', or the file.")
    return lists[part]
