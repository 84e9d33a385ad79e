"""The errors that sheetcnn raises on purpose: one line that says what, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .plain import plain


class SheetcnnError(Exception):
    """Base of every error caused by what the user gave; the command line prints it and exits with 2.

    Whatever names and values from outside its text repeats, it is one line that does nothing to a terminal. Where it was, its
    fields say once more, each None where it does not apply.
    """

    file: str | None = None
    layer: str | None = None
    setting: str | None = None
    cell: str | None = None

    def __init__(self, text: object = "") -> None:
        super().__init__(plain(str(text)))


@contextmanager
def located(
    *, file: object = None, layer: str | None = None, setting: str | None = None, cell: str | None = None
) -> Iterator[None]:
    """What is raised meanwhile says where it was; whoever was nearer knows better."""
    try:
        yield
    except SheetcnnError as error:
        error.file = error.file or (None if file is None else str(file))
        error.layer, error.setting, error.cell = error.layer or layer, error.setting or setting, error.cell or cell
        raise


class NetworkError(SheetcnnError):
    """A network file, or the weights it names, cannot be used."""


class ExerciseError(SheetcnnError):
    """An exercise file, a roster or a key cannot be used."""


class PictureError(SheetcnnError):
    """A picture or an array of numbers cannot be used as the network's input."""


class LimitError(SheetcnnError):
    """The workbook would not fit the limits of a spreadsheet."""


class WorkbookError(SheetcnnError):
    """A file is no workbook, or none that sheetcnn made."""


class FormulaError(SheetcnnError):
    """A formula uses what the evaluator does not know, or the formulas are circular."""


class EngineError(SheetcnnError):
    """The real spreadsheet program could not be found or did not do its work."""
