"""Is what an HDF5 dataset answers stored anywhere? HDF5 fills in zeros, without an error, where nothing is.

That happens where the source of a virtual dataset is not there, or is named otherwise; where a dataset was made and
never written; where chunks of it were never written; and where an external raw file is too short. All are refused. What
cannot be told: a dataset stored in one piece, or a chunk, of which only a part was written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.errors import InvalidData

DEEPEST = 8
"""Virtual datasets made of virtual datasets are followed this far."""


def stored_in(dataset: Any, where: str, depth: int = 0) -> tuple[Path, ...]:
    """Returns the files that hold the rows of an h5py dataset.

    Args:
        where: the file and the video, in words.

    Raises: InvalidData for a dataset that is not stored, or not all of it; OSError for sources that cannot be opened.
    """
    own = Path(dataset.file.filename)
    if not dataset.shape or not dataset.size:
        return (own,)  # its shape is refused elsewhere
    if dataset.is_virtual:
        if depth == DEEPEST:
            raise _refused(where, f"is a virtual dataset of more than {DEEPEST} levels")
        return tuple(dict.fromkeys([own, *_of_sources(dataset, own, where, depth)]))
    if dataset.external:
        return own, *_raw_files(dataset, own, where)
    if dataset.chunks:
        expected = math.prod(-(-size // chunk) for size, chunk in zip(dataset.shape, dataset.chunks, strict=True))
        chunks = dataset.id.get_num_chunks()
        if chunks < expected:
            what = "was made and never written" if not chunks else f"was written in part: {chunks} of {expected} chunks"
            raise _refused(where, what)
    elif dataset.id.get_storage_size() == 0:
        raise _refused(where, "was made and never written")
    return (own,)


def _of_sources(dataset: Any, own: Path, where: str, depth: int) -> Iterator[Path]:
    """Yields the files of a virtual dataset's sources. Raises: InvalidData unless they are there and cover it."""
    import h5py

    mapped = 0
    for source in dataset.virtual_sources():
        mapped += source.vspace.get_select_npoints()
        named = f"{source.dset_name!r} of {source.file_name}"
        path = own if source.file_name == "." else _found(source.file_name, own.parent)
        if path is None:
            raise _refused(where, f"is a virtual dataset, and its source {source.file_name} is not there")
        with h5py.File(path, "r") as file:
            part = file.get(source.dset_name)
            if not isinstance(part, h5py.Dataset):
                raise _refused(where, f"is a virtual dataset, and its source {named} is not there")
            yield from stored_in(part, where, depth + 1)
    if mapped < dataset.size:
        raise _refused(where, "is a virtual dataset whose sources do not cover it")


def _found(name: str, folder: Path) -> Path | None:
    """Returns a source of a virtual dataset where HDF5 looks for it: beside the file, then as it is named."""
    places = (folder / name, Path(name), folder / Path(name).name)
    return next((place for place in places if place.is_file()), None)


def _raw_files(dataset: Any, own: Path, where: str) -> Iterator[Path]:
    for name, offset, size in dataset.external:
        path = next((place for place in (Path(name), own.parent / name) if place.is_file()), None)
        if path is None:
            raise _refused(where, f"lies in a raw file {name} that is not there")
        if path.stat().st_size < offset + size:
            raise _refused(where, f"lies in a raw file {name} that is too short")
        yield path


def _refused(where: str, what: str) -> InvalidData:
    return InvalidData(
        f"{where} {what}: HDF5 would answer with zeros. Put the missing part there, or write the features again."
    )
