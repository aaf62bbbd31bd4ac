"""What a split is scored against, in opaque ids: matches, references or classes of the videos under evaluation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench.annotations import CaptionAnnotations, ClassAnnotations, Described, RetrievalAnnotations
from bench.data.digests import classes_digest, described_digest, pool_digest
from bench.data.sets.comparing import shrunk_set
from bench.data.texts import asks_queries, matching_of, texts_of, unit_of
from bench.errors import MissingData
from bench.files import digest
from bench.inputs import View

if TYPE_CHECKING:
    from bench.data.dataset import Dataset


def matches(dataset: Dataset, split: str, limit: int | None, view: View) -> RetrievalAnnotations:
    """Returns which text belongs to which video, and which videos count as never found."""
    columns = dataset.columns(split)
    chosen = dataset.evaluated(split, limit)
    ids = [columns["video_id"][i] for i in chosen]
    texts = texts_of(dataset, split, chosen, view)
    matching = matching_of(dataset, split, texts, chosen, view)
    pool = pool_digest((columns["video_id"][i], columns["sentences"][i]) for i in chosen)
    pool_of_own = not (dataset.declaration.relevance or dataset.declaration.queries)
    if not pool_of_own:
        said = [[text.name, text.sentences] for text in texts]
        graded = [matching.grades] if matching.grades else []
        pool = digest([pool, said, [matching.by_text[text.opaque] for text in texts], *graded])
    return RetrievalAnnotations(
        matching=matching,
        pool=pool,
        missing=_missing(dataset, split, ids),
        unit="query" if asks_queries(dataset, split) else unit_of(dataset, split, view.text),
        absent=_absent(dataset, split, limit, view) if pool_of_own else (),
    )


def captions(dataset: Dataset, splits: Sequence[str], limit: int | None) -> CaptionAnnotations:
    """Returns the references of the videos of the first split, one set for each split that describes them."""
    first = splits[0]
    columns = dataset.columns(first)
    ids = [columns["video_id"][i] for i in dataset.evaluated(first, limit)]
    sets = [_described(dataset.columns(split)) for split in splits]
    references = [{v: texts[v] for v in ids if v in texts} for texts in sets]
    return CaptionAnnotations(
        references=tuple({dataset.opaque(first, "video", v): told[v] for v in told} for told in references),
        pool=described_digest(references),
        missing=_missing(dataset, first, ids),
    )


def classes(dataset: Dataset, split: str, limit: int | None) -> ClassAnnotations:
    """Returns the classes of the videos of a split. Raises: MissingData for a split without classes."""
    columns = dataset.columns(split)
    if "labels" not in columns:
        raise MissingData(
            f"dataset {dataset.name!r}: split {split!r} has no classes. Declare a labels.csv as "
            f"datasets.{dataset.name}.labels."
        )
    labels = {columns["video_id"][i]: tuple(columns["labels"][i]) for i in dataset.evaluated(split, limit)}
    return ClassAnnotations(
        labels={dataset.opaque(split, "video", v): own for v, own in labels.items()},
        class_names=dataset.class_names(),
        pool=classes_digest(labels, dataset.class_names()),
        missing=_missing(dataset, split, labels),
        absent=_absent(dataset, split, limit, None),
    )


def _absent(dataset: Dataset, split: str, limit: int | None, view: View | None) -> tuple[int, ...]:
    """Returns of each video that the whole test set has and that is not evaluated: how many texts describe it.

    Videos without features that are left out, and those of the set that the split is said to be and lacks, where it is
    known that they have one text each. Under a limit the test set is what it leaves.

    Args:
        view: says what one text is; None to count classes.
    """
    if limit is not None:
        return ()
    columns = dataset.columns(split)
    gone: list[int] = []
    if dataset.declaration.missing == "exclude":
        left_out = dataset.left_out(split)
        places = [i for i, video_id in enumerate(columns["video_id"]) if video_id in left_out]
        if view is None:
            gone = [len(columns["labels"][i]) for i in places]
        else:
            texts = Counter(text.video for text in texts_of(dataset, split, places, view))
            gone = [texts[i] for i in places]
    shrunk = shrunk_set(dataset, split)
    if shrunk is None or not shrunk.one_each:
        return tuple(gone)
    asks_parts = view is not None and unit_of(dataset, split, view.text) == "caption" != shrunk.unit
    return tuple(gone) if asks_parts else (*gone, *(1,) * shrunk.videos)


def _missing(dataset: Dataset, split: str, ids: Sequence[str] | Mapping[str, Any]) -> frozenset[str]:
    return frozenset(dataset.opaque(split, "video", v) for v in dataset.left_out(split).intersection(ids))


def _described(columns: Mapping[str, list[Any]]) -> dict[str, Described]:
    rows = zip(columns["video_id"], columns["timestamps"], columns["sentences"], strict=True)
    return {v: Described(tuple((float(a), float(b)) for a, b in times), tuple(said)) for v, times, said in rows}
