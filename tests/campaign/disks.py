"""Disks that are full or read-only, file systems without hard links or locks; and then the same command again."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random

import interfering
from commands import COMMANDS, Kitchen
from phases import Attempt, Outcome, Phase

FAILURES = (errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO)
WITHOUT_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.EACCES, errno.EINVAL)
WITHOUT_FLOCK = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK)
PLENTY = "64m"
NEW_NAMESPACE = 0x00020000  # CLONE_NEWNS of Linux


def wrong_end(code: int, said: str) -> str:
    """Returns what is wrong with how a command left on a disk that failed it; a whole result is right as well."""
    last = said.strip().splitlines()[-1] if said.strip() else ""
    if "Traceback" in said:
        return f"a traceback: {said[-2000:]}\n"
    if code not in (0, 1, 5) or (code and not last):
        return f"exit code {code}: {said[-1000:]}\n"
    return ""


def kitchens(root: Path) -> Callable[[int], Kitchen]:
    """Returns a function from an attempt's number to the command whose turn it is."""
    names, made = list(COMMANDS), dict[str, Kitchen]()

    def whose_turn(number: int) -> Kitchen:
        name = names[number % len(names)]
        if name not in made:
            (root / name).mkdir()
            made[name] = Kitchen(root / name, name)
        return made[name]

    return whose_turn


def failing(root: Path) -> Attempt:
    """Returns attempts at commands whose operations fail from a random one on, or whose files may not grow on."""
    whose_turn = kitchens(root)

    def attempt(number: int, random: Random) -> Outcome:
        kitchen = whose_turn(number)
        folder = kitchen.fresh()
        if random.random() < 0.25:
            interference = interfering.cut_at(random.randrange(kitchen.size))
        else:
            operation = random.randrange(kitchen.operations)
            interference = interfering.failing_from(folder, operation, random.choice(FAILURES))
        fork = kitchen.start(folder, interference)
        wrong = wrong_end(fork.wait(), fork.said) + kitchen.wrong_after(folder)
        kitchen.remove(folder)
        return Outcome(1, wrong)

    return attempt


def full(root: Path) -> Attempt:
    """Returns attempts on a real file system of random size in memory; every third one is read-only instead."""
    _own_mounts()
    whose_turn = kitchens(root)

    def attempt(number: int, random: Random) -> Outcome:
        kitchen = whose_turn(number)
        folder = kitchen.fresh()
        size = f"{4 * random.randrange(2, 4 + kitchen.size // 4096)}k"
        mounted(folder, f"size={size}")
        try:
            if kitchen.command.config:
                (folder / "bench.yaml").write_text(kitchen.command.config)
            if (number // len(COMMANDS)) % 3 == 2:
                mounted(folder, "remount,ro")
            fork = kitchen.start(folder)
            wrong = wrong_end(fork.wait(), fork.said)
            mounted(folder, f"remount,rw,size={PLENTY}")
            wrong += kitchen.wrong_after(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)
        kitchen.remove(folder)
        return Outcome(1, wrong)

    return attempt


def mounted(folder: Path, options: str) -> None:
    """Mounts a file system in memory onto a folder, or changes it."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "bench-campaign", folder], check=True, capture_output=True)


def _own_mounts() -> None:
    """Makes what this process mounts invisible to all others, and go away with it. Raises: OSError."""
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_NAMESPACE):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    subprocess.run(["mount", "--make-rprivate", "/"], check=True, capture_output=True)


def cannot_mount() -> str:
    """Returns why this machine lets us mount nothing, or ""."""
    process = os.fork()
    if not process:
        code = 1
        try:
            _own_mounts()
            code = 0
        except (OSError, subprocess.SubprocessError, AttributeError):
            code = 1
        finally:
            os._exit(code)
    return "as nothing may be mounted here" if os.waitpid(process, 0)[1] else ""


def lacking(root: Path) -> Attempt:
    """Returns attempts at commands where hard links, locks or both are refused, three at once or killed."""
    whose_turn = kitchens(root)

    def attempt(number: int, random: Random) -> Outcome:
        kitchen = whose_turn(number)
        folder = kitchen.fresh()
        links = interfering.refusing(random.choice(WITHOUT_LINKS), "os.link")
        flock = interfering.refusing(random.choice(WITHOUT_FLOCK), "fcntl.flock")
        refused = random.choice([[links], [flock], [links, flock]])

        def interference() -> None:
            for refuse in refused:
                refuse()

        if random.random() < 0.5:
            wrong = ""
            kitchen.start(folder, interference).kill(random.uniform(0, kitchen.seconds))
        else:
            from at_once import wrong_ends

            wrong = wrong_ends([kitchen.start(folder, interference) for _ in range(3)], "never overwritten")
        wrong += kitchen.wrong_after(folder, interference)
        kitchen.remove(folder)
        return Outcome(1, wrong)

    return attempt


PHASES = [
    Phase(
        "failing-disk",
        "every operation on files fails from a random one on, or files may not grow: one line, then equal digests",
        120,
        3,
        failing,
    ),
    Phase(
        "full-disk",
        "a real file system, full at a random size or read-only: one line, then equal digests",
        60,
        2,
        full,
        cannot_mount,
    ),
    Phase(
        "no-links-no-locks",
        "hard links, locks or both refused; three at once, or one killed: equal digests",
        60,
        2,
        lacking,
    ),
]
