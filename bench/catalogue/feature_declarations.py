"""An entry under `features:` of bench.yaml becomes a declaration: features in files, in a pack, or made from videos."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.data.declared import PACK, FeatureDeclaration, VideoFolder
from bench.errors import ConfigError
from bench.models import Value
from bench.reading.outside import shown
from bench.reading.sections import Misfit, by_name, key, pathname, text, whole

PACKS = "packs"
"""The folder beside bench.yaml that packs lie in where nobody names another."""
OF_VIDEOS = {"videos", "encoder", "sampler", "id", "settings", "set", "segments", "backend", "pack"}
FORM = "{videos: FOLDER, encoder: NAME, sampler: frames=16}"


def value_of(value: Any, where: str) -> Value:
    """Reads the value of a setting: text, a number, true or false."""
    if not isinstance(value, bool | int | float | str):
        raise Misfit(f"{where}: expected text, a number, true or false, found {shown(value)}.")
    return value


@dataclass(frozen=True)
class FeatureEntry:
    """The keys of an entry."""

    reader: str | None = key(text(), None)
    path: Path | None = key(pathname, None)
    pack: Path | None = key(pathname, None)
    extractor: str = key(text(r"[A-Za-z0-9._+-]{0,64}", "at most 64 letters, digits and '._+-'"), "")
    stride: str = key(text(), "unknown")
    dim: int | None = key(whole(1), None)
    videos: Path | None = key(pathname, None)
    encoder: str = key(text(), "")
    sampler: str = key(text(), "")
    id: str = key(text(), "{id}.*")
    settings: Mapping[str, Value] = key(by_name(value_of), {})
    set: Mapping[str, Value] = key(by_name(value_of), {})  # what `settings` was called before `set` meant a test set
    segments: str = key(text(), "")
    backend: str = key(text(), "pyav")
    trained_on: str = key(text(r"[^\x00-\x1f]{0,200}", "one line of at most 200 characters"), "")

    @property
    def given(self) -> frozenset[str]:
        """The keys that say something else than nothing."""
        return frozenset(name for name, value in vars(self).items() if value != getattr(UNSAID, name))


UNSAID = FeatureEntry()


def declared_features(where: str, name: str, entry: FeatureEntry, base: Path) -> FeatureDeclaration:
    """Returns the declaration of the features `name`.

    Args:
        where: file and place of the entry, for errors.
        base: what relative paths are relative to.

    Raises: ConfigError for keys that are missing, or that do not go together.
    """
    keys = entry.given - {"trained_on"}
    if entry.videos is not None:
        videos = _video_folder(where, name, entry, keys, base / entry.videos)
        pack = base / (entry.pack or Path(PACKS) / name)
        return FeatureDeclaration(name=name, reader=PACK, path=pack, trained_on=entry.trained_on, videos=videos)
    if alone := sorted(keys & OF_VIDEOS - {"pack"}):
        raise ConfigError(f"{where}: {', '.join(alone)} without 'videos'. Write '{name}: {FORM}'.")
    if entry.reader == PACK or entry.pack is not None:
        path = entry.pack if entry.pack is not None else entry.path
        if path is None or len(keys) > (1 if entry.pack is not None else 2):
            raise ConfigError(
                f"{where}: {', '.join(sorted(keys))} given; a pack needs its folder and nothing else, it says itself "
                f"what its features are. Write '{name}: {{pack: FOLDER}}'."
            )
        return FeatureDeclaration(name=name, reader=PACK, path=base / path, trained_on=entry.trained_on)
    if entry.reader is None or entry.path is None:
        lacking = "reader" if entry.reader is None else "path"
        raise ConfigError(
            f"{where}.{lacking}: missing. Add it, or write '{name}: {{pack: FOLDER}}' or '{name}: {FORM}'."
        )
    return FeatureDeclaration(
        name=name,
        reader=entry.reader,
        path=base / entry.path,
        extractor=entry.extractor or name,
        stride=entry.stride,
        dim=entry.dim,
        trained_on=entry.trained_on,
    )


def _video_folder(where: str, name: str, entry: FeatureEntry, keys: frozenset[str], folder: Path) -> VideoFolder:
    if others := sorted(keys - OF_VIDEOS):
        raise ConfigError(
            f"{where}: {', '.join(others)} beside 'videos': features made from videos say themselves what they are. "
            "Leave it out."
        )
    for lacking, value in {"encoder": entry.encoder, "sampler": entry.sampler}.items():
        if not value:
            raise ConfigError(
                f"{where}.{lacking}: missing. Write '{name}: {FORM}'; `bench list encoders` shows encoders."
            )
    if entry.settings and entry.set:
        raise ConfigError(f"{where}: settings and set both hold settings of the encoder. Keep them in settings.")
    if entry.id.count("{id}") != 1 or re.search(r"[{}]|\\|^/|(^|/)\.\.?(/|$)", entry.id.replace("{id}", "id")):
        raise ConfigError(
            f"{where}.id: {entry.id!r} does not say where the id stands in a file's name. Write '{{id}}' there once, "
            "such as 'video_{id}.mp4' or '{id}/*.avi'."
        )
    return VideoFolder(
        folder=folder,
        encoder=entry.encoder,
        sampler=entry.sampler,
        pattern=entry.id,
        settings=entry.settings or entry.set,
        segments=entry.segments,
        backend=entry.backend,
    )
