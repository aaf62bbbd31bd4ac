"""Frame features on disk, one reader per layout; opened lazily and read one video at a time.

    c3d-hdf5           HDF5: `<video id>/c3d_features` (T, D)
    didemo-icep-hdf5   HDF5: `<video id>.npz` (T, D)
    hdf5               HDF5: `<video id>` or `<video id>/features` (T, D); or as in npz
    icep-npz           folder: `<video id>.npz` with `frame_scores` (T, 1, D, 1, 1)
    npy                one file: (n, D) or (n, T, D), and its n ids in NAME.txt, .json or .csv beside NAME.npy
    npy-folder         folder: `<video id>.npy` (T, D)
    pack               folder written by `bench data pack`: one memory-mapped file (`bench.data.features.pack`)
    npz                one file: `video_id` or `ids` (n,); `features` (n, T, D), or (sum of T, D) with `lengths` (n,);
                       or `<video id>` (T, D)
    npz-folder         folder: `<video id>.npz` with `features` or one array (T, D)
    safetensors        one file: `<video id>` (T, D)

(T, D) may have further axes of length 1, and (D,) is one row (`bench.data.features.shapes`).
Numbers are float16, float32 or float64 (read as float32). Nothing is ever unpickled. Plugins offer further layouts.
"""

from __future__ import annotations

from collections.abc import Mapping

from bench.data.declared import PACK, ExaminedFeatures, FeatureDeclaration, FeatureReader, FeatureSource
from bench.errors import CatalogueError, ConfigError
from bench.plugins.code import resolve

_HDF5, _STACKED = "bench.data.features.hdf5", "bench.data.features.stacked"
OWN = (
    FeatureReader("c3d-hdf5", "HDF5, <video id>/c3d_features", f"{_HDF5}:open_c3d"),
    FeatureReader("didemo-icep-hdf5", "HDF5, <video id>.npz", f"{_HDF5}:open_didemo_icep"),
    FeatureReader("hdf5", "HDF5, <video id> or <video id>/features, or features and ids", f"{_HDF5}:open_plain"),
    FeatureReader("icep-npz", "a folder of <video id>.npz", "bench.data.features.npz:open_icep_folder"),
    FeatureReader("npy", "one .npy file, its ids in a .txt, .json or .csv beside it", f"{_STACKED}:open_npy"),
    FeatureReader("npy-folder", "a folder of <video id>.npy", "bench.data.features.npz:open_npy_folder"),
    FeatureReader("npz", "one .npz file: features and ids, or <video id>", f"{_STACKED}:open_npz"),
    FeatureReader("npz-folder", "a folder of <video id>.npz, any one array", "bench.data.features.npz:open_npz_folder"),
    FeatureReader("safetensors", "one .safetensors file, <video id>", "bench.data.features.tensors:open_tensors"),
    FeatureReader(PACK, "a folder written by bench data pack", "bench.data.features.pack:open_pack"),
)
READERS: Mapping[str, FeatureReader] = {reader.name: reader for reader in OWN}
"""Our own layouts, by what stands after `reader:` under `features:`."""


def open_features(declaration: FeatureDeclaration) -> FeatureSource:
    """Returns the features that bench.yaml declares in files.

    Raises: ConfigError for an unknown reader or no path; CatalogueError for a reader whose code cannot be imported;
    DataError when the files are missing or broken.
    """
    loader = declaration.loader or (READERS[declaration.reader].loader if declaration.reader in READERS else "")
    if not loader:
        raise ConfigError(
            f"features.{declaration.name}.reader: {declaration.reader!r} is unknown. Known: {', '.join(READERS)}."
        )
    if declaration.path is None:
        raise ConfigError(f"features.{declaration.name}: no `path`. Name the file or folder that holds the features.")
    try:
        opener = resolve(loader)
    except (ImportError, AttributeError) as error:
        raise CatalogueError(
            f"feature reader {declaration.reader!r} cannot be loaded from {loader}: {error}. Fix or remove its plugin."
        ) from error
    from bench.data.features.foreign import ForeignFeatures

    source: FeatureSource = opener(declaration, declaration.path)
    # what a plugin makes up is known by its recipe, as ours is
    ours = isinstance(source, ExaminedFeatures) or source.kind != "real"
    return source if ours else ForeignFeatures(declaration, declaration.path, source)
