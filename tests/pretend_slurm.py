"""A Slurm of one machine, for tests: sbatch, srun, squeue, scontrol and scancel, as far as bench and submitit use them.

They do what Slurm 22.05 of Debian did on one node: a signal of `scancel --signal` reaches every process of a job's
step, and so does SIGTERM where a job is cancelled or queued again; ended jobs stay in the queue for some minutes. The
state lies in the folder `PRETEND_SLURM`; a test puts files there: `held` (jobs wait, for the reason in it), `refused`
(sbatch says what is in it), `away` (nothing answers), `longest` (of an array).
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = ("sbatch", "srun", "squeue", "scontrol", "scancel")
HOME = Path(os.environ.get("PRETEND_SLURM", "."))
POLL = 0.05


def install(folder: Path) -> dict[str, str]:
    """Puts the commands into a folder; returns the variables under which they are found there."""
    programs, state = folder / "bin", folder / "state"
    programs.mkdir(parents=True)
    state.mkdir()
    for name in COMMANDS:
        words = shlex.join([sys.executable, "-S", "-E", str(Path(__file__).resolve()), name])
        (programs / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        (programs / name).chmod(0o755)
    return {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PRETEND_SLURM": str(state)}


def _state(job: str, state: str, reason: str = "None") -> None:
    part = HOME / f"{job}.{os.getpid()}"
    part.write_text(f"{state}|{reason}")
    part.replace(HOME / f"{job}.job")


def _is(job: str, asked: str) -> bool:
    return (HOME / f"{job}.{asked}").exists()


def sbatch(script: str) -> None:
    if (HOME / "refused").exists():
        sys.exit((HOME / "refused").read_text())
    text = Path(script).read_text()
    number = str(len(list(HOME.glob("script-*"))) + 1)
    (HOME / f"script-{number}").write_text(text)
    (HOME / f"environment-{number}").write_text("\n".join(sorted(os.environ)))
    array = re.search(r"^#SBATCH --array=0-(\d+)", text, re.MULTILINE)
    for job in [f"{number}_{place}" for place in range(int(array[1]) + 1)] if array else [number]:
        _state(job, "PENDING")
        words = [sys.executable, "-S", "-E", __file__, "run", job, script]
        subprocess.Popen(words, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sys.stdout.write(f"Submitted batch job {number}\n")


def run(job: str, script: str) -> None:
    """Runs a job until it is over, as Slurm's daemons would."""
    number, _, place = job.partition("_")
    names = {"SLURM_JOB_ID": f"{number}{place}", "SLURM_PROCID": "0", "PRETENDED_JOB": job}
    names |= {"SLURM_ARRAY_JOB_ID": number, "SLURM_ARRAY_TASK_ID": place} if place else {}
    while not _is(job, "cancelled"):
        if (HOME / "held").exists():
            _state(job, "PENDING", (HOME / "held").read_text())
            time.sleep(POLL)
            continue
        _state(job, "RUNNING")
        process = subprocess.Popen(["bash", script], env={**os.environ, **names})
        while process.poll() is None:
            for asked in ("cancelled", "requeued"):  # before the step began
                if _is(job, asked) and not _is(job, "told"):
                    _end(job, asked)
            time.sleep(POLL)
        if not _is(job, "requeued"):
            break
        for file in ("requeued", "told", "step"):
            (HOME / f"{job}.{file}").unlink(missing_ok=True)
        _state(job, "PENDING", "BeginTime")
    else:
        _state(job, "CANCELLED")
        return
    _state(job, "CANCELLED" if _is(job, "cancelled") else "FAILED" if process.returncode else "COMPLETED")


def srun(*words: str) -> None:
    """Becomes the command of a step, in a group of its own."""
    options = list(words)
    while options[0].startswith("--"):
        option = options.pop(0)
        if option == "--output":
            job, place = os.environ["PRETENDED_JOB"], os.environ.get("SLURM_ARRAY_TASK_ID", "")
            output = options.pop(0).replace("%j", job).replace("%t", "0")
            output = output.replace("%A", job.partition("_")[0]).replace("%a", place)
    os.setsid()
    (HOME / f"{os.environ['PRETENDED_JOB']}.step").write_text(str(os.getpid()))
    log = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.execvp(options[0], options)  # noqa: S606 (it is what srun does)


def squeue(*_: str) -> None:
    if (HOME / "away").exists():
        sys.exit("slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
    for path in HOME.glob("*.job"):
        sys.stdout.write(f"{path.stem}|{path.read_text()}\n")


def scontrol(*words: str) -> None:
    if words[0] == "requeue":
        _end(words[1], "requeued")  # which ends this very process, where a job asks for it
    else:
        longest = HOME / "longest"
        sys.stdout.write(f"MaxArraySize            = {longest.read_text() if longest.exists() else 1001}\n")


def scancel(*words: str) -> None:
    with (HOME / "scancel").open("a") as told:
        told.write(" ".join(words) + "\n")
    options = [word for word in words if word.startswith("--")]
    for name in [word for word in words if not word.startswith("--")]:
        for job in [path.stem for path in HOME.glob("*.job") if path.stem == name or path.stem.startswith(f"{name}_")]:
            if options:
                _signal(job, getattr(signal, f"SIG{options[0].partition('=')[2]}"))
            else:
                _end(job, "cancelled")


def _end(job: str, asked: str) -> None:
    (HOME / f"{job}.{asked}").touch()
    if _is(job, "step"):
        (HOME / f"{job}.told").touch()
        _signal(job, signal.SIGTERM)


def _signal(job: str, number: int) -> None:
    """Sends a signal to all processes of a job's step."""
    step = HOME / f"{job}.step"
    if step.exists():
        try:
            os.killpg(int(step.read_text()), number)
        except ProcessLookupError:
            return


if __name__ == "__main__":
    {one.__name__: one for one in (sbatch, run, srun, squeue, scontrol, scancel)}[sys.argv[1]](*sys.argv[2:])
