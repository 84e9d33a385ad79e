"""Other people's engines, for formulas that our evaluator does not know: formualizer, then LibreOffice where it is installed.

One engine is chosen for a workbook: the first that computes all that is asked. It gets the workbook anew, written from
what was read of it (numbers, texts, formulas and names), so that nothing else of a stranger's file reaches it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...a1 import MAX_COLUMNS, MAX_ROWS
from ...progress import Progress
from ..book import Book
from ..evaluate import Evaluator
from ..groups import Group
from ..values import BOOLEAN, ERROR, ERRORS, NUMERIC, TEXT, UNKNOWN
from .by_formualizer import Formualizer
from .by_libreoffice import LibreOffice
from .engine import Answer, Engine, Place
from .written import Written

__all__ = ["Answer", "Engine", "Formualizer", "Helped", "LibreOffice", "Place", "evaluate_with_help"]


@dataclass(frozen=True)
class Helped:
    """How many cells an engine computed, and why ours did not."""

    engine: str
    cells: int
    reason: str

    @property
    def words(self) -> str:
        formulas = "1 formula" if self.cells == 1 else f"{self.cells:,} formulas"
        return f"{self.engine} computed {formulas} that sheetcnn's own evaluator cannot ({self.reason})"


def evaluate_with_help(
    books: Sequence[Book],
    groups: list[Group],
    wanted: list[Group],
    engines: Sequence[Engine],
    progress: Progress | None = None,
    *,
    ours: bool = True,
) -> list[Helped]:
    """Give formulas their values: ours first, and what it cannot the engines.

    `books` are one workbook with different numbers, `groups` its formulas, of which some are `wanted`. `ours=False` leaves
    even what ours knows to the engines. What nobody can evaluate becomes #UNKNOWN! and is named in `problems`.
    """
    written = Written(books, groups)
    evaluators = [Evaluator(book, wanted, progress, ours=ours) for book in books]
    helped: list[Helped] = []
    while beyond := _together([evaluator.run() for evaluator in evaluators]):
        for sheet in books[0].far:  # what others know may read any cell: whole columns, or cells that are looked up
            books[0].refuse_far(sheet, 1, 1, MAX_ROWS, MAX_COLUMNS)
        cells = {place: _text(books[0], place) for group, _ in beyond for place in _filled(books[0], group)}
        # Whoever asks for an engine by name waits for it; a formula or two in a huge workbook are not worth it.
        engine, answers = _best(() if ours and written.too_large else engines, written, cells)
        reason = beyond[0][1]
        known = set(answers[0]).intersection(*answers[1:]) if answers else set()
        if known:
            helped.append(Helped(engine, len(known), reason))
        for n, book in enumerate(books):
            _settle(book, beyond, {place: answers[n][place] for place in known})
    return helped


def _together(found: list[list[tuple[Group, str]]]) -> list[tuple[Group, str]]:
    """The groups that are beyond ours with any of the numbers, each once."""
    seen: set[Place] = set()
    groups = []
    for group, reason in (pair for beyond in found for pair in beyond):
        places = {(group.sheet, row, column) for row, column in group.cells()}
        if not places <= seen:
            seen |= places
            groups.append((group, reason))
    return groups


def _filled(book: Book, group: Group) -> Iterator[Place]:
    """The cells that get their values from a group's formulas: more than its own where array formulas fill several."""
    spills = book.sheets[group.sheet].spills
    for row, column in group.cells():
        height, width = spills.get((row, column), (1, 1))
        for i, j in np.ndindex(height, width):
            yield group.sheet, row + i, column + j


def _text(book: Book, place: Place) -> str:
    """The formula of a cell; nothing where an array formula of another cell fills it."""
    sheet, row, column = place
    return book.sheets[sheet].formula(row, column) or ""


def _best(engines: Sequence[Engine], written: Written, cells: dict[Place, str]) -> tuple[str, list[dict[Place, Answer]]]:
    """The first engine that knows all cells, or else the one that knows most, with its answers."""
    best: tuple[str, list[dict[Place, Answer]]] = "", []
    most = 0
    asked = {place: text for place, text in cells.items() if _ELSEWHERE not in text}
    for engine in engines:
        answers = engine.compute(written.files, asked) if asked else []
        known = min(map(len, answers), default=0)
        if known > most:
            best, most = (engine.name, answers), known
        if most == len(cells):
            return best
    # A formula that catches errors may have caught one that only says that the engine does not know another formula.
    name, answers = best
    doubtful = {place for place, text in cells.items() if _CATCHES.search(text)}
    return name, [{place: answer for place, answer in of.items() if place not in doubtful} for of in answers]


_ELSEWHERE = "DUMMYFUNCTION"  # what Google Sheets writes for functions that only it has, with the value that they had
_CATCHES = re.compile(r"(IFERROR|IFNA|ISERR|ISNA|ISNUMBER|AGGREGATE|COUNT|ERROR\.TYPE)", re.I)


def _settle(book: Book, beyond: list[tuple[Group, str]], answers: dict[Place, Answer]) -> None:
    """Give cells their answers; where there is none, say why."""
    for group, reason in beyond:
        sheet = book.sheets[group.sheet]
        for place in _filled(book, group):
            _, row, column = place
            answer = answers.get(place, ERRORS[UNKNOWN])
            if place not in answers:
                book.problems[place] = reason
            kind, number = NUMERIC, answer
            if isinstance(answer, bool):
                kind = BOOLEAN
            elif isinstance(answer, str):
                kind, number = (ERROR, ERRORS.index(answer)) if answer in ERRORS else (TEXT, 0.0)
                if kind == TEXT:
                    sheet.texts[row, column] = answer
            sheet.kind[row, column], sheet.number[row, column] = kind, number
            sheet.errors_or_booleans += kind in (ERROR, BOOLEAN)
