"""Softmax."""

import math
from typing import Any, ClassVar

import numpy as np

from ..arrays.array import Array, Shape, cell_of
from ..arrays.grid import Grids, span
from ..arrays.receptive_field import ReceptiveField
from .backward import Local
from .base import Layer, combined, example
from .reduction import Operation, Place, Spot

MANY = 100  # maps of one cell: named one by one they would make formulas long, as one range they do not


class Exponentials(Layer):
    """What softmax and its logarithm share: exp(x − largest), over a vector, or over the channels at each position."""

    takes: ClassVar[str] = "any"
    family: ClassVar[str] = "activation"
    activates: ClassVar[bool] = True
    exponentials: ClassVar[bool] = True

    def steps(self, shape: Shape, detail: str) -> list[Array]:
        if len(shape) == 1:
            return [Array("exp", shape, self._exp, self._exp_formula)]
        one = (1, *shape[1:])
        return [
            Array("largest", one, lambda x: x.max(axis=0, keepdims=True), lambda at, x: over("MAX", x, at)),
            Array("exp", shape, self._exp, self._exp_formula),
            Array(
                "total",
                one,
                lambda x: self._exp(x).sum(axis=0, keepdims=True),
                lambda at, x, exp, **_: over("SUM", exp, at),
            ),
        ]

    def receptive_field(self, axis: int, shapes: tuple[Shape, ...], fields: list[ReceptiveField]) -> ReceptiveField:
        return fields[0].of_all(shapes[0][0]) if len(shapes[0]) == 1 else fields[0]

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        return (at,)

    def without_largest(self, shape: Shape) -> Operation:
        """What is done first, so that nothing overflows."""
        if len(shape) == 1:
            return Operation("−", "largest x", "reads", over="MAX")
        return Operation("−", "largest x", "largest", _position)

    def total_of_all(self, shape: Shape) -> Operation:
        """Divided by the sum over the vector, or over the channels at the position."""
        if len(shape) == 1:
            return Operation("÷", "Σ exp", "exp", over="SUM")
        return Operation("÷", "Σ exp", "total", _position)

    def _exp(self, x: np.ndarray) -> np.ndarray:
        return np.exp(x - x.max(axis=0))

    def _exp_formula(self, at: Shape, x: Grids, largest: Grids | None = None) -> str:
        return f"EXP({cell_of(x, at)}-{f'MAX({x.area})' if largest is None else largest[0].at(*at[1:])})"


def _position(spot: Spot) -> tuple[Any, ...]:
    return 0, spot.row, spot.column


def over(function: str, grids: Grids, at: Shape) -> str:
    """A function of one position in all maps; many maps of one cell each are one range, with labels between, which do not count."""
    if len(grids) > MANY and grids[0].rows == grids[0].columns == 1:
        return f"{function}({span(grids)})"
    return combined(function, [grid.at(*at[1:]) for grid in grids])


def total_of(at: Shape, exp: Grids, total: Grids | None) -> str:
    """The sum that a cell is divided by."""
    return f"SUM({exp.area})" if total is None else total[0].at(*at[1:])


class Softmax(Exponentials):
    """exp(x) / Σ exp(x), over a vector, or over the channels at each position.

    The maximum is subtracted first, so that nothing overflows. Source: torch.nn.Softmax.
    """

    type: ClassVar[str] = "softmax"
    onnx_operator: ClassVar[str] = "Softmax"
    onnx_attributes: ClassVar[dict[str, Any]] = {"axis": 1}
    gives_probabilities: ClassVar[bool] = True
    about: ClassVar[str] = "exp(x) / Σ exp(x): positive numbers that sum to 1, over a vector or over the channels"
    words: ClassVar[str] = "out = exp(x − largest x) / Σ exp(x − largest x)"
    examples: ClassVar = (
        example([0, 0, 0, 0], [0.25, 0.25, 0.25, 0.25]),
        example([1000, 1000 + 1.0986122886681098], [0.25, 0.75], source="exp(ln 3) = 3, so 1 to 3"),
        example([[[0, 0]], [[0, 1.0986122886681098]], [[0, 0]]], [[[1 / 3, 0.2]], [[1 / 3, 0.6]], [[1 / 3, 0.2]]],
                source="at the second position 1 to 3 to 1"),
    )  # fmt: skip

    def forward(self, x: np.ndarray) -> np.ndarray:
        exp = np.exp(x - x.max(axis=0))
        return exp / exp.sum(axis=0)

    def formula(self, at: Shape, x: Grids, exp: Grids, total: Grids | None = None, **steps: Grids) -> str:
        return f"{cell_of(exp, at)}/{total_of(at, exp, total)}"

    def operations(self, *shapes: Shape) -> tuple[Operation, ...]:
        exp = Operation("→", "exp", function=((lambda x, _: f"EXP({x})"), (lambda x, _: math.exp(x))))
        return self.without_largest(shapes[0]), exp, self.total_of_all(shapes[0])

    def grad_steps(self, shape: Shape) -> list[Array]:
        return [Array("weighted", (1, *shape[1:]), self._weighted, self._weighted_formula)]

    def _weighted(self, of: Local[np.ndarray]) -> np.ndarray:
        return (of.grad * of.y).sum(axis=0, keepdims=True)

    def _weighted_formula(self, at: Shape, of: Local[Grids]) -> str:
        if not isinstance(of.grad, list):
            return f"SUMPRODUCT({of.grad.area},{of.y.area})"  # type: ignore[union-attr]
        return "+".join([f"{g.at(*at[1:])}*{y.at(*at[1:])}" for g, y in zip(of.grad, of.y, strict=True)])  # type: ignore[arg-type]

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        assert of.y is not None
        return of.y * (of.grad - self._weighted(of))

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        return f"{cell_of(of.y, at)}*({cell_of(of.grad, at)}-{cell_of(of.own['weighted'], (0, *at[1:]))})"

    def torch(self, shape: Shape) -> str:
        return "torch.nn.Softmax(dim=1)"
