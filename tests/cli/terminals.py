"""Commands on a terminal of a given width: a pseudo-terminal is what they write to."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

STYLES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_terminal(folder: Path, width: int, *arguments: str | Path) -> list[str]:
    """Returns the lines that `bench` shows in `folder` on a terminal with `width` columns, without their colours."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    command = [sys.executable, "-m", "bench", *map(str, arguments)]
    with subprocess.Popen(
        command, cwd=folder, env={**environment, "TERM": "xterm-256color"}, stdin=theirs, stdout=theirs, stderr=theirs
    ) as running:
        os.close(theirs)
        shown = _all_of(ours)
    assert running.returncode == 0, shown
    return [line.rstrip() for line in STYLES.sub("", shown).replace("\r\n", "\n").splitlines()]


def _all_of(terminal: int) -> str:
    """Reads until nobody holds the other end any more, which Linux tells by an error."""
    parts = []
    while True:
        try:
            part = os.read(terminal, 1 << 16)
        except OSError:
            part = b""
        if not part:
            os.close(terminal)
            return b"".join(parts).decode()
        parts.append(part)
