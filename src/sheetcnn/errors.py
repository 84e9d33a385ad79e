"""The errors that sheetcnn raises on purpose: one line that says what, where, and what to do."""

from .plain import plain


class SheetcnnError(Exception):
    """Base of every error caused by what the user gave; the command line prints it and exits with 2.

    Whatever names and values from outside its text repeats, it is one line that does nothing to a terminal.
    """

    def __init__(self, text: object = "") -> None:
        super().__init__(plain(str(text)))


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
