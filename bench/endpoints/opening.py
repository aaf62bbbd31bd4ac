"""What asks, opened by names: an endpoint of the environment, and answers kept in the folder of a study's runs."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from bench.endpoints.address import address_of
from bench.endpoints.asking import Answerer, Asker
from bench.endpoints.client import Endpoint, Patience
from bench.endpoints.kept import FILE, KeptAnswers
from bench.endpoints.questions import Sampling

_in_their_place: ContextVar[Answerer | None] = ContextVar("in_their_place", default=None)


@contextmanager
def answered_by(answerer: Answerer) -> Iterator[None]:
    """While its body runs, `answerer` stands for every endpoint that is opened: checks spend no money."""
    before = _in_their_place.set(answerer)
    try:
        yield
    finally:
        _in_their_place.reset(before)


def endpoint_of(name: str, model: str, seconds: float, at_once: int) -> Answerer:
    """Returns a client of what NAME_BASE_URL and NAME_API_KEY describe. Raises: UsageError, CatalogueError."""
    if (standing_in := _in_their_place.get()) is not None:
        return standing_in
    endpoint = Endpoint(address_of(name), model, Patience(seconds=seconds), at_once)
    weakref.finalize(endpoint, endpoint.connections.close)
    return endpoint


def asker_of(answerer: Answerer, sampling: Sampling, folder: str, at_once: int) -> Asker:
    """Returns what asks, and keeps every answer in `answers.sqlite` of a folder; "" keeps them while it is used.

    Raises: SaveError, InvalidData.
    """
    if folder:
        kept = KeptAnswers(Path(folder) / FILE)
    else:
        passing = tempfile.TemporaryDirectory()
        kept = KeptAnswers(Path(passing.name) / FILE)
        weakref.finalize(kept, passing.cleanup)
    asker = Asker(answerer, sampling, kept, at_once)
    weakref.finalize(asker, kept.file.close)
    return asker
