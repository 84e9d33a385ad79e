"""The hidden sheet that says what a workbook is of, so that `check` and `grade` need nothing but the workbook."""

from __future__ import annotations

import json
from typing import Any

HIDDEN = "_sheetcnn"  # the sheet
MARK = "sheetcnn"  # in its first cell
LOOKS = 2  # how the sheets for looking and choosing are made: 1, which was never written, up to version 0.1
PIECE = 30_000  # characters: a cell holds 32,767


def pieces_of(description: dict[str, Any]) -> list[str]:
    """A description as texts for the cells below the mark."""
    # Spaces stand in JSON's texts only; written as escapes, none can get lost at the end of a cell.
    text = json.dumps(description, ensure_ascii=True, separators=(",", ":")).replace(" ", "\\u0020")
    return [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
