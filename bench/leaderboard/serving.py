"""The built pages at an address of this machine."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.errors import UsageError


class _Pages(SimpleHTTPRequestHandler):
    """Hands out files below its folder, and tells browsers to take them for what their names say."""

    def end_headers(self) -> None:
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name of the method it replaces)
        return  # the address was said once; a line for every file is noise


def server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Returns a server of `folder` that only this machine can reach. Raises: UsageError when the port is taken."""
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(_Pages, directory=str(folder.resolve())))
    except OSError as error:
        raise UsageError(f"--port {port}: {error.strerror}. Choose another, or 0 for any free one.") from error
