"""The layers, one file each, named after the layer's type: to add one, write its file."""

from importlib import import_module
from pkgutil import iter_modules

from .base import Layer

FAMILIES = ("convolution", "pooling", "normalisation", "activation", "joining", "shape", "vector", "passing")

for _module in iter_modules(__path__):
    import_module(f".{_module.name}", __name__)

LAYERS: dict[str, type[Layer]] = {
    layer.type: layer for layer in sorted(Layer.known.values(), key=lambda layer: (FAMILIES.index(layer.family), layer.type))
}
