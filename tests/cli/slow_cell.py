"""A cell that does as little as it can: it begins, saves when it is asked to leave, and is done once it began again.

`python -m cli.slow_cell FOLDER`; where FOLDER has a file `quick`, it is done at once.
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from bench.plugins.launchers import Job


class SlowJob(Job):
    """A job whose process is one of this module, in the folder of its log."""

    @property
    def command(self) -> tuple[str, ...]:
        return ("cli.slow_cell", str(self.log.parent))


def main(folder: Path) -> None:
    signal.signal(signal.SIGTERM, lambda *_: (folder / "saved").touch() or sys.exit(130))
    again = (folder / "began").exists()
    (folder / "began").touch()
    if not again and not (folder / "quick").exists():
        time.sleep(600)
    (folder / "done").touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
