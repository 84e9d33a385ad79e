"""Evaluate a workbook's formulas, all cells that read alike at once, each once all that it reads is known."""

from __future__ import annotations

from collections import deque

import numpy as np

from ..a1 import cell_name
from ..errors import FormulaError
from ..progress import Progress
from .book import Book
from .context import Context
from .groups import Group, beyond_ours
from .pieces import blank
from .values import (
    BLANK,
    ERROR,
    NUMERIC,
    PENDING,
    TEXT,
    VALUE,
)

_GATHER = 4_000_000  # cells gathered at once: bounds memory
_READ, _READ_EACH = (
    2_000_000_000,
    50_000,
)  # cells that all formulas may read, and each of them on average where these are more
_LOOKED = 20_000_000_000  # cells looked at for whether they wait
_COUNTED = 10_000_000  # cells that are counted exactly, which takes 8 bytes for each
_SUMS = 5  # how much longer it takes to count cells than to look at them
_PATIENCE = 200_000_000  # cells looked at in vain: bounds the time that long chains of cells take

Owners = dict[str, tuple[np.ndarray, list[int]]]


def evaluate(book: Book, groups: list[Group], progress: Progress | None = None) -> None:
    """Give every formula's cell its value; what cannot be evaluated becomes an error and is named in `book.problems`.

    `groups` are those of all sheets, as `group_formulas` finds them.
    """
    evaluator = Evaluator(book, groups, progress)
    while beyond := evaluator.run():
        for group, reason in beyond:
            evaluator.problem(group, reason)


class Evaluator:
    """Evaluates groups one after the other, each once all that it reads is known, where need be cell by cell."""

    def __init__(self, book: Book, groups: list[Group], progress: Progress | None = None, *, ours: bool = True) -> None:
        self.book = book
        self.progress = progress
        self.done = 0
        self.total = sum(len(group.rows) for group in groups)
        self.sums: dict[str, tuple[np.ndarray, int, int]] = {}
        self.beyond: list[tuple[Group, str]] = []  # what it cannot evaluate, and why
        self.waiting: list[Group] = []
        self.spent = self.steps = self.looked = self.read = 0
        self.most = max(_READ, _READ_EACH * self.total)  # cells that may be read in all
        for group in groups:
            reason = beyond_ours(book, group) or (None if ours else "is known to sheetcnn's own evaluator only")
            if reason is None:
                self.waiting.append(group)
            else:
                self.beyond.append((group, reason))

    def run(self) -> list[tuple[Group, str]]:
        """Evaluate all that can be; the groups that cannot, which somebody else must give their values, each with the reason.

        Nothing is returned once every cell has its value.
        """
        with np.errstate(all="ignore"):  # a number that is not finite becomes an error
            while self.waiting:
                left = self.evaluated_in_order(self.waiting)
                if len(left) == len(self.waiting) and not self.evaluated_some(left):
                    break
                if len(left) < len(self.waiting):
                    self.waiting = left
        beyond, self.beyond = self.beyond, []
        if not beyond and self.waiting:
            self.stop(self.waiting, "is part of, or waits for, a circular reference")
        return beyond

    def evaluated_in_order(self, groups: list[Group]) -> list[Group]:
        """Evaluate groups as wholes, each after that for which it waits; the others are returned."""
        owners = self.owners(groups)
        waits: dict[int, list[int]] = {}  # for the group of a number
        ready, done = deque(range(len(groups))), np.zeros(len(groups), bool)
        while ready:
            n = ready.popleft()
            other = self.waits_for(groups[n], owners)
            if other is None:
                self.compute(groups[n])
                done[n] = True
                ready.extend(waits.pop(n, ()))
            else:
                waits.setdefault(other, []).append(n)
            if self.looked > _LOOKED:
                left = [group for n, group in enumerate(groups) if not done[n]]
                self.stop(left, "waits for so many other formulas that sheetcnn gives up")
                return []
        return [group for n, group in enumerate(groups) if not done[n]]

    def owners(self, groups: list[Group]) -> Owners:
        """For each sheet which of its groups each cell belongs to, counted from 1, 0 where none; and which of all these are."""
        of_sheets: dict[str, list[int]] = {}
        for n, group in enumerate(groups):
            of_sheets.setdefault(group.sheet, []).append(n)
        found = {}
        for name, numbers in of_sheets.items():
            cells = blank(self.book.sheets[name].kind.shape, np.min_scalar_type(len(numbers)).type)
            for own, n in enumerate(numbers, start=1):
                cells[groups[n].rows, groups[n].columns] = own
            found[name] = cells, numbers
        return found

    def waits_for(self, group: Group, owners: Owners) -> int | None:
        """The owner of a cell that waits among those that a group reads, −1 where it has none; None where no cell waits."""
        for n, (name, rows, columns) in enumerate(group.shapes):
            place = self.waiting_cell(self.book.sheets[name].kind, group.tops[:, n], group.lefts[:, n], rows, columns)
            if place is not None:
                cells, numbers = owners.get(name, (None, []))
                own = 0 if cells is None else int(cells[place])
                return numbers[own - 1] if own else -1
        return None

    def waiting_cell(
        self, kinds: np.ndarray, tops: np.ndarray, lefts: np.ndarray, rows: int, columns: int
    ) -> tuple[int, int] | None:
        """A cell that waits in one of some rectangles of one size."""
        top, left = int(tops.min()), int(lefts.min())
        waits = kinds[top : int(tops.max()) + rows, left : int(lefts.max()) + columns] == PENDING
        self.looked += waits.size
        if not waits.any():
            return None
        i, j = divmod(int(waits.argmax()), waits.shape[1])
        row, column = top + i, left + j  # the first one between their corners; mostly it is in one of them
        reads = (tops <= row) & (row < tops + rows) & (lefts <= column) & (column < lefts + columns)
        if reads.any() or waits.size > _COUNTED:
            return row, column
        self.looked += _SUMS * waits.size
        found = np.flatnonzero(_counted(_sums(waits), tops - top, lefts - left, rows, columns))
        if not len(found):
            return None
        row, column = int(tops[found[0]]), int(lefts[found[0]])
        i, j = np.argwhere(kinds[row : row + rows, column : column + columns] == PENDING)[0].tolist()
        return row + i, column + j

    def evaluated_some(self, groups: list[Group]) -> bool:
        """Evaluate what is ready, cell by cell, where no group is ready as a whole; returns whether there was any."""
        self.sums = self.waiting_sums([*groups, *(group for group, _ in self.beyond)])
        left = [rest for group in groups if (rest := self.evaluate_ready(group)) is not None]
        cells = sum(len(group.rows) for group in left)
        if cells == sum(len(group.rows) for group in groups):
            return False
        self.waiting = left
        self.steps += 1
        self.spent += cells + sum(sums.size for sums, *_ in self.sums.values())
        if self.spent > _PATIENCE:
            self.stop(left, f"is part of, or waits for, a chain of more than {self.steps:,} cells that wait for each other")
        return True

    def problem(self, group: Group, reason: str) -> None:
        sheet = self.book.sheets[group.sheet]
        for row, column in zip(group.rows.tolist(), group.columns.tolist(), strict=True):
            self.book.problems[group.sheet, row, column] = reason
        sheet.kind[group.rows, group.columns] = ERROR
        sheet.number[group.rows, group.columns] = VALUE
        sheet.errors_or_booleans += len(group.rows)

    def evaluate_ready(self, group: Group) -> Group | None:
        """Evaluate the cells of a group that read nothing that is waiting; returns the others."""
        ready = np.ones(len(group.rows), bool)
        for n, (name, rows, columns) in enumerate(group.shapes):
            if name not in self.sums:
                continue
            sums, top, left = self.sums[name]
            ready &= _counted(sums, group.tops[:, n] - top, group.lefts[:, n] - left, rows, columns) == 0
        if not ready.any():
            return group
        self.compute(_take(group, ready))
        return None if ready.all() else _take(group, ~ready)

    def waiting_sums(self, groups: list[Group]) -> dict[str, tuple[np.ndarray, int, int]]:
        """For each sheet with cells that wait: sums[i, j], how many do above row i and left of column j, and where it begins."""
        found = {}
        for name in {group.sheet for group in groups}:
            sheet, own = self.book.sheets[name], [group for group in groups if group.sheet == name]
            top, left = int(min(g.rows.min() for g in own)), int(min(g.columns.min() for g in own))
            bottom, right = int(max(g.rows.max() for g in own)), int(max(g.columns.max() for g in own))
            for (row, column), (height, width) in sheet.spills.items():
                top, left, bottom, right = (
                    min(top, row),
                    min(left, column),
                    max(bottom, row + height),
                    max(right, column + width),
                )
            waits = sheet.kind[top : bottom + 1, left : right + 1] == PENDING
            found[name] = _sums(waits), top, left
        return found

    def stop(self, groups: list[Group], why: str) -> None:
        """Name the cells that get no value."""
        cells = [(g.sheet, int(r), int(c)) for g in groups for r, c in zip(g.rows, g.columns, strict=True)]
        some = ", ".join(f"{sheet}!{cell_name(row, column)}" for sheet, row, column in cells[:5])
        more = f" and {len(cells) - 5:,} more" if len(cells) > 5 else ""
        for group in groups:
            self.problem(group, f"{why}: {some}{more}")
        self.waiting = []

    def size_read(self, name: str, rows: int, columns: int) -> int:
        """How many cells of a sheet a reference reads at most: what lies beyond its last cell takes no work."""
        height, width = self.book.sheets[name].kind.shape
        return min(rows, height) * min(columns, width)

    def compute(self, group: Group) -> None:
        """Evaluate all cells of a group, in pieces that fit into memory."""
        tree, sheet = group.tree, self.book.sheets[group.sheet]
        sizes = [self.size_read(*shape) for shape in group.shapes]
        self.read += sum(sizes) * len(group.rows)
        if self.read > self.most:
            self.problem(group, f"reads, with all before it, more than {self.most:,} cells, which sheetcnn does not do")
            return
        largest = max(sizes, default=1)
        step = max(1, _GATHER // largest)
        for start in range(0, len(group.rows), step):
            piece = slice(start, start + step)
            cells = group.rows[piece], group.columns[piece]
            context = Context(self.book, group, piece)
            try:
                result = context.value(tree).first()
            except FormulaError as error:
                self.beyond.append((_take(group, piece), str(error)))
                continue
            size = (len(cells[0]), 1, 1)
            kind = np.broadcast_to(result.kinds(), size)[:, 0, 0]
            number = np.broadcast_to(result.number, size)[:, 0, 0]
            blank = kind == BLANK  # a formula that points at a blank cell is 0
            sheet.kind[cells] = np.where(blank, NUMERIC, kind)
            sheet.number[cells] = np.where((kind == TEXT) | blank, 0.0, number)
            if result.kind is not None:
                sheet.errors_or_booleans += int(((kind != NUMERIC) & (kind != TEXT) & ~blank).sum())
                texts = np.broadcast_to(result.all_texts(), size)[:, 0, 0]
                for n in np.flatnonzero(kind == TEXT):
                    sheet.texts[int(cells[0][n]), int(cells[1][n])] = str(texts[n])
            self.done += len(cells[0])
            if self.progress is not None:
                self.progress(self.done, self.total)


def _sums(cells: np.ndarray) -> np.ndarray:
    """How many of these cells are set above row i and left of column j."""
    sums = np.zeros((cells.shape[0] + 1, cells.shape[1] + 1), np.int32)
    np.cumsum(np.cumsum(cells, axis=0, dtype=np.int32), axis=1, out=sums[1:, 1:])
    return sums


def _counted(sums: np.ndarray, tops: np.ndarray, lefts: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """How many cells are set in each of some rectangles of one size, which may reach beyond the ends."""
    ends = sums.shape[0] - 1, sums.shape[1] - 1
    first, last = (np.clip(tops + more, 0, ends[0]) for more in (0, rows))
    start, stop = (np.clip(lefts + more, 0, ends[1]) for more in (0, columns))
    return sums[last, stop] - sums[first, stop] - sums[last, start] + sums[first, start]


def _take(group: Group, which: np.ndarray | slice) -> Group:
    return Group(
        group.sheet, group.text, group.shapes, group.rows[which], group.columns[which], group.tops[which], group.lefts[which]
    )
