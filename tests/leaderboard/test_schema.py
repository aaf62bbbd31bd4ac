"""The published JSON Schema is that of the code, and accepts what bench writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from records import load, record

from bench.results import Result

SCHEMA = Path(__file__).resolve().parents[2] / "bench" / "schemas" / "result-1.json"


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_schema_is_current() -> None:
    expected = json.dumps(Result.json_schema(), indent=2, ensure_ascii=False) + "\n"
    assert SCHEMA.read_text(encoding="utf-8") == expected, (
        "records changed: raise the schema's version, or for a compatible change write Result.json_schema() there"
    )


def test_a_written_record_validates(validator: Any) -> None:
    validator.validate(json.loads(load(record()).to_json()))


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "bench-result/2"},
        {"schema": None},
        {"run": "../x"},
        {"status": "done"},
        {"seed": "0"},
        {"model__extra": 1},
    ],
)
def test_schema_and_code_refuse_the_same(validator: Any, changes: dict[str, Any]) -> None:
    value = record(**changes)
    assert not validator.is_valid(value)
    with pytest.raises(ValueError, match=r"validation error"):
        Result.model_validate_json(json.dumps(value), strict=True)
