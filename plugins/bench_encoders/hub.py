"""Repositories of the Hugging Face Hub as the local cache has them: nothing is asked of a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.api import MissingData


@contextmanager
def offline() -> Iterator[None]:
    """Keeps libraries that load through huggingface_hub from asking the network; they take what the cache has."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def cached(repository: str) -> Path:
    """Returns the folder of a repository in the cache; its name is the commit. Raises: MissingData."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repository, local_files_only=True))
    except OSError as error:  # LocalEntryNotFoundError among them
        raise MissingData(
            f"{repository} is not in the Hugging Face cache of this machine, and bench downloads nothing. Fetch it: "
            f"hf download {repository}"
        ) from error
