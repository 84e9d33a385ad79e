"""Where the functions that read operators are registered, and what they all use."""

from __future__ import annotations

from collections.abc import Callable

from ..file import Node, UnsupportedError
from ..reading import Reading
from ..values import Result

Operator = Callable[[Reading, Node], Result | tuple[Result, ...]]
OPERATORS: dict[str, Operator] = {}


def operator(*names: str) -> Callable[[Operator], Operator]:
    """Register a function under the names of the operators that it reads."""

    def register(function: Operator) -> Operator:
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return register


def axis_of(axis: int, rank: int) -> int:
    """An axis counted from 0, given from either end."""
    if not -rank <= axis < rank:
        raise UnsupportedError(f"axis {axis} does not exist in {rank} dimensions")
    return axis % rank
