"""Dropout as it acts in inference."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from ..arrays.array import Shape
from .base import OnnxGraph, example
from .passing import Passing
from .settings import Number


class Dropout(Passing):
    """Every cell as it is: dropout acts in training only. Source: torch.nn.Dropout, eval mode."""

    type: ClassVar[str] = "dropout"
    about: ClassVar[str] = "every cell as it is: dropout acts in training only"
    words: ClassVar[str] = "out = x: dropout sets random cells to 0 in training only; a trained network passes all through"
    examples: ClassVar = (example([[[1, -2]]], [[[1, -2]]]), example([3, 4], [3, 4], p=0.9))

    p: Number = Field(0.5, ge=0, le=1)

    def torch(self, shape: Shape) -> str:
        return f"torch.nn.Dropout({self.p!r})"

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        return to.add("Dropout", name, *xs, to.constant(f"{name}.ratio", np.array(self.p)))
