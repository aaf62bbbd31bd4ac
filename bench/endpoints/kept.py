"""Every answer of a study, kept in one SQLite file that processes share: asked once, found again, exported.

An answer is found by the SHA-256 of everything that changes it; beside it stands what that was, in words.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.endpoints.questions import Answer, Question, Sampling
from bench.errors import InvalidData, SaveError
from bench.reading.outside import regular_file

FILE = "answers.sqlite"
"""Its name in the folder of a study's runs."""
FORMAT = 1
_TABLE = "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, asked TEXT NOT NULL, answer TEXT NOT NULL, at TEXT)"
WAIT = 60.0
"""Seconds for which another process may hold the file."""


class KeptAnswers:
    """Answers on disk. Several threads and processes may use one file."""

    def __init__(self, path: Path, *, new: bool = True) -> None:
        """Opens a file, or makes it where it is `new`.

        Raises: SaveError; MissingData for one that should be there; InvalidData for one that is none.
        """
        self.path = path
        self._lock = threading.Lock()
        if not new:
            regular_file(path, "Name the answers.sqlite in the folder of the runs.")
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self.file = sqlite3.connect(path, timeout=WAIT, check_same_thread=False, isolation_level=None)
            self._begin(new=new)

    def _begin(self, *, new: bool) -> None:
        """Looks at the file, and makes what a new one holds.

        SQLite waits for no other process while one changes the journal, whatever the time-out says, so this does.
        """
        end = time.monotonic() + WAIT
        while True:
            try:
                (version,) = self.file.execute("PRAGMA user_version").fetchone()
                if version not in (0, FORMAT):
                    raise InvalidData(
                        f"{self.path} holds answers of a later bench (format {version}). Install that one."
                    )
                self.file.execute("PRAGMA synchronous=NORMAL")  # a kill loses nothing, a loss of power the last ones
                if new:
                    self.file.execute("PRAGMA journal_mode=WAL")
                    self.file.execute(_TABLE)
                    self.file.execute(f"PRAGMA user_version={FORMAT}")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(0.02)
            else:
                return

    def __enter__(self) -> KeptAnswers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self.file.close()

    def find(self, key: str) -> Answer | None:
        """Returns the answer under a key, or None. Raises: InvalidData for one that was changed."""
        with self._lock, self._errors():
            row = self.file.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else self._read(row[0])

    def keep(self, question: Question, sampling: Sampling, answer: Answer) -> None:
        """Keeps an answer, under what gave it; one that another process kept first stays. Raises: SaveError."""
        key, asked = question.key(answer.served, sampling), question.parts(answer.served, sampling)
        texts = (json.dumps(value, ensure_ascii=False) for value in (asked, answer.as_json()))
        row = (key, *texts, datetime.now(UTC).isoformat("T", "seconds"))
        with self._lock, self._errors():
            self.file.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", row)

    def counts(self) -> Counter[tuple[str, str, str]]:
        """Returns how many answers there are by model, prompt and how they ended."""
        found: Counter[tuple[str, str, str]] = Counter()
        for line in self.exported():
            name, version, _ = line["prompt"]
            found[line["served"]["model"], f"{name}-{version}", line["answer"]["how"]] += 1
        return found

    def exported(self) -> Iterator[dict[str, Any]]:
        """Yields all that is kept, in the order it came: what was asked, what was answered, when."""
        with self._lock, self._errors():
            rows = self.file.execute("SELECT key, asked, answer, at FROM answers ORDER BY rowid").fetchall()
        for key, asked, answer, at in rows:
            try:
                yield {"key": key, **json.loads(asked), "answer": json.loads(answer), "at": at}
            except (ValueError, TypeError, RecursionError):
                raise self._damaged() from None

    def _read(self, text: Any) -> Answer:
        try:
            return Answer.from_json(json.loads(text))
        except (ValueError, TypeError, KeyError, RecursionError):
            raise self._damaged() from None

    def _damaged(self) -> InvalidData:
        return InvalidData(f"{self.path} holds an answer that bench did not write. Move the file away and ask again.")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise SaveError(f"cannot use {self.path}: {error}. Free space, or choose another --output.") from None
            raise InvalidData(f"{self.path} is no file of answers ({error}). Move it away.") from None
        except OSError as error:
            raise SaveError(f"cannot use {self.path}: {error.strerror}. Choose another --output.") from None
