"""A number of its own for each cell."""

from typing import Any, ClassVar, Literal

import numpy as np

from ..arrays.array import Shape, cell_of
from ..arrays.grid import Grids
from .activation import Activated
from .backward import Local
from .base import OnnxGraph, example


class Cellwise(Activated):
    """Each cell plus, or times, a number of its own, the same for every picture: a position embedding, a mask.

    Source: torch.add and torch.mul with a torch.nn.Parameter of the maps' shape.
    """

    type: ClassVar[str] = "cellwise"
    family: ClassVar[str] = "normalisation"
    takes: ClassVar[str] = "any"
    about: ClassVar[str] = "each cell plus (or times) a number of its own"
    words: ClassVar[str] = "out = x {} weight, each cell with its own"
    examples: ClassVar = (
        example([[[1, 2]], [[3, 4]]], [[[11, 2]], [[2, 6]]], parameters={"weight": [[[10, 0]], [[-1, 2]]]}),
        example([[[1, 2], [3, 4]]], [[[10, 0], [-3, 8]]], parameters={"weight": [[[10, 0], [-1, 2]]]}, operation="multiply"),
        example([1, -5], [3, 0], parameters={"weight": [2, 3]}, activation="relu"),
    )

    operation: Literal["add", "multiply"] = "add"

    def formula_words(self) -> str:
        return self.words.format("+" if self.operation == "add" else "·")

    def parameters(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": shape}

    def forward(self, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return x + weight if self.operation == "add" else x * weight

    def formula(self, at: Shape, x: Grids, weight: Grids) -> str:
        return f"{cell_of(x, at)}{'+' if self.operation == 'add' else '*'}{cell_of(weight, at)}"

    def multiplications(self, shape: Shape) -> int:
        return int(np.prod(shape)) if self.operation == "multiply" else 0

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        return of.grad if self.operation == "add" else of.grad * of.own["weight"]

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        own = cell_of(of.grad, at)
        return own if self.operation == "add" else f"{own}*{cell_of(of.own['weight'], at)}"

    def grad_parameter(self, key: str, of: Local[np.ndarray]) -> np.ndarray:
        return of.grad if self.operation == "add" else of.grad * of.xs[0]

    def grad_parameter_cell(self, key: str, at: Shape, of: Local[Grids]) -> str:
        own = cell_of(of.grad, at)
        return own if self.operation == "add" else f"{own}*{cell_of(of.xs[0], at)}"

    def torch(self, shape: Shape) -> str:
        return f"x {'+' if self.operation == 'add' else '*'} torch.nn.Parameter(torch.zeros{shape})"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...], **given: Any) -> str:
        return to.add("Add" if self.operation == "add" else "Mul", name, *xs, to.weight("weight", given["weight"][None]))
