"""Where a video plays, from a second on: a file beside the pages, or the public page that an official id names."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

PUBLIC = re.compile(r"v_([A-Za-z0-9_-]{11})", re.ASCII)
"""An id of ActivityNet: `v_` and what YouTube calls the video."""


@dataclass(frozen=True)
class VideoAddresses:
    """The addresses of videos.

    Attributes:
        files: video id -> address of its file, relative to the pages.
        public: whether ids are those of ActivityNet.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    public: bool = False

    def play(self, video: str, start: float | None = None, end: float | None = None) -> str:
        """Returns the address that plays a video, or nothing; a public page knows no end.

        Args:
            start, end: seconds; None plays all of it.
        """
        if video in self.files:
            part = "" if start is None or end is None else f"#t={start:g},{end:g}"
            return self.files[video] + part
        if self.public and (official := PUBLIC.fullmatch(video)):
            return f"https://youtu.be/{official[1]}" + ("" if start is None else f"?t={int(start)}")
        return ""


def addresses(files: Mapping[str, Path], pages: Path) -> dict[str, str]:
    """Returns the address of each video file as seen from the folder of the pages; both may be moved together."""
    here = pages.resolve()
    return {name: quote(os.path.relpath(path.resolve(), here).replace(os.sep, "/")) for name, path in files.items()}
