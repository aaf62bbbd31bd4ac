"""The command line: one module per command group; each command parses, composes a few calls, and prints.

`bench --help` imports click and nothing else of weight: a command's module is imported when the command is used, and
its body imports what it needs.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from io import UnsupportedOperation
from types import FrameType
from typing import NoReturn, TextIO

import click
from click.shell_completion import CompletionItem

from bench.cli.commands import Group
from bench.cli.saying import echo

COMMANDS = {
    "run": ("bench.cli.run:run", "Run models on tasks: fit what needs fitting, predict, score, save."),
    "plan": ("bench.cli.cells:plan", "Write the cells of a command, for any scheduler to run one by one."),
    "study": ("bench.cli.study:study", "Run a study file: models, grids of settings, tasks and seeds."),
    "rescore": ("bench.cli.run:rescore", "Score saved predictions again and compare with the record."),
    "score": ("bench.cli.score:score", "Score similarities, ranked lists, captions or classes computed elsewhere."),
    "import": ("bench.cli.import_results:import_group", "Read results of mteb, and say what they are figures of."),
    "compare": ("bench.cli.compare:compare", "Compare two models query by query, from saved runs alone."),
    "confusions": ("bench.cli.confusions:confusions", "Show which classes a model takes for which."),
    "examples": ("bench.cli.examples:examples", "Show what captioners wrote, or what was found, beside what is right."),
    "browse": ("bench.cli.browse:browse", "Show all that runs were asked side by side, searched and filtered."),
    "judge": ("bench.cli.judge:judge", "Say what recall is with wrong answers that people judged right."),
    "judge-captions": ("bench.cli.judge_captions:judge_captions", "Let a language model grade a run's captions."),
    "clipscore": ("bench.cli.clipscore:clipscore", "Say how near a run's captions are to videos, by a dual encoder."),
    "sensitivity": ("bench.cli.sensitivity:sensitivity", "Say how much of a model's score is which frames were taken."),
    "diagnose": ("bench.cli.diagnose:diagnose", "Ask whether a hierarchical model uses its hierarchy."),
    "answers": ("bench.cli.answers:answers", "Count or export what models answered in words to a study's questions."),
    "reproduce": ("bench.cli.reproduce:reproduce", "Set our figures beside a table of a paper; run what is missing."),
    "list": ("bench.cli.names:list_group", "List models, encoders, tasks, datasets, features, papers or runs."),
    "info": ("bench.cli.names:info", "Show all there is to know about one of them: a model, a task, features, …"),
    "data": ("bench.cli.data:data", "Verify datasets and their features; pack or simulate features."),
    "features": ("bench.cli.features:features", "Make features from videos; compare features."),
    "leaderboard": ("bench.cli.board:leaderboard", "Add runs to the leaderboard, build its pages, check both."),
    "submit": ("bench.cli.submit:submit", "Make a branch of a board's repository that brings runs to it."),
    "rerun": ("bench.cli.rerun:rerun", "Run a record's command again and say how the outcome compares."),
    "export": ("bench.cli.hub:export", "Write records as the Hugging Face Hub reads them."),
    "plugin": ("bench.cli.plugin:plugin", "List plugins, write a new one, check one."),
    "doctor": ("bench.cli.doctor:doctor", "Check this machine, the configuration and the plugins."),
}

COMPLETING = "_BENCH_COMPLETE"
"""Set by a shell that asks what may stand at the cursor, and by its user who asks for the script that does."""

EPILOG = """Exit codes: 0 all done and saved; 1 unexpected error, failed save or too little memory; 2 usage; 3 unknown
or unusable model, task or plugin; 4 data missing or not as expected; 5 some runs failed or were skipped, as a model
cannot do a task, and the others are saved; 6 verification failed; 130 interrupted."""


class _Commands(Group):
    """A group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        flags = click.Command.shell_complete(self, ctx, incomplete)
        named = {name: summary for name, (_, summary) in COMMANDS.items() if name.startswith(incomplete)}
        return [*(CompletionItem(name, help=summary) for name, summary in named.items()), *flags]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=_Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vtbench", prog_name="bench")
@click.option("--no-plugin", "blocked", multiple=True, metavar="NAME", help="Do not load this plugin; repeatable.")
@click.option("--strict-plugins", is_flag=True, help="A plugin that is not in order is an error, as CI wants it.")
@click.pass_context
def bench(context: click.Context, blocked: tuple[str, ...], strict_plugins: bool) -> None:
    """Benchmarks for models that connect videos with text.

    Try: bench run --model hse --task anet-retrieval
    """
    _check_working_directory()
    if blocked or strict_plugins:
        from bench.plugins.discovery import chosen

        context.with_resource(chosen(blocked, strict=strict_plugins))


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits with a documented code. A mistake of the user's never prints a traceback."""
    from bench.errors import BenchError, out_of_memory

    if COMPLETING in os.environ:
        import_module("bench.cli.completion")  # how bash takes words apart
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = bench.main(args=arguments, prog_name="bench", standalone_mode=False)
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        _leave(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _leave(130, "Interrupted: what was finished is saved; the same command goes on from there.")
    except BenchError as error:
        _leave(error.exit_code, f"{type(error).__name__}: {error}")
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; nothing is left to say
        sys.exit(1)
    except Exception as error:
        if out_of_memory(error):
            _leave(1, f"MemoryError: {_one_line(error)} Use fewer videos (--limit), smaller batches, or more memory.")
        if isinstance(error, OSError):
            _leave(1, _could_not(error))
        raise
    _leave(code if isinstance(code, int) else 0)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """Makes a polite kill one Ctrl-C, however often it is sent: exit 130, nothing half-written."""
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _leave(code: int, line: str = "") -> NoReturn:
    """Says why, as far as anybody can hear it, and exits. What was printed and cannot be written makes exit code 1."""
    if line:
        with suppress(OSError):
            echo(line, err=True)
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except OSError as error:
            _forget(stream)
            if stream is sys.stdout and not code:
                _leave(1, _could_not(error))
    sys.exit(code)


def _forget(stream: TextIO) -> None:
    """Sends what is left of a stream nowhere; else Python tries again when it ends, and prints a traceback."""
    with suppress(UnsupportedOperation):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _could_not(error: OSError) -> str:
    """Returns one line for an error of the system that no command has put into words of its own."""
    from bench.errors import UsageError

    try:
        _check_working_directory()
    except UsageError as gone:
        return f"UsageError: {gone}"
    reason = error.strerror or _one_line(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            f"SaveError: {error.filename or 'the output'} cannot be written: {reason}. Free space or write elsewhere; "
            "finished runs are saved."
        )
    where = f"{error.filename}: " if error.filename else ""
    return f"{type(error).__name__}: {where}{reason}. Mend that and run the command again; finished runs are saved."


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or "there is too little memory."


def _check_working_directory() -> None:
    """Raises UsageError where the folder that the command was started in has been deleted."""
    from bench.errors import UsageError

    try:
        os.getcwd()  # noqa: PTH109 (pathlib would be a tenth of `bench --help`)
    except FileNotFoundError:
        raise UsageError(
            "the working directory has been deleted. Go to one that exists (`cd`), and run again."
        ) from None
