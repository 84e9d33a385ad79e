"""Shared formulas: the text of one cell, as it reads in others."""

from __future__ import annotations

import re

from ..a1 import IN_NAME, LETTERS, MAX_COLUMNS, MAX_ROWS, NUMBER

_RELATIVE = re.compile(
    rf"""("[^"]*"|(?<!')'(?:[^']|'')*+'!)|(?<!{IN_NAME})(?<!\$)(\$?)([A-Z]{{1,3}})(\$?)([0-9]{{1,7}})(?!{IN_NAME}|[(!])"""
)


def moved(formula: str, rows: int, columns: int) -> str:
    """A formula as it reads some cells further down and right: relative references move, those with $ stay."""

    def move(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        column = NUMBER.get(match[3])
        if column is None:
            return match[0]
        column += 0 if match[2] else columns
        row = int(match[5]) + (0 if match[4] else rows)
        if not (1 <= column <= MAX_COLUMNS and 1 <= row <= MAX_ROWS):
            return "#REF!"
        return f"{match[2]}{LETTERS[column]}{match[4]}{row}"

    return _RELATIVE.sub(move, formula)
