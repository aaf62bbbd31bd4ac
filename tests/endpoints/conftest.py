"""An asker of a server of our own, with a prompt and a clock that costs no time."""

from __future__ import annotations

import pytest
from endpoints.chat_server import MODEL, serving

from bench.endpoints import Asker, KeptAnswers, Prompt, Question, Sampling

PROMPT = Prompt("toy", 1, "Say {what}.", "ab" * 32)
SAMPLING = Sampling()
KEY = "sk-very-secret-0123456789"


def question(text, shown=""):
    return Question(PROMPT, text, shown)


def nothing(questions):
    """Shows nothing beside each question."""
    return (() for _ in questions)


@pytest.fixture
def asking(tmp_path, monkeypatch):
    """Returns a function from what a server answers to that server, and an asker of it; waits take no time."""
    from contextlib import ExitStack

    from bench.endpoints.address import address_of
    from bench.endpoints.client import Endpoint, Patience

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ExitStack() as stack:

        def start(answer, *, sampling=SAMPLING, at_once=16, **patience):
            server = stack.enter_context(serving(answer))
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            server.waits = []
            patient = Patience(**{"seconds": 20.0, "sleep": server.waits.append, **patience})
            endpoint = Endpoint(address_of("openai"), MODEL, patient, at_once)
            stack.callback(endpoint.close)
            kept = stack.enter_context(KeptAnswers(tmp_path / "answers.sqlite"))
            return server, Asker(endpoint, sampling, kept, at_once)

        yield start
