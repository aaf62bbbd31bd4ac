"""Cells on Slurm through submitit: arrays of jobs, each of which runs one cell as a process of its own.

Before a job's time is over, or where Slurm takes its place away, its cell saves what it has and is queued again. That a
job is over is read from submitit's file, and from Slurm's queue where it died without one; clusters without accounting
(sacct) do as well.
"""

from __future__ import annotations

import getpass
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence

import submitit
from submitit.core.utils import FailedJobError, UncompletedJobError
from submitit.helpers import DelayedSubmission

from bench.errors import ToolError, UsageError
from bench.execution import Resources, cores
from bench.plugins.launchers import Job, JobEnd, LaunchStart, MachineCheck
from bench.reading.numbers import number_of
from bench.study.launchers.processes import PATIENCE, JobProcess

LOOK = 1.0
LOOKS = 5
"""Seconds between two looks at jobs; looks after which whoever waits is given word that none has ended."""
QUEUE = 15.0
"""Seconds between two looks at Slurm's queue."""
CHECK = "check"


class CellJob:
    """A cell as submitit calls it, and saves it when its time is over."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._process: JobProcess | None = None

    def __call__(self) -> str:
        """Returns how the cell's process ended."""
        self._process = JobProcess(self._job)
        return self._process.wait()

    def checkpoint(self) -> DelayedSubmission:
        """Returns what is queued again, once the cell has saved what it has."""
        if self._process:
            self._process.leave()
        return DelayedSubmission(CellJob(self._job))


class SlurmLauncher:
    """The jobs of one driver."""

    def __init__(self, start: LaunchStart) -> None:
        self._say, self._chosen, self._folder, self._at_once = start.say, start.settings, start.folder, start.jobs
        self._here = self._chosen["cluster"] == "local"
        self.slots = (start.jobs or cores()) if self._here else None
        self._jobs: dict[str, submitit.Job[str]] = {}
        self._missed: set[str] = set()
        self._looked = time.monotonic()
        if not self._here and submitit.AutoExecutor.which() != "slurm":
            raise UsageError(
                "--launcher slurm: there is no Slurm on this machine (srun). Give the command where jobs are "
                "submitted, such as the login node, or try it here by --launcher-set cluster=local."
            )

    def check(self, command: Sequence[str]) -> list[MachineCheck]:
        if self._here:
            return []
        job = self._executor(Resources()).submit(said_by, tuple(command))
        self._jobs[CHECK] = job
        self._say(f"job {job.job_id} asks a machine of Slurm whether it can run these cells")
        while not self._over():
            time.sleep(LOOK)
        del self._jobs[CHECK]
        try:
            place, code, said = job.result()
        except (FailedJobError, UncompletedJobError) as error:
            log = f"Its log: {job.paths.stdout}"
            raise ToolError(f"job {job.job_id} of Slurm gave no answer: {_last(error)} {log}") from error
        return [MachineCheck(place, code, said)]

    def submit(self, jobs: Sequence[Job]) -> None:
        alike: dict[Resources, list[Job]] = defaultdict(list)
        for job in jobs:
            alike[job.resources].append(job)
        for needs, array in alike.items():
            queued = self._executor(needs).submit_array([CellJob(job) for job in array])
            self._jobs |= {job.id: one for job, one in zip(array, queued, strict=True)}
            if not self._here:
                are = number_of(len(array), "cell is", "cells are")
                self._say(f"{are} job {queued[0].job_id.partition('_')[0]} of Slurm")

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
            slurm_array_parallelism=self._at_once,
            slurm_partition=chosen["partition"] or None,
            slurm_account=chosen["account"] or None,
            slurm_additional_parameters=further_options(str(chosen["options"])) or None,
        )
        return executor

    def ended(self) -> list[JobEnd]:
        for _ in range(LOOKS):
            if over := self._over():
                return [JobEnd(name, self._how(self._jobs.pop(name))) for name in over]
            time.sleep(LOOK)
        return []

    def _over(self) -> list[str]:
        """Returns the cells whose jobs are over: they left a result, or are twice not found in the queue."""
        if self._here:
            return [name for name, job in self._jobs.items() if job.done()]
        over = [name for name, job in self._jobs.items() if job.paths.result_pickle.exists()]
        if time.monotonic() - self._looked > QUEUE:
            self._looked = time.monotonic()
            queued = _queue()
            missing = {name for name, job in self._jobs.items() if queued is not None and job.job_id not in queued}
            over += [name for name in missing & self._missed if name not in over]
            self._missed = missing
        return over

    def _how(self, job: submitit.Job[str]) -> str:
        if not job.paths.result_pickle.exists():
            return f"was ended with job {job.job_id}, which wrote {job.paths.stdout}"
        try:
            return str(job.result())
        except (FailedJobError, UncompletedJobError) as error:
            return f"was lost: {_last(error)}"

    def stop(self) -> None:
        for job in self._jobs.values():
            job.cancel(check=False)
        until = time.monotonic() + PATIENCE
        while self._jobs and time.monotonic() < until:
            for name in self._over():
                del self._jobs[name]
            time.sleep(LOOK)

    def close(self) -> None:
        for job in self._jobs.values():
            job.cancel(check=False)


def further_options(text: str) -> dict[str, str | bool]:
    """Returns options of sbatch by name: `qos=high;exclusive` gives the one a value, and switches the other on."""
    given = [option.strip().removeprefix("--").partition("=") for option in text.split(";") if option.strip()]
    return {name.strip(): value.strip() if equals else True for name, equals, value in given}


def _queue() -> set[str] | None:
    """Returns the ids of the user's jobs that wait or run; None where Slurm does not answer."""
    command = ["squeue", "--user", getpass.getuser(), "--array", "--noheader", "--format=%i"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return set(done.stdout.split()) if done.returncode == 0 else None


def said_by(command: tuple[str, ...]) -> tuple[str, int, str]:
    """Returns the name of the machine that this is called on, the exit code of a command, and what it said."""
    import socket

    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    return socket.gethostname(), done.returncode, done.stdout + done.stderr


def _last(error: Exception) -> str:
    """Returns the last line of an error of submitit's, which holds a traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" -")]
    return (lines[-1] if lines else "no message")[:300]
