"""Cells on Slurm, a pretended one and, with BENCH_TEST_SLURM=1, a real one: what it does to jobs loses nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pretend_slurm
import pytest
from cli.test_studies import wait_until

from bench.catalogue.builtin import SLURM
from bench.errors import ToolError, UsageError
from bench.execution import Resources
from bench.plugins.launchers import JobEnd, LaunchStart, MachineCheck

pytestmark = pytest.mark.extra("slurm")

TESTS = Path(__file__).resolve().parent.parent
REAL = "BENCH_TEST_SLURM"
DEFAULTS = {name: setting.default for name, setting in SLURM.items()}


class Site:
    """A folder in which a driver hands cells to Slurm, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.slurm, self.said = folder, folder / "slurm" / "state", []
        self.launchers: list[Any] = []
        self.needs = Resources()

    def launcher(self, jobs: int | None = None, **settings: Any) -> Any:
        from bench.study.launchers.slurm import SlurmLauncher

        start = LaunchStart(DEFAULTS | settings, self.folder / "submitit", jobs, self.said.append, self.needs)
        self.launchers.append(SlurmLauncher(start))
        return self.launchers[-1]

    def cell(self, name: str, needs: Resources = Resources(), *, quick: bool = True) -> Any:  # noqa: B008 (frozen)
        from cli.slow_cell import SlowJob

        (self.folder / name).mkdir()
        if quick:
            (self.folder / name / "quick").touch()
        return SlowJob({"id": name}, self.folder / "cells.json", "cpu", "5", {}, needs, self.folder / name / "log")

    def has(self, file: str) -> bool:
        return (self.folder / file).exists()

    def state(self) -> set[str]:
        """Returns the states of the jobs of a pretended Slurm."""
        return {path.read_text() for path in self.slurm.glob("*.job")}


@pytest.fixture
def any_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("PYTHONPATH", f"{TESTS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setattr("bench.study.launchers.slurm_queue.PAUSE", 0.2)
    monkeypatch.setattr("bench.study.launchers.slurm.PAUSE", 0.2)
    monkeypatch.setattr("bench.study.launchers.slurm.LOOK", 0.2)
    site = Site(tmp_path)
    yield site
    for launcher in site.launchers:
        launcher.stop()


@pytest.fixture
def site(any_slurm: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Returns a folder with a pretended Slurm."""
    for name, value in pretend_slurm.install(any_slurm.folder / "slurm").items():
        monkeypatch.setenv(name, value)
    return any_slurm


@pytest.fixture(params=["pretended", "real"])
def either(request: pytest.FixtureRequest, any_slurm: Site) -> Site:
    """Returns a folder with a pretended Slurm, and one with the machine's own, where it may be used."""
    if request.param == "pretended":
        return request.getfixturevalue("site")
    if not os.environ.get(REAL):
        pytest.skip(f"{REAL}=1 submits jobs to this machine's Slurm and waits minutes for them")
    return any_slurm


def ended(launcher: Any, count: int = 1) -> list[JobEnd]:
    """Returns so many ends of jobs, in the order of their cells."""
    ends: list[JobEnd] = []
    wait_until(lambda: len(ends.extend(launcher.ended()) or ends) == count, patience=300)
    return sorted(ends, key=lambda end: end.id)


def running(site: Site) -> tuple[Any, Any]:
    """Returns a launcher and its only job, once the cell `a` in it has begun."""
    launcher = site.launcher()
    launcher.submit([site.cell("a", quick=False)])
    wait_until(lambda: site.has("a/began"))
    [job] = launcher._jobs.values()
    return launcher, job


def test_a_cell_whose_time_is_over_saves_is_queued_again_and_goes_on(either: Site) -> None:
    launcher, job = running(either)
    subprocess.run(["scancel", "--signal=USR2", job.job_id], check=True)
    assert ended(launcher) == [JobEnd("a")], job.paths.stdout.read_text()
    assert either.has("a/saved"), "the signal is for submitit; the cell itself must outlive it"
    assert either.has("a/done")


def test_a_job_that_somebody_cancels_lets_its_cell_save_and_is_told_with_its_state(either: Site) -> None:
    launcher, job = running(either)
    subprocess.run(["scancel", job.job_id], check=True)
    how = f"was ended with job {job.job_id} (CANCELLED), which wrote {job.paths.stdout}"
    assert ended(launcher) == [JobEnd("a", how)]
    assert either.has("a/saved")


def test_a_job_whose_place_slurm_takes_runs_again_and_no_end_is_told_before(either: Site) -> None:
    launcher, job = running(either)
    subprocess.run(["scontrol", "requeue", job.job_id], check=True)
    assert ended(launcher) == [JobEnd("a")], job.paths.stdout.read_text()
    assert either.has("a/saved")
    assert either.has("a/done")


def test_stopping_cancels_every_job_and_waits_until_cells_have_saved(either: Site) -> None:
    launcher = either.launcher()
    launcher.submit([either.cell("a", quick=False), either.cell("b", quick=False)])
    wait_until(lambda: either.has("a/began") and either.has("b/began"))
    launcher.stop()
    assert either.has("a/saved")
    assert either.has("b/saved")


def test_a_machine_is_asked_by_a_job_of_its_own(either: Site) -> None:
    [check] = either.launcher().check(("bench", "--version"))
    assert isinstance(check, MachineCheck)
    assert (check.exit_code, check.said.split(",")[0]) == (0, "bench")


def test_a_check_that_is_cancelled_is_one_line_and_asks_for_what_the_first_cell_needs(site: Site) -> None:
    site.needs = Resources(gpus=1)
    (site.slurm / "held").write_text("Priority")
    launcher = site.launcher()
    cancelling = ["sh", "-c", "until scancel 1 && test -e $PRETEND_SLURM/1.cancelled; do sleep 0.1; done"]
    with subprocess.Popen(cancelling), pytest.raises(ToolError, match=r"was ended with job 1 \(CANCELLED\)"):
        launcher.check(("bench", "--version"))
    assert "#SBATCH --gpus-per-node=1\n" in (site.slurm / "script-1").read_text(), "a partition may take no others"


def test_what_sbatch_refuses_is_one_line_and_nothing_else(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    lines = ("Memory specification can not be satisfied", "Batch job submission failed: Not available")
    (site.slurm / "refused").write_text("".join(f"sbatch: error: {line}\n" for line in lines))
    with pytest.raises(UsageError) as raised:
        site.launcher().submit([site.cell("a", Resources(memory=500))])
    assert "sbatch takes no jobs of 1 cpu, 500 GB: " + "; ".join(lines) + ". Change" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert capfd.readouterr() == ("", "")


def test_arrays_are_no_longer_than_slurm_allows_and_their_jobs_are_asked_for_as_the_cells_need(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site.slurm / "held").write_text("Priority")
    (site.slurm / "longest").write_text("2")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "77")  # as where the driver is a job itself
    launcher = site.launcher(options="qos=high;exclusive")
    launcher.submit([site.cell(name, Resources(cpus=4, gpus=1)) for name in "abc"])
    assert site.said == ["2 cells are job 1 of Slurm", "1 cell is job 2 of Slurm"]
    script = (site.slurm / "script-1").read_text()
    for line in ("array=0-1%2", "cpus-per-task=4", "gpus-per-node=1", "requeue", "qos=high", "exclusive", "time=240"):
        assert f"#SBATCH --{line}\n" in script
    assert "--cpus-per-task=4" in script.partition("\nsrun ")[2], "srun does not take it from sbatch"
    assert "SLURM_ARRAY_JOB_ID" not in (site.slurm / "environment-1").read_text()


def test_no_more_cells_are_in_the_queue_than_jobs_were_asked_for(site: Site) -> None:
    assert site.launcher(jobs=8).slots == 8
    assert site.launcher().slots is None


def test_why_jobs_wait_is_said_once(site: Site) -> None:
    (site.slurm / "held").write_text("PartitionConfig")
    launcher = site.launcher()
    launcher.submit([site.cell("a"), site.cell("b")])
    wait_until(lambda: launcher.ended() == [] and len(site.said) > 1)
    (site.slurm / "held").unlink()
    assert ended(launcher, 2) == [JobEnd("a"), JobEnd("b")]
    said = "2 jobs wait in Slurm's queue: PartitionConfig (`scontrol show job 1_0` says more; Ctrl-C ends the wait)"
    assert site.said[1:] == [said]


def test_what_a_job_of_the_same_number_left_long_ago_is_not_taken_for_a_result(site: Site) -> None:
    (site.folder / "submitit").mkdir()
    (site.folder / "submitit" / "1_0_result.pkl").touch()
    (site.slurm / "held").write_text("Priority")
    launcher = site.launcher()
    launcher.submit([site.cell("a")])
    assert launcher.ended() == []


def test_a_slurm_that_is_away_for_a_while_loses_nothing(site: Site) -> None:
    (site.slurm / "held").write_text("Priority")
    launcher = site.launcher()
    launcher.submit([site.cell("a")])
    (site.slurm / "away").touch()
    assert launcher.ended() == []
    (site.slurm / "refused").write_text("sbatch: error: Unable to contact slurm controller\n")
    with subprocess.Popen(["sh", "-c", "sleep 1; cd $PRETEND_SLURM && rm away refused held"]):
        launcher.submit([site.cell("b")])
    waits = "Slurm does not answer (Unable to contact slurm controller); bench waits, Ctrl-C ends the wait"
    assert [line for line in site.said if "answer" in line] == [waits]
    assert ended(launcher, 2) == [JobEnd("a"), JobEnd("b")]


def test_a_job_that_would_be_told_to_save_as_it_begins_is_refused(site: Site) -> None:
    with pytest.raises(UsageError, match=r"minutes=1: .* Give it 3 minutes or more, or a shorter warning"):
        site.launcher(minutes=1)
    with pytest.raises(UsageError, match="Give it 2 minutes or more"):
        site.launcher(minutes=1, warning=5)
    site.launcher(minutes=2, warning=5)
    site.launcher(minutes=1, cluster="local")
