"""Writes the package of a new plugin: typed code that runs, a test, a README and a CI workflow."""

from bench.scaffolding.writing import KINDS, write_package

__all__ = ["KINDS", "write_package"]
