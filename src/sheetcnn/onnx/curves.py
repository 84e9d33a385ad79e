"""What pieces of an activation compute, x · sigmoid(x) for SiLU, as a function of one number that can be asked anywhere.

Asked at a few fixed points it would tell nothing about what lies between them. So a curve also knows the places where
something happens in one of its pieces (a comparison turns, a bound is reached, a sum changes its sign), and how far single
precision, in which models are made, may move its values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ..layers import LAYERS

LARGEST = 3.4028234663852886e38  # of single precision: what ONNX means by no bound
UNIT = 2.0**-23  # by which one step in single precision may be off, relative to its result
LEAST = 2.0**-149  # the smallest number that it has; what has no digits left there is off by so much

_erf = np.vectorize(math.erf, otypes=[float])
FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Pow": np.power,
    "Max": np.maximum,
    "Min": np.minimum,
    "Neg": np.negative,
    "Abs": np.abs,
    "Sign": np.sign,
    "Exp": np.exp,
    "Log": np.log,
    "Sqrt": np.sqrt,
    "Reciprocal": np.reciprocal,
    "Erf": lambda x: _erf(np.nan_to_num(x)),
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Not": np.logical_not,
    "And": np.logical_and,
    "Or": np.logical_or,
    "Where": lambda condition, x, y: np.asarray(np.where(condition != 0, x, y)),
}
LOGICAL = ("Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Not", "And", "Or")
PIECES = [name for name in FUNCTIONS if name not in ("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Neg")]  # no layers

# Every magnitude that single precision has, and more densely where activations bend.
_MAGNITUDES = 10.0 ** np.arange(-38, 38.5, 0.125)
POINTS = np.unique([*-_MAGNITUDES, 0.0, *_MAGNITUDES, *np.linspace(-30, 30, 241), *np.linspace(-4, 4, 82)])
_BESIDE = 10.0 ** np.arange(-7, 0.25, 0.25)  # how far from a bend to look as well, relative to it
_LEVELS = {0.0, 1.0, 3.0, 6.0}  # at which activations bend that have no constants to be seen
_MOST_BENDS = 1_000  # looked for; activations have a dozen
_HALVINGS = 60  # after which two neighbouring points enclose a bend as narrowly as doubles can


@dataclass(frozen=True, eq=False)
class Curve:
    """A function of one number: ONNX's operator, or a layer, on functions of the same number and on constants.

    Make them by `curve_of`: equal ones are then the same, as long as they are remembered.
    """

    operator: str = ""  # none: the number itself
    operands: tuple[Curve | float, ...] = ()
    settings: tuple[tuple[str, Any], ...] = ()

    def on(self, *values: np.ndarray | float) -> np.ndarray:
        """What it makes of its operands' values, whatever is not finite among them."""
        with np.errstate(all="ignore"):
            if self.operator in FUNCTIONS:
                return np.asarray(FUNCTIONS[self.operator](*(np.asarray(value, float) for value in values)), float)
            if self.operator == "sigmoid":  # exact where it is nearly 0 too, since a logarithm may follow
                share = np.exp(-np.logaddexp(0, -np.asarray(values[0], float)))
                return np.asarray(np.where(share < np.finfo(float).tiny, 0.0, share))  # below it doubles get coarse
            return LAYERS[self.operator](**dict(self.settings)).forward(np.asarray(values[0], float))


curve_of = lru_cache(maxsize=20_000)(Curve)
ITSELF = Curve()


def traced(curve: Curve, x: np.ndarray) -> dict[Curve, np.ndarray]:
    """The values of a curve and of all its pieces, each after those that it reads."""
    found = {ITSELF: x}

    def follow(one: Curve | float) -> np.ndarray | float:
        if not isinstance(one, Curve):
            return one
        if one not in found:
            found[one] = one.on(*map(follow, one.operands))
        return found[one]

    follow(curve)
    return found


def doubted(curve: Curve, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values of a curve, and how far each may be off in single precision, constants and steps together."""
    values = traced(curve, x)
    doubts = {ITSELF: np.zeros(x.shape)}
    for piece, y in list(values.items())[1:]:
        given = [values[one] if isinstance(one, Curve) else one for one in piece.operands]
        doubt = UNIT * np.abs(y) + LEAST * ((y != 0) & (np.abs(y) < np.finfo(np.float32).tiny))
        for n, one in enumerate(piece.operands):
            off = doubts[one] if isinstance(one, Curve) else UNIT * abs(one)
            with np.errstate(all="ignore"):
                moved = [np.abs(piece.on(*given[:n], given[n] + way * off, *given[n + 1 :]) - y) for way in (-1, 1)]
            doubt = doubt + np.nan_to_num(np.fmax(*moved), nan=0.0, posinf=np.inf)
        doubts[piece] = doubt
    return values[curve], doubts[curve]


@lru_cache(maxsize=1_000)
def telling(curve: Curve) -> np.ndarray:
    """The points that tell a curve from others: POINTS, its bends, what lies beside them, and between any two of them."""
    points = POINTS
    for _ in range(2):  # beside a bend there may be others, so close that only now they are seen
        found = bends(curve, points)
        beside = found[:, None] * (1 + np.concatenate([-_BESIDE, _BESIDE]))
        between = found[1:] / 2 + found[:-1] / 2
        every = [POINTS, found, np.nextafter(found, -np.inf), np.nextafter(found, np.inf), beside.reshape(-1), between]
        points = np.unique(np.concatenate(every))
        points = points[np.abs(points) <= LARGEST]
    return points


def bends(curve: Curve, points: np.ndarray) -> np.ndarray:
    """Where, between some points, a piece of a curve passes one of its constants, or two that are compared pass each other."""
    pieces = list(traced(curve, points))
    levels = sorted({sign * n for n in constants(pieces) | _LEVELS for sign in (-1, 1)})
    pairs = [(n, len(pieces) + m) for n in range(len(pieces)) for m in range(len(levels))]
    compared = [[one for one in piece.operands if isinstance(one, Curve)] for piece in pieces]
    pairs += [(pieces.index(two[0]), pieces.index(two[1])) for two in compared if len(two) == 2]
    first, second = np.array(pairs).T

    def above(x: np.ndarray, one: np.ndarray, other: np.ndarray, places: np.ndarray | slice) -> np.ndarray:
        """Which of two rows of values is the larger."""
        values = np.stack([*traced(curve, x).values(), *(np.full(x.shape, level) for level in levels)])
        with np.errstate(all="ignore"):
            return np.nan_to_num(np.sign(values[one, places] - values[other, places]))

    table = above(points, first, second, slice(None))
    which, at = np.nonzero(table[:, 1:] != table[:, :-1])
    which, at = which[:_MOST_BENDS], at[:_MOST_BENDS]
    low, high, before = points[at], points[at + 1], table[which, at]
    for _ in range(_HALVINGS):
        middle = low / 2 + high / 2
        same = above(middle, first[which], second[which], np.arange(len(which))) == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return np.unique([low, high])


def constants(pieces: list[Curve]) -> set[float]:
    """The numbers that pieces have besides the one that they are functions of."""
    numbers = [one for piece in pieces for one in piece.operands if not isinstance(one, Curve)]
    numbers += [float(given) for piece in pieces for _, given in piece.settings if isinstance(given, int | float)]
    return set(numbers)
