"""A tiny Excel that knows no CNN: read a workbook, parse its formulas, evaluate them with NumPy, or have others do it."""

from .book import Book, Sheet
from .engines import Engine, Formualizer, Helped, LibreOffice, evaluate_with_help
from .evaluate import evaluate
from .groups import Area, Group, beyond_ours, group_formulas, mark, needed
from .reader import read_book

__all__ = [
    "Area",
    "Book",
    "Engine",
    "Formualizer",
    "Group",
    "Helped",
    "LibreOffice",
    "Sheet",
    "beyond_ours",
    "evaluate",
    "evaluate_with_help",
    "group_formulas",
    "mark",
    "needed",
    "read_book",
]
