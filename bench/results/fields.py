"""What all parts of a record share: frozen, unknown fields refused, and the types of their fields."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_PLAIN_NAME = r"^[A-Za-z0-9_][A-Za-z0-9._-]*$"
RunName = Annotated[str, Field(pattern=_PLAIN_NAME, max_length=200, description="names the run and its files")]
FileName = Annotated[str, Field(pattern=_PLAIN_NAME, max_length=250, description="a file beside the record")]
Int = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""A number that every language and file format can hold; a page could not even print one of 5,000 digits."""
MOST = 500
"""Measurements of a record, and columns that plugins added: far more than any task has, few enough for a page."""
Unit = Literal["percent", "rank", "score"]
Finite = Annotated[float, Field(allow_inf_nan=False)]


def _optional(schema: dict[str, Any], kind: type[BaseModel]) -> None:
    """Marks fields with a default as optional in a schema: records from before they were there stay valid."""
    known = kind.model_fields
    schema["required"] = [name for name in schema["required"] if name not in known or known[name].is_required()]


class Record(BaseModel):
    """A frozen record that refuses unknown fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_serialization_defaults_required=True, json_schema_extra=_optional
    )
