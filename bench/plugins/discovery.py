"""One plugin at a time: where it is, whether it may be used, and what it answers; its mistakes stay its own.

Each entry point of group `bench` gets a plugin manager of its own: stock pluggy stops at the first bad import, and one
raising hook loses every other plugin's answer (pluggy 1.7.0). What a plugin prints or changes while it is imported or
asked is put back and noted.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module, metadata
from typing import Any

import pluggy

from bench.errors import CatalogueError, UsageError
from bench.plugins import hookspecs
from bench.plugins.global_state import undisturbed
from bench.reading.numbers import number_of

GROUP = "bench"
OWN_DISTRIBUTION = "vtbench"
BUILTIN = "bench.catalogue.builtin"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
SLOW = 0.5
"""Seconds of import from which a plugin is called slow: it delays every command, also those that do not use it."""

DISABLE, STRICT = "BENCH_DISABLE_PLUGINS", "BENCH_STRICT_PLUGINS"


@dataclass(frozen=True)
class EntryPoint:
    """Where a plugin is: what `importlib.metadata` says of it, or what a test says."""

    name: str
    module: str
    distribution: str


@dataclass(frozen=True)
class Plugin:
    """A plugin that was found.

    Attributes:
        name: its entry point's name.
        module: the module it names.
        distribution: the distribution that installed it, with version.
        error: why it is not usable, in one line; empty when it is.
        blocked: true when the user switched it off; it is not imported.
        remarks: what it does that it should not, each in one line; it is usable all the same.
        slow: how long it took to import, in words; empty when that was short.
        provides: kind (`model`, `task`, `reader`, …) -> names it provides.
    """

    name: str
    module: str
    distribution: str
    error: str = ""
    blocked: bool = False
    remarks: tuple[str, ...] = ()
    slow: str = ""
    provides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """`ok`, `blocked` or `failed`."""
        return "failed" if self.error else "blocked" if self.blocked else "ok"


def entry_points() -> tuple[EntryPoint, ...]:
    """Returns our own plugins first, then the others by distribution and name; each once."""
    points = set()
    sources: dict[metadata.Distribution | None, str] = {None: "unknown distribution"}
    for point in metadata.entry_points(group=GROUP):
        if point.dist is not None and point.dist not in sources:
            about = point.dist.metadata  # parsed anew, README and all, each time it is asked for
            sources[point.dist] = f"{about['Name']} {about['Version']}"
        points.add(EntryPoint(point.name, point.value, sources[point.dist]))
    own = next(filter(is_own, sources.values()), "") or _own_version()
    points.add(EntryPoint("builtin", BUILTIN, own))
    return tuple(sorted(points, key=lambda p: (not is_own(p.distribution), p.distribution, p.name)))


def _own_version() -> str:
    try:
        return f"{OWN_DISTRIBUTION} {metadata.version(OWN_DISTRIBUTION)}"
    except metadata.PackageNotFoundError:
        return f"{OWN_DISTRIBUTION} (not installed)"


def is_own(distribution: str) -> bool:
    """True for what ships with bench."""
    return distribution.split(" ")[0] == OWN_DISTRIBUTION


def disabled() -> frozenset[str]:
    """Returns the plugins that BENCH_DISABLE_PLUGINS names, separated by commas; `--no-plugin` writes it."""
    return frozenset(filter(None, (name.strip() for name in os.environ.get(DISABLE, "").split(","))))


def strict() -> bool:
    """True when BENCH_STRICT_PLUGINS asks that a plugin that cannot be used stops the command, as in CI."""
    return os.environ.get(STRICT, "").strip().lower() not in {"", "0", "false", "no"}


@contextmanager
def chosen(blocked: Collection[str], *, strict: bool) -> Iterator[None]:
    """Blocks plugins and asks for strictness in its body, through the environment, so that child processes know too.

    Raises: UsageError for a plugin that is not installed.
    """
    names = sorted({point.name for point in entry_points()})
    for name in blocked:
        if name not in names:
            raise UsageError(f"--no-plugin {name}: no such plugin. Installed: {', '.join(names)}.")
    before = {key: os.environ.get(key) for key in (DISABLE, STRICT)}
    if blocked:
        os.environ[DISABLE] = ",".join(sorted({*disabled(), *blocked}))
    if strict:
        os.environ[STRICT] = "1"
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


def require_usable(plugins: Iterable[Plugin]) -> None:
    """Raises CatalogueError naming every plugin that failed or misbehaves; blocked ones are fine."""
    faults = [
        f"{p.name} ({p.distribution}): {p.error or '; '.join(p.remarks)}" for p in plugins if p.error or p.remarks
    ]
    if faults:
        raise CatalogueError(
            f"{STRICT} is set and {number_of(len(faults), 'plugin is', 'plugins are')} not in order: "
            f"{' | '.join(faults)}. Mend them, uninstall them, or name them in {DISABLE}."
        )


class LoadedPlugin:
    """One entry point, imported and asked in isolation; `error` keeps the first thing that went wrong."""

    def __init__(self, point: EntryPoint, blocked: Collection[str] = ()) -> None:
        self.point = point
        self.error = ""
        self.remarks: list[str] = []
        self.slow = ""
        self.names: dict[str, list[str]] = {}
        self.blocked = point.name in blocked
        self._hooks = pluggy.PluginManager(hookspecs.PROJECT)
        self._hooks.add_hookspecs(hookspecs)
        if self.blocked:
            return
        light, clock = "torch" not in sys.modules, time.perf_counter()
        with self._isolated("while it was imported"):
            module = import_module(point.module)
            seconds = time.perf_counter() - clock
            if light and "torch" in sys.modules:
                self.remarks.append("imports torch when it is listed; name the model's code in `loader` instead")
            if seconds > SLOW:
                self.slow = f"slow to import ({seconds:.1f} s): every command waits for it"
            _check_version(point, module)
            self._hooks.register(module, name=point.name)
            self._hooks.check_pending()  # a misspelt hook is an error, not a hook that never fires

    def ask(self, hook: str, kind: type, **arguments: Any) -> list[Any]:
        """Returns what the plugin offers through one hook; nothing once it has failed."""
        asked = getattr(self._hooks.hook, hook)
        if not asked.get_hookimpls() or self.error or self.blocked:
            return []
        with self._isolated(f"in {hook}"):
            offered = [item for answer in asked(**arguments) for item in answer]
            for item in offered:
                _check(hook, kind, item)
        return [] if self.error else offered

    @contextmanager
    def _isolated(self, when: str) -> Iterator[None]:
        """Runs the plugin's code: what it raises becomes `error`; what it prints or changes becomes a remark."""
        with undisturbed(capture=True) as left:
            try:
                yield
            except (Exception, SystemExit) as error:  # noqa: BLE001 (other people's code may raise anything)
                self._fail(error)
        if left.printed.strip():
            self.remarks.append(f"prints to stdout {when}: {_one_line(left.printed)[:80]!r}; held back")
        if left.changed:
            self.remarks.append(f"changes {', '.join(left.changed)} {when}; put back")

    def _fail(self, error: BaseException) -> None:
        self.error = f"{type(error).__name__}: {_one_line(str(error)) or 'no message'}"
        if isinstance(error, ImportError) and error.name and error.name.partition(".")[0] == GROUP:
            self.error += (
                f". This is {_own_version()}, API {hookspecs.API_VERSION}; the plugin asks for "
                f"{_required(self.point)}. Install releases that fit each other."
            )

    def record(self) -> Plugin:
        """Returns what is known of the plugin by now."""
        return Plugin(
            name=self.point.name,
            module=self.point.module,
            distribution=self.point.distribution,
            error=self.error,
            blocked=self.blocked,
            remarks=tuple(self.remarks),
            slow=self.slow,
            provides={kind: tuple(names) for kind, names in self.names.items() if names},
        )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _check_version(point: EntryPoint, module: Any) -> None:
    """Raises CatalogueError for a plugin that says it was written for another API than ours."""
    wanted = getattr(module, "BENCH_API", hookspecs.API_VERSION)
    if wanted == hookspecs.API_VERSION:
        return
    newer = isinstance(wanted, int) and wanted > hookspecs.API_VERSION
    remedy = f"Install a {OWN_DISTRIBUTION} with API {wanted}" if newer else "Install a newer release of the plugin"
    raise CatalogueError(
        f"plugin {point.name} was written for bench API {wanted!r}; this is {_own_version()} with API "
        f"{hookspecs.API_VERSION}. {remedy}."
    )


def _required(point: EntryPoint) -> str:
    """Returns the requirement on bench that a plugin's distribution states, in words."""
    try:
        stated = metadata.requires(point.distribution.partition(" ")[0]) or []
    except metadata.PackageNotFoundError:
        stated = []
    return next((line for line in stated if re.match(rf"{OWN_DISTRIBUTION}\b", line)), "no release in particular")


def _check(hook: str, kind: type, item: Any) -> None:
    if not isinstance(item, kind):
        raise TypeError(f"{hook} returned {item!r}; expected {kind.__name__} values")
    name = getattr(item, "name", None)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"{hook} returned the name {name!r}; use letters, digits, '-', '_' and '.'")
