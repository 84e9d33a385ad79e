"""Activations that an exporter wrote out in pieces, x · sigmoid(x) for SiLU, are known by their values.

However the pieces are arranged, what they compute is a function of one number. It is followed at some points, and
compared with the activations that sheetcnn has.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

from ..layers import LAYERS

# Dense where activations bend; far out, so that a bound there is not overlooked.
_FAR = 10.0 ** np.arange(2, 31)
POINTS = np.concatenate([-_FAR[::-1], np.linspace(-30, 30, 241), np.linspace(-4, 4, 82), _FAR])
LARGEST = 3.4028234663852886e38  # of single precision: what ONNX means by no bound
_TOLERANCE = 1e-6  # constants of models have single precision

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
    "Exp": np.exp,
    "Log": np.log,
    "Sqrt": np.sqrt,
    "Reciprocal": np.reciprocal,
    "Erf": lambda x: _erf(np.nan_to_num(x)),
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Where": lambda condition, x, y: np.asarray(np.where(condition != 0, x, y)),
}
PIECES = [name for name in FUNCTIONS if name not in ("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Neg")]  # no layers


def computed(operator: str, *arguments: np.ndarray) -> np.ndarray:
    """An operator on values at the points, whatever is not finite among them."""
    with np.errstate(all="ignore"):
        return np.asarray(FUNCTIONS[operator](*(np.asarray(a, float) for a in arguments)), float)


def of_layer(kind: str, settings: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """An activation on values at the points."""
    with np.errstate(all="ignore"):
        return LAYERS[kind](**settings).forward(x)


def known(y: np.ndarray) -> tuple[str, dict[str, Any]] | None:
    """The activation, with its settings, whose values these are."""
    if np.isfinite(y).sum() < 300:
        return None
    for kind, settings in (*_FIXED, *_fitted(y)):
        want = (
            _values(kind, settings.get("approximate", ""))
            if (kind, settings) in _FIXED
            else of_layer(kind, settings, POINTS)
        )
        with np.errstate(all="ignore"):
            near = np.abs(y - want) <= _TOLERANCE * (1 + np.abs(want))
        if near[np.isfinite(y)].all():
            return kind, settings
    return None


_FIXED: list[tuple[str, dict[str, Any]]] = [("gelu", {"approximate": "tanh"})]
_FIXED += [(kind, {}) for kind in ("relu", "relu6", "silu", "hard_swish", "mish", "softplus", "softsign")]
_FIXED += [(kind, {}) for kind in ("sigmoid", "tanh", "gelu", "elu", "selu")]


@cache
def _values(kind: str, approximate: str) -> np.ndarray:
    return of_layer(kind, {"approximate": approximate} if approximate else {}, POINTS)


def _fitted(y: np.ndarray) -> Iterator[tuple[str, dict[str, Any]]]:
    """Activations with settings of their own, the settings read off the values."""
    at = {x: float(value) for x, value in zip(POINTS.tolist(), y.tolist(), strict=True)}
    if not all(map(math.isfinite, (at[-30.0], at[0.0], at[0.25], at[-1.0], y[0], y[-1]))):
        return
    yield "leaky_relu", {"negative_slope": _short(-at[-1.0])}
    if y[-1] - y[0] > 1e-3 * (1 + abs(y[0])):  # what hardly changes is no clip
        low = -LARGEST if y[0] == POINTS[0] else _short(y[0])
        yield "clip", {"min_val": low, "max_val": LARGEST if y[-1] == POINTS[-1] else _short(y[-1])}
        slope = (at[0.25] - at[0.0]) / 0.25
        yield "hard_sigmoid", {"alpha": 1 / 6 if abs(slope - 1 / 6) < _TOLERANCE else _short(slope), "beta": _short(at[0.0])}


def _short(number: float) -> float:
    """A number of single precision as the shortest decimal that means it."""
    return float(str(np.float32(number)))
