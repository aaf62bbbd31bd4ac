"""While a check runs, nothing leaves the machine, and whatever else a plugin changes is put back and remembered."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.plugins.global_state import undisturbed
from bench.testing.opened import listening


class NetworkRefused(ConnectionError):
    """The plugin tried to reach a network; no check may depend on one."""


@dataclass
class Traces:
    """What a plugin did beside its work, over all checks: action -> what.

    Attributes:
        changed: what it changed and we put back.
        reached: the addresses it tried to reach.
        printed: actions in which it wrote to stdout.
        read: the files it read.
    """

    changed: dict[str, list[str]] = field(default_factory=dict)
    reached: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    read: list[Path] = field(default_factory=list)

    @contextmanager
    def watching(self, action: str) -> Iterator[None]:
        """Runs its body without a network; what it changes is put back and noted under `action`."""
        try:
            with undisturbed(capture=True) as left, _no_network(self.reached), listening(self.read):
                yield
        finally:
            if left.changed:
                self.changed.setdefault(action, []).extend(left.changed)
            if left.printed.strip():
                self.printed.append(action)


@contextmanager
def _no_network(reached: list[str]) -> Iterator[None]:
    """Refuses connections and name look-ups of this process, sockets of the machine itself excepted."""
    connect = socket.socket.connect

    def refuse(address: object) -> None:
        reached.append(str(address))
        raise NetworkRefused(f"the plugin tried to reach {address}; ship or download what it needs beforehand")

    def refused_connect(this: socket.socket, address: Any) -> None:
        if this.family == getattr(socket, "AF_UNIX", None):
            return connect(this, address)
        return refuse(address)

    def refused_look_up(host: Any, *_: Any, **__: Any) -> Any:
        return refuse(host)

    with (
        patch.object(socket.socket, "connect", refused_connect),
        patch.object(socket, "getaddrinfo", refused_look_up),
    ):
        yield
