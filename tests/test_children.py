"""How processes that bench started ended, in words, and numbers that no process has."""

import signal

import pytest

from bench.locks import alive
from bench.runs.children import how_it_ended


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, ""),
        (5, ""),
        (130, "was interrupted"),
        (139, "ended with exit code 139"),
        (-signal.SIGTERM, "was killed by SIGTERM"),
        (-signal.SIGKILL, "was killed by SIGKILL (out of memory?)"),
        (-(signal.SIGRTMIN + 1), f"was killed by signal {signal.SIGRTMIN + 1}"),
    ],
)
def test_every_way_to_end_has_words(code, words):
    assert how_it_ended(code) == words


def test_a_number_beyond_every_process_is_nobody():
    assert not alive(10**19)
