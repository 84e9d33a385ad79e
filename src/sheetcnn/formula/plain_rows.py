"""Rows of plain numbers and formulas, read as wholes: nearly all rows of our workbooks, at a third of the parser's time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .sheet_reader import Cells

# Only what an XML parser would read the same wherever it stands: ASCII, and no attribute that changes a cell.
_LETTERS, _DIGITS, _VALUE = "[A-Z]{1,3}", "[0-9]{1,7}", "[-+.0-9eE]+"
_FORMULA = "(?![ =])(?:[ -%'-;=-~]++|&(?:lt|gt|amp|quot|apos);)++(?<! )"  # neither with blanks around nor with "=" before it
_CELL = rf'<c r="({_LETTERS})({_DIGITS})"(?: s="[0-9]+")?(?: t="n")?(?:/>|>(?:<f(?: aca="false")?>({_FORMULA})</f>)?<v>({_VALUE})</v></c>)'
_CELLS = re.compile(_CELL)
_ATTRIBUTE = """ (?!r=)[A-Za-z0-9:]+="[ !#-%'-;=-~]*\""""
_ROW = re.compile(rf'<row r="({_DIGITS})"(?:{_ATTRIBUTE})*+>((?:{re.sub(r"[(](?![?])", "(?:", _CELL)})*+)</row>'.encode())
_OTHER = re.compile(rb"<[!?]")  # begins what hides the text in it: comments and the like
_ROW_BEGINS = b"<row "
_LONGEST = 1 << 23  # bytes of a row that are waited for


def read_rows(cells: Cells, chunks: Iterable[bytes], parse: Callable[[bytes], object]) -> None:
    """Give a sheet's cells its plain rows, and an XML parser all that stands between them."""
    plain, rest, last, before = True, b"", b"", b""
    for number, chunk in enumerate(chunks):
        plain = plain and not _OTHER.search(last + chunk, 2 if number == 0 else 0)  # after <?xml
        chunk, last = rest + chunk, chunk[-1:]
        at, rest, start = 0, b"", before
        if plain:
            for row in _ROW.finditer(chunk):
                if (chunk[row.start() - 1 : row.start()] if row.start() else start) != b">":
                    continue  # inside a text
                if row.start() > at:
                    parse(chunk[at : row.start()])
                if not cells.take(int(row[1]), _CELLS.findall(row[2].decode("ascii"))):
                    parse(row[0])
                at = row.end()
            begins = chunk.rfind(_ROW_BEGINS, at)
            if begins >= 0 and len(chunk) - begins < _LONGEST:
                rest, chunk = chunk[begins:], chunk[:begins]
        before = chunk[-1:] or before
        parse(chunk[at:])
    parse(rest)
