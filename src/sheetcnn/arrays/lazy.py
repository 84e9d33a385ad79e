"""Numbers that are read when somebody needs them: memory does not grow with the weights of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .array import Shape, Values

LARGE = 1_000_000  # an array of so many numbers is not kept
Whole = np.ndarray | Callable[[], np.ndarray]


class LazyValues(Values):
    """Numbers by the id of their array; large ones are read anew from where they come, and only the last of them is kept."""

    def __init__(self, held: Values, sources: Mapping[str, Callable[[], np.ndarray]]) -> None:
        super().__init__(held)
        self.sources = sources
        self._last: tuple[str, np.ndarray | None] = "", None

    def __missing__(self, name: str) -> np.ndarray:
        key, numbers = self._last
        if key != name or numbers is None:
            self._last = "", None  # before another takes its room
            numbers = self.sources[name]()
            self._last = name, numbers
        return numbers

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self.sources

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[str]:
        yield from super().__iter__()
        yield from (name for name in self.sources if not super(LazyValues, self).__contains__(name))

    def unread(self) -> LazyValues:
        """Those alone that are not kept."""
        held = {*dict.keys(self)}
        return LazyValues({}, {name: source for name, source in self.sources.items() if name not in held})

    def __or__(self, other: Any) -> Any:
        return LazyValues(super().__or__(other), self.sources)


@dataclass(frozen=True)
class Part:
    """The grid of a large array at an index, rows × columns, as a block of cells reads it: row by row."""

    whole: Callable[[], np.ndarray]
    index: Shape
    shape: tuple[int, int]
    dtype = np.dtype(float)

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return self.shape[0] * self.shape[1]

    def __getitem__(self, row: int) -> np.ndarray:
        return self.whole()[self.index].reshape(self.shape)[row]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.whole()[self.index].reshape(self.shape), dtype)


@dataclass(frozen=True)
class View:
    """Some numbers of an array in some order, as NumPy's views are: the array is read anew whenever they are asked for."""

    read: Callable[[], np.ndarray]
    offset: int  # in numbers
    shape: Shape
    strides: tuple[int, ...]  # likewise

    def __call__(self) -> np.ndarray:
        numbers = self.read().reshape(-1)
        strides = [step * numbers.itemsize for step in self.strides]
        return np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, strides, writeable=False)


def view_of(array: np.ndarray, root: np.ndarray, read: Callable[[], np.ndarray]) -> View:
    """An array that is a view of another, in one piece, which can be read anew."""
    first = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    return View(read, first // root.itemsize, array.shape, tuple(step // root.itemsize for step in array.strides))


def whole(values: Values, name: str) -> Whole:
    """The numbers of an array; of one that is not kept what reads it."""
    if isinstance(values, LazyValues) and not dict.__contains__(values, name):
        return partial(values.__getitem__, name)
    return values[name]


def part_of(numbers: Whole, index: Shape, shape: tuple[int, int]) -> np.ndarray | Part:
    """One grid of an array."""
    return Part(numbers, index, shape) if callable(numbers) else numbers[index].reshape(shape)


def as_float(array: np.ndarray) -> np.ndarray:
    """Numbers in double precision; those that are all one number in memory stay one."""
    if array.size > 1 and not any(array.strides):
        return np.broadcast_to(array[(0,) * array.ndim].astype(float), array.shape)
    return array.astype(float)


def compact(array: np.ndarray) -> np.ndarray:
    """The same numbers in less memory, if they are many: one where all are equal, single precision where that is exact."""
    if array.size < LARGE or not any(array.strides):
        return array
    first = array[(0,) * array.ndim]
    if (array == first).all():
        return np.broadcast_to(first, array.shape)
    single = array.astype(np.float32)
    return single if np.array_equal(single, array) else array
