"""Many processes in one place: one output, one board, one pack, one checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import forking
from cli.small_runs import RUN, TASK, left_over
from commands import RUNS, Kitchen, files
from phases import Attempt, Outcome, Phase

PROCESSES = 16


def wrong_ends(forks: list[forking.Fork], allowed: str = "\0") -> str:
    """Waits for all; returns what those said that failed, or printed a traceback.

    Args:
        allowed: words of a refusal that is right.
    """
    ends = [(fork.wait(), fork.said) for fork in forks]
    bad = [f"{code}: {said[-1000:]}" for code, said in ends if (code and allowed not in said) or "Traceback" in said]
    return "\n".join(bad)


def one_output(root: Path) -> Attempt:
    """Returns attempts at one run; in every other one, half of the processes are killed."""
    kitchen = Kitchen(root, "run")

    def attempt(number: int, random: Random) -> Outcome:
        folder = kitchen.fresh()
        forks = [kitchen.start(folder) for _ in range(PROCESSES)]
        victims = random.sample(forks, PROCESSES // 2) if number % 2 else []
        for fork in victims:
            fork.kill(random.uniform(0, kitchen.seconds / 2))
        rest = [fork for fork in forks if fork not in victims]
        wrong = wrong_ends(rest)
        fits = sum("fitting fse" in fork.said for fork in rest)
        if not victims and fits != 1:
            wrong += f"{fits} of them fitted\n"
        wrong += kitchen.wrong_after(folder)
        kitchen.remove(folder)
        return Outcome(PROCESSES, wrong)

    return attempt


ADD_ALL = ("leaderboard", "add", *RUNS, "--board", "board")
BUILD = ("leaderboard", "build", "--results", "board/results", "--output", "board")


def one_board(root: Path) -> Attempt:
    """Returns attempts at one board: half of the processes add runs, half of them build."""
    kitchen = Kitchen(root, "add")

    def ended(folder: Path) -> tuple[str, dict[str, str]]:
        wrong = "".join(wrong_ends([forking.start(folder, *arguments)]) for arguments in (ADD_ALL, BUILD))
        return wrong, files(folder / "board")

    undisturbed = kitchen.fresh()
    _, wanted = ended(undisturbed)

    def attempt(number: int, random: Random) -> Outcome:
        folder = kitchen.fresh()
        wrong = wrong_ends([forking.start(folder, "leaderboard", "add", RUNS[0], "--board", "board")])
        adds = [("leaderboard", "add", RUNS[i % len(RUNS)], "--board", "board") for i in range(PROCESSES // 2)]
        together = [*adds, *[BUILD] * (PROCESSES // 2)]
        random.shuffle(together)
        wrong += wrong_ends([forking.start(folder, *arguments) for arguments in together])
        failed, made = ended(folder)
        wrong += failed
        if made != wanted:
            wrong += f"not equal: {sorted(set(made.items()) ^ set(wanted.items()))}\n"
        if rest := left_over(folder):
            wrong += f"left over: {rest}\n"
        kitchen.remove(folder)
        return Outcome(PROCESSES, wrong)

    return attempt


def eight_packs(root: Path) -> Attempt:
    """Returns attempts at one pack that eight processes write; in every other one, one of them is killed."""
    kitchen = Kitchen(root, "pack")

    def attempt(number: int, random: Random) -> Outcome:
        folder = kitchen.fresh()
        forks = [kitchen.start(folder) for _ in range(8)]
        if number % 2:
            forks.pop(random.randrange(8)).kill(random.uniform(0, kitchen.seconds))
        wrong = wrong_ends(forks, "never overwritten") + kitchen.wrong_after(folder)
        kitchen.remove(folder)
        return Outcome(8, wrong)

    return attempt


def one_checkpoint(root: Path) -> Attempt:
    """Returns attempts at two tasks that share a checkpoint; in every other one, one of the two is killed."""
    kitchen = Kitchen(root, "run")
    tasks = (TASK, f"{TASK}-val2")

    def records(folder: Path) -> dict[str, tuple[object, str]]:
        made = [json.loads(path.read_text()) for path in folder.glob("out/*/result.json")]
        return {one["task"]["name"]: (one["measurements"], one["predictions"]["sha256"]) for one in made}

    undisturbed = kitchen.fresh()
    for task in tasks:
        forking.start(undisturbed, *RUN, task).wait()
    wanted = records(undisturbed)

    def attempt(number: int, random: Random) -> Outcome:
        folder = kitchen.fresh()
        forks = [forking.start(folder, *RUN, task) for task in tasks]
        killed = random.randrange(2) if number % 2 else -1
        if killed >= 0:
            forks.pop(killed).kill(random.uniform(0, kitchen.seconds))
        wrong = wrong_ends(forks)
        said = "\n".join(fork.said for fork in forks)
        if killed < 0 and (said.count("fitting fse"), said.count("fitted before")) != (1, 1):
            wrong += f"not fitted once: {said}\n"
        wrong += wrong_ends([forking.start(folder, *RUN, task) for task in tasks])
        if (made := records(folder)) != wanted or len(list(folder.glob("out/checkpoints/*/model.safetensors"))) != 1:
            wrong += f"not equal: {made}\n"
        if rest := left_over(folder):
            wrong += f"left over: {rest}\n"
        kitchen.remove(folder)
        return Outcome(2, wrong)

    return attempt


PHASES = [
    Phase(
        "one-output",
        "16 processes with one run in one output, half of them killed every other time: fitted once, equal digests",
        160,
        1,
        one_output,
    ),
    Phase(
        "one-board",
        "16 processes add runs to one board and build it: the board of one after the other",
        160,
        1,
        one_board,
    ),
    Phase(
        "eight-packs",
        "eight processes write one pack, one of them killed every other time: equal digests",
        80,
        2,
        eight_packs,
    ),
    Phase(
        "one-checkpoint",
        "two tasks on one checkpoint key, one killed every other time: fitted once, equal digests",
        40,
        2,
        one_checkpoint,
    ),
]
