"""Formulas of neighbouring cells that differ by constant steps.

Taking a formula apart is what costs, so it is done for the first two cells of a run only: their difference predicts the text of
the next ones, which is then merely compared. So do the first two rows of a grid predict all others.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ..a1 import LETTERS, MAX_COLUMNS, NUMBER
from .below import BETWEEN, Below, Continued, PackedRow
from .parser import Reference, expanded, references_in, skeleton, words

LONGEST = 32_000  # letters of a formula; Excel takes 8,192 as they are typed, and writes some more into files
TOO_LONG = "\x02"  # the skeleton of all longer ones

Shapes = tuple[tuple[str, int, int], ...]  # of each reference: sheet, rows, columns
Cells = list[tuple[int, str]]  # of a row: columns and formulas
Definitions = Mapping[tuple[str, str], str]


@dataclass(slots=True)
class Run:
    """Neighbours in a row whose references move by constant steps, and as many rows below whose references do so too."""

    row: int
    column: int
    length: int
    text: str  # the skeleton
    shapes: Shapes
    tops: list[int]  # of the first cell's references
    lefts: list[int]
    steps: list[int]  # from a cell to the next: columns
    named: bool = False  # whether names stand for some of them
    times: int = 1  # rows
    falls: list[int] = field(default_factory=list)  # from a row to the next

    def __post_init__(self) -> None:
        self.falls = [0] * len(self.tops)

    def like(self, other: Run) -> bool:
        """Whether it differs from a run of another row by rows only."""
        mine = self.column, self.length, self.text, self.shapes, self.lefts, self.steps
        its = other.column, other.length, other.text, other.shapes, other.lefts, other.steps
        return mine == its and not (self.named or other.named)


def runs_of(rows: Iterable[PackedRow], sheet: str, definitions: Definitions) -> Iterator[Run]:
    """The runs of a sheet's formulas, given by rows: number, columns, and their texts joined or how they go on."""
    above: list[Run] = []  # of the row before the last one
    last: list[Run] = []
    followed: Below | None = None  # by the rows that go on like the last one
    for number, columns, texts in rows:
        if isinstance(texts, Continued):
            if texts.times == 1:
                followed = texts.below if _go_on(above, last, texts.below.step) else None
            if texts.below is followed:
                for run in last:
                    run.times += 1
                continue
        above, last = last, _runs_of_row(number, columns, str(texts), sheet, definitions)
        yield from last


def _go_on(above: list[Run], last: list[Run], step: int) -> bool:
    """Whether rows whose texts go on like these read what lies `step` rows further down, or the same; the last ones know it then."""
    if len(above) != len(last) or not all(run.like(other) for run, other in zip(above, last, strict=True)):
        return False
    for before, run in zip(above, last, strict=True):
        run.falls = [below - top for below, top in zip(run.tops, before.tops, strict=True)]
        if not {*run.falls} <= {0, step}:  # a reference's ends changed places
            return False
    return True


def _runs_of_row(number: int, columns: array[int], texts: str, sheet: str, meant: Definitions) -> list[Run]:
    cells = list(zip(columns, texts.split(BETWEEN), strict=True))
    found, start = [], 0
    while start < len(cells):
        column, text = cells[start]
        if len(text) > LONGEST:
            found.append(Run(number, column, 1, TOO_LONG, (), [], [], []))
            start += 1
            continue
        whole, references = skeleton(text)
        end, steps = _run(cells, start, text, references)
        named = any((scope, word) in meant for word in words(whole) for scope in (sheet, "")) or "!" in whole
        if named:
            whole, references, steps = _with_names(cells, start, end, sheet, meant)
        shapes = tuple((r.sheet if r.sheet is not None else sheet, r.rows, r.columns) for r in references)
        tops, lefts = [r.top for r in references], [r.left for r in references]
        found.append(Run(number, column, end - start, whole, shapes, tops, lefts, steps, named))
        start = end
    return found


def _with_names(
    cells: Cells, start: int, end: int, sheet: str, definitions: Definitions
) -> tuple[str, list[Reference], list[int]]:
    """The skeleton, the references and their steps of a run whose formulas have names: those stay where they are."""
    whole, references = skeleton(expanded(cells[start][1], sheet, definitions))
    if end == start + 1:
        return whole, references, [0] * len(references)
    _, following = skeleton(expanded(cells[start + 1][1], sheet, definitions))
    return whole, references, [after.left - before.left for before, after in zip(references, following, strict=True)]


def _run(cells: Cells, start: int, text: str, references: list[Reference]) -> tuple[int, list[int]]:
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
