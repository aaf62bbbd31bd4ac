"""Commands and groups of commands whose flags may each be given once."""

from __future__ import annotations

import click

from bench.errors import UsageError


class Command(click.Command):
    """A command whose flags may each be given once, but those that say that they are repeatable."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Raises: UsageError for a flag that is there twice: click would take the last without a word."""
        if ctx.resilient_parsing:  # a shell completes what is not written to its end
            return super().parse_args(ctx, args)
        _, _, named = self.make_parser(ctx).parse_args(args=list(args))
        seen: set[str] = set()
        for option in named:
            if not isinstance(option, click.Option) or option.multiple or option.count or option.is_eager:
                continue
            name = str(option.name)
            if name in seen:
                flags = " or ".join(flag for flag in (*option.opts, *option.secondary_opts) if flag.startswith("--"))
                raise UsageError(f"{flags} was given twice, and only one can count. Keep one.")
            seen.add(name)
        return super().parse_args(ctx, args)


class Group(Command, click.Group):
    """A group of such commands, with such flags of its own."""

    command_class = Command
    group_class = type
