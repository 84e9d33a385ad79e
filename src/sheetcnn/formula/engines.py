"""Other people's engines, for formulas that our evaluator does not know: formualizer, then LibreOffice where it is installed.

One engine is chosen for a workbook: the first that computes all that is asked. It gets the workbook anew, written from
what was read of it (numbers, texts, formulas and names), so that nothing else of a stranger's file reaches it.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from ..errors import EngineError, WorkbookError
from ..libreoffice import converted, find_libreoffice
from ..progress import Progress
from .a1 import cell_name
from .evaluate import Evaluator, Group
from .functions import FUNCTIONS
from .parser import ARRAY
from .reader import Book, Sheet, read_book
from .values import BLANK, BOOLEAN, ERROR, ERRORS, NUMERIC, PENDING, TEXT, UNKNOWN

Place = tuple[str, int, int]  # sheet, row, column
Answer = float | str | bool  # errors are told by their text
TIME = 20.0  # seconds that an engine may take


class Engine(Protocol):
    """Who computes cells of workbooks; what it does not know is missing from its answer."""

    name: str

    def compute(self, books: Sequence[bytes], cells: Mapping[Place, str]) -> list[dict[Place, Answer]]:
        """The values of cells in each of several workbooks; the cells' formulas stand beside them."""


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

    `books` are one workbook with different numbers, `groups` its formulas, of which some are `wanted`. `ours=False` leaves even what ours knows to the engines. What nobody
    can evaluate becomes #UNKNOWN! and is named in `problems`; where the program that saved the workbook had an error
    there, too, it is that error.
    """
    written = _Once(books, groups)
    evaluators = [Evaluator(book, wanted, progress, ours=ours) for book in books]
    helped: list[Helped] = []
    while beyond := _together([evaluator.run() for evaluator in evaluators]):
        cells = {place: _text(books[0], place) for group, _ in beyond for place in _filled(books[0], group)}
        engine, answers = _best(engines, written, cells)
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


def _best(engines: Sequence[Engine], written: _Once, cells: dict[Place, str]) -> tuple[str, list[dict[Place, Answer]]]:
    """The first engine that knows all cells, or else the one that knows most, with its answers."""
    best: tuple[str, list[dict[Place, Answer]]] = "", []
    most = 0
    for engine in engines:
        answers = engine.compute(written.files, cells)
        known = min(map(len, answers), default=0)
        if known > most:
            best, most = (engine.name, answers), known
        if most == len(cells):
            return best
    # A formula that catches errors may have caught one that only says that the engine does not know another formula.
    name, answers = best
    doubtful = {place for place, text in cells.items() if _CATCHES.search(text)}
    return name, [{place: answer for place, answer in of.items() if place not in doubtful} for of in answers]


_CATCHES = re.compile(r"(IFERROR|IFNA|ISERR|ISNA|ISNUMBER|AGGREGATE|COUNT|ERROR\.TYPE)", re.I)


def _settle(book: Book, beyond: list[tuple[Group, str]], answers: dict[Place, Answer]) -> None:
    """Give cells their answers; where there is none, say why."""
    for group, reason in beyond:
        sheet = book.sheets[group.sheet]
        for place in _filled(book, group):
            _, row, column = place
            saved = sheet.saved_texts.get((row, column))
            answer = answers.get(place, saved if saved in ERRORS else ERRORS[UNKNOWN])
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


# -- the workbook, written anew --------------------------------------------------------------------------------------------
class _Once:
    """The workbooks as files, which are written when the first engine asks for them."""

    def __init__(self, books: Sequence[Book], groups: list[Group]) -> None:
        self._books, self._groups = books, groups
        self._files: list[bytes] = []

    @property
    def files(self) -> list[bytes]:
        if not self._files:
            formulas = _formulas(self._books[0], self._groups)
            self._files = [_as_xlsx(book, formulas) for book in self._books]
        return self._files


def _formulas(book: Book, groups: list[Group]) -> dict[str, dict[int, list[tuple[int, str]]]]:
    """The cells that are formulas, by sheet and row, as XML; empty ones where an array formula fills them."""
    live = {name: np.zeros(sheet.kind.shape, bool) for name, sheet in book.sheets.items()}
    for group in groups:
        live[group.sheet][group.rows, group.columns] = True
    found: dict[str, dict[int, list[tuple[int, str]]]] = {}
    for name, sheet in book.sheets.items():
        rows = found.setdefault(name, {})
        for row, cells in sheet.formulas.items():
            for column, text in cells:
                if not live[name][row, column]:
                    continue
                kind = ""
                if text.startswith(ARRAY):
                    height, width = sheet.spills.get((row, column), (1, 1))
                    kind = f' t="array" ref="{cell_name(row, column)}:{cell_name(row + height - 1, column + width - 1)}"'
                    text = text[len(ARRAY) : -1]
                    for i, j in np.ndindex(height, width):
                        if i or j:
                            rows.setdefault(row + i, []).append((column + j, ""))
                rows.setdefault(row, []).append((column, f'<c r="{cell_name(row, column)}"><f{kind}>{escape(text)}</f></c>'))
    return found


def _as_xlsx(book: Book, formulas: dict[str, dict[int, list[tuple[int, str]]]]) -> bytes:
    """A workbook with these formulas, and no values saved beside them; everything else as it is."""
    stream = io.BytesIO()
    sheets, parts, types = [], [], []
    with zipfile.ZipFile(stream, "w") as archive:
        for n, (name, sheet) in enumerate(book.sheets.items(), start=1):
            archive.writestr(f"xl/worksheets/sheet{n}.xml", _sheet_xml(sheet, formulas.get(name, {})))
            sheets.append(f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="r{n}"/>')
            parts.append(f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>')
            types.append(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>')
        places = {name: n for n, name in enumerate(book.sheets)}
        names = "".join(
            f"<definedName name={quoteattr(name)}{_scope(scope, places)}>{escape(text)}</definedName>"
            for (scope, name), text in book.definitions.items()
            if text and not name.startswith("_xlnm.") and (not scope or scope in places)
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{"".join(sheets)}</sheets><definedNames>{names}</definedNames></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACKAGE}/relationships">{"".join(parts)}</Relationships>'
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{"".join(types)}</Types>',
        )
    return stream.getvalue()


def _scope(sheet: str, places: dict[str, int]) -> str:
    return f' localSheetId="{places[sheet]}"' if sheet else ""


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _sheet_xml(sheet: Sheet, formulas: dict[int, list[tuple[int, str]]]) -> str:
    kinds = sheet.kind.copy()
    for row, cells in formulas.items():
        kinds[row, [column for column, _ in cells]] = PENDING
    found = {row: list(cells) for row, cells in formulas.items()}
    for row, column in np.argwhere((kinds != BLANK) & (kinds != PENDING)).tolist():
        found.setdefault(row, []).append((column, _constant_xml(sheet, row, column)))
    rows = "".join(f'<row r="{row}">{"".join(text for _, text in sorted(found[row]))}</row>' for row in sorted(found))
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def _constant_xml(sheet: Sheet, row: int, column: int) -> str:
    kind, number, name = sheet.kind[row, column], float(sheet.number[row, column]), cell_name(row, column)
    if kind == NUMERIC:
        return f'<c r="{name}"><v>{number!r}</v></c>'
    if kind == BOOLEAN:
        return f'<c r="{name}" t="b"><v>{int(number)}</v></c>'
    if kind == ERROR:
        return f'<c r="{name}" t="e"><v>{ERRORS[int(number)]}</v></c>'
    text = escape(sheet.texts[row, column])
    return f'<c r="{name}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


# -- formualizer -----------------------------------------------------------------------------------------------------------
_KINDS = {"Div": "#DIV/0!", "Value": "#VALUE!", "Ref": "#REF!", "Num": "#NUM!", "Na": "#N/A", "Null": "#NULL!"}


class Formualizer:
    """formualizer (https://formualizer.dev), in this process."""

    name = "formualizer"

    def compute(self, books: Sequence[bytes], cells: Mapping[Place, str]) -> list[dict[Place, Answer]]:
        """The values of cells in each workbook."""
        import formualizer

        found: list[dict[Place, Answer]] = []
        for data in books:
            limits = formualizer.EvaluationConfig()
            limits.enable_parallel = False
            limits.max_eval_time_ms = int(1000 * TIME)
            try:
                book = formualizer.Workbook.from_bytes(data, config=formualizer.WorkbookConfig(eval_config=limits))
                book.set_temporal_egress("serial")
                asked = [place for place, text in cells.items() if not _crosses(text)]
                values = book.evaluate_cells(list(asked))
            except (KeyboardInterrupt, SystemExit, MemoryError):
                raise
            except BaseException:  # its panics are no Exceptions
                return []
            answers = ((place, _answer(value)) for place, value in zip(asked, values, strict=True))
            found.append({place: answer for place, answer in answers if answer is not None})
        return found


def _answer(value: Any) -> Answer | None:
    """A value as formualizer gives it; None for what it does not know."""
    if isinstance(value, dict):
        return _KINDS.get(str(value.get("kind")))
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return float(value) if np.isfinite(value) else "#NUM!"
    return 0.0 if value is None else None


_WHOLE = {"SUMPRODUCT", "MMULT", "SUMX2MY2", "SUMX2PY2", "SUMXMY2", "LOOKUP", "FREQUENCY", "MDETERM"}  # take arrays anyway
_SCALAR = {name for name, function in FUNCTIONS.items() if function.of_numbers} | {
    "POWER",
    "SIGN",
    "MOD",
    "TRUNC",
    "LOG",
    "LOG10",
}


def _crosses(formula: str) -> bool:
    """Whether a formula that is no array formula computes with ranges: other programs then take a single cell of each range
    or give #VALUE!, formualizer takes the whole of it."""
    import formualizer

    if not formula or formula.startswith(ARRAY):
        return False
    trees = [(formualizer.parse(f"={formula}"), True)]
    while trees:
        tree, computes = trees.pop()
        kind, name = tree.node_type(), (tree.get_function_name() or "").upper().removeprefix("_XLFN.")
        if computes and kind == "Reference" and ":" in str(tree.get_reference_string() or ""):
            return True
        if computes and kind == "Function" and name == "OFFSET" and len(tree.children()) > 3:
            return True
        if computes and tree.get_operator() == ":":
            return True
        if kind == "Function" and name in _WHOLE:
            continue
        inside = (kind in ("BinaryOp", "UnaryOp") and tree.get_operator() not in (":", "@")) or name in _SCALAR
        trees += [(part, inside) for part in tree.children()]
    return False


# -- LibreOffice -----------------------------------------------------------------------------------------------------------
# What reads other files or asks servers; INDIRECT, since it may be given such an address.
_OUTSIDE = re.compile(r"WEBSERVICE|\bDDE\b|INDIRECT|\[|://|file:|#\$|\bRTD\b|\bIMAGE\b", re.I)


class LibreOffice:
    """LibreOffice, where it is installed: a recalculation of all workbooks at once."""

    name = "LibreOffice"

    def compute(self, books: Sequence[bytes], cells: Mapping[Place, str]) -> list[dict[Place, Answer]]:
        """The values of cells in each workbook."""
        if find_libreoffice() is None:
            return []
        with TemporaryDirectory(prefix="sheetcnn-", ignore_cleanup_errors=True) as name:
            sources = [Path(name) / f"book{n}.xlsx" for n in range(len(books))]
            for path, data in zip(sources, books, strict=True):
                path.write_bytes(data)
            found = []
            try:
                with converted(sources, 2 * TIME) as results:
                    for path in results:
                        found.append(saved_answers(read_book(path), cells))
            except (EngineError, WorkbookError):
                return []
        return found


def saved_answers(book: Book, cells: Mapping[Place, str]) -> dict[Place, Answer]:
    """What a program saved as formulas' values."""
    found: dict[Place, Answer] = {}
    for place in cells:
        name, row, column = place
        sheet = book.sheets.get(name)
        if sheet is None or row >= sheet.saved.shape[0] or column >= sheet.saved.shape[1]:
            continue
        if not np.isnan(sheet.saved[row, column]):
            found[place] = float(sheet.saved[row, column])
            continue
        text = sheet.saved_texts.get((row, column))
        # An error may only say that the program is older than the formula's functions.
        if text is not None and (text not in ERRORS or (text != "#NAME?" and "_xl" not in cells[place])):
            found[place] = text
    return found
