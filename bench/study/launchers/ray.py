"""Cells on a Ray cluster: each a task whose worker has a process of bench's run it, so that no state of Ray's matters.

Ray runs a task again when its worker dies, keeps workers with their threads and modules, and gives them the variables
that its daemons were started with. So its retries are off, and processes get their variables by name; a worker that Ray
keeps for the next task keeps its process, too, as `--jobs` does.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from bench.errors import UsageError
from bench.plugins.launchers import Job, JobEnd, LaunchStart, MachineCheck
from bench.reading.numbers import number_of
from bench.study.launchers.processes import PATIENCE, KeptProcess

GB = 1024**3
LOOK = 2.0
"""Seconds after which whoever waits for a cell is given word that none has ended."""

ANSWER = 10.0
"""Seconds within which a cluster must answer."""

OWN_CLUSTER = {"worker_niceness": 0}
"""Of a cluster that we start: Ray gives its workers, and with them cells, the CPU behind all else (niceness 15)."""


class RayLauncher:
    """The tasks of one driver on a cluster."""

    def __init__(self, start: LaunchStart) -> None:
        self._say = start.say
        self._tasks: dict[Any, str] = {}
        self.slots = start.jobs
        address = str(start.settings["address"])
        try:
            _check_answers(address)
            own = {"_system_config": OWN_CLUSTER} if address == "local" else {}
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", **own)
        except OSError as error:
            raise UsageError(
                f"--launcher ray: no cluster at the address {address!r} takes us. Start one by `ray start --head`, "
                "name another by --launcher-set address=HOST:PORT, or start one on this machine by --launcher-set "
                "address=local. One that has a token needs `export RAY_AUTH_MODE=token` here, too."
            ) from error
        nodes = [node for node in ray.nodes() if node["Alive"]]
        cpus = sum(node["Resources"].get("CPU", 0) for node in nodes)
        self._say(f"a Ray cluster of {number_of(len(nodes), 'node')} with {cpus:g} cpus in all")

    def check(self, command: Sequence[str]) -> list[MachineCheck]:
        nodes = {node["NodeID"]: node["NodeManagerHostname"] for node in ray.nodes() if node["Alive"]}
        on = {name: NodeAffinitySchedulingStrategy(name, soft=False) for name in nodes}
        tasks = {name: _PROBE.options(scheduling_strategy=where).remote(tuple(command)) for name, where in on.items()}
        checks = []
        for name, task in tasks.items():
            try:
                code, said = ray.get(task)
            except ray.exceptions.RayError as error:
                if name not in {node["NodeID"] for node in ray.nodes() if node["Alive"]}:
                    self._say(f"node {name[:12]} ({nodes[name]}) left the cluster before it was asked")
                    continue
                code, said = 3, _reason(error)
            checks.append(MachineCheck(f"node {name[:12]} ({nodes[name]})", code, said))
        return checks

    def submit(self, jobs: Sequence[Job]) -> None:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        for needs in {job.resources for job in jobs}:
            if not any(node.get("CPU", 0) >= needs.cpus and node.get("GPU", 0) >= needs.gpus for node in nodes):
                self._say(f"no node has {needs} for a cell now; cells wait until one joins (Ctrl-C ends the wait)")
        for job in jobs:
            needs = job.resources
            memory = {"memory": needs.memory * GB} if needs.memory else {}
            task = _RUN.options(num_cpus=needs.cpus, num_gpus=needs.gpus, **memory)
            self._tasks[task.remote(job)] = job.id

    def ended(self) -> list[JobEnd]:
        ready, _ = ray.wait(list(self._tasks), num_returns=1, timeout=LOOK)
        ready, _ = ray.wait(list(self._tasks), num_returns=len(self._tasks), timeout=0) if ready else ([], None)
        return [JobEnd(self._tasks.pop(task), self._how(task)) for task in ready]

    @staticmethod
    def _how(task: Any) -> str:
        try:
            return str(ray.get(task))
        except ray.exceptions.RayError as error:
            return f"was lost: {_reason(error)}"

    def stop(self) -> None:
        for task in self._tasks:
            ray.cancel(task)
        if self._tasks:
            ray.wait(list(self._tasks), num_returns=len(self._tasks), timeout=PATIENCE)

    def close(self) -> None:
        ray.shutdown()  # what still runs loses its worker, saves and leaves


def _check_answers(address: str) -> None:
    """Raises OSError where nobody answers at an address HOST:PORT: Ray itself would wait for minutes."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=ANSWER).close()


def _reason(error: Exception) -> str:
    """Returns the name of an error of Ray's and the line that says most."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1] if lines else 'no message'}"[:300]


def _run(job: Job) -> str:
    """Runs a job; returns how it ended where it left no word."""
    return _KEPT.run(job)


def _probe(command: tuple[str, ...]) -> tuple[int, str]:
    """Returns the exit code of a command and what it said."""
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


_KEPT = KeptProcess()
"""That of the worker of Ray which this is imported by."""
_RUN = ray.remote(max_retries=0)(_run)
_PROBE = ray.remote(max_retries=3, num_cpus=0)(_probe)  # asks and changes nothing: a killed worker may be replaced
