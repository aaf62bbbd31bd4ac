"""JSON of others: text that cannot be written again, keys given twice, and encodings."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.analysis.judging.judgements import read_judgements
from bench.analysis.judging.labels import read_labels
from bench.data.readers.caption_files import read_captions
from bench.data.readers.json_files import read_json
from bench.errors import InvalidData
from bench.predictions import Captions

BROKEN = '{"results": 1}\n\n{"a": "a man runs", "b" 2}\n'


@pytest.mark.parametrize("read", [lambda path: read_labels([path]), read_judgements, read_captions, Captions.load])
def test_a_line_of_json_lines_that_is_broken_is_named(tmp_path: Path, read: Callable[[Path], object]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(BROKEN)
    with pytest.raises(InvalidData, match=r"line 3.*Expecting ':' delimiter, column 25"):
        read(path)
    path.write_text('{"a": 1}\n{"a": 1, "b": 2, "a": 3}\n')
    if read != Captions.load:
        with pytest.raises(InvalidData, match="'a' occurs twice in one object of line 2"):
            read(path)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "a.json"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (rb'{"a": "half \ud800 here"}', {"a": "half ? here"}),
        (rb'{"\uDFFF": ["\uD83c"]}', {"?": ["?"]}),
        (rb'{"a": "whole \ud83d\ude00"}', {"a": "whole \U0001f600"}),
        (rb'{"a": "\\ud800", "b": NaN}', {"a": "\\ud800"}),
        ('{"a": "é"}'.encode("utf-16"), {"a": "é"}),
        ("\ufeff[1]".encode(), [1]),
    ],
)
def test_text_of_json_can_be_written_again(tmp_path: Path, content: bytes, value: object) -> None:
    found = read_json(written(tmp_path, content), "anything")
    if isinstance(found, dict):
        assert found.pop("b", 0.0) is not None
    assert found == value
    str(found).encode()


@pytest.mark.parametrize("content", [b'{"a": "\xed\xa0\x80"}', b'{"a": "\xff"}', rb'{"\ud800": 1, "\udbff": 2}'])
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidData):
        read_json(written(tmp_path, content), "anything")
