"""How much of the picture a cell depends on: its receptive field, as a span of rows and a span of columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NOWHERE = 1 << 40  # the first row of what depends on none


@dataclass(frozen=True)
class ReceptiveField:
    """The first and last row of the picture that each row of a layer's maps, or each number of a vector, depends on.

    There is one for rows and one for columns. What depends on nothing, in padding for example, has its last before its first.
    """

    first: np.ndarray
    last: np.ndarray

    @property
    def largest(self) -> int:
        """The most rows that any depends on."""
        return max(0, int((self.last - self.first).max()) + 1)

    def of_windows(self, starts: np.ndarray, ends: np.ndarray) -> ReceptiveField:
        """That of rows which read the rows from start to end of these, both included; outside lies padding."""
        starts, ends = np.maximum(starts, 0), np.minimum(ends, len(self.first) - 1)
        none = starts > ends
        if (np.diff(self.first) >= 0).all() and (np.diff(self.last) >= 0).all():  # as nearly always
            starts, ends = (np.where(none, 0, places) for places in (starts, ends))
            return ReceptiveField(np.where(none, NOWHERE, self.first[starts]), np.where(none, -1, self.last[ends]))
        spans = [slice(start, max(start, end + 1)) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        first = [int(self.first[span].min(initial=NOWHERE)) for span in spans]
        return ReceptiveField(np.array(first), np.array([int(self.last[span].max(initial=-1)) for span in spans]))

    def of_all(self, count: int) -> ReceptiveField:
        """That of so many rows or numbers which depend on all of these."""
        return ReceptiveField(np.full(count, self.first.min()), np.full(count, self.last.max()))

    def in_a_vector(self, shape: tuple[int, ...], axis: int) -> ReceptiveField:
        """That of the numbers of maps C×H×W one after the other, these being of their rows (axis 0) or columns (1)."""
        first, last = (
            np.broadcast_to(part[:, None] if axis == 0 else part, shape).ravel() for part in (self.first, self.last)
        )
        return ReceptiveField(first, last)

    def in_maps(self, shape: tuple[int, ...], axis: int) -> ReceptiveField:
        """That of the rows (axis 0) or columns (1) of maps C×H×W, which these numbers of a vector fill one after the other."""
        others = (0, 2 - axis)
        return ReceptiveField(self.first.reshape(shape).min(axis=others), self.last.reshape(shape).max(axis=others))


def touched(starts: np.ndarray, cells: int, dilation: int, size: int, apart: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The first and last of `size` rows in windows of so many cells, `dilation` apart; the rows lie `apart`, others are blank."""
    least = np.maximum(0, -(starts // dilation))  # the first cell of a window that is not above the rows, and the last
    most = np.minimum(cells - 1, ((size - 1) * apart - starts) // dilation)
    # Cell a lies on a row where starts + a · dilation is a multiple of `apart`: that is so for every `period`th cell.
    common = math.gcd(dilation, apart)
    period = apart // common
    one = -(starts // common) * pow(dilation // common, -1, period) % period
    first, last = least + (one - least) % period, most - (most - one) % period
    there = (starts % common == 0) & (first <= last)
    rows = ((starts + cell * dilation) // apart for cell in (first, last))
    return np.where(there, next(rows), NOWHERE), np.where(there, next(rows), -1)


def joined(extents: Sequence[ReceptiveField]) -> ReceptiveField:
    """That of rows which read the same row of several inputs; an input of one row is read by all."""
    firsts, lasts = (np.broadcast_arrays(*parts) for parts in ([e.first for e in extents], [e.last for e in extents]))
    return ReceptiveField(np.min(firsts, axis=0), np.max(lasts, axis=0))


def end_to_end(extents: Sequence[ReceptiveField]) -> ReceptiveField:
    """That of vectors one after the other."""
    return ReceptiveField(np.concatenate([e.first for e in extents]), np.concatenate([e.last for e in extents]))
