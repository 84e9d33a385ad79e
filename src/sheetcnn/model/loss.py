"""How far a network is from the right answer, and what that passes back: cross entropy and the mean squared error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..arrays.array import Array, Shape, cell_of
from ..arrays.grid import Grids, flat, in_columns
from ..layers.backward import Local
from ..layers.base import combined
from .gradient import Term
from .network import Network

LOSS = "loss"  # who owns its arrays
Output = Callable[[str, str], Array]  # of a layer, by key, in the network or in a copy of it


@dataclass(frozen=True)
class Loss:
    """The arrays of a loss, and what it passes back to which layer: to its "output", or to its "sum"."""

    arrays: list[Array]
    layer: str
    where: str
    seed: Term
    after: Callable[[Output], list[Array]]  # the loss of a copy of the network, from its arrays


def array(
    key: str, shape: Shape, forward: Any = None, formula: Any = None, inputs: tuple[Array, ...] = (), **look: Any
) -> Array:
    """An array of the Loss sheet."""
    return Array(key, shape, forward, formula, owner=LOSS, role="loss", inputs=inputs, **look)


def loss_of(network: Network, kind: str, output: Output, typed: bool) -> Loss:
    """The loss of a network; the target is `typed`, or 1 at the right answer and 0 elsewhere."""
    return cross_entropy(network, output) if kind == "cross_entropy" else mse(network, output, typed)


def _answer_and_target(count: int) -> tuple[Array, Array]:
    answer = array("answer", (1,))

    def hit(number: np.ndarray) -> np.ndarray:
        return (np.arange(1, count + 1) == number[0]).astype(float)

    return answer, array("target", (count,), hit, lambda at, number: f"IF({number.area}={at[0] + 1},1,0)", (answer,))


def _back(layer: str, where: str, grad: Array, arrays: list[Array], after: Callable[[Output], list[Array]]) -> Loss:
    seed = Term(Local(grad, ()), lambda of: of.grad, lambda at, of: cell_of(of.grad, at))
    return Loss([*arrays, grad], layer, where, seed, after)


def scores(network: Network) -> tuple[str, str]:
    """Whose numbers cross entropy takes, and which: what softmax reads, or the last layer's output."""
    last = network.nodes[-1]
    if last.layer.final is not None and last.layer.final.exponentials:
        return last.name, "sum"
    return (last.inputs[0] if last.layer.exponentials else last.name), "output"


def cross_entropy(network: Network, output: Output) -> Loss:
    """−ln p of the right answer, p being the softmax of the scores. Source: torch.nn.functional.cross_entropy."""
    layer, where = scores(network)
    x = output(layer, where)
    answer, target = _answer_and_target(x.shape[0])
    exp, now = _entropy("exp", "now", x, answer)
    p = array("p", x.shape, lambda exp: exp / exp.sum(), lambda at, exp: f"{exp.at(at[0], 0)}/SUM({exp.area})", (exp,))
    grad = array("grad", x.shape, lambda p, t: p - t, lambda at, p, t: f"{p.at(at[0], 0)}-{t.at(at[0], 0)}", (p, target))

    def after(copy: Output) -> list[Array]:
        return list(_entropy("after_exp", "after", copy(layer, where), answer))

    return _back(layer, where, grad, [answer, target, exp, p, now], after)


def _entropy(exp_key: str, key: str, x: Array, answer: Array) -> tuple[Array, Array]:
    """exp(x − largest), and ln Σ exp(x) − the right answer's x, without anything that overflows."""
    exp = array(exp_key, x.shape, lambda x: np.exp(x - x.max()), lambda at, x: f"EXP({x.at(at[0], 0)}-MAX({x.area}))", (x,))

    def forward(x: np.ndarray, exp: np.ndarray, answer: np.ndarray) -> np.ndarray:
        n = int(answer[0]) - 1
        right = x[n] if 0 <= n < len(x) else np.nan
        return np.array([np.log(exp.sum()) + x.max() - right])

    def formula(at: Shape, x: Grids, exp: Grids, answer: Grids) -> str:
        return f"LN(SUM({exp.area}))+MAX({x.area})-INDEX({x.area},{answer.area})"

    return exp, array(key, (1,), forward, formula, (x, exp, answer))


def mse(network: Network, output: Output, typed: bool) -> Loss:
    """The mean of (y − target)². Source: torch.nn.functional.mse_loss."""
    last = network.nodes[-1].name
    y = output(last, "output")
    answer, target = _answer_and_target(y.shape[0]) if not typed else (None, array("target", y.shape, grid_axes=y.grid_axes))
    count = y.count

    def slope(at: Shape, y: Grids, t: Grids) -> str:
        return f"2*({cell_of(y, at)}-{cell_of(t, at)})/{count}"

    grad = array("grad", y.shape, lambda y, t: 2 / count * (y - t), slope, (y, target), grid_axes=y.grid_axes)

    def after(copy: Output) -> list[Array]:
        return [_squares("after", copy(last, "output"), target)]

    given = [target] if answer is None else [answer, target]
    return _back(last, "output", grad, [*given, _squares("now", y, target)], after)


def _squares(key: str, y: Array, target: Array) -> Array:
    count = y.count

    def forward(y: np.ndarray, t: np.ndarray) -> np.ndarray:
        return np.array([((y - t) ** 2).mean()])

    def formula(at: Shape, y: Grids, t: Grids) -> str:
        pairs = zip(flat(y), flat(t), strict=True)
        terms = "+".join([f"SUMPRODUCT(({one.area}-{other.area})^2)" for (_, one), (_, other) in pairs])
        return f"({terms})/{count}"

    return array(key, (1,), forward, formula, (y, target))


def summary(gradients: Mapping[str, Sequence[Array]], rate: Array, now: Array, after: Array) -> list[Array]:
    """How large the gradient of each layer is, what the straight line says, and what the step really brings."""
    all_of = [grad for grads in gradients.values() for grad in grads]
    spans = np.cumsum([0, *(len(grads) for grads in gradients.values())])

    def lengths(*numbers: np.ndarray) -> np.ndarray:
        parts = [numbers[first:last] for first, last in pairwise(spans)]
        return np.array([np.sqrt(sum((one**2).sum() for one in part)) for part in parts])

    def length(at: Shape, *grids: Grids) -> str:
        part = grids[spans[at[0]] : spans[at[0] + 1]]
        sheets = [one.prefix for grids in part for _, one in flat(grids)]
        joined = in_columns(grid for grids in part for _, grid in flat(grids))
        return f"SQRT({combined('SUMSQ', [sheets[0] + grid.area for grid in joined])})"

    size = array("size", (len(gradients),), lengths, length, tuple(all_of))

    def straight(rate: np.ndarray, size: np.ndarray) -> np.ndarray:
        return np.array([rate[0] * (size**2).sum()])

    def straight_text(at: Shape, rate: Grids, size: Grids) -> str:
        return f"{rate.area}*SUMSQ({size.area})"

    line = array("straight", (1,), straight, straight_text, (rate, size))
    falls = array("falls", (1,), lambda a, b: a - b, lambda at, a, b: f"{a.area}-{b.area}", (now, after))
    return [size, line, falls]
