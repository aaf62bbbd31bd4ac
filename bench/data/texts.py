"""The texts of a split in the unit that is asked: paragraphs, single captions, captions together, queries of their own.

A text has an id of its own. Of a video `v` the paragraph, and its captions together, are called `v`; its captions one
by one `v#0`, `v#1` and so on, in the order of the annotation file. Files of relevance (`relevance:`) use these names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.data.digests import kept_positions, shuffled_positions
from bench.data.readers.caption_files import read_captions
from bench.data.readers.json_files import read_json
from bench.data.readers.qrels import read_qrels, right_of
from bench.errors import InvalidData
from bench.inputs import Paragraph, Videos, VideoSubset, View
from bench.matching import Matching, Unit
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.data.dataset import Dataset

KINDS = {"paragraph": "paragraph", "captions-together": "paragraph", "caption": "caption"}


@dataclass(frozen=True)
class SplitText:
    """One text of a split.

    Attributes:
        name: what files call it.
        opaque: its opaque id.
        sentences: what it says.
        video: the position of its video in the split's table; None for a query without a video of its own.
    """

    name: str
    opaque: str
    sentences: Paragraph
    video: int | None


def beside_videos(videos: Videos, positions: Sequence[int], texts: Sequence[SplitText]) -> Videos:
    """Returns `videos`, those at `positions` of a split, once for each text: entry i is the video of text i."""
    place = {position: i for i, position in enumerate(positions)}
    owners = [place[text.video] for text in texts if text.video is not None]
    return videos if owners == list(range(len(positions))) else VideoSubset(videos, owners)


def pairing_of(dataset: Dataset, texts: Sequence[SplitText], positions: Sequence[int]) -> tuple[int | None, ...]:
    """Returns where among `positions` of a split the video of each text stands, None for one that is not there.

    Raises: InvalidData for queries that belong to no video.
    """
    if any(text.video is None for text in texts):
        raise InvalidData(
            f"dataset {dataset.name!r}: its queries belong to no video, so nothing can be asked inside the video of a "
            f"text. Leave out datasets.{dataset.name}.queries, or choose another task."
        )
    place = {position: i for i, position in enumerate(positions)}
    return tuple(None if text.video is None else place.get(text.video) for text in texts)


def unit_of(dataset: Dataset, split: str, asked: Unit) -> Unit:
    """Returns what one text of a split is, when `asked` is what the task says.

    Raises: InvalidData where nobody said whether the captions of a video are asked each or together.
    """
    if asked != "paragraph" or dataset.declaration.segments != "none":
        return asked
    counts = [len(sentences) for sentences in dataset.columns(split)["sentences"]]
    if max(counts, default=0) <= 1:
        return "caption"
    most = dataset.columns(split)["video_id"][counts.index(max(counts))]
    raise InvalidData(
        f"dataset {dataset.name!r}: videos of {split} have several captions ({most!r} has {max(counts)}) and no "
        f"segments. Say in bench.yaml datasets.{dataset.name}.captions: each (every caption is a query of its own, as "
        "MSR-VTT, MSVD and VATEX are evaluated) or together (all captions of a video are one text)."
    )


def asks_queries(dataset: Dataset, split: str) -> bool:
    """Returns whether a split is asked with queries of its own instead of what was written for its videos."""
    return dataset.declaration.queries is not None and split == dataset.declaration.test


def texts_of(dataset: Dataset, split: str, chosen: Sequence[int], view: View) -> list[SplitText]:
    """Returns the texts of the videos at `chosen`, cut by `view`, or the queries that stand for those of a test split.

    Of the queries those are left out whose right videos are all left out, as the captions of such a video are.
    Raises: InvalidData as `unit_of`, and for a file of queries that holds none.
    """
    if (file := dataset.declaration.queries) and asks_queries(dataset, split):
        queries, path = _queries(dataset, split, file), dataset.declaration.relevance
        right, ids = right_of(read_qrels(path)) if path else {}, dataset.columns(split)["video_id"]
        kept = {ids[i] for i in chosen}
        return [text for text in queries if not (own := right.get(text.name)) or own.keys() & kept]
    unit, columns = unit_of(dataset, split, view.text), dataset.columns(split)
    texts = []
    for i in chosen:
        video_id = columns["video_id"][i]
        named: list[tuple[str, Paragraph]]
        if unit == "caption":
            named = [(f"{video_id}#{k}", (sentence,)) for k, sentence in enumerate(columns["sentences"][i])]
        else:
            named = [(video_id, _paragraph(columns, i, view))]
        texts += [SplitText(name, dataset.opaque(split, KINDS[unit], name), said, i) for name, said in named]
    return texts


def _paragraph(columns: Mapping[str, list[Any]], index: int, view: View) -> Paragraph:
    """Returns the sentences of a video that a view keeps, in the order it gives them."""
    sentences, video_id = columns["sentences"][index], columns["video_id"][index]
    kept = kept_positions(video_id, len(sentences), view.keep_text, view)
    if view.shuffle == "sentences":
        kept = [kept[i] for i in shuffled_positions(video_id, len(kept), "sentence", view.seed)]
    return tuple(sentences[i] for i in kept)


def _queries(dataset: Dataset, split: str, path: Path) -> list[SplitText]:
    queries = _asked_in(path)
    if not isinstance(queries, dict) or not queries:
        raise InvalidData(f"{path}: expected a JSON object with a text for each id; found {type(queries).__name__}.")
    texts = []
    for name, said in queries.items():
        sentences = (said,) if isinstance(said, str) else said
        if not isinstance(sentences, list | tuple) or not all(isinstance(s, str) and s.strip() for s in sentences):
            raise InvalidData(f"{path}: query {name[:60]!r} is no text and no list of sentences.")
        texts.append(SplitText(name, dataset.opaque(split, "query", name), tuple(sentences), None))
    return texts


def _asked_in(path: Path) -> Any:
    """Returns the queries of a file by id: JSON, or a table or lines of an id and a text. Raises: DataError."""
    if not path.name.lower().removesuffix(".gz").endswith((".csv", ".txt")):
        return read_json(path, "queries, JSON of a text or a list of sentences by id")
    told = read_captions(path).videos
    if twice := next((name for name, texts in told.items() if len(texts) > 1), None):
        raise InvalidData(
            f"{path}: query {twice[:60]!r} has {number_of(len(told[twice]), 'text')}. Give each text an id of its own."
        )
    return {name: texts[0].text for name, texts in told.items()}


def matching_of(
    dataset: Dataset, split: str, texts: Sequence[SplitText], chosen: Sequence[int], view: View
) -> Matching:
    """Returns the right videos of each text among the videos at `chosen`, in opaque ids.

    Texts that a file of relevance does not judge belong to their own video; queries have none.
    Raises: InvalidData for judgements of a text or a video that is not there, or where no text has a right video.
    """
    columns = dataset.columns(split)
    gallery = {columns["video_id"][i]: dataset.opaque(split, "video", columns["video_id"][i]) for i in chosen}
    path = dataset.declaration.relevance if split == dataset.declaration.test else None
    judged = _judged(dataset, split, path, view) if path else {}
    right, owners = {}, {}
    for text in texts:
        own = [] if text.video is None else [columns["video_id"][text.video]]
        grades = judged.get(text.name, dict.fromkeys(own, 1))
        right[text.opaque] = {gallery[video]: grade for video, grade in grades.items() if video in gallery}
        if own:
            owners[text.opaque] = gallery[own[0]]
    if not any(right.values()):
        if len(chosen) < dataset.count(split):
            raise InvalidData(
                f"dataset {dataset.name!r}: none of the {number_of(len(chosen), 'video')} taken of {split} is right "
                "for a text. Take more: a higher --limit, or none."
            )
        raise InvalidData(
            f"dataset {dataset.name!r}: no text of {split} has a right video. Name them in a file of judgements, "
            f"TEXT 0 VIDEO GRADE, as datasets.{dataset.name}.relevance."
        )
    return Matching.of(right, gallery.values(), owners)


def _judged(dataset: Dataset, split: str, path: Path, view: View) -> dict[str, dict[str, int]]:
    judged, columns = right_of(read_qrels(path)), dataset.columns(split)
    known = set(columns["video_id"])
    if odd := next((video for videos in judged.values() for video in videos if video not in known), None):
        raise InvalidData(f"{path}: video {odd[:60]!r} is not in {split} of dataset {dataset.name!r}.")
    names = {text.name for text in texts_of(dataset, split, range(len(columns["video_id"])), view)}
    if odd := next((name for name in judged if name not in names), None):
        raise InvalidData(
            f"{path}: text {odd[:60]!r} is not in {split} of dataset {dataset.name!r}, which has {min(names)[:60]!r}."
        )
    return judged
