"""What each ONNX operator becomes: one small function for each, registered under the operator's name.

A function gets the reading at work and the node, and returns what the node's first output is, a constant or a Value, or what
all its outputs are.
"""

from . import activations, arithmetic, moving, norms, quantized, shaping, windows  # noqa: F401  (each registers its functions)
from .registry import OPERATORS

__all__ = ["OPERATORS"]
