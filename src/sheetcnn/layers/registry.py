"""All layers by their types: each has a file of its own, which is read when somebody first asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from .base import Layer

FAMILIES = ("convolution", "pooling", "normalisation", "activation", "joining", "shape", "vector", "passing")


class _Layers(Mapping[str, type[Layer]]):
    """The layers by type, in the order in which tables list them; only who goes through them all reads all files."""

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(module.name for module in iter_modules([str(Path(__file__).parent)]))

    def __getitem__(self, kind: str) -> type[Layer]:
        if kind not in Layer.known and kind in self._files:
            import_module(f".{kind}", __package__)
        return Layer.known[kind]

    def __iter__(self) -> Iterator[str]:
        for file in self._files:
            import_module(f".{file}", __package__)
        return iter(sorted(Layer.known, key=lambda kind: (FAMILIES.index(Layer.known[kind].family), kind)))

    def __len__(self) -> int:
        return sum(1 for _ in self)


LAYERS = _Layers()
