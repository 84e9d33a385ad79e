"""A tiny Excel that knows no CNN: read a workbook, parse its formulas, evaluate them with NumPy."""

from .evaluate import Group, evaluate, group_formulas
from .reader import Book, Sheet, read_book

__all__ = ["Book", "Group", "Sheet", "evaluate", "group_formulas", "read_book"]
