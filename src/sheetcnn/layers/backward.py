"""What every layer passes back: the gradient of the loss by what it read and by its parameters, in NumPy and as formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from ..arrays.array import Array, Margin, Shape, cell_of
from ..arrays.grid import Grid, Grids, span
from ..arrays.window import Window

NEAR = 1e-9  # sums that are 0 but for rounding must open no gate, and break no tie, in one program and not in another
NEAR_TEXT = "0.000000001"
WIDE = 16  # beyond so many filters one tall window spans all their gradients
MANY = 12  # terms that are named one by one; of more, those that lie in a rectangle are one range

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Local(Generic[T]):
    """What a layer's rule reads: arrays of the graph, their numbers in NumPy, or their grids in formulas.

    `grad` is the gradient at what the layer puts out, before its activation; `y` is what it puts out, where that is drawn;
    `own` has its parameters and steps by key. `memo` keeps what a rule works out once for all cells.
    """

    grad: T
    xs: tuple[T, ...]
    y: T | None = None
    own: Mapping[str, T] = field(default_factory=dict)
    memo: dict[Any, Any] = field(default_factory=dict, compare=False)

    def of(self, change: Callable[[T], U]) -> Local[U]:
        """The same of other things: `change` gives each its own."""
        y = None if self.y is None else change(self.y)
        own = {key: change(one) for key, one in self.own.items()}
        return Local(change(self.grad), tuple(map(change, self.xs)), y, own, self.memo)

    def all(self) -> list[T]:
        """Everything that is read."""
        return [self.grad, *self.xs, *([] if self.y is None else [self.y]), *self.own.values()]


class Backward:
    """The rules of a layer, NumPy and cell text written apart; a cell's text is "" where nothing reaches it.

    Shapes of gradients are those of what they are of. The rules are listed in docs/learning.md.
    """

    reads_back: ClassVar[bool] = False  # whether what it reads is shown beside the gradient, even where it has no kernels
    row_back: ClassVar[str] = ""  # the step, a row over its weights, that is shown over their gradients, too
    back_words: ClassVar[str] = ""  # how what it passes back comes about

    def untrainable(self, *shapes: Shape) -> str:
        """Why no backward pass is drawn of it; empty where one is."""
        return ""

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        """The gradient that reaches the nth input."""
        raise NotImplementedError

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        """The text of what reaches a cell of the nth input."""
        raise NotImplementedError

    def grad_parameter(self, key: str, of: Local[np.ndarray]) -> np.ndarray:
        """The gradient of a parameter that training changes."""
        raise NotImplementedError

    def grad_parameter_cell(self, key: str, at: Shape, of: Local[Grids]) -> str:
        """The text of a cell of a parameter's gradient."""
        raise NotImplementedError

    def grad_steps(self, *shapes: Shape) -> list[Array]:
        """Arrays drawn beside the gradient for formulas to read; `forward` and `formula` take a `Local`, formulas an index first."""
        return []

    def grad_spacing(self) -> tuple[int, int]:
        """The distance of neighbouring cells of the gradient on the sheet: the stride, so that one SUMPRODUCT does it all."""
        return (1, 1)

    def grad_margin(self, *shapes: Shape) -> Margin:
        """The blank cells to keep around the gradient: at its top, left, bottom and right."""
        return (0, 0, 0, 0)


class Moving(Backward):
    """The rules of a layer each of whose cells shows one cell of what it reads, or a number that is always the same."""

    back_words: ClassVar[str] = "What goes back: each number to the cell that it came from."

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        found = np.zeros(of.xs[n].size)
        sources = self._sources(of, tuple(x.shape for x in of.xs))[n].reshape(-1)
        there = sources >= 0
        np.add.at(found, sources[there], of.grad.reshape(-1)[there])
        return found.reshape(of.xs[n].shape)

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        shapes = tuple(map(shape_of, of.xs))
        if ("shown", n) not in of.memo:
            sources = self._sources(of, shapes)[n]
            shown: dict[int, list[Shape]] = {}
            for place, source in np.ndenumerate(sources):
                if source >= 0:
                    shown.setdefault(int(source), []).append(place)
            of.memo["shown", n] = shown
        return summed(of.grad, of.memo["shown", n].get(int(np.ravel_multi_index(at, shapes[n])), []))

    def _sources(self, of: Local[Any], shapes: tuple[Shape, ...]) -> list[np.ndarray]:
        """For each input, the number of the cell that each cell of the output shows, −1 where it shows none.

        The numbers of all cells are sent through the layer itself, a second time with others, so that what does not come
        from the input is found.
        """
        if "sources" not in of.memo:
            ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])
            cells = [
                np.arange(end - int(np.prod(s)), end, dtype=float).reshape(s)
                for s, end in zip(shapes, ends[1:], strict=True)
            ]
            far = float(ends[-1])
            once, again = (self.forward(*[x + more for x in cells]) for more in (0.0, far))  # type: ignore[attr-defined]
            numbers = np.where(again - once == far, once, -1).astype(int)
            of.memo["sources"] = [
                np.where((numbers >= start) & (numbers < end), numbers - start, -1) for start, end in pairwise(ends)
            ]
        found: list[np.ndarray] = of.memo["sources"]
        return found


class Averaging(Backward):
    """The rules of a layer that takes the mean of windows, map by map: each cell gets its part of every window that it lies in."""

    back_words: ClassVar[str] = "What goes back: an equal part to every cell of each window."

    def divisors(self, shape: Shape) -> np.ndarray:
        """How many cells each window is divided by."""
        counts = [last - first + 1 for first, last in self._spans(shape)]
        return np.outer(*counts)

    def _spans(self, shape: Shape) -> list[tuple[np.ndarray, np.ndarray]]:
        return [self.reads(axis, shape) for axis in (0, 1)]  # type: ignore[attr-defined]

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        shape = of.xs[n].shape
        inside = [
            (first[:, None] <= np.arange(size)) & (np.arange(size) <= last[:, None])
            for (first, last), size in zip(self._spans(shape), shape[1:], strict=True)
        ]
        found: np.ndarray = inside[0].T.astype(float) @ (of.grad / self.divisors(shape)) @ inside[1].astype(float)
        return found

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        shape, (k, *place) = shape_of(of.xs[n]), at
        if "windows" not in of.memo:
            of.memo["windows"] = self._spans(shape), self.divisors(shape)
        spans, divisors = of.memo["windows"]
        rows, columns = (
            np.flatnonzero((first <= cell) & (cell <= last)) for (first, last), cell in zip(spans, place, strict=True)
        )
        if not len(rows) or not len(columns):
            return ""
        grad: Grid = of.grad[k]
        parts = divisors[np.ix_(rows, columns)]
        if (parts == parts[0, 0]).all():
            cells = grad.window(int(rows[0]), int(columns[0]), len(rows), len(columns))
            return f"{cells if parts.size == 1 else f'SUM({cells})'}/{parts[0, 0]}"
        return "+".join([f"{grad.at(int(i), int(j))}/{divisors[i, j]}" for i in rows for j in columns])


class Largest(Backward):
    """The rules of a layer that takes the largest cell of windows, map by map: the first of the largest, row by row, gets all."""

    reads_back: ClassVar[bool] = True
    back_words: ClassVar[str] = (
        "What goes back: all of it to the largest cell of each window (of equals the first), 0 to the others."
    )

    def slid(self, shape: Shape) -> Window:
        """The window, over maps of this shape."""
        raise NotImplementedError

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        x, window = of.xs[n], self.slid(of.xs[n].shape)
        assert of.y is not None
        views = window.views(x, -np.inf)
        largest = views >= (of.y - NEAR)[..., None, None]
        first = largest.reshape(*largest.shape[:3], -1).argmax(axis=-1)
        cells = zip((0, 1), np.divmod(first, window.size[1]), strict=True)
        rows, columns = (
            (
                window.starts(axis, x.shape[1 + axis]).reshape((-1, 1) if axis == 0 else (1, -1))
                + window.dilation[axis] * cell
            )
            for axis, cell in cells
        )
        found = np.zeros(x.shape)
        np.add.at(found, (np.arange(len(x))[:, None, None], rows, columns), of.grad)
        return found

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        shape = shape_of(of.xs[n])
        if "cells" not in of.memo:
            of.memo["cells"] = [self._cells(axis, shape) for axis in (0, 1)]
        k, i, j = at
        down, along = of.memo["cells"]
        windows = [(r, c) for r, rows in enumerate(down) if i in rows for c, columns in enumerate(along) if j in columns]
        x, y, grad = of.xs[n][k], of.y[k], of.grad[k]  # type: ignore[index]
        return added([_if_first(x, y.at(r, c), grad.at(r, c), (i, j), down[r], along[c]) for r, c in windows])

    def _cells(self, axis: int, shape: Shape) -> list[range]:
        """The input's rows (or columns) that each window holds, without padding."""
        window, size = self.slid(shape), shape[1 + axis]
        step = window.dilation[axis]
        found = []
        for start in window.starts(axis, size).tolist():
            first = start if start >= 0 else start % step
            found.append(range(first, min(size, start + window.reach[axis]), step))
        return found


def _if_first(x: Grid, y: str, grad: str, at: tuple[int, int], rows: range, columns: range) -> str:
    """The gradient where a cell is the first of the largest of these rows and columns."""
    (i, j), least = at, f"{y}-{NEAR_TEXT}"
    above, left = range(rows.start, i, rows.step), range(columns.start, j, columns.step)
    if rows.step == columns.step == 1:
        parts = [x.window(rows.start, columns.start, len(above), len(columns))] if above else []
        parts += [x.window(i, columns.start, 1, len(left))] if left else []
    else:
        parts = [x.at(a, b) for a in above for b in columns] + [x.at(i, b) for b in left]
    inner = f"IF(MAX({','.join(parts)})<{least},{grad},0)" if parts else grad
    return f"IF({x.at(i, j)}>={least},{inner},0)"


def shape_of(x: Grids) -> Shape:
    """The shape of an array from its grids: maps, or a vector."""
    return (len(x), x[0].rows, x[0].columns) if isinstance(x, list) else (x.rows,)


def summed(grids: Grids, places: Sequence[Shape]) -> str:
    """The sum of an array's cells at these places; of many, those of a rectangle as one range."""
    if len(places) <= MANY or len(places[0]) == 1 or len({place[0] for place in places}) > 1:
        return "+".join([cell_of(grids, place) for place in places])
    rows, columns = sorted({place[1] for place in places}), sorted({place[2] for place in places})
    grid: Grid = grids[places[0][0]]
    whole = (
        len(rows) * len(columns) == len(places)
        and rows[-1] - rows[0] < len(rows)
        and columns[-1] - columns[0] < len(columns)
    )
    if whole and grid.spacing == (1, 1):
        return f"SUM({grid.window(rows[0], columns[0], len(rows), len(columns))})"
    return "+".join([cell_of(grids, place) for place in places])


def added(terms: Sequence[str]) -> str:
    """Terms as one sum; "0" where there is none."""
    text = ""
    for term in filter(None, terms):
        text += term if not text or term[0] == "-" else f"+{term}"
    return text or "0"


def factor(text: str) -> str:
    """A text as a factor: a sum in brackets."""
    if "+" not in text and "-" not in text:
        return text
    depth = 0
    for before, letter in zip(" " + text, text, strict=False):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and letter in "+-" and before not in "eE(,*/" and before != " ":
            return f"({text})"
    return f"({text})" if text[0] == "-" else text


# -- convolution -----------------------------------------------------------------------------------------------------


def margin_back(window: Window, shape: Shape) -> Margin:
    """The blank cells around a gradient over which turned kernels slide, for an input of this shape."""
    sides = []
    for axis, size in enumerate(shape[1:]):
        before = window.reach[axis] - 1 - window.before[axis]
        after = size - 1 + window.before[axis] - (window.count(axis, size) - 1) * window.stride[axis]
        sides.append((max(0, before), max(0, after)))
    (top, bottom), (left, right) = sides
    return top, left, bottom, right


def turned_kernels(shape: Shape, dilation: tuple[int, int]) -> Array:
    """Kernels turned by 180°, drawn once more: laid on the gradient they give what reaches each cell of the input."""
    axes = len(shape) - 2

    def forward(of: Local[np.ndarray]) -> np.ndarray:
        return of.own["weight"][..., ::-1, ::-1]

    def formula(at: Shape, of: Local[Grids]) -> str:
        kernel = of.own["weight"]
        for n in at[:axes]:
            kernel = kernel[n]
        return kernel.at(shape[-2] - 1 - at[-2], shape[-1] - 1 - at[-1])

    return Array("turned", shape, forward, formula, grid_axes=axes, spacing=dilation)


def turned_back(of: Local[np.ndarray]) -> np.ndarray:
    """Kernels as the turned ones show them: whoever has not turned these passes back something else."""
    return of.own["turned"][..., ::-1, ::-1]


def stamped(grad: np.ndarray, kernels: np.ndarray, window: Window, shape: Shape) -> np.ndarray:
    """What reaches one channel, of maps of this shape: every gradient times its kernel, where its window lay; maps × rows × columns each."""
    top, left, bottom, right = window.margin(*shape[1:])
    whole = np.zeros((shape[1] + top + bottom, shape[2] + left + right))
    (down, along), (_, rows, columns) = window.stride, grad.shape
    for a, b in np.ndindex(*window.size):
        i, j = a * window.dilation[0], b * window.dilation[1]
        part = np.tensordot(kernels[:, a, b], grad, axes=1)
        whole[i : i + (rows - 1) * down + 1 : down, j : j + (columns - 1) * along + 1 : along] += part
    return whole[top : top + shape[1], left : left + shape[2]]


def laid_back(window: Window, at: tuple[int, int], grads: Sequence[Grid], turned: Sequence[Grid]) -> str:
    """Turned kernels laid on gradients that are drawn with the stride between their cells: what reaches an input cell."""
    row, column = (n + before - reach + 1 for n, before, reach in zip(at, window.before, window.reach, strict=True))
    down, along = window.reach
    if len(grads) > WIDE and _in_step(grads, turned):
        height = turned[-1].bottom - turned[0].top + 1
        return f"SUMPRODUCT({grads[0].windows[row, column, height, along]},{span(list(turned))})"
    return "+".join(
        [f"SUMPRODUCT({g.windows[row, column, down, along]},{w.area})" for g, w in zip(grads, turned, strict=True)]
    )


def _in_step(grads: Sequence[Grid], turned: Sequence[Grid]) -> bool:
    """Whether both stand one below the other, as far apart: then one SUMPRODUCT spans them all."""
    return all(len({(grid.sheet, grid.left) for grid in grids}) == 1 for grids in (grads, turned)) and [
        g.top - grads[0].top for g in grads
    ] == [w.top - turned[0].top for w in turned]


def laid_whole(window: Window, cell: tuple[int, int], x: Grid, grad: Grid) -> str:
    """The whole gradient laid on the input, so far from its corner as a kernel's cell lies from that of the kernel."""
    row, column = (n * d - before for n, d, before in zip(cell, window.dilation, window.before, strict=True))
    return f"SUMPRODUCT({x.windows[row, column, grad.bottom - grad.top + 1, grad.right - grad.left + 1]},{grad.area})"
