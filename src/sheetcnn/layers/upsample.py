"""Enlarging maps."""

from typing import ClassVar, Literal

import numpy as np

from ..arrays.array import Shape
from ..arrays.grid import Grids
from .backward import Local, added, shape_of, summed
from .base import Layer, OnnxGraph, example, literal
from .reduction import Place
from .settings import Counts, Flag, Number
from .sliding import pair


class Upsample(Layer):
    """Each map scale_factor times as large, or of a given size, by repeating cells or by curves between them.

    Of N cells M are made. Output place i lies at (i + ½) · N / M − ½ of the input (held to its first and last cell), or with
    align_corners at i · (N − 1) / (M − 1). Source: torch.nn.Upsample.
    """

    type: ClassVar[str] = "upsample"
    family: ClassVar[str] = "shape"
    about: ClassVar[str] = (
        "each map enlarged, by repeating cells (nearest), by lines between them (bilinear) or curves (bicubic)"
    )
    words: ClassVar[str] = "map = x enlarged"
    examples: ClassVar = (
        example([[[1, 2]]], [[[1, 1, 2, 2], [1, 1, 2, 2]]], scale_factor=2),
        example([[[0, 4]]], [[[0, 1, 3, 4]]], scale_factor=[1, 2], mode="bilinear"),
        example([[[0, 3]]], [[[0, 1, 2, 3]]], scale_factor=[1, 2], mode="bilinear", align_corners=True),
        example(
            [[[0, 3], [6, 9]]],
            [[[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7], [6, 7, 8, 9]]],
            scale_factor=2,
            mode="bilinear",
            align_corners=True,
        ),
        example([[[0, 3, 6]]], [[[0.75, 5.25]]], size=[1, 2], mode="bilinear"),
        example([[[1, 2, 3]]], [[[1, 1, 2, 3]]], size=[1, 4]),
        example([[[0, 4]]], [[[0, 2, 4]]], size=[1, 3], mode="bilinear", start=[0.0, 0.0], step=[1.0, 0.5]),
        example([[[0, 64]]], [[[-6.75, 14.5, 49.5, 70.75]]], scale_factor=[1, 2], mode="bicubic"),
    )

    scale_factor: Counts | None = None
    size: Counts | None = None  # rows and columns of the output, in place of a factor
    mode: Literal["nearest", "bilinear", "bicubic"] = "nearest"
    align_corners: Flag = False
    start: tuple[Number, Number] | None = None  # other rules than PyTorch's: output place i lies at start + i · step
    step: tuple[Number, Number] | None = None

    def output_shape(self, shape: Shape) -> Shape:
        if self.size is not None:
            return (shape[0], *self.size)
        factor = self.scale_factor or (1, 1)
        return (shape[0], shape[1] * factor[0], shape[2] * factor[1])

    def check(self, shape: Shape) -> None:
        if (self.scale_factor is None) == (self.size is None):
            raise ValueError("give one of scale_factor and size")
        if self.align_corners and self.mode == "nearest":
            raise ValueError('align_corners goes with mode "bilinear" or "bicubic"; leave it out')
        if (self.start is None) != (self.step is None) or (self.start is not None and self.align_corners):
            raise ValueError("start and step go together, and without align_corners")

    def where(self, axis: int, place: int, shape: Shape) -> float:
        """Where an output row (or column) lies among those of the input."""
        size, new = shape[1 + axis], self.output_shape(shape)[1 + axis]
        if self.start is not None and self.step is not None:
            return self.start[axis] + place * self.step[axis]
        if self.mode == "nearest":
            return place * size // new
        if self.align_corners:
            return place * (size - 1) / (new - 1) if new > 1 else 0.0
        return (place + 0.5) * size / new - 0.5

    def _parts(self, axis: int, place: int, shape: Shape) -> dict[int, float]:
        """The input rows (or columns) that an output row is made of, and how much of each."""
        size, where = shape[1 + axis], self.where(axis, place, shape)
        if self.mode != "bicubic":
            where = min(max(where, 0.0), size - 1.0)
        first = int(where // 1)
        t = where - first
        if self.mode == "nearest":
            weights = {first: 1.0}
        elif self.mode == "bilinear":
            weights = {first: 1 - t, first + 1: t}
        else:
            weights = {first - 1: _far(1 + t), first: _near(t), first + 1: _near(1 - t), first + 2: _far(2 - t)}
        found: dict[int, float] = {}
        for cell, part in weights.items():
            inside = min(max(cell, 0), size - 1)
            if part:
                found[inside] = found.get(inside, 0.0) + part
        return found

    def matrix(self, axis: int, shape: Shape) -> np.ndarray:
        """How much of each input row (or column) goes into each output row."""
        matrix = np.zeros((self.output_shape(shape)[1 + axis], shape[1 + axis]))
        for place in range(len(matrix)):
            for cell, part in self._parts(axis, place, shape).items():
                matrix[place, cell] = part
        return matrix

    def forward(self, x: np.ndarray) -> np.ndarray:
        return self.matrix(0, x.shape) @ x @ self.matrix(1, x.shape).T

    def formula(self, at: Shape, x: Grids) -> str:
        k, i, j = at
        shape = (len(x), x[k].rows, x[k].columns)
        columns = self._parts(1, j, shape).items()
        terms = [
            (x[k].at(row, column), down * along)
            for row, down in self._parts(0, i, shape).items()
            for column, along in columns
        ]
        return "+".join([cell if part == 1 else f"{literal(part)}*{cell}" for cell, part in terms]).replace("+-", "-")

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        shape = of.xs[0].shape
        return self.matrix(0, shape).T @ of.grad @ self.matrix(1, shape)

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        shape, (k, i, j) = shape_of(of.xs[0]), at
        if "matrices" not in of.memo:
            of.memo["matrices"] = self.matrix(0, shape), self.matrix(1, shape)
        parts = [matrix[:, place] for matrix, place in zip(of.memo["matrices"], (i, j), strict=True)]
        rows, columns = (np.flatnonzero(part).tolist() for part in parts)
        if all((part[part != 0] == 1).all() for part in parts):
            return summed(of.grad, [(k, r, c) for r in rows for c in columns]) if rows and columns else ""
        terms = [(of.grad[k].at(r, c), float(parts[0][r] * parts[1][c])) for r in rows for c in columns]
        return added([cell if part == 1 else f"{literal(part)}*{cell}" for cell, part in terms if part])

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        if self.mode != "nearest" or self.start is not None:
            return ()
        (k, i, j), (_, rows, columns), (_, high, wide) = at, shapes[0], self.output_shape(shapes[0])
        if self.scale_factor is not None:
            return ((k, i // self.scale_factor[0], j // self.scale_factor[1]),)
        return ((k, i * rows // high, j * columns // wide),)

    def reads(self, axis: int, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
        found = [self._parts(axis, place, shape) for place in range(self.output_shape(shape)[1 + axis])]
        return np.array([min(cells) for cells in found]), np.array([max(cells) for cells in found])

    def torch(self, shape: Shape) -> str:
        if self.start is not None:
            return ""
        more = f", mode={self.mode!r}" if self.mode != "nearest" else ""
        size = f"size={self.size}" if self.size is not None else f"scale_factor={pair(self.scale_factor or (1, 1))}"
        return f"torch.nn.Upsample({size}{more}{', align_corners=True' if self.align_corners else ''})"

    def size_words(self, shape: Shape) -> str:
        _, rows, columns = shape
        if self.scale_factor is None:
            new = self.output_shape(shape)
            return f"rows {rows} → {new[1]}, columns {columns} → {new[2]}"
        down, along = self.scale_factor
        return f"rows {rows}·{down} = {rows * down}, columns {columns}·{along} = {columns * along}"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        if self.start is not None:  # Resize has no such rule: what goes into each row, then into each column, as matrices
            down = to.constant(f"{name}.rows", self.matrix(0, shapes[0]))
            along = to.constant(f"{name}.columns", self.matrix(1, shapes[0]).T)
            return to.add("MatMul", name, to.add("MatMul", f"{name}_rows", down, *xs), along)
        how = "align_corners" if self.align_corners else "half_pixel"
        settings = {
            "mode": {"bilinear": "linear", "bicubic": "cubic"}.get(self.mode, ""),
            "coordinate_transformation_mode": how,
        }
        if self.mode == "nearest":
            settings = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        if self.scale_factor is None:
            sizes = to.integers(f"{name}.sizes", [1, *self.output_shape(shapes[0])])
            return to.add("Resize", name, *xs, "", "", sizes, **settings)
        scales = to.constant(f"{name}.scales", np.array([1, 1, *self.scale_factor], float))
        return to.add("Resize", name, *xs, "", scales, **settings)


_A = -0.75  # of the cubic that PyTorch and ONNX take


def _near(t: float) -> float:
    """How much of a cell goes in that lies less than one place away."""
    return ((_A + 2) * t - (_A + 3)) * t * t + 1


def _far(t: float) -> float:
    """The same from one place to two."""
    return ((t - 5) * t + 8) * t * _A - 4 * _A
