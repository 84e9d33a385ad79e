"""Formula text becomes a skeleton with its references taken out, and a skeleton becomes a syntax tree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import NamedTuple

from ..a1 import IN_NAME, MAX_ROWS, NAME, NUMBER
from ..errors import FormulaError

ARRAY = "{="  # begins an array formula, which ends with "}"
HOLE = "\x01"  # stands for a reference in a skeleton; no XML file can hold this character
MAX_DEPTH = 100  # Excel allows 64 functions inside each other

_REFERENCE = re.compile(
    r"""("[^"]*")"""  # a text, in which nothing is a reference
    rf"""|(?:(?:(?<!')'((?:[^']|'')++)'|(?<!{IN_NAME})(?<![$'])({NAME}))!|(?<!{IN_NAME})(?<![$!']))"""  # a sheet
    rf"""\$?([A-Za-z]{{1,3}})\$?([0-9]{{1,7}})(?::\$?([A-Za-z]{{1,3}})\$?([0-9]{{1,7}}))?(?!{IN_NAME}|[(!:])"""
)


class Reference(NamedTuple):
    """A rectangle of cells: its sheet (None: the formula's own), its corner, its size."""

    sheet: str | None
    top: int
    left: int
    rows: int
    columns: int


def skeleton(text: str) -> tuple[str, list[Reference]]:
    """A formula with a hole for each reference, and the references."""
    between, found, last = [], [], 0
    for match, reference in references_in(text):
        between.append(text[last : match.start()])
        found.append(reference)
        last = match.end()
    return HOLE.join([*between, text[last:]]), found


_NAMED = re.compile(
    r"""("[^"]*")"""  # a text, in which nothing is a name
    rf"""|(?:(?:(?<!')'((?:[^']|'')++)'|(?<!{IN_NAME})({NAME}))!)?(?<!{IN_NAME})({NAME})(?!{IN_NAME}|[(!:])"""
)
MAX_EXPANDED = 32_000  # letters that names may add to a formula
_NESTED = 8  # names that refer to names


@lru_cache(maxsize=4096)
def words(text: str) -> frozenset[str]:
    """What may be a name in a formula or skeleton, in small letters."""
    return frozenset(match[4].lower() for match in _NAMED.finditer(text) if match[4])


def expanded(text: str, sheet: str, definitions: Mapping[tuple[str, str], str]) -> str:
    """A formula with what its names stand for in their places; names that would mean another cell in each cell stay."""
    room = MAX_EXPANDED

    def written_out(match: re.Match[str], sheet: str, depth: int) -> str:
        nonlocal room
        quoted, plain, name = match.groups()[1:]
        if name is None:
            return match[0]
        of = quoted.replace("''", "'") if quoted else plain or sheet
        meant = definitions.get((of, name.lower()), definitions.get(("", name.lower())))
        if not meant or depth >= _NESTED or not _fixed(meant):
            return match[0]
        room -= len(meant) + 2
        return match[0] if room < 0 else f"({within(meant, of, depth + 1)})"

    def within(text: str, sheet: str, depth: int) -> str:
        return _NAMED.sub(lambda match: written_out(match, sheet, depth), text)

    return within(text, sheet, 0)


def same_meaning(one: str, other: str, sheets: tuple[str, str], definitions: Mapping[tuple[str, str], str]) -> bool:
    """Whether two formulas, each of its sheet, mean the same.

    Spaces, `$`, quotes, names of cells, the writing of numbers and Ctrl+Shift+Enter do not count.
    """

    def meaning(text: str, sheet: str) -> tuple[Tree, list[tuple[str, int, int, int, int]]]:
        if text.startswith(ARRAY):
            text = text[len(ARRAY) : -1]
        whole, references = skeleton(expanded(text, sheet, definitions))
        return parse(whole), [(r.sheet or sheet, r.top, r.left, r.rows, r.columns) for r in references]

    try:
        return meaning(one, sheets[0]) == meaning(other, sheets[1])
    except (FormulaError, RecursionError):  # trees too deep to be compared are no formulas of ours
        return False


def _fixed(meant: str) -> bool:
    """Whether all references of a name's definition have their sheet and both dollar signs."""
    return all(
        reference.sheet is not None and match[0].rpartition("!")[2].count("$") == 2 * (1 + (match[6] is not None))
        for match, reference in references_in(meant)
    )


@lru_cache(maxsize=8)  # neighbours are looked at several times
def references_in(text: str) -> tuple[tuple[re.Match[str], Reference], ...]:
    """The references of a formula, each with where it stands; A0 and XFE1, which no sheet has, are none."""
    found = []
    for match in _REFERENCE.finditer(text):
        literal, quoted, plain, left, top, right, bottom = match.groups()
        if literal is not None:
            continue
        c0, r0 = NUMBER.get(left.upper(), 0), int(top)
        c1, r1 = (c0, r0) if right is None else (NUMBER.get(right.upper(), 0), int(bottom))
        if c1 < c0:
            c0, c1 = c1, c0
        if r1 < r0:
            r0, r1 = r1, r0
        if c0 and r0 >= 1 and r1 <= MAX_ROWS:
            sheet = plain if quoted is None else quoted.replace("''", "'")
            found.append((match, Reference(sheet, r0, c0, r1 - r0 + 1, c1 - c0 + 1)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Tree:
    """A formula's syntax: what its root is, and the trees below.

    `kind` is "number", "text", "boolean", "error" (with its `value`), "reference" (with its number among the skeleton's),
    "call" (with the function's name, in capitals), "negative", "percent", or the sign of an operator between two parts.
    """

    kind: str
    value: float | str | bool | int | None = None
    parts: tuple[Tree, ...] = ()


_TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"""
    r"""|(?P<text>"(?:[^"]|"")*")"""
    r"""|(?P<hole>\x01)"""
    r"""|(?P<error>\#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A))"""
    rf"""|(?P<word>{NAME})"""
    r"""|(?P<sign><=|>=|<>|[-+*/^%=<>&(),]))"""
)
_BINARY = {"=": 1, "<>": 1, "<": 1, ">": 1, "<=": 1, ">=": 1, "&": 2, "+": 3, "-": 3, "*": 4, "/": 4, "^": 5}
BINARY = frozenset(_BINARY)


@lru_cache(maxsize=4096)
def parse(text: str) -> Tree:
    """The tree of a skeleton.

    Raises FormulaError for a syntax that is not known.
    """
    tokens: list[tuple[str, str]] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise FormulaError(f"{text[at : at + 10].replace(HOLE, '…')!r} is no syntax that sheetcnn knows")
        tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
        at = match.end()
    return _Parser(tokens).whole()


class _Parser:
    """Precedence climbing over tokens."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = [*tokens, ("end", "")]
        self.at = self.depth = self.holes = 0

    def whole(self) -> Tree:
        node = self.expression(0)
        if self.tokens[self.at][0] != "end":
            raise FormulaError(f"{self.tokens[self.at][1]!r} is out of place")
        return node

    def take(self, sign: str) -> bool:
        if self.tokens[self.at] == ("sign", sign):
            self.at += 1
            return True
        return False

    def expression(self, binding: int) -> Tree:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FormulaError(f"its brackets are nested more than {MAX_DEPTH} deep")
        left = self.operand()
        while True:
            kind, sign = self.tokens[self.at]
            if kind != "sign" or _BINARY.get(sign, 0) <= binding:
                break
            self.at += 1
            left = Tree(sign, None, (left, self.expression(_BINARY[sign])))
        self.depth -= 1
        return left

    def operand(self) -> Tree:
        # A sign binds tighter than any operator between two numbers: −2^2 is 4.
        while self.take("+"):
            pass
        if self.take("-"):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise FormulaError(f"it has more than {MAX_DEPTH} signs in a row")
            node = Tree("negative", None, (self.operand(),))
            self.depth -= 1
            return node
        node, signs = self.atom(), 0
        while self.take("%"):
            node, signs = Tree("percent", None, (node,)), signs + 1
            if signs > MAX_DEPTH:
                raise FormulaError(f"it has more than {MAX_DEPTH} signs in a row")
        return node

    def atom(self) -> Tree:
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            if not isfinite(number := float(text)):
                raise FormulaError(f"{text[:20]} is larger than any number that a cell can hold")
            return Tree("number", number)
        if kind == "text":
            return Tree("text", text[1:-1].replace('""', '"'))
        if kind == "error":
            return Tree("error", text)
        if kind == "hole":
            self.holes += 1
            return Tree("reference", self.holes - 1)
        if kind == "word":
            # Capitals by ASCII's rules only: by Unicode's, ſum would be SUM.
            word = text.upper() if text.isascii() else text
            if self.take("("):
                return Tree("call", word, self.arguments())
            if word in ("TRUE", "FALSE"):
                return Tree("boolean", word == "TRUE")
            if text.lower().startswith("_xlpm."):  # so Excel writes the names that LET and LAMBDA give
                raise FormulaError("names values with LET or LAMBDA, which sheetcnn does not know")
            raise FormulaError(f"{text!r} is no name that sheetcnn knows")
        if (kind, text) == ("sign", "("):
            node = self.expression(0)
            if not self.take(")"):
                raise FormulaError("a bracket is not closed")
            return node
        raise FormulaError(f"{text!r} is out of place" if text else "it ends too early")

    def arguments(self) -> tuple[Tree, ...]:
        if self.take(")"):
            return ()
        found = [self.expression(0)]
        while self.take(","):
            found.append(self.expression(0))
        if not self.take(")"):
            raise FormulaError("a bracket is not closed")
        return tuple(found)
