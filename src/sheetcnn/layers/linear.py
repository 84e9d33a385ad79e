"""Fully connected layer."""

from typing import ClassVar

import numpy as np

from ..a1 import MAX_COLUMNS
from ..arrays.array import Array, Shape, cell_of
from ..arrays.grid import Grids
from ..arrays.receptive_field import ReceptiveField
from ..arrays.window import Window
from .activation import Activated
from .backward import Local
from .base import OnnxGraph, counted, example
from .reduction import Reduction
from .settings import Count, Flag

FOLD = 5  # so many inputs in a line, and so many lines, are looked at at once


class Linear(Activated):
    """Every output is a weighted sum of all inputs plus a bias. Source: torch.nn.Linear."""

    type: ClassVar[str] = "linear"
    family: ClassVar[str] = "vector"
    about: ClassVar[str] = "fully connected: each output a weighted sum of all inputs"
    words: ClassVar[str] = "out = bias + Σ weight · input"
    takes: ClassVar[str] = "vector"
    folds: ClassVar[str] = "weight"
    mirrors: ClassVar[bool] = False  # a row above the weights does
    row_back: ClassVar[str] = "in"
    back_words: ClassVar[str] = (
        "A weight's gradient: the gradient of its output (left) · the number that it is multiplied by (above). "
        "What goes back: each column of weights · the gradients, summed."
    )
    examples: ClassVar = (
        example([1, 2, 3], [32, -2], out_features=2, parameters={"weight": [[4, 5, 6], [1, 0, -1]], "bias": [0, 0]}),
        example([2, -1], [3.5], out_features=1, parameters={"weight": [[1, -1]], "bias": [0.5]}),
        example([2, -1], [3], out_features=1, bias=False, parameters={"weight": [[1, -1]]}),
    )

    out_features: Count
    bias: Flag = True

    def check(self, shape: Shape) -> None:
        if shape[0] > MAX_COLUMNS - 64:
            raise ValueError(
                f"it reads {shape[0]:,} numbers, each a column of its sheet; Excel has {MAX_COLUMNS:,}; pool more before it"
            )

    def parameters(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": (self.out_features, shape[0])} | ({"bias": (self.out_features,)} if self.bias else {})

    def factor_words(self, key: str, shape: Shape) -> str:
        if key != "weight":
            return super().factor_words(key, shape)
        return f"{counted(shape[0], 'output')} · {counted(shape[1], 'input')}"

    def output_shape(self, shape: Shape) -> Shape:
        return (self.out_features,)

    def steps(self, shape: Shape, detail: str) -> list[Array]:
        # SUMPRODUCT needs ranges of one shape, so the input column is drawn once more as a row above the weights.
        return [Array("in", (1, shape[0]), lambda x, **_: x[None, :], lambda at, x, **_: cell_of(x, at[1:]))]

    def forward(self, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
        total = weight @ x
        return total if bias is None else total + bias

    def formula(self, at: Shape, x: Grids, weight: Grids, bias: Grids | None = None, **steps: Grids) -> str:
        (n,) = at
        total = f"SUMPRODUCT({steps['in'].area},{weight.window(n, 0, 1, weight.columns)})"
        return total if bias is None else f"{bias.at(n, 0)}+{total}"

    def receptive_field(self, axis: int, shapes: tuple[Shape, ...], fields: list[ReceptiveField]) -> ReceptiveField:
        return fields[0].of_all(self.out_features)

    def reduction(self, shape: Shape) -> Reduction:
        columns = min(FOLD, shape[0])
        window = Window((min(FOLD, -(-shape[0] // columns)), columns))
        terms = -(-shape[0] // (window.size[0] * columns))
        return Reduction("sum", window, terms=terms, kernel="weight", source="in", folded=True, levels=(0, 0, 0))

    def multiplications(self, shape: Shape) -> int:
        return self.out_features * shape[0]

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        return of.own["weight"].T @ of.grad

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        weight = of.own["weight"]
        return f"SUMPRODUCT({weight.window(0, at[0], weight.rows, 1)},{of.grad.area})"

    def grad_parameter(self, key: str, of: Local[np.ndarray]) -> np.ndarray:
        return of.grad if key == "bias" else np.outer(of.grad, of.xs[0])

    def grad_parameter_cell(self, key: str, at: Shape, of: Local[Grids]) -> str:
        own = of.grad.at(at[0], 0)
        return own if key == "bias" else f"{own}*{of.own['in'].at(0, at[1])}"

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.Linear({shape[0]}, {self.out_features}{'' if self.bias else ', bias=False'})"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...], **given: np.ndarray) -> str:
        return to.add("Gemm", name, *xs, *(to.weight(key, array) for key, array in given.items()), transB=1)
