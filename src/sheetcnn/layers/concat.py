"""Layers stacked one after the other."""

from typing import Any, ClassVar

import numpy as np

from ..arrays.array import Shape, cell_of, shape_text
from ..arrays.grid import Grids
from ..arrays.receptive_field import ReceptiveField, end_to_end, joined
from .backward import Moving
from .base import Layer, example
from .reduction import Place


class Concat(Moving, Layer):
    """The maps of all inputs in one stack, or vectors end to end. Source: torch.cat(dim=1)."""

    type: ClassVar[str] = "concat"
    family: ClassVar[str] = "joining"
    onnx_operator: ClassVar[str] = "Concat"
    onnx_attributes: ClassVar[dict[str, Any]] = {"axis": 1}
    about: ClassVar[str] = "the maps of all inputs in one stack: the joint of inception and U-Net"
    words: ClassVar[str] = "maps = those of the first input, then those of the next"
    takes: ClassVar[str] = "any"
    inputs: ClassVar[tuple[int, int]] = (2, 100)
    examples: ClassVar = (
        example([[[[1, 2]]], [[[3, 4]], [[5, 6]]]], [[[1, 2]], [[3, 4]], [[5, 6]]]),
        example([[1, 2], [3], [4, 5]], [1, 2, 3, 4, 5]),
    )

    def check(self, *shapes: Shape) -> None:
        if len({shape[1:] for shape in shapes}) > 1 or len({len(shape) for shape in shapes}) > 1:
            raise ValueError(
                f"inputs of {' and '.join(map(shape_text, shapes))} do not fit; rows and columns must be the same"
            )

    def output_shape(self, *shapes: Shape) -> Shape:
        return (sum(shape[0] for shape in shapes), *shapes[0][1:])

    def forward(self, *xs: np.ndarray) -> np.ndarray:
        return np.concatenate(xs)

    def formula(self, at: Shape, *xs: Grids) -> str:
        place = at[0]
        for x in xs:
            size = len(x) if isinstance(x, list) else x.rows
            if place < size:
                return cell_of(x, (place, *at[1:]))
            place -= size
        raise IndexError(at)

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        if len(shapes[0]) == 3:  # whose channels are counted through
            return (at,)
        which, row, before = 0, at[1], 0
        for (size,) in shapes[:-1]:
            before += size
            which, row = which + (at[1] >= before), row - (at[1] >= before) * size
        return ((which, row, 0),)

    def receptive_field(self, axis: int, shapes: tuple[Shape, ...], fields: list[ReceptiveField]) -> ReceptiveField:
        return joined(fields) if len(shapes[0]) == 3 else end_to_end(fields)

    def size_words(self, *shapes: Shape) -> str:
        return " + ".join(str(shape[0]) for shape in shapes) + f" = {sum(shape[0] for shape in shapes)}"

    def torch(self, *shapes: Shape) -> str:
        return "torch.cat((a, b), dim=1)" if len(shapes) == 2 else "torch.cat((a, b, …), dim=1)"
