"""Identity."""

from typing import ClassVar

from ..arrays.array import Shape
from .base import example
from .passing import Passing


class Identity(Passing):
    """Every cell as it is: a place with a name, for a branch or a comparison. Source: torch.nn.Identity."""

    type: ClassVar[str] = "identity"
    onnx_operator: ClassVar[str] = "Identity"
    about: ClassVar[str] = "every cell as it is: a place with a name"
    words: ClassVar[str] = "out = x: it changes nothing, it only gives the maps a sheet of their own"
    examples: ClassVar = (example([[[1, -2]]], [[[1, -2]]]), example([3, 4], [3, 4]))

    def torch(self, shape: Shape) -> str:
        return "torch.nn.Identity()"
