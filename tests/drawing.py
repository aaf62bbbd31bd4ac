"""Hypothesis's examples where they are to be the same every time: in any order of tests, on any number of workers.

Hypothesis draws constants, too, that it finds in the sources of local modules: of those that happen to be loaded, also
where `derandomize` fixes the seed. Then the examples of a test depend on which tests ran before it in its process.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from hypothesis import settings
from hypothesis.internal.conjecture import providers

import bench

PLUGINS = Path(__file__).resolve().parent.parent / "plugins"


def draw_alike() -> None:
    """Lets a fixed seed (`derandomize`, as under CI) fix the examples: they then hold no constants of local modules."""
    if not settings().derandomize:  # a machine may be busy: no test has a time to keep
        settings.register_profile("unhurried", deadline=None)
        settings.load_profile("unhurried")
    collected, none = providers._get_local_constants, providers.Constants()
    providers._get_local_constants = lambda: none if settings().derandomize else collected()


OF_EXTRAS = ("ray", "submitit")
"""What modules of bench import that are there with an extra alone."""


def draw_widely() -> None:
    """Lets Hypothesis draw the constants of every module of ours, and five times as many examples; always the same."""
    load_everything()
    settings.register_profile("widely", derandomize=True, database=None, deadline=None, max_examples=500)
    settings.load_profile("widely")


def load_everything() -> int:
    """Loads every module of bench and of the bundled plugins; returns how many there are."""
    packages = [bench, *(importlib.import_module(path.parent.name) for path in sorted(PLUGINS.glob("*/__init__.py")))]
    found = [
        module.name
        for package in packages
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not module.name.endswith("__main__")
    ]
    for name in found:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name not in OF_EXTRAS:
                raise
    return len(found)
