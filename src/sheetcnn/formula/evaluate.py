"""Evaluate a workbook's formulas, all cells that read alike at once.

Formulas are grouped by skeleton: their text without the references, with the size of each. A skeleton is parsed once
and evaluated for all its cells. Taking a formula apart is what costs, so it is done for the first two cells of a run
only: their difference predicts the text of the next ones, which is then merely compared.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..a1 import LETTERS, MAX_COLUMNS, NUMBER, cell_name
from ..errors import FormulaError
from ..progress import Progress
from .functions import FUNCTIONS
from .parser import ARRAY, BINARY, Reference, Tree, expanded, parse, references_in, skeleton, words
from .reader import Book, Sheet
from .values import (
    BLANK,
    ERROR,
    ERRORS,
    NUMERIC,
    PENDING,
    TEXT,
    VALUE,
    Values,
    compare,
    constant,
    divide,
    elementwise,
    error,
    fitting,
    power,
)

_GATHER = 4_000_000  # cells gathered at once: bounds memory
# How many cells must share a range for `dot` to go range by range. Measured: for the tall kernels of wide layers, most
# of them blank, that is quicker from 1 to 4 cells on, for dense ones of 3×3 only from 16, but those take little time.
_SHARED = 4
LONGEST = 32_000  # letters of a formula; Excel takes 8,192 as they are typed, and writes some more into files
_TOO_LONG = "\x02"  # the skeleton of all longer ones
_AT_ONCE = 20_000_000  # cells of one reference
_READ, _READ_EACH = (
    2_000_000_000,
    50_000,
)  # cells that all formulas may read, and each of them on average where these are more
_LOOKED = 20_000_000_000  # cells looked at for whether they wait
_PATIENCE = 200_000_000  # cells looked at in vain: bounds the time that long chains of cells take


Area = tuple[str, int, int, int, int]  # sheet, top, left, bottom, right


@dataclass
class Group:
    """The cells of one sheet whose formulas have one skeleton, and the corner of each of their references."""

    sheet: str
    text: str
    shapes: tuple[tuple[str, int, int], ...]  # of each reference: sheet, rows, columns
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
        if self.text == _TOO_LONG:
            raise FormulaError(f"is longer than {LONGEST:,} characters")
        return parse(self.text[len(ARRAY) : -1] if self.array else self.text)


@dataclass
class _Runs:
    """Runs of neighbouring cells whose references move by constant steps."""

    rows: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    tops: list[list[int]] = field(default_factory=list)
    lefts: list[list[int]] = field(default_factory=list)
    steps: list[list[int]] = field(default_factory=list)

    def add(self, row: int, column: int, length: int, references: list[Reference], steps: list[int]) -> None:
        self.rows.append(row)
        self.columns.append(column)
        self.lengths.append(length)
        self.tops.append([reference.top for reference in references])
        self.lefts.append([reference.left for reference in references])
        self.steps.append(steps)

    def group(self, sheet: str, text: str, shapes: tuple[tuple[str, int, int], ...]) -> Group:
        lengths = np.array(self.lengths)
        within = (np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)).astype(np.int32)
        size = (len(lengths), len(shapes))
        lefts = np.repeat(np.array(self.lefts, np.int32).reshape(size), lengths, axis=0)
        steps = np.array(self.steps, np.int32).reshape(size)
        for n in range(len(shapes)):  # one reference at a time: no second array of all of them
            lefts[:, n] += np.repeat(steps[:, n], lengths) * within
        return Group(
            sheet,
            text,
            shapes,
            np.repeat(np.array(self.rows, np.int32), lengths),
            np.repeat(np.array(self.columns, np.int32), lengths) + within,
            np.repeat(np.array(self.tops, np.int32).reshape(size), lengths, axis=0),
            lefts,
        )


def groups_of(sheet: Sheet, definitions: Mapping[tuple[str, str], str] | None = None) -> list[Group]:
    """The formulas of a sheet by skeleton; `definitions` are what names stand for, as `Book` has them."""
    meant = definitions or {}
    found: dict[tuple[str, tuple[tuple[str, int, int], ...]], _Runs] = {}
    for row, cells in sheet.formulas.items():
        start = 0
        while start < len(cells):
            column, text = cells[start]
            if len(text) > LONGEST:
                found.setdefault((_TOO_LONG, ()), _Runs()).add(row, column, 1, [], [])
                start += 1
                continue
            whole, references = skeleton(text)
            end, steps = _run(cells, start, text, references)
            if any((scope, word) in meant for word in words(whole) for scope in (sheet.name, "")) or "!" in whole:
                whole, references, steps = _with_names(cells, start, end, sheet.name, meant)
            shapes = tuple((r.sheet if r.sheet is not None else sheet.name, r.rows, r.columns) for r in references)
            found.setdefault((whole, shapes), _Runs()).add(row, column, end - start, references, steps)
            start = end
    return [runs.group(sheet.name, text, shapes) for (text, shapes), runs in found.items()]


def _with_names(
    cells: list[tuple[int, str]], start: int, end: int, sheet: str, definitions: Mapping[tuple[str, str], str]
) -> tuple[str, list[Reference], list[int]]:
    """The skeleton, the references and their steps of a run whose formulas have names: those stay where they are."""
    whole, references = skeleton(expanded(cells[start][1], sheet, definitions))
    if end == start + 1:
        return whole, references, [0] * len(references)
    _, following = skeleton(expanded(cells[start + 1][1], sheet, definitions))
    return whole, references, [after.left - before.left for before, after in zip(references, following, strict=True)]


def _run(cells: list[tuple[int, str]], start: int, text: str, references: list[Reference]) -> tuple[int, list[int]]:
    """How far neighbours follow the pattern of the first two cells (the index after the last), and the step of each reference."""
    still = [0] * len(references)
    if start + 2 >= len(cells) or cells[start + 1][0] != cells[start][0] + 1:
        return start + 1, still
    _, following = skeleton(cells[start + 1][1])
    if len(following) != len(references):
        return start + 1, still
    steps = [after.left - before.left for before, after in zip(references, following, strict=True)]
    pieces = _column_pieces(text)
    if pieces is None:
        return start + 1, still
    constant_text, columns, owners = pieces
    moving = [(column, steps[owner]) for column, owner in zip(columns, owners, strict=True)]
    pattern = "".join(
        piece.replace("%", "%%") + ("%s" if step else LETTERS[column])
        for piece, (column, step) in zip(constant_text, [*moving, (0, 0)], strict=True)
    )
    moving = [(column, step) for column, step in moving if step]
    at, size = start + 1, 2
    while at < len(cells):  # compare in growing pieces, so that a mismatch costs no more than what was matched
        size = min(size * 2, len(cells) - at)
        ahead = at - start
        letters = []
        for column, step in moving:
            first, last = column + step * ahead, column + step * (ahead + size - 1)
            if not (1 <= first <= MAX_COLUMNS and 1 <= last <= MAX_COLUMNS):
                size = 0
                break
            letters.append(LETTERS[first : last + (1 if step > 0 else -1) : step])
        if not size:
            break
        texts = [pattern % place for place in zip(*letters, strict=True)] if letters else [pattern % ()] * size
        column = cells[start][0] + ahead
        matched = 0
        for (have, have_text), want in zip(cells[at : at + size], texts, strict=True):
            if have != column + matched or have_text != want:
                break
            matched += 1
        at += matched
        if matched < size:
            break
    return (at, steps) if at > start + 1 else (start + 1, still)


def _column_pieces(text: str) -> tuple[list[str], list[int], list[int]] | None:
    """A formula cut at the column letters of its references: the text between, the columns, and whose they are."""
    pieces, columns, owners = [], [], []
    last = 0
    for owner, (match, _) in enumerate(references_in(text)):
        for group in (4, 6):
            if match[group] is None:
                continue
            if match[group] not in NUMBER:
                return None
            pieces.append(text[last : match.start(group)])
            columns.append(NUMBER[match[group]])
            owners.append(owner)
            last = match.end(group)
    return [*pieces, text[last:]], columns, owners


def evaluate(book: Book, groups: list[Group], progress: Progress | None = None) -> None:
    """Give every formula's cell its value; what cannot be evaluated becomes an error and is named in `book.problems`.

    `groups` are those of all sheets, as `group_formulas` finds them.
    """
    evaluator = Evaluator(book, groups, progress)
    while beyond := evaluator.run():
        for group, reason in beyond:
            evaluator.problem(group, reason)


def group_formulas(book: Book) -> list[Group]:
    """All formulas of a workbook by skeleton, sheet by sheet."""
    return [group for sheet in book.sheets.values() for group in groups_of(sheet, book.definitions)]


def needed(book: Book, groups: list[Group], areas: Iterable[Area]) -> list[Group]:
    """The formulas in some areas, and those of all that they read, directly or not.

    Raises WorkbookError where cells that were left out, as being far from all others, are among what is read.
    """
    read = {name: np.zeros(sheet.kind.shape, bool) for name, sheet in book.sheets.items()}
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
                    _mark(read[name], tops, lefts, rows, columns)
        if len(rest) == len(left_over):
            return found[::-1]
        left_over = rest


def _mark(cells: np.ndarray, tops: np.ndarray, lefts: np.ndarray, rows: int, columns: int) -> None:
    """Mark what references of one size read; where that would ask for much memory, all between their corners."""
    top, left = int(tops.min()), int(lefts.min())
    height, width = int(tops.max()) - top + 1, int(lefts.max()) - left + 1  # of the corners
    box = cells[top : top + height - 1 + rows, left : left + width - 1 + columns]
    if height * width == 1 or (height + rows) * (width + columns) > _GATHER:
        box[...] = True
        return
    corners = np.zeros((height, width), np.int32)
    corners[tops - top, lefts - left] = 1
    # Each reference adds 1 at its corner and takes it away beyond its ends: sums of these count who reads a cell.
    counts = np.zeros((height + rows, width + columns), np.int32)
    counts[:height, :width] += corners
    counts[rows:, columns:] += corners
    counts[rows:, :width] -= corners
    counts[:height, columns:] -= corners
    counts = np.cumsum(np.cumsum(counts, axis=0), axis=1)
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

    def owners(self, groups: list[Group]) -> dict[str, np.ndarray]:
        """Which of the groups each cell of a sheet belongs to, −1 where none."""
        found: dict[str, np.ndarray] = {}
        for n, group in enumerate(groups):
            if group.sheet not in found:
                found[group.sheet] = np.full(self.book.sheets[group.sheet].kind.shape, -1, np.int32)
            found[group.sheet][group.rows, group.columns] = n
        return found

    def waits_for(self, group: Group, owners: dict[str, np.ndarray]) -> int | None:
        """The owner of the first cell that waits between the corners of all that a group reads; None where none does."""
        for n, (name, rows, columns) in enumerate(group.shapes):
            top, left = int(group.tops[:, n].min()), int(group.lefts[:, n].min())
            bottom, right = int(group.tops[:, n].max()) + rows, int(group.lefts[:, n].max()) + columns
            waits = self.book.sheets[name].kind[top:bottom, left:right] == PENDING
            self.looked += waits.size
            if waits.any():
                i, j = divmod(int(waits.argmax()), waits.shape[1])
                return int(owners[name][top + i, left + j]) if name in owners else -1
        return None

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
            ends = [sums.shape[0] - 1, sums.shape[1] - 1]
            first, last = (np.clip(group.tops[:, n] + more - top, 0, ends[0]) for more in (0, rows))
            start, stop = (np.clip(group.lefts[:, n] + more - left, 0, ends[1]) for more in (0, columns))
            ready &= sums[last, stop] - sums[first, stop] - sums[last, start] + sums[first, start] == 0
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
            sums = np.zeros((waits.shape[0] + 1, waits.shape[1] + 1), np.int64)
            np.cumsum(np.cumsum(waits, axis=0), axis=1, out=sums[1:, 1:])
            found[name] = sums, top, left
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
            context = _Context(self.book, group, piece)
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


def _take(group: Group, which: np.ndarray | slice) -> Group:
    return Group(
        group.sheet, group.text, group.shapes, group.rows[which], group.columns[which], group.tops[which], group.lefts[which]
    )


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


class _Context:
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
        kind = sheet.kind[i, j]
        values = Values(sheet.number[i, j], None if (kind == NUMERIC).all() else kind)
        if texts and values.kind is not None and (kind == TEXT).any():
            values.texts = np.full(kind.shape, "", object)
            i, j = np.broadcast_to(i, kind.shape), np.broadcast_to(j, kind.shape)
            for place in zip(*np.nonzero(kind == TEXT), strict=True):
                values.texts[place] = sheet.texts[int(i[place]), int(j[place])]
        return values

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
            places, which = np.unique(np.stack([one_top, one_left]), axis=1, return_inverse=True)
            which = which.reshape(-1)
            if places.shape[1] * _SHARED > len(a_top):
                continue
            order = np.argsort(which, kind="stable")
            ends = np.cumsum(np.bincount(which, minlength=places.shape[1]))
            for n, (top, start) in enumerate(places.T.tolist()):
                shared = one.number[top : top + rows, start : start + columns]
                down, along = np.nonzero(shared)
                cells = order[(ends[n - 1] if n else 0) : ends[n]]
                i = np.minimum(two_top[cells, None] + down, two.kind.shape[0] - 1)
                j = np.minimum(two_left[cells, None] + along, two.kind.shape[1] - 1)
                result[cells] = two.number[i, j] @ shared[down, along]
            return Values(result.reshape(-1, 1, 1))
        x, y = self.cells(left).number, self.cells(right).number
        return Values(np.einsum("nij,nij->n", *np.broadcast_arrays(x, y)).reshape(-1, 1, 1))


def _binary(sign: str, left: Values, right: Values) -> Values:
    if sign == "/":
        return divide(left, right)
    if sign == "^":
        return power(left, right)
    if sign in ("+", "-", "*"):
        return elementwise({"+": np.add, "-": np.subtract, "*": np.multiply}[sign], left, right)
    return compare(sign, left, right)
