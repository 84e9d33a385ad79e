"""Arrays of spreadsheet values, and Excel's arithmetic on them.

All cells of one skeleton are computed at once: a value's arrays are cells × rows × columns, a single cell or a number
being one row and one column.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from ..errors import FormulaError

BLANK, NUMERIC, TEXT, BOOLEAN, ERROR, PENDING = range(6)  # what a cell holds; PENDING: a formula without its value yet
# The last one is ours: the value of a formula that nobody could evaluate, which what reads it does not know either.
ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#UNKNOWN!")
UNKNOWN = ERRORS.index("#UNKNOWN!")
DIV, VALUE, REF, NUM, NA = (ERRORS.index(name) for name in ("#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#N/A"))

MOST_LETTERS = 32_767  # in a cell
MOST_JOINED = 10_000_000  # in all cells of one skeleton

# What arithmetic takes for a number; Python would also take "nan", "1_000" and other writings.
_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*", re.ASCII)


@dataclass(slots=True)
class Values:
    """Numbers with what each of them is; `kind` None means that all are numbers. `texts` stands beside TEXT."""

    number: np.ndarray
    kind: np.ndarray | None = None
    texts: np.ndarray | None = None

    @property
    def single(self) -> bool:
        """Whether each cell has one value, not a range of them."""
        return self.number.shape[1:] == (1, 1)

    def first(self) -> Values:
        """Of ranges the first cell, which is what an array formula shows in a single one."""
        parts = (self.number, self.kind, self.texts)
        number, kind, texts = (None if part is None else part[:, :1, :1] for part in parts)
        assert number is not None
        return self if self.single else Values(number, kind, texts)

    def kinds(self) -> np.ndarray:
        return np.full(self.number.shape, NUMERIC, np.uint8) if self.kind is None else self.kind

    def all_texts(self) -> np.ndarray:
        return np.full(self.number.shape, "", object) if self.texts is None else self.texts


def constant(value: float | str | bool) -> Values:
    """One value for all cells."""
    if isinstance(value, bool):
        return Values(np.full((1, 1, 1), float(value)), np.full((1, 1, 1), BOOLEAN, np.uint8))
    if isinstance(value, str):
        return Values(np.zeros((1, 1, 1)), np.full((1, 1, 1), TEXT, np.uint8), np.full((1, 1, 1), value, object))
    return Values(np.full((1, 1, 1), value))


def error(code: int, shape: tuple[int, ...] = (1, 1, 1)) -> Values:
    """The same error everywhere."""
    return Values(np.full(shape, float(code)), np.full(shape, ERROR, np.uint8))


def fitting(*values: Values) -> tuple[Values, ...]:
    """Values that can be combined cell by cell; a single row or column is repeated, as Excel does.

    Raises FormulaError where their shapes differ.
    """
    try:
        np.broadcast_shapes(*(value.number.shape for value in values))
    except ValueError:
        raise FormulaError("combines ranges of different shapes") from None
    return values


def as_numbers(values: Values) -> Values:
    """Values as arithmetic takes them: blank is 0, a boolean 0 or 1, a text the number it spells or else #VALUE!."""
    if values.kind is None:
        return values
    number, kind = values.number.copy(), values.kind.copy()
    for place in zip(*np.nonzero(kind == TEXT), strict=True):
        text = values.all_texts()[place]
        spelt = float(text) if _NUMBER.fullmatch(text) else np.inf
        number[place], kind[place] = (spelt, NUMERIC) if np.isfinite(spelt) else (VALUE, ERROR)
    kind[(kind == BLANK) | (kind == BOOLEAN)] = NUMERIC
    return Values(number, None if (kind == NUMERIC).all() else kind)


def elementwise(
    compute: Callable[..., np.ndarray], *arguments: Values, bad: Callable[..., np.ndarray] | None = None
) -> Values:
    """A function of numbers, cell by cell; errors pass through, and a result that is not finite is #NUM!, or what `bad` says."""
    given = [as_numbers(argument) for argument in fitting(*arguments)]
    numbers = [argument.number for argument in given]
    result = np.asarray(compute(*numbers), dtype=float)
    if all(argument.kind is None for argument in given) and np.isfinite(result).all():
        return Values(result)
    kind = np.full(result.shape, NUMERIC, np.uint8)
    broken = ~np.isfinite(result)
    kind[broken], result[broken] = ERROR, NUM if bad is None else np.broadcast_to(bad(*numbers), result.shape)[broken]
    for argument in reversed(given):  # the first argument's error wins
        if argument.kind is not None:
            wrong = np.broadcast_to(argument.kind == ERROR, result.shape)
            kind[wrong] = ERROR
            result[wrong] = np.broadcast_to(argument.number, result.shape)[wrong]
    return Values(result, kind)


def divide(a: Values, b: Values) -> Values:
    """a / b; by zero it is #DIV/0!."""
    return elementwise(np.divide, a, b, bad=lambda x, y: np.where(y == 0, DIV, NUM))


def power(a: Values, b: Values) -> Values:
    """a ^ b; 0^0 and roots of negative numbers are #NUM!, 0 to a negative power is #DIV/0!."""

    def compute(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where((x == 0) & (y == 0), np.nan, np.power(x, y))

    return elementwise(compute, a, b, bad=lambda x, y: np.where((x == 0) & (y < 0), DIV, NUM))


def compare(sign: str, a: Values, b: Values) -> Values:
    """A comparison as Excel makes it: numbers before texts before booleans, texts without regard to case."""
    number, texts, rank = [], [], []
    shape = np.broadcast_shapes(a.number.shape, b.number.shape)
    kinds = [np.broadcast_to(v.kinds(), shape) for v in (a, b)]
    for v, kind, other in ((a, kinds[0], kinds[1]), (b, kinds[1], kinds[0])):
        order = np.select([kind == TEXT, kind == BOOLEAN], [1, 2], 0)
        order[(kind == BLANK) & (other == TEXT)] = 1  # a blank cell is "" beside a text
        order[(kind == BLANK) & (other == BOOLEAN)] = 2
        rank.append(order)
        number.append(np.broadcast_to(v.number, shape))
        texts.append(np.broadcast_to(v.all_texts(), shape) if (kind == TEXT).any() else None)
    less, equal = number[0] < number[1], number[0] == number[1]
    for place in zip(*np.nonzero((rank[0] == 1) & (rank[1] == 1)), strict=True):
        left, right = ("" if t is None else str(t[place]).casefold() for t in texts)
        less[place], equal[place] = left < right, left == right
    differs = rank[0] != rank[1]
    less, equal = np.where(differs, rank[0] < rank[1], less), np.where(differs, False, equal)
    truth = {"=": equal, "<>": ~equal, "<": less, ">": ~less & ~equal, "<=": less | equal, ">=": ~less}[sign]
    result = Values(truth.astype(float), np.full(shape, BOOLEAN, np.uint8))
    for v, kind in ((b, kinds[1]), (a, kinds[0])):
        wrong = kind == ERROR
        result.kinds()[wrong] = ERROR
        result.number[wrong] = np.broadcast_to(v.number, shape)[wrong]
    return result


def joined(a: Values, b: Values) -> Values:
    """Two texts, one after the other; numbers as they are shown with up to 15 digits."""
    fitting(a, b)
    shape = np.broadcast_shapes(a.number.shape, b.number.shape)
    parts = [[np.broadcast_to(part, shape) for part in (v.kinds(), v.number, v.all_texts())] for v in (a, b)]
    result = Values(np.zeros(shape), np.full(shape, TEXT, np.uint8), np.full(shape, "", object))
    assert result.kind is not None
    assert result.texts is not None
    letters = 0
    for place in np.ndindex(shape):
        wrong = next((part for part in parts if part[0][place] == ERROR), None)
        text = (
            ""
            if wrong
            else "".join(_shown(int(kind[place]), float(number[place]), str(texts[place])) for kind, number, texts in parts)
        )
        letters += len(text)
        if letters > MOST_JOINED:
            raise FormulaError(f"joins texts to more than {MOST_JOINED:,} letters")
        if wrong or len(text) > MOST_LETTERS:
            result.kind[place], result.number[place] = ERROR, wrong[1][place] if wrong else VALUE
        else:
            result.texts[place] = text
    return result


def _shown(kind: int, number: float, text: str) -> str:
    """A value as a text. Raises FormulaError for numbers so large or small that programs write them in their own ways."""
    if kind in (BLANK, TEXT):
        return "" if kind == BLANK else str(text)
    if kind == BOOLEAN:
        return "TRUE" if number else "FALSE"
    if number != 0 and not 1e-6 <= abs(number) < 1e15:
        raise FormulaError(f"makes a text of {number:.15g}, which programs write in different ways")
    return f"{Decimal(f'{number + 0.0:.15g}'):f}"


def choose(conditions: list[np.ndarray], options: list[Values], otherwise: Values) -> Values:
    """Where a condition holds, its option; elsewhere `otherwise`."""
    fitting(*(Values(condition) for condition in conditions), *options, otherwise)
    shape = np.broadcast_shapes(*(c.shape for c in conditions), *(o.number.shape for o in (*options, otherwise)))
    if all(option.kind is None for option in (*options, otherwise)):
        return Values(np.select(conditions, [option.number for option in options], otherwise.number) + np.zeros(shape))
    number = np.select(conditions, [option.number for option in options], otherwise.number) + np.zeros(shape)
    kind = np.select(conditions, [option.kinds() for option in options], otherwise.kinds())
    kind = np.broadcast_to(kind, shape).astype(np.uint8)
    texts = None
    if (kind == TEXT).any():
        texts = np.broadcast_to(np.select(conditions, [o.all_texts() for o in options], otherwise.all_texts()), shape)
    return Values(number, kind, texts)
