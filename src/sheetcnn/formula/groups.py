"""Formulas that read alike, together.

They are grouped by skeleton: their text without the references, with the size of each. A skeleton is parsed once and evaluated for
all its cells. Taking a formula apart is what costs, so it is done for the first two cells of a run only: their difference predicts
the text of the next ones, which is then merely compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..a1 import LETTERS, MAX_COLUMNS, NUMBER
from ..errors import FormulaError
from .book import Book, Sheet
from .functions import FUNCTIONS
from .parser import ARRAY, Reference, Tree, expanded, parse, references_in, skeleton, words

LONGEST = 32_000  # letters of a formula; Excel takes 8,192 as they are typed, and writes some more into files
_TOO_LONG = "\x02"  # the skeleton of all longer ones
_GATHER = 4_000_000  # cells between rectangles that are counted together: bounds memory
_RECTANGLES = 100_000  # that are set one after the other where there are too many cells between them

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
