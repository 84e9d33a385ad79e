"""What one output cell is made of, as the inspector shows it: what it reads, and what is done with that."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..arrays.array import Margin
from ..arrays.symbol import Number
from ..arrays.window import Window

Place = tuple[Number, Number, Number]  # a channel (of all inputs, one after the other), a row, a column; counted from 0


class Spot(NamedTuple):
    """An output cell: the filter that makes it, its map, row and column, all counted from 0; a vector has one map."""

    filter: Number
    map: Number
    row: Number
    column: Number


@dataclass(frozen=True)
class Reduction:
    """Which windows of the input one output cell reduces to a number, as the inspector shows it; all places count from 0.

    Output map m belongs to filter k = m // maps and lies at depth z = m % maps. Term t reads, in the channels of the
    filter's group (from k // filters · group on), level z · levels[0] − levels[1] + t · levels[2], if it is among `depth`.
    """

    kind: str  # "sum" of windows times kernels, "largest" or "mean" of the window, Σ of its "squares"
    window: Window  # of rows and columns
    terms: int = 1  # windows for one cell
    maps: int = 1
    filters: int = 1
    group: int = 0
    depth: int = 1
    levels: tuple[int, int, int] = (0, 0, 1)  # stride, padding, dilation across the channels
    kernel: str | None = None  # the key of the kernels, where there are any
    source: str | None = None  # the key of the step that is read instead of the input
    folded: bool = False  # whether windows are cut from one long row, line after line
    divisor: int = 1  # of the sum
    counted_padding: Margin = (0, 0, 0, 0)  # padding that counts in a mean
    term_activation: Any = None  # a layer: of each term, before they are summed
    sum_activation: Any = None  # likewise of their sum, before the bias is added

    def channels(self, m: int) -> list[tuple[int, int]]:
        """The terms of output map m, each with the channel of the input that its window lies in."""
        k, z = divmod(m, self.maps)
        stride, padding, dilation = self.levels
        levels = ((t, z * stride - padding + t * dilation) for t in range(self.terms))
        return [(t, k // self.filters * self.group + level) for t, level in levels if 0 <= level < self.depth]


def _by_filter(spot: Spot) -> tuple[Number, ...]:
    return (spot.filter,)


@dataclass(frozen=True)
class Operation:
    """One step from what a cell reads to the cell: with a number that stands beside it, as in "+ bias", or by a function.

    The number is that of the array `key` (a parameter or a step; "reads" is what is read), at an index that depends on the
    cell's place, or the SUM or MAX `over` all of the array; it may be `made` into what is shown: text of a formula, and NumPy.
    """

    sign: str  # "+", "−", "·", "÷", or "→" of a function
    label: str
    key: str = ""
    at: Callable[[Spot], tuple[Number, ...]] = _by_filter
    over: str = ""
    constant: float | None = None
    made: tuple[Callable[[str], str], Callable[[float], float]] | None = None
    function: tuple[Callable[[str, str], str], Callable[[float, float], float]] | None = None  # of what there is so far
    spelt: tuple[str, str] | None = None  # what stands around that in a sentence, where not its label and brackets do


def normalising(
    mean: str, variance: str, at: Callable[[Spot], tuple[Number, ...]], eps: float, affine: bool
) -> tuple[Operation, ...]:
    """Minus a mean, over a deviation, and where it is `affine` times a weight, plus a bias."""
    root = (lambda text: f"SQRT({text}+{repr(float(eps)).upper()})"), (lambda number: math.sqrt(number + eps))
    found = (Operation("−", "mean", mean, at), Operation("÷", "√(variance + eps)", variance, at, made=root))
    each = Operation("·", "weight", "weight", _by_map), Operation("+", "bias", "bias", _by_map)
    return found + (each if affine else ())


def _by_map(spot: Spot) -> tuple[Number, ...]:
    return (spot.map,)
