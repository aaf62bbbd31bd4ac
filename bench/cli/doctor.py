"""`bench doctor`: what this machine has, and whether configuration and plugins are in order."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from bench.cli.commands import Command
from bench.cli.options import config_option
from bench.cli.saying import echo
from bench.errors import UsageError
from bench.reading.numbers import number_of


@click.command(cls=Command)
@config_option
@click.option(
    "--cells", type=click.Path(path_type=Path), help="Check that the cells of this file can be run here: `bench plan`."
)
def doctor(config: Path | None, cells: Path | None) -> int:
    """Check this machine, the configuration and the plugins. Ends with exit code 1 when something needs mending."""
    checks: tuple[tuple[str, Callable[[Path | None], str]], ...] = (
        ("python", _python),
        ("torch", _torch),
        ("captions", _captions),
        ("java", _java),
        ("configuration", _configuration),
        ("plugins", _plugins),
        ("runs folder", _runs),
    )
    if cells:
        if config:
            raise UsageError("--config beside --cells: the cells name their bench.yaml. Leave it out.")
        checks = (("cells", lambda _: _cells(cells)),)
    failed = 0
    for name, check in checks:
        try:
            echo(f"ok    {name}: {check(config)}")
        except Exception as error:  # noqa: BLE001 (a doctor reports what fails, whatever it is)
            failed += 1
            echo(f"fail  {name}: {' '.join(str(error).split())}")
    return 1 if failed else 0


def _python(_: Path | None) -> str:
    from bench.runs import provenance

    machine = provenance.hardware("cpu")
    return (
        f"{provenance.versions('vtbench')['python']} on {machine['system']}, {machine['cores']} cores, {machine['cpu']}"
    )


def _torch(_: Path | None) -> str:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    gpus = ", ".join(torch.cuda.get_device_name(i) for i in range(count)) or "no CUDA device: runs use the CPU"
    return f"{torch.__version__}, {torch.get_num_threads()} threads, {gpus}"


def _captions(_: Path | None) -> str:
    from bench.metrics.captions.meteor.table import installed_path

    path = installed_path()
    return f"METEOR's table in {path}{'' if path.is_file() else ', built at its first use in some ten seconds'}"


def _java(_: Path | None) -> str:
    import subprocess

    from bench.metrics.captions.java import java_program

    program = java_program()
    if program is None:
        return "not found, and not needed: captions are scored without it (Debian: default-jre-headless)"
    try:
        done = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60, check=True)
    except subprocess.SubprocessError as error:
        raise RuntimeError(f"{program} does not run ({error}); captions are scored without it, or mend it") from error
    version = (done.stderr or done.stdout).partition("\n")[0]
    return f"{program}, {version}: for --java, the reference programs of METEOR 1.5 and PTB tokens"


def _configuration(path: Path | None) -> str:
    from bench.catalogue import config

    loaded = config.load(path)
    return f"{loaded.path or 'packaged default'}, datasets {', '.join(sorted(loaded.datasets)) or 'none'}"


def _plugins(path: Path | None) -> str:
    from bench.catalogue import catalogue, config

    discovered = catalogue.discover(config.load(path).datasets)
    broken = [f"{plugin.name} ({plugin.error})" for plugin in discovered.plugins if plugin.error]
    if broken:
        raise RuntimeError("; ".join(broken))
    usable = [plugin for plugin in discovered.plugins if plugin.status == "ok"]
    return f"{len(usable)} of {len(discovered.plugins)} usable, offering {number_of(len(discovered.models), 'model')}"


def _runs(path: Path | None) -> str:
    from bench.catalogue import config
    from bench.files import check_takes_records

    folder = config.load(path).runs
    existed = folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as probed:
        check_takes_records(Path(probed))
    if not existed:
        folder.rmdir()
    return f"{folder} can be written, {shutil.disk_usage(folder.parent).free / 1e9:.0f} GB free"


def _cells(path: Path) -> str:
    import socket

    from bench.cli.cells import session_of
    from bench.files import check_takes_records
    from bench.study import read_cells

    cells = read_cells(path)
    cells.check_config()
    session_of(cells)
    cells.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=cells.output) as probed:
        check_takes_records(Path(probed))
    return f"{len(cells.cells):,} of {path} can be run on {socket.gethostname()}, runs are written to {cells.output}"
