"""The kinds of numbers that layers have as settings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

Count = Annotated[int, Field(strict=True, ge=1, le=16_384)]
Amount = Annotated[int, Field(strict=True, ge=0, le=16_384)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]


def _both(value: Any) -> Any:
    return [value, value] if isinstance(value, int) else value


Counts = Annotated[
    tuple[Count, Count], BeforeValidator(_both, json_schema_input_type=Count | tuple[Count, Count])
]  # n or [rows, columns]
Amounts = Annotated[tuple[Amount, Amount], BeforeValidator(_both, json_schema_input_type=Amount | tuple[Amount, Amount])]
