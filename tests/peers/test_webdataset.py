"""Shards that webdataset writes are read by us as webdataset reads them: the same ids, the same arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.data.declared import FeatureDeclaration
from bench.data.features.opening import open_features

pytestmark = pytest.mark.extra("peers")

# ids with folders, dashes and capitals; what follows the first dot is the name of an array
KEYS = ["v_-ab_C", "B1", "clips/x_000004_000014", "video.mp4"]


@pytest.mark.parametrize("ending", ["npy", "npz", "clip.npy"])
def test_shards_hold_what_webdataset_says(tmp_path: Path, ending: str) -> None:
    from webdataset import ShardWriter
    from webdataset.tariterators import group_by_keys, tar_file_expander

    rows = {key: np.random.default_rng(i).standard_normal((2 + i, 3)).astype("f4") for i, key in enumerate(KEYS)}
    with ShardWriter(str(tmp_path / "%03d.tar"), maxcount=2, verbose=0) as writer:
        for key, own in rows.items():
            writer.write({"__key__": key, ending: {"features": own} if ending == "npz" else own, "txt": "a dog"})
    source = open_features(FeatureDeclaration("f", "webdataset", tmp_path))

    theirs = []
    for shard in sorted(tmp_path.glob("*.tar")):
        with shard.open("rb") as stream:
            theirs += list(group_by_keys(tar_file_expander([{"url": str(shard), "stream": stream}])))
    assert [sample["__key__"].rpartition("/")[2] for sample in theirs] == list(source.ids())
    for (key, own), video_id in zip(rows.items(), source.ids(), strict=True):
        assert video_id == key.rpartition("/")[2].partition(".")[0]
        assert np.array_equal(source.read(video_id), own)
