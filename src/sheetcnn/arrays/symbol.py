"""A place that is worked out on a sheet: what is written once for numbers is written for formulas too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Number = Any  # a whole number, or the Symbol of one


@dataclass(frozen=True)
class Symbol:
    """A whole number that a formula knows: arithmetic with it makes the text of a formula."""

    text: str

    def __add__(self, other: Number) -> Number:
        return self if other == 0 else Symbol(f"({self.text}+{_text(other)})")

    def __radd__(self, other: Number) -> Number:
        return self + other

    def __sub__(self, other: Number) -> Number:
        return self if other == 0 else Symbol(f"({self.text}-{_text(other)})")

    def __rsub__(self, other: Number) -> Number:
        return Symbol(f"({_text(other)}-{self.text})")

    def __mul__(self, other: Number) -> Number:
        return 0 if other == 0 else self if other == 1 else Symbol(f"{self.text}*{_text(other)}")

    def __rmul__(self, other: Number) -> Number:
        return self * other

    def __floordiv__(self, other: Number) -> Number:
        return self if other == 1 else Symbol(f"INT({self.text}/{_text(other)})")

    def __mod__(self, other: Number) -> Number:
        return 0 if other == 1 else Symbol(f"({self.text}-INT({self.text}/{_text(other)})*{_text(other)})")

    def __abs__(self) -> Number:
        return Symbol(f"ABS({self.text})")

    def __ge__(self, other: Number) -> Number:
        """1 where it is as large, else 0."""
        return Symbol(f"IF({self.text}>={_text(other)},1,0)")

    def __str__(self) -> str:
        return self.text


def _text(number: Number) -> str:
    return f"({number})" if isinstance(number, int) and number < 0 else str(number)
