"""The command line: one module per command group; each command parses, composes a few calls, and prints.

`bench --help` imports click and nothing else of weight: a command's module is imported when the command is used, and
its body imports what it needs.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module

import click

from bench.cli.options import Group

COMMANDS = {
    "run": ("bench.cli.run:run", "Run models on tasks: fit what needs fitting, predict, score, save."),
    "rescore": ("bench.cli.run:rescore", "Score saved predictions again and compare with the record."),
    "score": ("bench.cli.score:score", "Score similarities, ranked lists, captions or classes computed elsewhere."),
    "compare": ("bench.cli.compare:compare", "Compare two models query by query, from saved runs alone."),
    "confusions": ("bench.cli.confusions:confusions", "Show which classes a model takes for which."),
    "examples": ("bench.cli.examples:examples", "Show what captioners wrote beside what people wrote."),
    "diagnose": ("bench.cli.diagnose:diagnose", "Ask whether a hierarchical model uses its hierarchy."),
    "reproduce": ("bench.cli.reproduce:reproduce", "Set our figures beside a table of a paper; run what is missing."),
    "list": ("bench.cli.names:list_group", "List models, tasks, datasets, papers or runs."),
    "info": ("bench.cli.names:info", "Show all there is to know about a model, task, dataset or paper."),
    "data": ("bench.cli.data:data", "Verify datasets and their features; pack or simulate features."),
    "leaderboard": ("bench.cli.board:leaderboard", "Add runs to the leaderboard, build its pages, check both."),
    "rerun": ("bench.cli.rerun:rerun", "Run a record's command again and say how the outcome compares."),
    "export": ("bench.cli.model_card:export", "Write records as Hugging Face model-index metadata."),
    "plugin": ("bench.cli.plugin:plugin", "List plugins, write a new one, check one."),
    "doctor": ("bench.cli.doctor:doctor", "Check this machine, the configuration and the plugins."),
}

EPILOG = """Exit codes: 0 all done and saved; 1 unexpected error or failed save; 2 usage; 3 unknown or unusable model,
task or plugin; 4 data missing or not as expected; 5 some runs failed or were skipped, as a model cannot do a task, and
the others are saved; 6 verification failed; 130 interrupted."""


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
    if blocked or strict_plugins:
        from bench.plugins.discovery import chosen

        context.with_resource(chosen(blocked, strict=strict_plugins))


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits with a documented code. A mistake of the user's never prints a traceback."""
    from bench.errors import BenchError

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill is Ctrl-C: exit 130, nothing half-written
    try:
        code = bench.main(args=arguments, prog_name="bench", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted: what was finished is saved; the same command goes on from there.", err=True)
        sys.exit(130)
    except BenchError as error:
        click.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; nothing is left to say
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
