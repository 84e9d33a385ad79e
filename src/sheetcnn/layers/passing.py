"""What layers share that pass their input through."""

from typing import ClassVar

import numpy as np

from ..arrays.array import Shape, cell_of
from ..arrays.grid import Grids
from .backward import Moving
from .base import Layer
from .reduction import Place


class Passing(Moving, Layer):
    """Every cell as it is."""

    takes: ClassVar[str] = "any"
    family: ClassVar[str] = "passing"
    mirrors: ClassVar[bool] = False  # its maps are

    def forward(self, x: np.ndarray) -> np.ndarray:
        return x

    def formula(self, at: Shape, x: Grids) -> str:
        return cell_of(x, at)

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        return (at,)
