"""Launchers that run cells in this process, and go wrong in one way each: run as a plugin."""

from __future__ import annotations

import json
from contextlib import suppress

from bench.api import JobEnd, LauncherSpec, MachineCheck, Setting, hookimpl
from bench.cli import bench


class Plain:
    """Runs cells in this process; writes down which were handed over together."""

    slots = None

    def __init__(self, start):
        self.folder, self.settings, self.waiting = start.folder, start.settings, []
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "needs").write_text(str(start.needs))

    def check(self, command):
        with suppress(SystemExit):
            code = bench.main(args=list(command[1:]), standalone_mode=False)
        return [MachineCheck("node 1", code, "")]

    def submit(self, jobs):
        with (self.folder / "batches").open("a") as file:
            file.write(json.dumps([{**job.cell, "needs": str(job.resources)} for job in jobs]) + "\n")
        self.waiting += jobs

    def ended(self):
        return [self.run(self.waiting.pop(0))]

    def run(self, job):
        with job.log.open("a") as log:
            log.write("begins\n")
        with suppress(Exception):
            bench.main(args=list(job.command[1:]), standalone_mode=False)
        return JobEnd(job.id)

    def stop(self):
        (self.folder / "stopped").write_text("")

    def close(self):
        (self.folder / "closed").write_text("")


class Losing(Plain):
    """Loses every cell so many times before it runs it."""

    def run(self, job):
        lost = self.folder / job.id
        times = int(lost.read_text()) if lost.exists() else 0
        lost.write_text(str(times + 1))
        return JobEnd(job.id, "was lost: its node is gone") if times < self.settings["times"] else super().run(job)


class Lying(Plain):
    """Says that cells have ended, all well, which never began."""

    def run(self, job):
        return JobEnd(job.id)


class Twice(Plain):
    """Tells of every cell twice, and that it was lost, though it is done."""

    def run(self, job):
        super().run(job)
        self.waiting += [] if (again := self.folder / job.id).exists() else [job]
        again.write_text("")
        return JobEnd(job.id, "was lost: no word of its node")


class Elsewhere(Plain):
    def check(self, command):
        said = "fail  cells: the cells were planned with mine 2.0; here it is 1.0 (node7)."
        return [MachineCheck("node7", 1, f"python 3\n{said}\n")]


class Failing(Plain):
    def submit(self, jobs):
        raise OSError("the queue is closed")


class Stopped(Plain):
    def run(self, job):
        raise KeyboardInterrupt


class Absent:
    def __init__(self, start):
        import no_such_engine  # noqa: F401


@hookimpl
def bench_launchers():
    kinds = (Plain, Losing, Lying, Twice, Elsewhere, Failing, Stopped, Absent)
    settings = {"times": Setting(1, "how often each cell is lost", minimum=0)}
    return [
        LauncherSpec(kind.__name__.lower(), "for tests", f"odd_launchers:{kind.__name__}", settings, "vtbench[odd]")
        for kind in kinds
    ]
