"""Cells on Slurm through submitit: arrays of jobs, each of which runs one cell as a process of its own.

Before a job's time is over, or where Slurm takes its place away, its cell saves what it has and is queued again. That a
job is over is read from submitit's file, and from Slurm's queue where it died without one; clusters without accounting
(sacct) do as well.
"""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from io import StringIO
from typing import Any

import submitit
from submitit.core.utils import FailedJobError, UncompletedJobError
from submitit.helpers import DelayedSubmission, clean_env

from bench.errors import ToolError, UsageError
from bench.execution import Resources, cores
from bench.plugins.launchers import Job, JobEnd, LaunchStart, MachineCheck
from bench.reading.numbers import number_of
from bench.study.launchers.processes import PATIENCE, JobProcess
from bench.study.launchers.slurm_queue import OVER, PAUSE, QueueWatch, cancel, longest_array, queue

LOOK = 1.0
LOOKS = 5
"""Seconds between two looks at jobs; looks after which whoever waits is given word that none has ended."""
EARLY = 60
"""Seconds by which Slurm may warn a job earlier than it was asked to, as sbatch's manual says of --signal."""
ARRAY = 1_000_000
"""Jobs of an array that may run at once: all of them; submitit's own limit is 256."""
CHECK = "check"


class CellJob:
    """A cell as submitit calls it, and saves it when its time is over."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._process: JobProcess | None = None

    def __call__(self) -> str:
        """Returns how the cell's process ended.

        Where Slurm ends a job it asks all its processes to leave. No result is left then: whether the job is run
        again, after its place was taken away, or never, as it was cancelled, is for Slurm's queue to say.
        """
        self._process = JobProcess(self._job)
        how = self._process.wait()
        if self._process.was_asked_to_leave:
            raise SystemExit(f"the cell left: {how}")
        return how

    def checkpoint(self) -> DelayedSubmission:
        """Returns what is queued again, once the cell has saved what it has.

        The scontrol that submitit then starts is a process of the job that it has Slurm end: it must outlive SIGTERM.
        """
        if self._process:
            self._process.leave()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        return DelayedSubmission(CellJob(self._job))


class SlurmLauncher:
    """The jobs of one driver."""

    def __init__(self, start: LaunchStart) -> None:
        self._say, self._chosen, self._needs = start.say, start.settings, start.needs
        self._folder = start.folder / secrets.token_hex(4)  # numbers of jobs come again: no result of before is theirs
        self._here = self._chosen["cluster"] == "local"
        self.slots = (start.jobs or cores()) if self._here else start.jobs
        self._jobs: dict[str, submitit.Job[Any]] = {}
        self._watch = QueueWatch(start.say)
        if not self._here:
            self._check_settings()

    def _check_settings(self) -> None:
        if submitit.AutoExecutor.which() != "slurm":
            raise UsageError(
                "--launcher slurm: there is no Slurm on this machine (srun). Give the command where jobs are "
                "submitted, such as the login node, or try it here by --launcher-set cluster=local."
            )
        minutes, warning = (int(self._chosen[name]) for name in ("minutes", "warning"))
        if minutes * 60 <= warning + EARLY:
            raise UsageError(
                f"--launcher-set minutes={minutes}: a job is told to save {warning} seconds before its end (warning), "
                f"by Slurm up to {EARLY} seconds earlier, which may be as it begins. Give it "
                f"{(warning + EARLY) // 60 + 1} minutes or more, or a shorter warning."
            )

    def check(self, command: Sequence[str]) -> list[MachineCheck]:
        if self._here:
            return []
        [job] = self._queued(self._needs, [MachineSays(command)])
        self._jobs[CHECK] = job
        self._say(f"job {job.job_id} asks a machine of Slurm whether it can run these cells")
        while not (over := self._over()):
            time.sleep(LOOK)
        del self._jobs[CHECK]
        answer = _result(job, over[CHECK])
        if not isinstance(answer, MachineCheck):
            raise ToolError(f"the job that asks a machine of Slurm {answer}. Nothing else was started.")
        return [answer]

    def submit(self, jobs: Sequence[Job]) -> None:
        alike: dict[Resources, list[Job]] = defaultdict(list)
        for job in jobs:
            alike[job.resources].append(job)
        for needs, cells in alike.items():
            most = (None if self._here else longest_array()) or len(cells)
            for array in (cells[first : first + most] for first in range(0, len(cells), most)):
                queued = self._queued(needs, [CellJob(job) for job in array])
                self._jobs |= {job.id: one for job, one in zip(array, queued, strict=True)}
                if not self._here:
                    are = number_of(len(array), "cell is", "cells are")
                    self._say(f"{are} job {queued[0].job_id.partition('_')[0]} of Slurm")

    def _queued(self, needs: Resources, calls: Sequence[Callable[[], Any]]) -> list[submitit.Job[Any]]:
        """Returns the jobs that calls became. While others of ours are in the queue, waits for a Slurm that is away.

        Raises: UsageError where sbatch refuses.
        """
        answered = False
        while True:
            try:
                with clean_env(), redirect_stderr(StringIO()):  # a driver may be a job itself; submitit prints errors
                    queued: list[submitit.Job[Any]] = self._executor(needs).submit_array(list(calls))
                return queued
            except FailedJobError as error:
                lines = [line.strip().removeprefix("sbatch: error: ") for line in str(error).splitlines()]
                refused = "; ".join(line.rstrip(".") for line in lines if line)[:300]
                if answered or not self._jobs:
                    raise UsageError(
                        f"--launcher slurm: sbatch takes no jobs of {needs}: {refused}. Change what cells need "
                        "(--cpus, --gpus, --memory) or --launcher-set (`bench info slurm`); the same command goes on."
                    ) from error
            if not (answered := queue() is not None):
                line = f"Slurm does not answer ({refused}); bench waits, Ctrl-C ends the wait"
                self._watch.say_once("away", line)
            time.sleep(PAUSE)

    def _executor(self, needs: Resources) -> submitit.AutoExecutor:
        """Returns what submits jobs with such needs."""
        chosen = self._chosen
        if self._here:
            here = submitit.AutoExecutor(self._folder, cluster="local", local_max_num_timeout=chosen["requeues"])
            here.update_parameters(timeout_min=chosen["minutes"], stderr_to_stdout=True)
            return here
        executor = submitit.AutoExecutor(self._folder, cluster="slurm", slurm_max_num_timeout=chosen["requeues"])
        executor.update_parameters(
            name="bench",
            timeout_min=chosen["minutes"],
            cpus_per_task=needs.cpus,
            gpus_per_node=needs.gpus or None,
            mem_gb=needs.memory or None,
            stderr_to_stdout=True,
            slurm_signal_delay_s=chosen["warning"],
            slurm_array_parallelism=ARRAY,
            slurm_partition=chosen["partition"] or None,
            slurm_account=chosen["account"] or None,
            slurm_srun_args=[f"--cpus-per-task={needs.cpus}"],  # Slurm 22.05's srun does not take it from sbatch
            slurm_additional_parameters={"requeue": True, **further_options(str(chosen["options"]))},
        )
        return executor

    def ended(self) -> list[JobEnd]:
        for _ in range(LOOKS):
            if over := self._over():
                return [JobEnd(name, str(_result(self._jobs.pop(name), state))) for name, state in over.items()]
            time.sleep(LOOK)
        return []

    def _over(self) -> dict[str, str]:
        """Returns the cells whose jobs are over, each with its state in Slurm's queue, "" where it left a result."""
        if self._here:
            return {name: "" for name, job in self._jobs.items() if job.done()}
        over = {name: "" for name, job in self._jobs.items() if job.paths.result_pickle.exists()}
        return over | self._watch.over({name: job.job_id for name, job in self._jobs.items() if name not in over})

    def stop(self) -> None:
        self.close()
        until = time.monotonic() + PATIENCE
        while self._jobs and time.monotonic() < until and self._is_any_left():
            time.sleep(LOOK)
        self._jobs.clear()

    def _is_any_left(self) -> bool:
        if self._here:
            return not all(job.done() for job in self._jobs.values())
        if (queued := queue()) is None:
            return True
        left = [queued[job.job_id] for job in self._jobs.values() if job.job_id in queued]
        return any(now.state not in OVER for now in left)

    def close(self) -> None:
        if self._here:
            for job in self._jobs.values():
                job.cancel(check=False)
        else:
            cancel(job.job_id for job in self._jobs.values())


class MachineSays:
    """A command as submitit calls it on another machine."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)

    def __call__(self) -> MachineCheck:
        """Returns the name of the machine that this is called on, the exit code of the command, and what it said."""
        import socket

        done = subprocess.run([sys.executable, "-m", *self._command], capture_output=True, text=True, check=False)
        return MachineCheck(socket.gethostname(), done.returncode, done.stdout + done.stderr)


def further_options(text: str) -> dict[str, str | bool]:
    """Returns options of sbatch by name: `qos=high;exclusive` gives the one a value, and switches the other on."""
    given = [option.strip().removeprefix("--").partition("=") for option in text.split(";") if option.strip()]
    return {name.strip(): value.strip() if equals else True for name, equals, value in given}


def _result(job: submitit.Job[Any], state: str) -> Any:
    """Returns what a job that is over came to; where it left no result, in words how it ended."""
    if not job.paths.result_pickle.exists():
        how = f" ({state})" if state not in ("", "GONE") else ""
        return f"was ended with job {job.job_id}{how}, which wrote {job.paths.stdout}"
    try:
        return job.result()
    except (FailedJobError, UncompletedJobError) as error:
        return f"was lost with job {job.job_id}: {_last(error)}"


def _last(error: Exception) -> str:
    """Returns the last line of an error of submitit's, which holds a traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" -")]
    return (lines[-1] if lines else "no message")[:300]
