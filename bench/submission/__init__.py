"""Records on their way to a board, by a folder or by a pull request, and records of a board looked at again."""

from bench.submission.records import (
    Added,
    RecordFinding,
    add,
    check_pages,
    check_published,
    check_records,
    new_check,
)

__all__ = ["Added", "RecordFinding", "add", "check_pages", "check_published", "check_records", "new_check"]
