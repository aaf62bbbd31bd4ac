"""Frame features on disk, one reader per layout; opened lazily and read one video at a time.

    c3d-hdf5            HDF5: `<video id>/c3d_features` (T, D)
    didemo-icep-hdf5    HDF5: `<video id>.npz` (T, D)
    hdf5                HDF5: `<video id>` or `<video id>/features` (T, D); or as in npz
    icep-npz            folder: `<video id>.npz` with `frame_scores` (T, 1, D, 1, 1)
    lmdb                LMDB: `<video id>` -> the bytes of an npy or npz (T, D); needs vtbench[lmdb]
    npy                 one file: (n, D) or (n, T, D), and its n ids in NAME.txt, .json or .csv beside NAME.npy
    npy-folder          folder: `<video id>.npy` (T, D)
    npz                 one file: `video_id` or `ids` (n,); `features` (n, T, D), or (sum of T, D) with `lengths` (n,);
                        or `<video id>` (T, D)
    npz-folder          folder: `<video id>.npz` with `features` or one array (T, D)
    pack                folder written by `bench data pack`: one memory-mapped file (`bench.data.features.pack`)
    safetensors         one file: `<video id>` (T, D); or `features` as in npz, its ids in a file beside it
    safetensors-folder  folder: `<video id>.safetensors` with `features` or one tensor (T, D)
    torch               one file of torch.save: `<video id>` (T, D); or as in npz; or one tensor, as in npy
    torch-folder        folder: `<video id>.pt` or `.pth` with `features` or one tensor (T, D)
    webdataset          one .tar, or a folder of them: `<video id>.npy` or `.npz` (T, D)

(T, D) may have further axes of length 1, and (D,) is one row (`bench.data.features.shapes`).
Numbers are float16, float32 or float64 (read as float32). Nothing but tensors is ever unpickled. Plugins offer further
layouts.
"""

from __future__ import annotations

from collections.abc import Mapping

from bench.data.declared import PACK, ExaminedFeatures, FeatureDeclaration, FeatureReader, FeatureSource
from bench.data.features.advice import held_in
from bench.errors import CatalogueError, ConfigError, InvalidData
from bench.plugins.code import resolve

_HOME = "bench.data.features"
OWN = (
    FeatureReader("c3d-hdf5", "HDF5, <video id>/c3d_features", f"{_HOME}.hdf5:open_c3d"),
    FeatureReader("didemo-icep-hdf5", "HDF5, <video id>.npz", f"{_HOME}.hdf5:open_didemo_icep"),
    FeatureReader("hdf5", "HDF5, <video id> or <video id>/features, or features and ids", f"{_HOME}.hdf5:open_plain"),
    FeatureReader("icep-npz", "a folder of <video id>.npz", f"{_HOME}.folders:open_icep_folder"),
    FeatureReader("lmdb", "LMDB, <video id>: an npy or npz (vtbench[lmdb])", f"{_HOME}.lmdb_values:open_lmdb"),
    FeatureReader("npy", "one .npy file, its ids in a .txt, .json or .csv beside it", f"{_HOME}.stacked:open_npy"),
    FeatureReader("npy-folder", "a folder of <video id>.npy", f"{_HOME}.folders:open_npy_folder"),
    FeatureReader("npz", "one .npz file: features and ids, or <video id>", f"{_HOME}.stacked:open_npz"),
    FeatureReader("npz-folder", "a folder of <video id>.npz, any one array", f"{_HOME}.folders:open_npz_folder"),
    FeatureReader(PACK, "a folder written by bench data pack", f"{_HOME}.pack:open_pack"),
    FeatureReader(
        "safetensors", "one .safetensors file: <video id>, or features and ids beside", f"{_HOME}.tensors:open_tensors"
    ),
    FeatureReader(
        "safetensors-folder",
        "a folder of <video id>.safetensors, any one tensor",
        f"{_HOME}.folders:open_safetensors_folder",
    ),
    FeatureReader(
        "torch", "one file of torch.save, of tensors alone: as npz, or as npy", f"{_HOME}.torch_files:open_torch"
    ),
    FeatureReader(
        "torch-folder", "a folder of <video id>.pt or .pth, one tensor", f"{_HOME}.folders:open_torch_folder"
    ),
    FeatureReader("webdataset", "a .tar, or a folder of them: <video id>.npy or .npz", f"{_HOME}.shards:open_shards"),
)
READERS: Mapping[str, FeatureReader] = {reader.name: reader for reader in OWN}
"""Our own layouts, by what stands after `reader:` under `features:`."""
ONE_FILE = frozenset({"c3d-hdf5", "didemo-icep-hdf5", "hdf5", "npy", "npz", "safetensors", "torch"})
"""Those of them that read a file, never a folder."""


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
    if declaration.reader in ONE_FILE and declaration.path.is_dir():
        raise InvalidData(
            f"features {declaration.name!r}: {declaration.path} is a folder, and reader: {declaration.reader} reads a "
            f"file; {held_in(declaration.path)}. Correct `path` or `reader` in bench.yaml."
        )
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
