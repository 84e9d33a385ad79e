"""Product of layers."""

from functools import reduce
from typing import ClassVar

import numpy as np

from ..arrays.array import Shape, cell_of
from ..arrays.grid import Grids
from .backward import Local, shape_of
from .base import example
from .joining import Joining, broadcast_index


class Multiply(Joining):
    """Inputs multiplied cell by cell; C×1×1 scales whole maps, as in squeeze-and-excitation. Source: torch.mul."""

    type: ClassVar[str] = "multiply"
    onnx_operator: ClassVar[str] = "Mul"
    back_words: ClassVar[str] = "What goes back to each layer: the gradient · the other's number."
    about: ClassVar[str] = "inputs multiplied cell by cell; an input of C×1×1 scales whole maps"
    words: ClassVar[str] = "map = a · b"
    sign: ClassVar[str] = "*"
    examples: ClassVar = (
        example([[[[1, 2]]], [[[10, 20]]]], [[[10, 40]]]),
        example([[[[1, 2]], [[3, 4]]], [[[10]], [[-1]]]], [[[10, 20]], [[-3, -4]]]),
    )

    def slope(self, n: int, xs: tuple[np.ndarray, ...]) -> np.ndarray:
        return reduce(np.multiply, [x for m, x in enumerate(xs) if m != n])

    def slope_cell(self, n: int, at: Shape, grad: Grids, xs: tuple[Grids, ...], shapes: list[Shape]) -> str:
        others = [
            cell_of(x, broadcast_index(at, shape)) for m, (x, shape) in enumerate(zip(xs, shapes, strict=True)) if m != n
        ]
        return "*".join([cell_of(grad, at), *others])

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        shapes = [shape_of(x) for x in of.xs]
        output, own = self.output_shape(*shapes), shapes[n]
        whole = [shape for m, shape in enumerate(shapes) if m != n]
        if len(own) == 3 and own[1:] == (1, 1) != output[1:] and own[0] == output[0] and all(s == output for s in whole):
            areas = [x[at[0]].area for x in (of.grad, *(x for m, x in enumerate(of.xs) if m != n))]
            return f"SUMPRODUCT({','.join(areas)})"
        return super().grad_input_cell(n, at, of)

    def forward(self, *xs: np.ndarray) -> np.ndarray:
        return reduce(np.multiply, xs)

    def multiplications(self, *shapes: Shape) -> int:
        return int(np.prod(self.output_shape(*shapes))) * (len(shapes) - 1)
