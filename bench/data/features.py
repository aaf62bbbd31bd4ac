"""Frame features on disk, one reader per layout; opened lazily and read one video at a time.

    c3d-hdf5           HDF5: `<video id>/c3d_features` (T, D)
    didemo-icep-hdf5   HDF5: `<video id>.npz` (T, D)
    icep-npz           folder: `<video id>.npz` with `frame_scores` (T, 1, D, 1, 1)
    npy-folder         folder: `<video id>.npy` (T, D)
    npz                one file: `video_id` or `ids` (n,), `features` (n, T, D), or (sum of T, D) with `lengths` (n,)

Numbers are float16, float32 or float64 (read as float32). Nothing is ever unpickled.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.errors import MissingData


def missing_videos(where: str, missing: Sequence[str], asked: int) -> MissingData:
    """Returns the error for videos without features: how many, and the first of them."""
    first = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
    return MissingData(
        f"{where}: {len(missing)} of {asked} videos have no features: {first}. "
        "Add their features, or leave them out of the split (`ids:` in bench.yaml)."
    )
