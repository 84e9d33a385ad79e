"""Cells of rows that were read as wholes, many at a time, and the arrays of a sheet that are made of them."""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .values import NUMERIC, PENDING

_LARGE = 100_000  # cells
_MOST = 10_000  # pieces of a sheet, which take some 500 bytes each
Index = slice | np.ndarray


@dataclass
class Numbers:
    """Numbers of cells, where `rows` and `columns` are what NumPy takes an array's elements by."""

    rows: Index
    columns: Index
    numbers: np.ndarray
    filled: bool = False  # by an array formula that stands in another cell

    def of(self, cells: np.ndarray) -> np.ndarray:
        """These cells of a sheet's array, as many as there are numbers."""
        return cells[self.rows, self.columns].reshape(self.numbers.shape)

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of each number."""
        found = (
            np.arange(at.start, at.stop) if isinstance(at, slice) else at.reshape(-1) for at in (self.rows, self.columns)
        )
        rows, columns = found
        if self.numbers.ndim == 1:
            return rows, columns
        return np.repeat(rows, len(columns)), np.tile(columns, len(rows))


class Piece:
    """Rows whose cells stand in the same columns: numbers, or formulas with the numbers saved beside them."""

    def __init__(self, columns: np.ndarray) -> None:
        self.columns = columns
        self.rows, self.numbers = array("i"), array("d")

    def add(self, row: int, numbers: np.ndarray) -> None:
        self.rows.append(row)
        self.numbers.frombytes(numbers.data.cast("B"))

    def packed(self) -> Numbers:
        """All of it, in slices where rows or columns follow each other."""
        rows = np.frombuffer(self.rows, np.int32)
        numbers = np.frombuffer(self.numbers).reshape(len(rows), len(self.columns))
        down, along = _as_slice(rows), _as_slice(self.columns)
        if not isinstance(down, slice) and not isinstance(along, slice):
            down = down[:, None]
        return Numbers(down, along, numbers)


def _as_slice(places: np.ndarray) -> Index:
    follow = len(places) - 1 == places[-1] - places[0] and (np.diff(places) == 1).all()
    return slice(int(places[0]), int(places[-1]) + 1) if follow else places


class Pieces:
    """The cells of a sheet whose rows were read as wholes."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, bytes], Piece] = {}

    def add(self, row: int, columns: np.ndarray, kind: int, numbers: np.ndarray) -> bool:
        """Take in cells of a row that all hold the same kind of thing; False where there are too many pieces for another."""
        key = kind, columns.tobytes()
        if key not in self._found:
            if len(self._found) >= _MOST:
                return False
            self._found[key] = Piece(columns)
        self._found[key].add(row, numbers)
        return True

    @property
    def count(self) -> int:
        """How many cells there are."""
        return sum(len(piece.numbers) for piece in self._found.values())

    def cells(self) -> Iterator[tuple[np.ndarray, np.ndarray, int, np.ndarray]]:
        """Rows, columns, kind and numbers of the cells of each piece."""
        for (kind, _), piece in self._found.items():
            packed = piece.packed()
            yield *packed.places(), kind, packed.numbers.reshape(-1)

    def mark(self, cells: np.ndarray) -> None:
        """Set all that there are in a sheet's array."""
        for piece in self._found.values():
            packed = piece.packed()
            cells[packed.rows, packed.columns] = True

    def take_out(self) -> Iterator[tuple[int, Numbers]]:
        """The pieces, each with its kind; what was taken out is kept no longer."""
        while self._found:
            (kind, _), piece = self._found.popitem()
            yield kind, piece.packed()

    def put(self, kinds: np.ndarray, numbers: np.ndarray) -> list[Numbers]:
        """Write kinds and numbers into a sheet's arrays, once; the numbers saved beside formulas are returned."""
        saved = []
        for kind, piece in self.take_out():
            kinds[piece.rows, piece.columns] = kind
            if kind == NUMERIC:
                numbers[piece.rows, piece.columns] = piece.numbers
            elif kind == PENDING:
                saved.append(piece)
        return saved


def blank(shape: tuple[int, int], of: type[np.generic]) -> np.ndarray:
    """An array of zeros that takes memory only where something is written: large sheets are mostly blank.

    NumPy's own would take it in pieces of two megabytes.
    """
    size = shape[0] * shape[1]
    if size < _LARGE:
        return np.zeros(shape, of)
    own = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}  # not so on Windows
    return np.frombuffer(mmap.mmap(-1, size * np.dtype(of).itemsize, **own), of, size).reshape(shape)
