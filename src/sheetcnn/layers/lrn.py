"""Local response normalisation across channels."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from ..arrays.array import Array, Shape, cell_of
from ..arrays.grid import Grids
from ..arrays.window import Window
from .backward import Local
from .base import Layer, OnnxGraph, example, literal
from .reduction import Operation, Reduction
from .settings import Count, Number


class LRN(Layer):
    """x / (k + alpha / size · Σ x²)^beta, the sum over `size` neighbouring channels at the same position.

    Source: torch.nn.LocalResponseNorm; Krizhevsky and others, "ImageNet Classification …" (AlexNet), section 3.3.
    """

    type: ClassVar[str] = "lrn"
    family: ClassVar[str] = "normalisation"
    about: ClassVar[str] = "each cell divided by what neighbouring channels hold at its position, as in AlexNet"
    words: ClassVar[str] = "map = x / (k + alpha / size · Σ over neighbouring channels of x²) ^ beta"
    examples: ClassVar = (
        example([[[3]], [[4]], [[0]]], [[[3 / 26]], [[4 / 26]], [[0]]], size=3, alpha=3.0, beta=1.0),
        example([[[2]], [[3]]], [[[1]], [[1.5]]], size=1, alpha=0.0, beta=0.5, k=4.0),
        example([[[3]], [[4]]], [[[1]], [[0.8]]], size=2, alpha=2.0, beta=0.5, k=0.0),  # an even size reaches back
        example([[[3]], [[4]]], [[[0.6]], [[0.8]]], size=4, alpha=4.0, beta=0.5, k=0.0),
    )  # fmt: skip

    size: Count
    alpha: Number = 1e-4
    beta: Number = 0.75
    k: Number = Field(1.0, ge=0)

    def neighbours(self, k: int, count: int) -> range:
        """The channels whose squares go into channel k of so many."""
        return range(max(0, k - self.size // 2), min(count, k + (self.size - 1) // 2 + 1))

    def forward(self, x: np.ndarray) -> np.ndarray:
        squares = np.stack([(x[list(self.neighbours(k, len(x)))] ** 2).sum(axis=0) for k in range(len(x))])
        return x / (self.k + self.alpha / self.size * squares) ** self.beta

    def formula(self, at: Shape, x: Grids) -> str:
        k, i, j = at
        cells = ",".join([x[c].at(i, j) for c in self.neighbours(k, len(x))])
        scale = literal(self.alpha / self.size)
        return f"{x[k].at(i, j)}/({literal(self.k)}+{scale}*SUMSQ({cells}))^{literal(self.beta)}"

    def grad_steps(self, shape: Shape) -> list[Array]:
        return [
            Array("scale", shape, lambda of: self._scale(of.xs[0]), self._scale_formula),
            Array("ratio", shape, self._ratio, self._ratio_formula),
        ]

    def _scale(self, x: np.ndarray) -> np.ndarray:
        squares = np.stack([(x[list(self.neighbours(k, len(x)))] ** 2).sum(axis=0) for k in range(len(x))])
        found: np.ndarray = self.k + self.alpha / self.size * squares
        return found

    def _scale_formula(self, at: Shape, of: Local[Grids]) -> str:
        cells = ",".join([of.xs[0][c].at(*at[1:]) for c in self.neighbours(at[0], len(of.xs[0]))])
        return f"{literal(self.k)}+{literal(self.alpha / self.size)}*SUMSQ({cells})"

    def _ratio(self, of: Local[np.ndarray]) -> np.ndarray:
        found: np.ndarray = of.grad * of.xs[0] / self._scale(of.xs[0]) ** (self.beta + 1)
        return found

    def _ratio_formula(self, at: Shape, of: Local[Grids]) -> str:
        grad, x, scale = (cell_of(grids, at) for grids in (of.grad, of.xs[0], of.own["scale"]))
        return f"{grad}*{x}/{scale}^{literal(self.beta + 1)}"

    def _readers(self, c: int, count: int) -> list[int]:
        """The channels into which the square of channel c goes."""
        return [k for k in range(count) if c in self.neighbours(k, count)]

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        x, ratio = of.xs[0], self._ratio(of)
        together = np.stack([ratio[self._readers(c, len(x))].sum(axis=0) for c in range(len(x))])
        found: np.ndarray = of.grad / self._scale(x) ** self.beta - 2 * self.alpha * self.beta / self.size * x * together
        return found

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        grad, x, scale = (cell_of(grids, at) for grids in (of.grad, of.xs[0], of.own["scale"]))
        terms = ",".join([of.own["ratio"][k].at(*at[1:]) for k in self._readers(at[0], len(of.xs[0]))])
        part = literal(2 * self.alpha * self.beta / self.size)
        return f"{grad}/{scale}^{literal(self.beta)}-{part}*{x}*SUM({terms})"

    def reduction(self, shape: Shape) -> Reduction:
        levels = 1, self.size // 2, 1
        return Reduction("squares", Window((1, 1)), terms=self.size, maps=shape[0], depth=shape[0], levels=levels)

    def operations(self, *shapes: Shape) -> tuple[Operation, ...]:
        power = (lambda x, _: f"({x})^{literal(self.beta)}"), (lambda x, _: x**self.beta)
        over = (lambda x, own: f"{own}/({x})"), (lambda x, own: own / x)
        return (
            Operation("·", "alpha / size", constant=self.alpha / self.size),
            Operation("+", "k", constant=self.k),
            Operation("→", "^ beta", function=power, spelt=("(", f")^{self.beta:g}")),
            Operation(
                "→", "x ÷ this", "reads", lambda spot: (spot.map, spot.row, spot.column), function=over, spelt=("x ÷ ", "")
            ),
        )

    def check(self, shape: Shape) -> None:
        if self.size > 255:
            raise ValueError(f"size (={self.size}) needs as many arguments to SUMSQ; Excel allows 255")

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.LocalResponseNorm({self.size}, alpha={self.alpha!r}, beta={self.beta!r}, k={self.k!r})"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        # Squares are summed over neighbours by a convolution of 1×1: ONNX's LRN has other neighbours where the size is even.
        channels = shapes[0][0]
        near = np.zeros((channels, channels, 1, 1))
        for k in range(channels):
            near[k, list(self.neighbours(k, channels))] = self.alpha / self.size
        squares = to.add("Mul", f"{name}_squares", xs[0], xs[0])
        neighbours, start = to.constant(f"{name}.neighbours", near), to.constant(f"{name}.k", np.full(channels, self.k))
        total = to.add("Conv", f"{name}_total", squares, neighbours, start)
        power = to.add("Pow", f"{name}_power", total, to.constant(f"{name}.beta", np.array(self.beta)))
        return to.add("Div", name, xs[0], power)
