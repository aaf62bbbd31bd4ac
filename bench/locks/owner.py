"""Who holds a lock: a process of a machine, told from every other that ever had its number or its machine's name."""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Owner:
    """A process, as the file of its claim names it.

    Attributes:
        process: its number.
        host: the name of its machine, for messages; two machines may share it.
        machine: tells its machine, since when that runs, and the container in which numbers of processes count.
        started: when the process started, as the machine counts; "" where it cannot be asked.
        token: drawn for this claim.
    """

    process: int
    host: str
    machine: str
    started: str
    token: str

    @classmethod
    def here(cls) -> Owner:
        """Returns this process, with a token of its own."""
        process = os.getpid()
        return cls(process, socket.gethostname(), _machine(), _started(process), secrets.token_hex(8))

    @classmethod
    def read(cls, text: str) -> Owner | None:
        """Returns who a file names; None for one that is not written to its end."""
        lines = text.splitlines()
        if len(lines) != 5 or not lines[0].isdecimal():
            return None
        return cls(int(lines[0][:20]), lines[1][:80], *lines[2:])

    @property
    def gone(self) -> bool:
        """True where it is known that the process is no more: it was one of this machine. Of others nobody knows."""
        if self.machine != _machine():
            return False
        return not alive(self.process) or self.started != _started(self.process)

    def written(self) -> str:
        """Returns it as the text of a file."""
        return f"{self.process}\n{self.host}\n{self.machine}\n{self.started}\n{self.token}\n"

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}"


def alive(process: int) -> bool:
    """Returns whether a process of this machine is there."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):  # no process has such a number
        return False
    except OSError:  # it is somebody else's
        return True
    return True


@cache
def _machine() -> str:
    """Returns what no other machine says, nor this one after it started again, nor another container on it."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    return " ".join(parts)


def _started(process: int) -> str:
    try:
        after_name = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        return after_name.split()[19]
    except (OSError, IndexError):
        return ""
