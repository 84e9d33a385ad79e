"""Cells moved: some of them chosen, axes split, turned and merged; every cell of the output is one of the input."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain, product
from math import prod
from typing import Annotated, ClassVar

import numpy as np
from pydantic import BeforeValidator, Field

from ..arrays.array import Shape, cell_of, shape_text
from ..arrays.grid import Grids
from ..arrays.receptive_field import ReceptiveField
from ..arrays.symbol import Number
from .backward import Moving
from .base import Layer, OnnxGraph, example
from .pattern import Pattern, parsed, pattern_words
from .reduction import Place
from .selection import Selected, Selection, count, even, places, selection_words, slice_of, taken
from .settings import Count

AXES = ("channels", "rows", "columns")


def _is_pattern(text: object) -> object:
    if isinstance(text, str):
        parsed(text)
    return text


@dataclass(frozen=True)
class _Moves:
    """Where the cells of the output come from, for an input of one shape.

    `chosen` has the places that are selected along each axis of the input; `steps`, for each place along each axis of the
    output, how far it lies along the axes of what is selected.
    """

    chosen: list[list[int]]
    steps: list[list[tuple[int, ...]]]

    def source(self, at: Shape) -> Shape:
        """The place of the input that a place of the output shows."""
        moved = zip(*[steps[place] for steps, place in zip(self.steps, at, strict=True)], strict=True)
        return tuple(chosen[sum(along)] for chosen, along in zip(self.chosen, moved, strict=True))


class Rearrange(Moving, Layer):
    """Every cell shows one cell of the input: some places along its axes in some order, then its axes in another order.

    `channels`, `rows`, `columns`, or `cells` of a vector, say which: a slice "start:stop:step", places counted from 0, or a
    list of both. `pattern` splits, turns and merges axes as einops writes it, `sizes` saying how long the new ones are.
    Source: slices of Python; einops.rearrange.
    """

    type: ClassVar[str] = "rearrange"
    family: ClassVar[str] = "shape"
    about: ClassVar[str] = "cells moved: every second row, channels 3, 2, 1, a crop, a flip, axes split, turned and merged"
    words: ClassVar[str] = "map = cells of x, moved"
    takes: ClassVar[str] = "any"
    examples: ClassVar = (
        example([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]], [[[4, 6]]], rows=1, columns="::2"),
        example([[[1, 2]], [[3, 4]], [[5, 6]]], [[[6, 5]], [[4, 3]], [[2, 1]]], channels=[2, 1, 0], columns="::-1"),
        example([[[1, 2, 3]]], [[[3, 1, 2, 3, 1]]], columns=["-1:", ":", ":1"]),
        example([[[1, 2], [3, 4]]], [[[1, 3], [2, 4]]], pattern="c h w -> c w h"),
        example([[[1, 2]], [[3, 4]]], [1, 3, 2, 4], pattern="c h w -> (h w c)"),
        example([[[1, 2], [3, 4]]], [[[1]], [[2]], [[3]], [[4]]], pattern="c (h a) (w b) -> (a b c) h w", sizes={"a": 2, "b": 2}),
        example([1, 2, 3, 4, 5], [5, 2, 4], cells=[4, "1::2"]),
        example([1, 2, 3, 4], [[[1, 3]], [[2, 4]]], pattern="(w c) -> c 1 w", sizes={"c": 2}),
    )  # fmt: skip

    channels: Selection | None = None
    rows: Selection | None = None
    columns: Selection | None = None
    cells: Selection | None = None
    pattern: Annotated[str, Field(max_length=200), BeforeValidator(_is_pattern)] | None = None
    sizes: dict[str, Count] = Field(default_factory=dict)

    # -- where cells come from -------------------------------------------------------------------------------------
    @cached_property
    def _arranged(self) -> Pattern | None:
        return None if self.pattern is None else parsed(self.pattern)

    @cached_property
    def _known(self) -> dict[Shape, _Moves]:
        return {}

    def _selections(self, shape: Shape) -> list[tuple[str, Selected | None]]:
        return [(name, getattr(self, name)) for name in (AXES if len(shape) == 3 else ("cells",))]

    def _kept(self, shape: Shape) -> Shape:
        """The shape of what is selected. Raises ValueError where a selection does not fit."""
        kept = []
        for (name, selected), size in zip(self._selections(shape), shape, strict=True):
            try:
                kept.append(size if selected is None else count(selected, size))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return tuple(kept)

    def _moves(self, shape: Shape) -> _Moves:
        if shape not in self._known:
            given = zip(self._selections(shape), shape, strict=True)
            chosen = [list(range(size)) if selected is None else places(selected, size) for (_, selected), size in given]
            self._known[shape] = _Moves(chosen, self._steps(self._kept(shape)))
        return self._known[shape]

    def _steps(self, kept: Shape) -> list[list[tuple[int, ...]]]:
        """For each place along each axis of the output, how far it lies along the axes of what is selected."""
        axes = range(len(kept))
        if self._arranged is None:
            return [[tuple(n * (a == axis) for a in axes) for n in range(kept[axis])] for axis in axes]
        lengths = self._arranged.lengths(kept, self.sizes)
        step: dict[str, tuple[int, ...]] = {}  # how far one place of a name leads along each axis
        for axis, names in enumerate(self._arranged.left):
            for n, name in enumerate(names):
                step[name] = tuple(prod(lengths[inner] for inner in names[n + 1 :]) * (a == axis) for a in axes)
        steps = []
        for names in self._arranged.right:
            digits = product(*(range(lengths[name]) for name in names))
            far = [step[name] for name in names]
            steps.append([tuple(sum(d * f[a] for d, f in zip(digit, far, strict=True)) for a in axes) for digit in digits])
        return steps

    # -- what a layer states ---------------------------------------------------------------------------------------
    def check(self, shape: Shape) -> None:
        misplaced = ("cells",) if len(shape) == 3 else AXES
        for name in misplaced:
            if getattr(self, name) is not None:
                what = "feature maps; give channels, rows, columns" if len(shape) == 3 else "a vector; give cells"
                raise ValueError(f"{name} is given, but its input is {shape_text(shape)}: {what}")
        names = set(chain(*self._arranged.left)) if self._arranged is not None else set()
        if unknown := set(self.sizes) - names:
            raise ValueError(f"sizes has {', '.join(sorted(unknown))}, which the pattern does not name")
        self.output_shape(shape)

    def output_shape(self, shape: Shape) -> Shape:
        kept = self._kept(shape)
        return kept if self._arranged is None else self._turned(kept)[2]

    def forward(self, x: np.ndarray) -> np.ndarray:
        for axis, (_, selected) in enumerate(self._selections(x.shape)):
            x = x if selected is None else taken(x, axis, selected)
        if self._arranged is None:
            return x
        split, turn, merged = self._turned(x.shape)
        return x.reshape(split).transpose(turn).reshape(merged)

    def _turned(self, shape: Shape) -> tuple[Shape, tuple[int, ...], Shape]:
        """The axes that the pattern splits what is selected into, their new order, and the shape that they are merged to."""
        assert self._arranged is not None
        lengths = self._arranged.lengths(shape, self.sizes)
        names = [*chain(*self._arranged.left)]
        turn = tuple(names.index(name) for name in chain(*self._arranged.right))
        merged = tuple(prod(lengths[name] for name in axis) for axis in self._arranged.right)
        return tuple(lengths[name] for name in names), turn, merged

    def formula(self, at: Shape, x: Grids) -> str:
        shape = (len(x), x[0].rows, x[0].columns) if isinstance(x, list) else (x.rows,)
        return cell_of(x, self._moves(shape).source(at))

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        shape, steps = shapes[0], []
        for (_, selected), size in zip(self._selections(shape), shape, strict=True):
            found = (0, 1) if selected is None else even(selected, size)
            if found is None:
                return ()  # places in a list: no formula says which
            steps.append(found)
        spots = list(at) if len(self.output_shape(shape)) == 3 else [at[1]]
        if self._arranged is not None:
            lengths, digits = self._arranged.lengths(self._kept(shape), self.sizes), dict[str, Number]()
            for names, place in zip(self._arranged.right, spots, strict=True):
                for n, name in enumerate(names):
                    rest = place // prod(lengths[inner] for inner in names[n + 1 :])
                    digits[name] = rest if n == 0 else rest % lengths[name]
            spots = [
                sum(digits[name] * prod(lengths[inner] for inner in names[n + 1 :]) for n, name in enumerate(names))
                for names in self._arranged.left
            ]
        moved = [place * step + start for (start, step), place in zip(steps, spots, strict=True)]
        return ((moved[0], moved[1], moved[2]) if len(shape) == 3 else (0, moved[0], 0),)

    def receptive_field(self, axis: int, shapes: tuple[Shape, ...], fields: list[ReceptiveField]) -> ReceptiveField:
        shape = shapes[0]
        along = 1 + axis if len(shape) == 3 else 0
        index = np.arange(shape[along]).reshape([-1 if a == along else 1 for a in range(len(shape))])
        moved = self.forward(np.broadcast_to(index, shape))
        others = (0, 2 - axis) if moved.ndim == 3 else ()
        first, last = fields[0].first[moved], fields[0].last[moved]
        return ReceptiveField(first.min(axis=others), last.max(axis=others)) if others else ReceptiveField(first, last)

    # -- what it is called -----------------------------------------------------------------------------------------
    def _chosen_words(self) -> list[str]:
        given = ((name, getattr(self, name)) for name in (*AXES, "cells"))
        return [selection_words(selected, name.removesuffix("s")) for name, selected in given if selected is not None]

    def formula_words(self) -> str:
        words = self.setting_words()
        vector = self.cells is not None if self._arranged is None else len(self._arranged.right) == 1
        return f"{'out' if vector else 'map'} = x: {words}" if words else self.words

    def _pattern_words(self) -> str:
        assert self._arranged is not None
        try:
            found = pattern_words(self._arranged, self.sizes)
        except KeyError:  # a size that is left out
            found = ""
        return found or ", ".join([str(self._arranged), *(f"{name} = {n}" for name, n in self.sizes.items())])

    def setting_words(self) -> str:
        words = "; ".join(self._chosen_words())
        if self._arranged is None:
            return words
        return f"{words}, then {self._pattern_words()}" if words else self._pattern_words()

    def map_words(self, m: int, *shapes: Shape) -> str:
        """The channel that a map shows, where they are chosen."""
        if self.channels is None or self._arranged is not None:
            return ""
        return f"channel {self._moves(shapes[0]).chosen[0][m] + 1}"

    def size_words(self, shape: Shape) -> str:
        kept = self._kept(shape)
        words = [f"{name} {size} → {n}" for (name, selected), n, size in zip(self._selections(shape), kept, shape, strict=True)
                 if selected is not None]  # fmt: skip
        if self._arranged is not None:
            words.append(f"{shape_text(kept)} → {shape_text(self.output_shape(shape))}")
        return ", ".join(words)

    def torch(self, shape: Shape) -> str:
        code = "x"
        kept = self._kept(shape)
        for axis, (_, selected) in enumerate(self._selections(shape), start=1):
            if selected == ("::-1",):
                code += f".flip({axis})"
            elif selected is not None:
                piece = selected[0]
                forward = isinstance(piece, str) and (slice_of(piece).step or 1) > 0
                text = piece if len(selected) == 1 and forward else str(places(selected, shape[axis - 1]))
                code += f"[{':, ' * axis}{text}]"
        if self._arranged is not None:
            split, turn, merged = self._turned(kept)
            code += f".reshape({(1, *split)}).permute({(0, *(n + 1 for n in turn))}).reshape({(1, *merged)})"
        return code

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...]) -> str:
        y, shape = xs[0], shapes[0]
        kept = self._kept(shape)
        given = [
            (axis, key, selected) for axis, (key, selected) in enumerate(self._selections(shape)) if selected is not None
        ]
        for n, (axis, key, selected) in enumerate(given, start=1):
            own = name if n == len(given) and self._arranged is None else f"{name}_{key}"
            indexes = to.integers(f"{name}.{key}", places(selected, shape[axis]))
            y = to.add("Gather", own, y, indexes, axis=1 + axis)
        if self._arranged is None:
            return y if given else to.add("Identity", name, y)
        split, turn, merged = self._turned(kept)
        if turn != tuple(range(len(turn))):
            y = to.add("Reshape", f"{name}_split", y, to.integers(f"{name}.split", [1, *split]))
            y = to.add("Transpose", f"{name}_turned", y, perm=[0, *(n + 1 for n in turn)])
        return to.add("Reshape", name, y, to.integers(f"{name}.size", [1, *merged]))
