"""A model in ONNX becomes a network description with its weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import NetworkError
from ..reading import Source
from .file import read_graph
from .operators import OPERATORS
from .pieces import whole
from .reading import Imported, Reading

__all__ = ["Imported", "read_onnx"]


def read_onnx(
    path: Source,
    *,
    size: tuple[int, int] | None = None,
    scale: float | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Imported:
    """Read an .onnx model.

    `size` (rows, columns) is for models that leave the picture's size free; `scale`, `mean` and `std` are those of the
    `[input]` table. Raises NetworkError with one line; what no layer does is listed with all nodes at once.
    """
    graph = read_graph(path)
    try:
        with np.errstate(all="ignore"):  # what is not finite is refused with its place
            return Reading(graph, size, OPERATORS, whole).finish({"scale": scale, "mean": mean, "std": std})
    except RecursionError:
        raise NetworkError(f"{graph.source}: its nodes are nested too deeply") from None
