"""Formulas that read alike, together.

They are grouped by skeleton: their text without the references, with the size of each. A skeleton is parsed once and evaluated for
all its cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import FormulaError
from .book import Book, Sheet
from .functions import FUNCTIONS
from .parser import ARRAY, Tree, parse
from .pieces import blank
from .runs import LONGEST, TOO_LONG, Run, Shapes, runs_of

_GATHER = 4_000_000  # cells between rectangles that are counted together: bounds memory
_RECTANGLES = 100_000  # that are set one after the other where there are too many cells between them

Area = tuple[str, int, int, int, int]  # sheet, top, left, bottom, right


@dataclass
class Group:
    """The cells of one sheet whose formulas have one skeleton, and the corner of each of their references."""

    sheet: str
    text: str
    shapes: Shapes  # of each reference: sheet, rows, columns
    rows: np.ndarray  # cells
    columns: np.ndarray
    tops: np.ndarray  # cells × references
    lefts: np.ndarray

    def cells(self) -> Iterator[tuple[int, int]]:
        """Row and column of each cell."""
        return zip(self.rows.tolist(), self.columns.tolist(), strict=True)

    @property
    def array(self) -> bool:
        """Whether they were entered as array formulas, in which arithmetic takes ranges."""
        return self.text.startswith(ARRAY)

    @property
    def tree(self) -> Tree:
        """The syntax tree. Raises FormulaError for a syntax that is not known."""
        if self.text == TOO_LONG:
            raise FormulaError(f"is longer than {LONGEST:,} characters")
        return parse(self.text[len(ARRAY) : -1] if self.array else self.text)


def groups_of(sheet: Sheet, definitions: Mapping[tuple[str, str], str] | None = None) -> list[Group]:
    """The formulas of a sheet by skeleton; `definitions` are what names stand for, as `Book` has them."""
    found: dict[tuple[str, Shapes], list[Run]] = {}
    for run in runs_of(sheet.formulas.packed(), sheet.name, definitions or {}):
        found.setdefault((run.text, run.shapes), []).append(run)
    return [_group(sheet.name, text, shapes, runs) for (text, shapes), runs in found.items()]


def _group(sheet: str, text: str, shapes: Shapes, runs: list[Run]) -> Group:
    """All cells of runs of one skeleton."""
    times = np.array([run.times for run in runs])
    below = (np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)).astype(np.int32)  # the first row of a run
    lengths = np.repeat([run.length for run in runs], times)
    within = (np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)).astype(np.int32)

    def of_cells(each: list[list[int]], moves: list[list[int]], by_rows: bool) -> np.ndarray:
        """One number for each reference of each cell."""
        size = (len(runs), len(shapes))
        first, step = (np.repeat(np.array(part, np.int32).reshape(size), times, axis=0) for part in (each, moves))
        if by_rows:
            first += step * below[:, None]
        found = np.repeat(first, lengths, axis=0)
        if not by_rows:
            for n in range(len(shapes)):  # one reference at a time: no second array of all of them
                found[:, n] += np.repeat(step[:, n], lengths) * within
        return found

    rows = np.repeat(np.array([run.row for run in runs], np.int32), times) + below
    columns = np.repeat(np.array([run.column for run in runs], np.int32), times)
    return Group(
        sheet,
        text,
        shapes,
        np.repeat(rows, lengths),
        np.repeat(columns, lengths) + within,
        of_cells([run.tops for run in runs], [run.falls for run in runs], True),
        of_cells([run.lefts for run in runs], [run.steps for run in runs], False),
    )


def group_formulas(book: Book) -> list[Group]:
    """All formulas of a workbook by skeleton, sheet by sheet."""
    return [group for sheet in book.sheets.values() for group in groups_of(sheet, book.definitions)]


def needed(book: Book, groups: list[Group], areas: Iterable[Area]) -> list[Group]:
    """The formulas in some areas, and those of all that they read, directly or not.

    Raises WorkbookError where cells that were left out, as being far from all others, are among what is read.
    """
    read = {name: blank(sheet.kind.shape, np.bool_) for name, sheet in book.sheets.items()}
    for name, top, left, bottom, right in areas:
        if name in read:
            book.refuse_far(name, top, left, bottom, right)
            read[name][top : bottom + 1, left : right + 1] = True
    found, left_over = [], groups[::-1]  # from the last sheet to the first, as workbooks are read
    while True:
        rest = []
        for group in left_over:
            if not (read[group.sheet][group.rows, group.columns].any() or _spills_into(book, group, read[group.sheet])):
                rest.append(group)
                continue
            found.append(group)
            for n, (name, rows, columns) in enumerate(group.shapes):
                if name in read:
                    tops, lefts = group.tops[:, n], group.lefts[:, n]
                    book.refuse_far(name, tops.min(), lefts.min(), tops.max() + rows - 1, lefts.max() + columns - 1)
                    mark(read[name], tops, lefts, rows, columns)
        if len(rest) == len(left_over):
            return found[::-1]
        left_over = rest


def mark(cells: np.ndarray, tops: np.ndarray, lefts: np.ndarray, rows: int, columns: int) -> None:
    """Set the cells of rectangles of one size, as far as there are any; where that would ask for much, all between their corners."""
    top, left = int(tops.min()), int(lefts.min())
    height, width = int(tops.max()) - top + 1, int(lefts.max()) - left + 1  # of the corners
    box = cells[top : top + height - 1 + rows, left : left + width - 1 + columns]
    if height * width == 1:
        box[...] = True
        return
    if (height + rows) * (width + columns) > _GATHER:
        corners = np.unique(np.stack([tops, lefts], axis=1), axis=0)
        if len(corners) > _RECTANGLES:
            box[...] = True
        else:
            for i, j in corners.tolist():
                cells[i : i + rows, j : j + columns] = True
        return
    # Each rectangle adds 1 at its corner and takes it away beyond its ends: sums of these count those that a cell is in.
    corners = np.zeros((height, width), np.int32)
    corners[tops - top, lefts - left] = 1
    counts = np.zeros((height + rows, width + columns), np.int32)
    counts[:height, :width] += corners
    counts[rows:, columns:] += corners
    counts[rows:, :width] -= corners
    counts[:height, columns:] -= corners
    np.cumsum(np.cumsum(counts, axis=0, dtype=np.int32), axis=1, dtype=np.int32, out=counts)
    box |= counts[: box.shape[0], : box.shape[1]] > 0


def _spills_into(book: Book, group: Group, cells: np.ndarray) -> bool:
    """Whether an array formula of a group fills one of these cells."""
    spills = book.sheets[group.sheet].spills
    if not (group.array and spills):
        return False
    sizes = [(place, spills[place]) for place in group.cells() if place in spills]
    return any(cells[row : row + height, column : column + width].any() for (row, column), (height, width) in sizes)


def beyond_ours(book: Book, group: Group) -> str | None:
    """Why our evaluator cannot evaluate a skeleton; None where it can."""
    if group.array and not book.sheets[group.sheet].spills.keys().isdisjoint(group.cells()):
        return "fills several cells at once"
    try:
        _check(group.tree)
    except FormulaError as error:
        return str(error)
    for name, _, _ in group.shapes:
        if name not in book.sheets:
            return f"refers to a sheet {name!r:.40} that does not exist"
    return None


def _check(tree: Tree) -> None:
    """Raise FormulaError where a tree calls a function that is not known, or with the wrong number of arguments."""
    trees = [tree]
    while trees:
        tree = trees.pop()
        trees += tree.parts
        if tree.kind != "call":
            continue
        name = str(tree.value)
        function = FUNCTIONS.get(name)
        if function is None:
            raise FormulaError(f"calls {_as_typed(name):.60}, which sheetcnn does not know")
        given, least, most = len(tree.parts), function.least, function.most
        if not least <= given <= most:
            takes = f"{least}" if least == most else f"at least {least} and at most {most}"
            raise FormulaError(f"gives {name} {given} argument{'s' * (given != 1)}; it takes {takes}")


def _as_typed(name: str) -> str:
    """A function as a person knows it: in files, Excel writes _xlfn.IFS and _xlfn._xlws.SORT for IFS and SORT."""
    typed = name.removeprefix("_XLFN.").removeprefix("_XLWS.")
    return name if typed in FUNCTIONS else typed  # to Excel, _xlfn.SUM is not SUM
