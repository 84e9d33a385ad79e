"""Which activation a curve is: one that agrees with it at every point that could tell them apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Any

import numpy as np

from ..layers import LAYERS
from .curves import LARGEST, UNIT, Curve, constants, doubted, telling, traced
from .file import Node, PieceError

Activation = tuple[str, dict[str, Any]]

_TOLERANCE = 1e-6  # the most that single precision excuses
_ROUNDING = 2.0**-50  # of layers in double precision, where x is multiplied by a difference that is nearly 0
_OVERFLOWS = 80.0  # beyond it exp and powers may leave what numbers can hold, in pieces that an activation does not have
_ALIKE = 0.9  # from which on a message says what a curve is almost
# A first look, which nearly all that is no activation fails; settings are read off at some of these.
_LOOK = np.unique([*np.linspace(-4, 4, 33), *(sign * 10.0**n for sign in (-1, 1) for n in range(-6, 39, 2)), -1e30, 30.0])
# Numbers that read well in a message.
_PLAIN = np.unique([0.0, *(sign * digit * 10.0**n for sign in (-1, 1) for digit in (1, 2, 5) for n in range(-6, 6))])

_NOTHING = ({"negative_slope": 1.0}, {"min_val": -LARGEST, "max_val": LARGEST})  # with these it changes no number

_FIXED: list[Activation] = [("gelu", {"approximate": "tanh"})]
_FIXED += [(kind, {}) for kind in ("relu", "relu6", "silu", "hard_swish", "mish", "softplus", "softsign")]
_FIXED += [(kind, {}) for kind in ("sigmoid", "tanh", "gelu", "elu", "selu", "log_sigmoid")]


@lru_cache(maxsize=1_000)
def known(curve: Curve) -> Activation | None:
    """The activation, with its settings, that a curve is."""
    look = traced(curve, _LOOK)[curve]
    if np.array_equal(look, _LOOK) and not _far_out(curve):
        return None
    alike = [_FIXED[n] for n in np.flatnonzero(_agree(_LOOK, look, _fixed_look(), np.inf).all(axis=1))]
    alike += [one for one in _fitted(curve) if _agree(_LOOK, look, layer_values(*one, _LOOK), np.inf).all()]
    return next((one for one in alike if differences(curve, *one).size == 0), None)


@cache
def _fixed_look() -> np.ndarray:
    return np.stack([layer_values(*one, _LOOK) for one in _FIXED])


def layer_values(kind: str, settings: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """An activation on some numbers."""
    with np.errstate(all="ignore"):
        return LAYERS[kind](**settings).forward(x)


def differences(curve: Curve, kind: str, settings: dict[str, Any]) -> np.ndarray:
    """The points at which a curve is not the activation, by more than single precision excuses."""
    x = telling(curve)
    y, doubt = doubted(curve, x)
    return x[~_agree(x, y, layer_values(kind, settings, x), doubt)]


def _agree(x: np.ndarray, y: np.ndarray, want: np.ndarray, doubt: np.ndarray | float) -> np.ndarray:
    """Where values are an activation's, as far as single precision tells, or have left what numbers can hold."""
    with np.errstate(all="ignore"):
        own = 2 * UNIT * np.abs(want) + _ROUNDING * np.abs(x)
        allowed = np.minimum(doubt + own, _TOLERANCE * (1 + np.abs(want)))
        return (np.abs(y - want) <= allowed) | (~np.isfinite(y) & (np.abs(x) > _OVERFLOWS))


def _fitted(curve: Curve) -> Iterator[Activation]:
    """Activations with settings of their own, the settings read off a curve's values."""
    x = np.array([-1e38, -1.0, 0.0, 0.25, 1e38])
    lowest, minus, zero, quarter, highest = traced(curve, x)[curve].tolist()
    fitted: list[Activation] = [("leaky_relu", {"negative_slope": _short(-minus)}), ("elu", {"alpha": _short(-lowest)})]
    if zero > 0:
        fitted.append(("softplus", {"beta": _short(math.log(2) / zero)}))
    if highest - lowest > 1e-3 * (1 + abs(lowest)):  # what hardly changes is no clip
        low = -LARGEST if lowest == x[0] else _short(lowest)
        fitted.append(("clip", {"min_val": low, "max_val": LARGEST if highest == x[-1] else _short(highest)}))
        if slope := _short((quarter - zero) / 0.25):
            fitted.append(("hard_sigmoid", {"alpha": 1 / 6 if slope == _short(1 / 6) else slope, "beta": _short(zero)}))
    fitted += [("threshold", {"threshold": level, "value": lowest + 0.0}) for level in _jumps(curve)]
    fitted += [("shrink", {"lambd": level, "shift": _short(less)}) for level, less in _far_out(curve)]
    for kind, settings in fitted:
        if all(map(math.isfinite, settings.values())) and settings not in _NOTHING:
            yield kind, settings


def _far_out(curve: Curve) -> list[tuple[float, float]]:
    """The constants of a curve up to which it is 0, and how much less than its own number it is right above them."""
    levels = np.array(sorted({abs(n) for n in constants(list(traced(curve, _LOOK)))} - {0.0}))
    if not len(levels):
        return []
    above = np.nextafter(levels, np.inf)
    less = above - traced(curve, above)[curve]
    zero = traced(curve, levels)[curve] == 0
    return list(zip(levels[zero].tolist(), less[zero].tolist(), strict=True))


def _jumps(curve: Curve) -> list[float]:
    """The constants of a curve right above which it is x itself."""
    levels = np.array(sorted({sign * n for n in constants(list(traced(curve, _LOOK))) for sign in (-1, 1)}))
    above = np.nextafter(levels, np.inf)
    return levels[traced(curve, above)[curve] == above].tolist() if len(levels) else []


def _short(number: float) -> float:
    """A number of single precision as the shortest decimal that means it."""
    return float(str(np.float32(number)))


@lru_cache(maxsize=1_000)
def nearest(curve: Curve) -> tuple[float, str]:
    """How near a curve comes to the activation that it is least unlike (1: everywhere), and where it differs, in words."""
    y = traced(curve, _PLAIN)[curve]
    best, kind, settings = 0.0, "", dict[str, Any]()
    for other, given in [("identity", {}), *_FIXED, *_fitted(curve)]:
        want = layer_values(other, given, _PLAIN)
        with np.errstate(all="ignore"):
            off = np.nan_to_num(np.abs(y - want) / (1 + np.abs(want)), nan=1.0)
        if (share := 1 - float(np.minimum(off, 1).mean())) > best:
            best, kind, settings = share, other, given
    if best < _ALIKE:
        return best, ""
    x = np.concatenate([_PLAIN, differences(curve, kind, settings)])
    have, want = traced(curve, x)[curve], layer_values(kind, settings, x)
    with np.errstate(all="ignore"):
        off = np.nan_to_num(np.abs(have - want) / (1 + np.abs(want)))
    off[_agree(x, have, want, 0.0)] = 0
    if not off.any():
        return best, ""
    at = int(np.argmax(off[: len(_PLAIN)])) if off[: len(_PLAIN)].any() else int(np.argmax(off))
    named = f"{kind} ({', '.join(f'{key} {value}' for key, value in settings.items())})" if settings else kind
    return best, f"it is {have[at] + 0:.9g} at {x[at]:.9g}, where {named} is {want[at] + 0:.9g}"


def nearer(error: PieceError, node: Node, curves: Iterable[Curve]) -> PieceError:
    """The error, or one that says more: what this node makes with those before it, if that is nearer to an activation."""
    share, words = max((nearest(curve) for curve in curves), default=(0.0, ""))
    if share <= error.share:
        return error
    told = PieceError("with the nodes before it, it computes a function of one number that is no activation of sheetcnn's")
    if words:
        told = PieceError(f"{told}: {words}")
    told.share, told.node = share, node
    return told
