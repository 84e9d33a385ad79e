"""The formulas of a grid that read alike, written once: whatever they read moves by constant steps from cell to cell.

A formula is asked for at a place that is not a number but knows how it moves. Only sums and constant multiples of such a place
exist: a formula that looks at its place in any other way has no pattern, and is written cell by cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..a1 import LETTERS

Shape = tuple[int, ...]
FEWEST = 24  # cells of a grid for which finding a pattern takes less than writing each
_MARK = re.compile("([\x02\x03])(-?[0-9]+),(-?[0-9]+),(-?[0-9]+)\x04")


@dataclass(frozen=True, slots=True)
class Moving:
    """A whole number that depends on a cell's row i and column j in its grid: down · i + along · j + start."""

    down: int
    along: int
    start: int

    def __add__(self, other: Any) -> Moving:
        if type(other) is Moving:
            return Moving(self.down + other.down, self.along + other.along, self.start + other.start)
        return Moving(self.down, self.along, self.start + _whole(other))

    __radd__ = __add__

    def __neg__(self) -> Moving:
        return self * -1

    def __sub__(self, other: Any) -> Moving:
        return self + -other

    def __rsub__(self, other: Any) -> Moving:
        return -self + other

    def __mul__(self, other: Any) -> Moving:
        times = _whole(other)
        return Moving(self.down * times, self.along * times, self.start * times)

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        if type(other) is not Moving:
            raise TypeError("a formula asks where it stands")
        return (self.down, self.along, self.start) == (other.down, other.along, other.start)

    def __hash__(self) -> int:
        return hash((self.down, self.along, self.start))

    def __bool__(self) -> bool:
        raise TypeError("a formula asks where it stands")

    def __str__(self) -> str:
        return f"\x02{self.down},{self.along},{self.start}\x04"

    @property
    def letters(self) -> str:
        """The same as the letters of a column."""
        return f"\x03{self.down},{self.along},{self.start}\x04"


def _whole(number: Any) -> int:
    if not isinstance(number, int):
        raise TypeError("a formula makes more of its place than sums and multiples")
    return number


@dataclass(frozen=True)
class Pattern:
    """The formulas of a grid: `text` has a %d for each number that changes from row to row, a %%s for what does along a row."""

    text: str
    numbers: tuple[tuple[int, int], ...]  # of each %d: its step and what it is in the first row
    places: tuple[tuple[str, ...], ...]  # of each %s: what stands there in every column

    def row(self, i: int) -> str:
        """The formulas of a row, with a %s for each place."""
        return self.text % tuple([step * i + start for step, start in self.numbers])

    def texts(self, i: int) -> list[str]:
        """The formulas of a row."""
        text = self.row(i)
        return [text % place for place in zip(*self.places, strict=True)]

    @property
    def longest(self) -> int:
        """No formula has more letters than so many."""
        return len(self.text) + 7 * len(self.numbers) + 3 * len(self.places)


def pattern_of(write: Callable[[Shape], str], index: Shape, rows: int, columns: int) -> Pattern | None:
    """The pattern of a grid whose formulas `write` gives for an index; None where they have none, or are too few."""
    if columns < 3 or rows * columns < FEWEST:
        return None
    try:
        found = _parsed(write((*index, Moving(1, 0, 0), Moving(0, 1, 0))), columns)  # type: ignore[arg-type]
    except (TypeError, ValueError, AttributeError, LookupError):
        return None
    # A formula may also have looked at the text that it is made of.
    for i, j in ((0, 0), (rows - 1, columns - 1)):
        if found is None or found.row(i) % tuple([place[j] for place in found.places]) != write((*index, i, j)):
            return None
    return found


def _parsed(text: str, columns: int) -> Pattern | None:
    pieces = iter(_MARK.split(text))
    parts = [_literal(next(pieces))]
    numbers: list[tuple[int, int]] = []
    places: list[tuple[str, ...]] = []
    for kind, *terms, literal in zip(*[pieces] * 5, strict=True):
        down, along, start = map(int, terms)
        if not along and kind == "\x02":
            parts.append("%d")
            numbers.append((down, start))
        elif not down:
            parts.append("%%s")
            places.append((_letters if kind == "\x03" else _numbers)(along, start, columns))
        else:
            return None
        parts.append(_literal(literal))
    # With no place at all there is nothing to count the columns by.
    return Pattern("".join(parts), tuple(numbers), tuple(places)) if places else None


def _literal(text: str) -> str:
    return text.replace("%", "%%%%") if "%" in text else text


@lru_cache(1024)
def _letters(step: int, start: int, count: int) -> tuple[str, ...]:
    return tuple([LETTERS[start + step * n] for n in range(count)])


@lru_cache(1024)
def _numbers(step: int, start: int, count: int) -> tuple[str, ...]:
    return tuple([str(start + step * n) for n in range(count)])
