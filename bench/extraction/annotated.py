"""The annotated segments of a dataset's videos, to be sampled one by one."""

from __future__ import annotations

from bench.catalogue.lookup import Session
from bench.data.declared import SIMULATED, FeatureDeclaration
from bench.errors import InvalidData
from bench.video import Span


def segments_of(session: Session, name: str) -> dict[str, tuple[Span, ...]]:
    """Returns the segments in seconds of every video of a dataset, whose features need not be there.

    Raises: UnknownName, DataError; InvalidData for a dataset with a video that has no segments, or other ones in
    another split.
    """
    stand_in = FeatureDeclaration(name=SIMULATED, reader=SIMULATED, extractor=SIMULATED)
    dataset = session.dataset(name, stand_in)
    segments: dict[str, tuple[Span, ...]] = {}
    for split in dataset.tables:
        columns = dataset.columns(split)
        for video_id, times in zip(columns["video_id"], columns["timestamps"], strict=True):
            spans = tuple((float(start), float(end)) for start, end in times)
            if not spans:
                raise InvalidData(
                    f"dataset {name!r}: video {video_id!r} of {split} has no segments to sample. Leave `segments:` out "
                    "of the features in bench.yaml, so that whole videos are sampled."
                )
            if segments.setdefault(video_id, spans) != spans:
                raise InvalidData(
                    f"dataset {name!r}: video {video_id!r} has other segments in {split} than in another split. "
                    "Declare a dataset with the splits that agree, and name it by `segments:`."
                )
    return segments
