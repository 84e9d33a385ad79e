"""Formulas of rows that go on like the two above them: each whole number is the same, or larger by one step."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass

from ..a1 import MAX_ROWS

BETWEEN = "\x00"  # formulas of a row: no XML file can hold this character
_WHOLE_NUMBER = re.compile("([0-9]+)")


class Below:
    """What the rows below two others are, if they go on like these."""

    def __init__(self, columns: array[int], parts: list[str], moving: list[int], step: int) -> None:
        self.columns, self.step = columns, step
        self.values = sorted({int(parts[n]) for n in moving})
        place = {value: n for n, value in enumerate(self.values)}
        # The text around the numbers that move, and between these which of the values each of them is.
        self.pieces: list[str] = []
        self.which: list[int] = []
        at = 0
        for n in moving:
            self.pieces += ["".join(parts[at:n]), ""]
            self.which.append(place[int(parts[n])])
            at = n + 1
        self.pieces.append("".join(parts[at:]))

    @classmethod
    def of(cls, columns: array[int], first: str, second: str) -> Below | None:
        """What is below two rows of formulas, which are joined; None where they are not alike."""
        one, other = (_WHOLE_NUMBER.split(texts) for texts in (first, second))
        if len(one) != len(other):
            return None
        moving = [n for n, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        if any(n % 2 == 0 or max(len(one[n]), len(other[n])) > len(str(MAX_ROWS)) for n in moving):
            return None
        steps = {int(other[n]) - int(one[n]) for n in moving}
        if len(steps) > 1 or min(steps, default=0) < 0:
            return None
        return cls(columns, other, moving, max(steps, default=0))

    def text(self, times: int) -> str | None:
        """The formulas of the row that is so many rows below the second one; None beyond the last row of a sheet."""
        further = self.step * times
        if self.values and self.values[-1] + further > MAX_ROWS:
            return None
        values = [str(value + further) for value in self.values]
        self.pieces[1::2] = [values[n] for n in self.which]
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Continued:
    """The formulas of a row that goes on like those above."""

    below: Below
    times: int

    def __str__(self) -> str:
        return self.below.text(self.times) or ""


PackedRow = tuple[int, "array[int]", str | Continued]  # a row's number, the columns of its formulas, and their texts
