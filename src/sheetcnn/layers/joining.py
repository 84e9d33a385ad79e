"""What layers share that join several inputs cell by cell."""

from itertools import product
from typing import ClassVar

import numpy as np

from ..arrays.array import Shape, cell_of, shape_text
from ..arrays.grid import Grids
from ..arrays.receptive_field import ReceptiveField, joined
from .activation import Activated
from .backward import NEAR, NEAR_TEXT, Local, added, shape_of
from .base import OnnxGraph, combined
from .reduction import Place


def broadcast_index(at: Shape, shape: Shape) -> Shape:
    """The place in an input that an output cell reads: an axis of one cell serves all (broadcasting)."""
    return tuple(place if size > 1 else 0 for place, size in zip(at, shape, strict=True))


class Joining(Activated):
    """Inputs of one shape, or with axes of one cell that are stretched (NumPy's broadcasting), joined cell by cell."""

    takes: ClassVar[str] = "any"
    family: ClassVar[str] = "joining"
    inputs: ClassVar[tuple[int, int]] = (2, 100)

    def check(self, *shapes: Shape) -> None:
        try:
            np.broadcast_shapes(*shapes)
            fits = len({len(shape) for shape in shapes}) == 1
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(
                f"inputs of {' and '.join(map(shape_text, shapes))} do not fit; they must have one shape, or axes of 1"
            )

    def output_shape(self, *shapes: Shape) -> Shape:
        return tuple(np.broadcast_shapes(*shapes))

    def formula(self, at: Shape, *xs: Grids, **parameters: Grids) -> str:
        return self.sign.join([cell_of(x, broadcast_index(at, shape_of(x))) for x in xs])

    def receptive_field(self, axis: int, shapes: tuple[Shape, ...], fields: list[ReceptiveField]) -> ReceptiveField:
        return super().receptive_field(axis, shapes, [joined(fields)])

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        return unstretched(of.grad * self.slope(n, of.xs), of.xs[n].shape)

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        shapes = [shape_of(x) for x in of.xs]
        places = stretched(at, shapes[n], self.output_shape(*shapes))
        return added([self.slope_cell(n, place, of.grad, of.xs, shapes) for place in places])

    def slope(self, n: int, xs: tuple[np.ndarray, ...]) -> np.ndarray:
        """How fast the output grows with the nth input, at each place."""
        raise NotImplementedError

    def slope_cell(self, n: int, at: Shape, grad: Grids, xs: tuple[Grids, ...], shapes: list[Shape]) -> str:
        """The text of the gradient at a place of the output times that."""
        raise NotImplementedError

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        found, before = [], 0
        for shape in shapes:
            if len(shape) == 1:
                found.append((before, at[1] if shape[0] > 1 else 0, 0))
                before += 1
                continue
            channel, row, column = (place if size > 1 else 0 for place, size in zip(at, shape, strict=True))
            found.append((before + channel, row, column))
            before += shape[0]
        return tuple(found)

    def torch(self, *shapes: Shape) -> str:
        return f" {self.sign} ".join("abcdefgh"[n] if n < 8 else f"x{n}" for n in range(len(shapes)))

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        total = xs[0]
        for n, x in enumerate(xs[1:], start=2):
            total = to.add(self.onnx_operator, name if n == len(xs) else f"{name}_{n}", total, x)
        return total


class Extreme(Joining):
    """The largest or smallest of the inputs' cells."""

    function: ClassVar[str]

    def formula(self, at: Shape, *xs: Grids, **parameters: Grids) -> str:
        return combined(self.function, [cell_of(x, broadcast_index(at, shape_of(x))) for x in xs])

    def slope(self, n: int, xs: tuple[np.ndarray, ...]) -> np.ndarray:
        stack = np.stack(np.broadcast_arrays(*xs)) * (1 if self.function == "MAX" else -1)
        first = (stack >= stack.max(axis=0) - NEAR).argmax(axis=0)  # of those that are as large
        return (first == n).astype(float)

    def slope_cell(self, n: int, at: Shape, grad: Grids, xs: tuple[Grids, ...], shapes: list[Shape]) -> str:
        cells = [cell_of(x, broadcast_index(at, shape)) for x, shape in zip(xs, shapes, strict=True)]
        more, sign, less = (">=", "-", "<") if self.function == "MAX" else ("<=", "+", ">")
        best = f"{combined(self.function, cells)}{sign}{NEAR_TEXT}"
        own = cell_of(grad, at)
        inner = f"IF({combined(self.function, cells[:n])}{less}{best},{own},0)" if n else own
        return f"IF({cells[n]}{more}{best},{inner},0)"

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        return ()

    def torch(self, *shapes: Shape) -> str:
        code = "a"
        for n in range(1, len(shapes)):
            code = f"torch.{self.type}({code}, {'abcdefgh'[n] if n < 8 else f'x{n}'})"
        return code


def unstretched(grad: np.ndarray, shape: Shape) -> np.ndarray:
    """The gradient of an input of this shape, whose axes of one cell serve all."""
    axes = tuple(axis for axis, (have, size) in enumerate(zip(grad.shape, shape, strict=True)) if size == 1 < have)
    return grad.sum(axis=axes, keepdims=True) if axes else grad


def stretched(at: Shape, shape: Shape, output: Shape) -> list[Shape]:
    """The places of the output that an input cell serves."""
    axes = (range(whole) if size == 1 else [place] for place, size, whole in zip(at, shape, output, strict=True))
    return list(product(*axes))
