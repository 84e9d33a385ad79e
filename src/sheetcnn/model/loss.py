"""How far a network is from the right answer, and what that passes back: cross entropy and the mean squared error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..arrays.array import Array, Shape, cell_of, same, same_cell
from ..arrays.grid import Grids, flat, in_columns
from ..layers.backward import Local
from ..layers.base import combined
from .again import MOST_NUMBERS
from .gradient import Term
from .network import Network

LOSS = "loss"  # who owns its arrays
Output = Callable[[str, str], Array]  # of a layer, by key, in the network or in a copy of it


@dataclass(frozen=True)
class Goal:
    """What a network is to put out, and how it is told how far it is from that."""

    kind: str
    layer: str  # whose numbers the loss takes
    where: str  # which: its "output", or its "sum"
    answer: Array | None  # the number of the right answer
    target: Array

    @property
    def arrays(self) -> list[Array]:
        """The arrays that are not computed from what the network puts out."""
        return [self.target] if self.answer is None else [self.answer, self.target]

    def measured(self, output: Output, owner: str = LOSS, exp: str = "exp", now: str = "now") -> list[Array]:
        """How far the network is from it, the loss last; `exp` and `now` are what its arrays are called."""
        y = output(self.layer, self.where)
        if self.kind == "mse":
            return [_squares(owner, now, y, self.target)]
        assert self.answer is not None
        return list(_entropy(owner, exp, now, y, self.answer))

    def back(self, output: Output, measured: Sequence[Array], owner: str = LOSS) -> tuple[list[Array], Term]:
        """What the loss passes back, with the arrays for it."""
        y, target = output(self.layer, self.where), self.target
        if self.kind == "mse":
            count = y.count

            def slope(at: Shape, y: Grids, t: Grids) -> str:
                return f"2*({cell_of(y, at)}-{cell_of(t, at)})/{count}"

            arrays = [
                array(
                    "grad", y.shape, lambda y, t: 2 / count * (y - t), slope, (y, target), owner=owner, grid_axes=y.grid_axes
                )
            ]
        else:
            p = array("p", y.shape, lambda exp: exp / exp.sum(), lambda at, exp: f"{exp.at(at[0], 0)}/SUM({exp.area})",
                      (measured[0],), owner=owner)  # fmt: skip
            arrays = [p, array("grad", y.shape, lambda p, t: p - t, lambda at, p, t: f"{p.at(at[0], 0)}-{t.at(at[0], 0)}",
                               (p, target), owner=owner)]  # fmt: skip
        seed = Term(Local(arrays[-1], ()), lambda of: of.grad, lambda at, of: cell_of(of.grad, at))
        return arrays, seed


def array(
    key: str,
    shape: Shape,
    forward: Any = None,
    formula: Any = None,
    inputs: tuple[Array, ...] = (),
    owner: str = LOSS,
    **look: Any,
) -> Array:
    """An array of the loss."""
    return Array(key, shape, forward, formula, owner=owner, role="loss", inputs=inputs, **look)


def put_out(y: Array) -> list[Array]:
    """What the network puts out, once more beside what is wanted; none where that is too much."""
    shown = array("y", y.shape, same, same_cell, (y,), grid_axes=y.grid_axes)
    return [shown] if y.count <= MOST_NUMBERS else []


def goal_of(network: Network, output: Output, typed: bool) -> Goal:
    """What a network is to put out: a `typed` target, or 1 at the right answer and 0 elsewhere."""
    layer, where = scores(network) if network.loss == "cross_entropy" else (network.nodes[-1].name, "output")
    y = output(layer, where)
    if typed:
        return Goal(network.loss, layer, where, None, array("target", y.shape, grid_axes=y.grid_axes))
    answer = array("answer", (1,))
    return Goal(network.loss, layer, where, answer, target_of(answer, y.shape[0]))


def target_of(answer: Array, count: int) -> Array:
    """1 at the right answer, 0 elsewhere."""

    def hit(number: np.ndarray) -> np.ndarray:
        return (np.arange(1, count + 1) == number[0]).astype(float)

    return array("target", (count,), hit, lambda at, number: f"IF({number.area}={at[0] + 1},1,0)", (answer,), answer.owner)


def scores(network: Network) -> tuple[str, str]:
    """Whose numbers cross entropy takes, and which: what softmax reads, or the last layer's output."""
    last = network.nodes[-1]
    if last.layer.final is not None and last.layer.final.exponentials:
        return last.name, "sum"
    return (last.inputs[0] if last.layer.exponentials else last.name), "output"


def _entropy(owner: str, exp_key: str, key: str, x: Array, answer: Array) -> tuple[Array, Array]:
    """−ln p of the right answer, p being the softmax of the scores. Source: torch.nn.functional.cross_entropy.

    exp(x − largest), then ln Σ exp(x) − the right answer's x: nothing overflows.
    """
    exp = array(
        exp_key, x.shape, lambda x: np.exp(x - x.max()), lambda at, x: f"EXP({x.at(at[0], 0)}-MAX({x.area}))", (x,), owner
    )

    def forward(x: np.ndarray, exp: np.ndarray, answer: np.ndarray) -> np.ndarray:
        n = int(answer[0]) - 1
        right = x[n] if 0 <= n < len(x) else np.nan
        return np.array([np.log(exp.sum()) + x.max() - right])

    def formula(at: Shape, x: Grids, exp: Grids, answer: Grids) -> str:
        return f"LN(SUM({exp.area}))+MAX({x.area})-INDEX({x.area},{answer.area})"

    return exp, array(key, (1,), forward, formula, (x, exp, answer), owner)


def _squares(owner: str, key: str, y: Array, target: Array) -> Array:
    """The mean of (y − target)². Source: torch.nn.functional.mse_loss."""
    count = y.count

    def forward(y: np.ndarray, t: np.ndarray) -> np.ndarray:
        return np.array([((y - t) ** 2).mean()])

    def formula(at: Shape, y: Grids, t: Grids) -> str:
        pairs = zip(flat(y), flat(t), strict=True)
        terms = "+".join([f"SUMPRODUCT(({one.area}-{other.area})^2)" for (_, one), (_, other) in pairs])
        return f"({terms})/{count}"

    return array(key, (1,), forward, formula, (y, target), owner)


def summary(grads: Sequence[Array], rate: Array, descends: bool, now: Array, after: Array) -> list[Array]:
    """How large the gradient of each layer is, what the straight line says of a step that `descends` along it, and what it brings."""
    size = sizes("size", [grads])

    def straight(rate: np.ndarray, size: np.ndarray) -> np.ndarray:
        return np.array([rate[0] * (size**2).sum()])

    def straight_text(at: Shape, rate: Grids, size: Grids) -> str:
        return f"{rate.area}*SUMSQ({size.area})"

    line = [array("straight", (1,), straight, straight_text, (rate, size))] if descends else []
    falls = array("falls", (1,), lambda a, b: a - b, lambda at, a, b: f"{a.area}-{b.area}", (now, after))
    return [size, *line, falls]


def sizes(key: str, steps: Sequence[Sequence[Array]]) -> Array:
    """How large the gradient of each layer is: √ of the sum of its squares; of several steps a column for each layer."""
    layers = [list(_by_layer(grads).values()) for grads in steps]
    parts = [grads for by_layer in zip(*layers, strict=True) for grads in by_layer]
    spans = np.cumsum([0, *map(len, parts)])
    shape = (len(layers[0]),) if len(steps) == 1 else (len(layers[0]), len(steps))

    def lengths(*numbers: np.ndarray) -> np.ndarray:
        each = [numbers[first:last] for first, last in pairwise(spans)]
        return np.array([np.sqrt(sum((one**2).sum() for one in part)) for part in each]).reshape(shape)

    def length(at: Shape, *grids: Grids) -> str:
        n = int(np.ravel_multi_index(at, shape))
        part = grids[spans[n] : spans[n + 1]]
        sheets = [one.prefix for grids in part for _, one in flat(grids)]
        joined = in_columns(grid for grids in part for _, grid in flat(grids))
        return f"SQRT({combined('SUMSQ', [sheets[0] + grid.area for grid in joined])})"

    inputs = tuple(grad for grads in parts for grad in grads)
    return array(key, shape, lengths, length, inputs, grid_axes=len(shape) - 1)


def _by_layer(grads: Sequence[Array]) -> dict[str, list[Array]]:
    found: dict[str, list[Array]] = {}
    for grad in grads:
        found.setdefault(grad.owner, []).append(grad)
    return found


def curve(losses: Sequence[Array]) -> Array:
    """The loss before the first step, and after each."""

    def text(at: Shape, *grids: Grids) -> str:
        return grids[at[0]].area

    return array("curve", (len(losses),), lambda *of: np.concatenate(of), text, tuple(losses))
