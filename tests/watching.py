"""A browser that opens pages from disk and notes whatever they say, ask for and try."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LARGE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def launched(playwright: Any) -> Any:
    """Returns a headless Chromium; without a sandbox, because CI runs as root in a container and the pages are ours."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])


@dataclass
class Watched:
    """A page and everything it said: messages, errors, dialogs, and what it asked for beyond its own folder."""

    page: Any
    folder: Path
    said: list[str] = field(default_factory=list)

    def open(self, name: str) -> Any:
        self.page.goto("about:blank")  # a change of the fragment alone loads nothing
        self.page.goto(f"{self.folder.as_uri()}/{name}")
        return self.page


def watched(browser: Any, folder: Path, **options: Any) -> Watched:
    context = browser.new_context(**{"viewport": LARGE, **options})
    page = Watched(context.new_page(), folder)
    page.page.set_default_timeout(120_000)  # a busy machine is slow, not wrong
    page.page.on("console", lambda message: page.said.append(message.text))
    page.page.on("pageerror", lambda error: page.said.append(str(error)))
    page.page.on("dialog", lambda dialog: (page.said.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.page.on(
        "request",
        lambda request: (
            request.url.startswith((folder.as_uri(), "about:")) or page.said.append(f"asked for {request.url}")
        ),
    )
    return page
