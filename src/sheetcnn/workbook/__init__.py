"""The .xlsx: dressed with openpyxl, its grids poured in as a stream of rows."""

from .write import write_workbook

__all__ = ["write_workbook"]
