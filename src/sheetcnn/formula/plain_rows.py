"""Rows of plain cells, read as wholes: nearly all rows of our workbooks, at a tenth of the parser's time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol
from xml.sax.saxutils import unescape

import numpy as np
from pydantic_core import from_json

from .below import BETWEEN

# Only what an XML parser would read the same wherever it stands: ASCII, and no attribute that changes a cell.
_CELL = rb'<c r="([A-Z]++[0-9]++)"(?: s="[0-9]++")?+'
_BLANKS = re.compile(rb"</c>((?:" + _CELL.replace(b"([", b"(?:[") + rb"/>)++)")
_BLANK_NAME = re.compile(rb'r="([^"]*+)"')
_END = b"</v></c>"  # of one cell; what follows up to the next value is what rows are cut at
_NUMBERS = re.compile(_END + _CELL + rb'(?: t="n")?+><v>')
_CELLS = re.compile(_END + _CELL + rb'(?: t="([ns])")?+>(?:<f(?: aca="false")?+>([^<]++)</f>)?+<v>')
_IN_NUMBERS = b"0123456789.+-eE,"
_IN_FORMULAS = bytes(range(0x20, 0x7F))
_ENTITY = re.compile(rb"&(?:lt|gt|amp|quot|apos);")
_FIRST, _LAST = frozenset(b" ="), ord(" ")  # letters that a formula does not begin and end with
_ATTRIBUTE = rb""" (?!r=)[A-Za-z0-9:]+="[ !#-%'-;=-~]*\""""
_OPENS = re.compile(rb'<row r="([0-9]{1,7})"(?:' + _ATTRIBUTE + rb")*+>")
_OTHER = re.compile(rb"<[!?]")  # begins what hides the text in it: comments and the like
_QUOTES = {"&quot;": '"', "&apos;": "'"}
_ROW_BEGINS, _ROW_ENDS = b"<row ", b"</row>"
_LONGEST = 1 << 23  # bytes of a row that are waited for


class PlainCells(NamedTuple):
    """The cells of a row that hold something, in lists of one length, and the names of the blank ones among them."""

    references: Sequence[bytes]
    values: Sequence[bytes]  # which need not be numbers
    types: Sequence[bytes | None] = ()  # none at all, as of formulas: all are numbers
    formulas: Sequence[bytes | None] = ()
    texts: str = ""  # of the formulas, joined
    blank: Sequence[bytes] = ()


class Taker(Protocol):
    """Who takes in the rows of a sheet."""

    def take(self, row: int, cells: PlainCells) -> bool: ...


def plain_cells(row: bytes) -> PlainCells | None:
    """What stands in a row, between its tags; None where an XML parser is needed to tell."""
    blank: list[bytes] = []
    if b"/>" in row:
        row = b"</c>" + row
        blank = _BLANK_NAME.findall(b"".join(_BLANKS.findall(row)))
        row = _BLANKS.sub(b"</c>", row)[len(b"</c>") :]
    if not row:
        return PlainCells((), (), blank=blank)
    if not row.endswith(_END):
        return None
    row = _END + row[: -len(_END)]
    simple = b"<f" not in row and b'"s"' not in row
    first, *parts = (_NUMBERS if simple else _CELLS).split(row)
    if first or not parts:
        return None
    values = parts[1::2] if simple else parts[3::4]
    if simple:
        return PlainCells(parts[0::2], values, blank=blank)
    formulas = list(filter(None, parts[2::4]))
    texts = _texts(formulas)
    if texts is None:
        return None
    return PlainCells(parts[0::4], values, parts[1::4], parts[2::4] if formulas else (), texts, blank)


def numbers_of(values: Sequence[bytes]) -> np.ndarray | None:
    """The numbers that stand in cells, by a parser of JSON, in a quarter of the time that Python's own `float` needs.

    None where one of them is none, or is written otherwise: "+1", ".5" and the like.
    """
    joined = b",".join(values)
    if joined.translate(None, _IN_NUMBERS):
        return None
    try:
        numbers = np.array(from_json(b"[%b]" % joined), float)
    except (ValueError, OverflowError):
        return None
    return numbers if len(numbers) == len(values) else None


def _texts(formulas: list[bytes]) -> str | None:
    """Formulas of a row, joined; None where one has letters or blanks that an XML parser must see."""
    joined = BETWEEN.encode("ascii").join(formulas)
    if len(joined.translate(None, _IN_FORMULAS)) > max(0, len(formulas) - 1):
        return None
    if not _FIRST.isdisjoint({text[0] for text in formulas}) or _LAST in {text[-1] for text in formulas}:
        return None
    entities = joined.count(b"&")
    if entities and entities != len(_ENTITY.findall(joined)):
        return None
    text = joined.decode("ascii")
    return unescape(text, _QUOTES) if entities else text


def read_rows(cells: Taker, chunks: Iterable[bytes], parse: Callable[[bytes], object]) -> None:
    """Give a sheet's cells its plain rows, and an XML parser all that stands between them."""
    plain, rest, last, before = True, b"", b"", b""
    for number, chunk in enumerate(chunks):
        plain = plain and not _OTHER.search(last + chunk, 2 if number == 0 else 0)  # after <?xml
        chunk, last = rest + chunk, chunk[-1:]
        at, rest = 0, b""
        if plain:
            at = _take_rows(cells, chunk, before, parse)
            begins = chunk.rfind(_ROW_BEGINS, at)
            if begins >= 0 and len(chunk) - begins < _LONGEST:
                rest, chunk = chunk[begins:], chunk[:begins]
        before = chunk[-1:] or before
        parse(chunk[at:])
    parse(rest)


def _take_rows(cells: Taker, chunk: bytes, before: bytes, parse: Callable[[bytes], object]) -> int:
    """Take in the plain rows of a piece of the file, `before` which that byte stands; returns where what is left begins."""
    at, begin = 0, chunk.find(_ROW_BEGINS)
    while begin >= 0:
        opens = _OPENS.match(chunk, begin)
        if opens is None or (chunk[begin - 1 : begin] if begin else before) != b">":  # inside a text
            begin = chunk.find(_ROW_BEGINS, begin + 1)
            continue
        end = chunk.find(_ROW_ENDS, opens.end())
        if end < 0:
            break
        found = plain_cells(chunk[opens.end() : end])
        if found is not None:
            if begin > at:
                parse(chunk[at:begin])
            at = end + len(_ROW_ENDS) if cells.take(int(opens[1]), found) else begin
        begin = chunk.find(_ROW_BEGINS, end)
    return at
