"""Film strips for the commands that show videos: why there is none for one of them is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.cli.saying import echo

if TYPE_CHECKING:
    from bench.data.dataset import Dataset


def drawn_strips(dataset: Dataset, ids: Sequence[str]) -> dict[str, bytes]:
    """Returns a film strip of each video where its features are made from videos; says why others have none."""
    from bench.errors import BenchError
    from bench.extraction.film_strips import film_strips

    videos = dataset.declaration.features.videos
    if videos is None:
        return {}
    try:
        strips, failures = film_strips(videos, ids)
    except BenchError as error:
        strips, failures = {}, [str(error)]
    for failure in failures:
        echo(f"no film strip: {failure}", err=True)
    return strips
