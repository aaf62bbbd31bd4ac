"""Frame features on disk, one reader per layout; opened lazily and read one video at a time.

    c3d-hdf5           HDF5: `<video id>/c3d_features` (T, D)
    didemo-icep-hdf5   HDF5: `<video id>.npz` (T, D)
    icep-npz           folder: `<video id>.npz` with `frame_scores` (T, 1, D, 1, 1)
    npy-folder         folder: `<video id>.npy` (T, D)
    pack               folder written by `bench data pack`: one memory-mapped file (`bench.data.pack`)
    npz                one file: `video_id` or `ids` (n,), `features` (n, T, D), or (sum of T, D) with `lengths` (n,)

Numbers are float16, float32 or float64 (read as float32). Nothing is ever unpickled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bench.data.hdf5_features import open_c3d, open_didemo_icep
from bench.data.npz_features import open_icep_folder, open_npy_folder, open_one_npz
from bench.data.pack import open_pack
from bench.data.spec import PACK, FeatureDeclaration, FeatureSource
from bench.errors import ConfigError

READERS: Mapping[str, Callable[[FeatureDeclaration, Path], FeatureSource]] = {
    "c3d-hdf5": open_c3d,
    "didemo-icep-hdf5": open_didemo_icep,
    "icep-npz": open_icep_folder,
    "npy-folder": open_npy_folder,
    "npz": open_one_npz,
    PACK: open_pack,
}
"""What may stand after `reader:` under `features:`; called as `open(declaration, path)`."""


def open_features(declaration: FeatureDeclaration) -> FeatureSource:
    """Returns the features that bench.yaml declares in files.

    Raises: ConfigError for an unknown reader or no path; DataError when the files are missing or broken.
    """
    reader = READERS.get(declaration.reader)
    if reader is None:
        raise ConfigError(
            f"features.{declaration.name}.reader: {declaration.reader!r} is unknown. Known: {', '.join(READERS)}."
        )
    if declaration.path is None:
        raise ConfigError(f"features.{declaration.name}: no `path`. Name the file or folder that holds the features.")
    return reader(declaration, declaration.path)
