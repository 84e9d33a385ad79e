"""The values that the trees of one group's cells ask for."""

from __future__ import annotations

import numpy as np

from ..errors import FormulaError
from .book import Book, Sheet
from .functions import FUNCTIONS
from .groups import Group
from .parser import BINARY, Tree
from .values import (
    ERROR,
    ERRORS,
    NUMERIC,
    TEXT,
    VALUE,
    Values,
    compare,
    constant,
    divide,
    elementwise,
    error,
    fitting,
    joined,
    power,
)

_AT_ONCE = 20_000_000  # cells of one reference
# How many cells must share a range for `dot` to go range by range. Measured: for the tall kernels of wide layers, most
# of them blank, that is quicker from 1 to 4 cells on, for dense ones of 3×3 only from 16, but those take little time.
_SHARED = 4
_APART = 1 << 20  # more than a sheet has columns


class Context:
    """The values that the trees of one group's cells ask for."""

    def __init__(self, book: Book, group: Group, piece: slice) -> None:
        self.book, self.group = book, group
        self.rows, self.columns = group.rows[piece], group.columns[piece]
        self.tops, self.lefts = group.tops[piece], group.lefts[piece]

    def one(self, tree: Tree) -> Values:
        """The value of a tree where a function takes no ranges, not even in array formulas."""
        value = self.cells(tree, texts=True) if tree.kind == "reference" else self.value(tree)
        if not value.single:
            raise FormulaError("has a range of cells where one number is needed")
        return value

    def value(self, tree: Tree, *, array: bool = False) -> Values:
        """The value of a tree; only in `array` arithmetic, inside SUMPRODUCT or an array formula, may it be a range."""
        kind, array = tree.kind, array or self.group.array
        if kind == "reference":
            return self.cells(tree, texts=True) if array else self.crossing(tree)
        if kind in ("number", "text", "boolean"):
            return constant(tree.value)  # type: ignore[arg-type]
        if kind == "error":
            return Values(np.full((1, 1, 1), float(ERRORS.index(str(tree.value)))), np.full((1, 1, 1), ERROR, np.uint8))
        if kind == "negative":
            return elementwise(np.negative, self.value(tree.parts[0], array=array))
        if kind == "percent":
            return elementwise(lambda x: x / 100, self.value(tree.parts[0], array=array))
        if kind in BINARY:
            steps = []  # a long sum is a deep tree on its left side: walked in a loop, not by recursion
            while tree.kind in BINARY:
                steps.append(tree)
                tree = tree.parts[0]
            result = self.value(tree, array=array)
            for step in reversed(steps):
                result = _binary(step.kind, *fitting(result, self.value(step.parts[1], array=array)))
            return result
        function = FUNCTIONS[str(tree.value)]
        if array and function.of_numbers is not None:
            return elementwise(function.of_numbers, *fitting(*(self.value(part, array=True) for part in tree.parts)))
        return function.compute(self, tree.parts)

    def _place(self, tree: Tree) -> tuple[Sheet, np.ndarray, np.ndarray, int, int]:
        n = int(tree.value)  # type: ignore[arg-type]
        name, rows, columns = self.group.shapes[n]
        return self.book.sheets[name], self.tops[:, n], self.lefts[:, n], rows, columns

    def cells(self, tree: Tree, *, texts: bool = False, used: bool = False) -> Values:
        """The cells of a reference: cells × rows × columns; what lies beyond a sheet's last cell is blank.

        Only `used` cells are all that a function needs which passes over blank ones anyway, as SUM.
        """
        sheet, tops, lefts, rows, columns = self._place(tree)
        if used:
            height, width = sheet.kind.shape
            rows, columns = (
                max(1, min(size, end - int(first.min())))
                for size, end, first in ((rows, height, tops), (columns, width, lefts))
            )
        if rows * columns > _AT_ONCE:
            raise FormulaError(f"reads {rows * columns:,} cells at once")
        if len(tops) and (tops == tops[0]).all() and (lefts == lefts[0]).all():
            tops, lefts = tops[:1], lefts[:1]  # all read the same cells
        i = np.minimum(tops[:, None] + np.arange(rows), sheet.kind.shape[0] - 1)[:, :, None]
        j = np.minimum(lefts[:, None] + np.arange(columns), sheet.kind.shape[1] - 1)[:, None, :]
        return _taken(sheet, i, j, texts)

    def size(self, tree: Tree) -> tuple[int, int]:
        """The rows and columns of a reference."""
        _, _, _, rows, columns = self._place(tree)
        return rows, columns

    def at(self, tree: Tree, row: np.ndarray, column: np.ndarray) -> Values:
        """One cell of a reference for each formula: so many rows and columns from its corner."""
        sheet, tops, lefts, _, _ = self._place(tree)
        i, j = (
            np.minimum(more, size - 1) for more, size in zip((tops + row, lefts + column), sheet.kind.shape, strict=True)
        )
        return _taken(sheet, i[:, None, None], j[:, None, None], texts=True)

    def crossing(self, tree: Tree) -> Values:
        """Of a range where one number is needed, the cell in the formula's own row or column, or else #VALUE!, as in
        https://support.microsoft.com/office/implicit-intersection-operator-ce3be07b-0101-4450-a24e-c1c999be2b34."""
        sheet, tops, lefts, rows, columns = self._place(tree)
        if (rows, columns) == (1, 1):
            return self.cells(tree, texts=True)
        if min(rows, columns) > 1:
            return error(VALUE)
        i, j = (self.rows, lefts) if columns == 1 else (tops, self.columns)
        inside = (tops <= i) & (i < tops + rows) & (lefts <= j) & (j < lefts + columns)
        within = inside & (i < sheet.kind.shape[0]) & (j < sheet.kind.shape[1])
        i, j = np.where(within, i, 0), np.where(within, j, 0)  # the cell 0, 0 is blank
        kind = np.where(inside, sheet.kind[i, j], ERROR).astype(np.uint8)
        found = [sheet.texts[a, b] if k == TEXT else "" for k, a, b in zip(kind, i.tolist(), j.tolist(), strict=True)]
        return Values(
            np.where(inside, sheet.number[i, j], VALUE).reshape(-1, 1, 1),
            kind.reshape(-1, 1, 1),
            np.array(found, object).reshape(-1, 1, 1) if (kind == TEXT).any() else None,
        )

    def dot(self, left: Tree, right: Tree) -> Values | None:
        """SUMPRODUCT of two references, quickly; None where errors or booleans need the general way.

        What is no number is stored as 0, which is what SUMPRODUCT makes of it. Where many cells share one of the
        ranges, as a map's cells share a kernel, only its cells that are not 0 are gathered from the other.
        """
        (a, a_top, a_left, *a_size), (b, b_top, b_left, *b_size) = self._place(left), self._place(right)
        if a.errors_or_booleans or b.errors_or_booleans or a_size != b_size:
            return None
        rows, columns = a_size
        result = np.empty(len(a_top))
        for one, one_top, one_left, two, two_top, two_left in (
            (b, b_top, b_left, a, a_top, a_left),
            (a, a_top, a_left, b, b_top, b_left),
        ):
            places, which = np.unique(one_top.astype(np.int64) * _APART + one_left, return_inverse=True)
            if len(places) * _SHARED > len(a_top):
                continue
            # NumPy sorts small whole numbers by their digits: in a tenth of the time.
            order = np.argsort(which.astype(np.uint16) if len(places) < 1 << 16 else which, kind="stable")
            ends = np.cumsum(np.bincount(which, minlength=len(places)))
            for n, (top, start) in enumerate(divmod(place, _APART) for place in places.tolist()):
                shared = one.number[top : top + rows, start : start + columns]
                down, along = np.nonzero(shared)
                cells = order[(ends[n - 1] if n else 0) : ends[n]]
                i = np.minimum(two_top[cells, None] + down, two.kind.shape[0] - 1)
                j = np.minimum(two_left[cells, None] + along, two.kind.shape[1] - 1)
                result[cells] = two.number[i, j] @ shared[down, along]
            return Values(result.reshape(-1, 1, 1))
        x, y = self.cells(left).number, self.cells(right).number
        return Values(np.einsum("nij,nij->n", *np.broadcast_arrays(x, y)).reshape(-1, 1, 1))


def _taken(sheet: Sheet, i: np.ndarray, j: np.ndarray, texts: bool) -> Values:
    """The cells of a sheet in these rows and columns; with their texts, if somebody asks for them."""
    kind = sheet.kind[i, j]
    values = Values(sheet.number[i, j], None if (kind == NUMERIC).all() else kind)
    if texts and values.kind is not None and (kind == TEXT).any():
        values.texts = np.full(kind.shape, "", object)
        i, j = np.broadcast_to(i, kind.shape), np.broadcast_to(j, kind.shape)
        for place in zip(*np.nonzero(kind == TEXT), strict=True):
            values.texts[place] = sheet.texts[int(i[place]), int(j[place])]
    return values


def _binary(sign: str, left: Values, right: Values) -> Values:
    if sign == "/":
        return divide(left, right)
    if sign == "^":
        return power(left, right)
    if sign == "&":
        return joined(left, right)
    if sign in ("+", "-", "*"):
        return elementwise({"+": np.add, "-": np.subtract, "*": np.multiply}[sign], left, right)
    return compare(sign, left, right)
