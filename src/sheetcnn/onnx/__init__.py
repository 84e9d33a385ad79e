"""A model in ONNX becomes a network description with its weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import NetworkError
from ..reading import Source
from .file import read_model
from .part import Part
from .reading import Imported

__all__ = ["Imported", "read_onnx"]


def read_onnx(
    path: Source,
    *,
    size: tuple[int, int] | None = None,
    until: str | None = None,
    scale: float | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Imported:
    """Read an .onnx model.

    `size` (rows, columns) is the picture's, where the model leaves it free or does not depend on its own; `until` names the
    node, the output or the layer that is the last to be drawn; `scale`, `mean` and `std` are those of the `[input]` table.
    Raises NetworkError with one line; what no layer does is listed with all nodes at once.
    """
    model = read_model(path)
    try:
        with np.errstate(all="ignore"):  # what is not finite is refused with its place
            return Part(model, size, {"scale": scale, "mean": mean, "std": std}).until(until)
    except RecursionError:
        raise NetworkError(f"{model.source}: its nodes are nested too deeply") from None
