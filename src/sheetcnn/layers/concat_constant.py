"""Maps, or numbers of a vector, that are the same for every picture, stacked with what is read."""

from typing import Any, ClassVar

import numpy as np

from ..arrays.array import Shape, cell_of
from ..arrays.grid import Grids
from ..arrays.receptive_field import NOWHERE, ReceptiveField, end_to_end
from .backward import Local, shape_of
from .base import Layer, OnnxGraph, counted, example
from .settings import Amount


class ConcatConstant(Layer):
    """Maps that are the same for every picture, stacked before and after those of the input; of a vector, numbers.

    So CoordConv tells each cell where it is. Source: torch.cat(dim=1) with a torch.nn.Parameter or a buffer.
    """

    type: ClassVar[str] = "concat_constant"
    family: ClassVar[str] = "joining"
    about: ClassVar[str] = "maps that are the same for every picture, in one stack with those of the input"
    words: ClassVar[str] = "maps = constants, those of x, constants"
    takes: ClassVar[str] = "any"
    maps_label: ClassVar[str] = "constant"
    examples: ClassVar = (
        example([[[1, 2]]], [[[1, 2]], [[7, 8]]], parameters={"weight": [[[7, 8]]]}, after=1),
        example(
            [[[1], [2]]],
            [[[5], [6]], [[1], [2]], [[7], [8]]],
            parameters={"weight": [[[5], [6]], [[7], [8]]]},
            before=1,
            after=1,
        ),
        example([1, 2], [9, 1, 2], parameters={"weight": [9]}, before=1),
    )

    before: Amount = 0
    after: Amount = 0

    def formula_words(self) -> str:
        if self.before and self.after:
            return self.words
        return "maps = constants, then those of x" if self.before else "maps = those of x, then constants"

    def check(self, shape: Shape) -> None:
        if not self.before + self.after:
            raise ValueError("it adds nothing; give before, after or both")

    def parameters(self, shape: Shape) -> dict[str, Shape]:
        return {"weight": (self.before + self.after, *shape[1:])}

    def output_shape(self, shape: Shape) -> Shape:
        return (self.before + shape[0] + self.after, *shape[1:])

    def forward(self, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return np.concatenate([weight[: self.before], x, weight[self.before :]])

    def formula(self, at: Shape, x: Grids, weight: Grids) -> str:
        place, *rest = at
        size = len(x) if isinstance(x, list) else x.rows
        if self.before <= place < self.before + size:
            return cell_of(x, (place - self.before, *rest))
        return cell_of(weight, (place if place < self.before else place - size, *rest))

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        return of.grad[self.before : self.before + len(of.xs[0])]

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        return cell_of(of.grad, (self.before + at[0], *at[1:]))

    def grad_parameter(self, key: str, of: Local[np.ndarray]) -> np.ndarray:
        return np.concatenate([of.grad[: self.before], of.grad[self.before + len(of.xs[0]) :]])

    def grad_parameter_cell(self, key: str, at: Shape, of: Local[Grids]) -> str:
        size = shape_of(of.xs[0])[0]
        return cell_of(of.grad, (at[0] if at[0] < self.before else at[0] + size, *at[1:]))

    def receptive_field(self, axis: int, shapes: tuple[Shape, ...], fields: list[ReceptiveField]) -> ReceptiveField:
        if len(shapes[0]) == 3:
            return fields[0]
        none = [ReceptiveField(np.full(n, NOWHERE), np.full(n, -1)) for n in (self.before, self.after)]
        return end_to_end([none[0], fields[0], none[1]])

    def first_map(self, k: int, count: int, *shapes: Shape) -> int:
        return k if k < self.before or count != self.before + self.after else k + shapes[0][0]

    def map_words(self, m: int, *shapes: Shape) -> str:
        return "" if self.before <= m < self.before + shapes[0][0] else "always the same"

    def size_words(self, shape: Shape) -> str:
        terms = [str(n) for n in (self.before, shape[0], self.after) if n]
        return f"{' + '.join(terms)} = {self.output_shape(shape)[0]}"

    def factor_words(self, key: str, shape: Shape) -> str:
        what = counted(shape[0], "map" if len(shape) == 3 else "number")
        return what if len(shape) == 1 else f"{what} · {shape[1]}·{shape[2]} cells"

    def torch(self, shape: Shape) -> str:
        sizes = [(1, n, *shape[1:]) for n in (self.before, self.after)]
        given = [f"torch.nn.Parameter(torch.zeros{size})" * (size[1] > 0) for size in sizes]
        return f"torch.cat(({', '.join(filter(None, [given[0], 'x', given[1]]))}), dim=1)"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...], **given: Any) -> str:
        weight = given["weight"][None]
        parts = [xs[0]]
        if self.before:
            parts.insert(0, to.weight("weight_before", weight[:, : self.before]))
        if self.after:
            parts.append(to.weight("weight_after", weight[:, self.before :]))
        return to.add("Concat", name, *parts, axis=1)
