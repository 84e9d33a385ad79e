"""Where the functions that read operators are registered, and what they all use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..file import Node, UnsupportedError
from ..plan import Value

if TYPE_CHECKING:
    from ..reading import Reading


Result = np.ndarray | Value
Operator = Callable[["Reading", Node], Result]
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
