"""The layers, one file each, named after the layer's type: to add one, write its file."""

from .registry import FAMILIES, LAYERS

__all__ = ["FAMILIES", "LAYERS"]
