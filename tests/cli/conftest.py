"""A folder from which the command line finds outside plugins, as if they had been installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


def install(folder: Path, module: Path, distribution: str) -> Path:
    """Puts a module and its distribution's metadata into `folder`, as pip would; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(module, folder)
    metadata = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[bench]\n{distribution} = {module.stem}\n")
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Returns a folder in which the models of outside_models.py are installed."""
    return install(tmp_path / "site", Path(__file__).with_name("outside_models.py"), "outside-models")
