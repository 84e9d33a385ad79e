"""The functions that formulas may use: each with its number of arguments and its value, by Excel's rules."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from decimal import Context as DecimalContext
from typing import Protocol

import numpy as np

from ..errors import FormulaError
from .parser import Tree
from .values import (
    BLANK,
    BOOLEAN,
    ERROR,
    MOST_JOINED,
    MOST_LETTERS,
    NA,
    NUM,
    NUMERIC,
    REF,
    TEXT,
    VALUE,
    Values,
    as_numbers,
    choose,
    compare,
    constant,
    divide,
    elementwise,
    error,
)


class Context(Protocol):
    """What a function may ask for while the cells of one skeleton are evaluated."""

    def value(self, tree: Tree, *, array: bool = False) -> Values: ...

    def one(self, tree: Tree) -> Values: ...

    def crossing(self, tree: Tree) -> Values: ...

    def cells(self, tree: Tree, *, texts: bool = False, used: bool = False) -> Values: ...

    def size(self, tree: Tree) -> tuple[int, int]: ...

    def at(self, tree: Tree, row: np.ndarray, column: np.ndarray) -> Values: ...

    def dot(self, left: Tree, right: Tree) -> Values | None: ...


Compute = Callable[[Context, tuple[Tree, ...]], Values]
Change = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Function:
    """A function's number of arguments and its value.

    `of_numbers` is what it makes of numbers where ranges may stand for them, as in SUMPRODUCT(EXP(A1:B1)); None where
    a function takes ranges anyway, or one number only.
    """

    least: int
    most: int
    compute: Compute
    of_numbers: Callable[..., np.ndarray] | None = None


FUNCTIONS: dict[str, Function] = {}


def _function(name: str, least: int, most: int | None = None) -> Callable[[Compute], Compute]:
    def keep(compute: Compute) -> Compute:
        FUNCTIONS[name] = Function(least, least if most is None else most, compute)
        return compute

    return keep


# -- over all cells of ranges ------------------------------------------------------------------------------------------


def _gives_cells(tree: Tree) -> set[bool]:
    """Whether a tree's value is a cell itself, as INDEX, IF and CHOOSE may give one; both where it depends."""
    function = tree.value if tree.kind == "call" else None
    if function in ("IF", "CHOOSE"):
        return {gives for part in tree.parts[1:] for gives in _gives_cells(part)}
    return {tree.kind == "reference" or function == "INDEX"}


def _part(context: Context, tree: Tree, *, array: bool = False) -> Values:
    """An argument of SUM and its like: of cells only numbers count; of what is computed or written out all must be numbers."""
    if tree.kind == "reference":
        return context.cells(tree, used=True)
    value, gives = context.value(tree, array=array), _gives_cells(tree)
    if gives == {True}:
        return value
    if len(gives) > 1 and not np.isin(value.kinds(), (NUMERIC, ERROR)).all():
        raise FormulaError("takes something other than a number from IF or CHOOSE")
    return as_numbers(value)


def _parts(context: Context, trees: tuple[Tree, ...]) -> list[Values]:
    return [_part(context, tree) for tree in trees]


def _over(parts: list[Values], start: float, combine: np.ufunc, change: Change = np.positive) -> tuple[Values, np.ndarray]:
    """Numbers combined over all cells of all arguments, 0 where there are none; also how many there were. Errors pass through."""
    size = max(len(part.number) for part in parts)
    total, count = np.full(size, start), np.zeros(size)
    wrong = np.full(size, -1.0)
    for part in parts:
        if part.kind is None:
            total = combine(total, combine.reduce(change(part.number), axis=(1, 2)))
            count = count + part.number.shape[1] * part.number.shape[2]
            continue
        counts = part.kind == NUMERIC
        total = combine(total, combine.reduce(np.where(counts, change(part.number), start), axis=(1, 2)))
        count = count + counts.sum(axis=(1, 2))
        bad = part.kind == ERROR
        if bad.any():
            flat = bad.reshape(len(bad), -1)
            first = part.number.reshape(len(bad), -1)[np.arange(len(bad)), flat.argmax(axis=1)]
            wrong = np.where((wrong < 0) & flat.any(axis=1), first, wrong)
    total = np.where(count == 0, 0.0, total)
    wrong = np.where((wrong < 0) & ~np.isfinite(total), NUM, wrong)
    result = Values(total.reshape(-1, 1, 1))
    if (wrong >= 0).any():
        kind = np.where(wrong >= 0, ERROR, NUMERIC).astype(np.uint8).reshape(-1, 1, 1)
        result = Values(np.where(wrong >= 0, wrong, total).reshape(-1, 1, 1), kind)
    return result, count.reshape(-1, 1, 1)


@_function("SUM", 1, 255)
def _sum(context: Context, trees: tuple[Tree, ...]) -> Values:
    return _over(_parts(context, trees), 0.0, np.add)[0]


@_function("SUMSQ", 1, 255)
def _sumsq(context: Context, trees: tuple[Tree, ...]) -> Values:
    return _over(_parts(context, trees), 0.0, np.add, np.square)[0]


@_function("MAX", 1, 255)
def _max(context: Context, trees: tuple[Tree, ...]) -> Values:
    return _over(_parts(context, trees), -np.inf, np.maximum)[0]


@_function("MIN", 1, 255)
def _min(context: Context, trees: tuple[Tree, ...]) -> Values:
    return _over(_parts(context, trees), np.inf, np.minimum)[0]


@_function("AVERAGE", 1, 255)
def _average(context: Context, trees: tuple[Tree, ...]) -> Values:
    total, count = _over(_parts(context, trees), 0.0, np.add)
    return divide(total, Values(count))


@_function("COUNT", 1, 255)
def _count(context: Context, trees: tuple[Tree, ...]) -> Values:
    if any(_gives_cells(tree) != {True} for tree in trees):
        raise FormulaError("COUNT is known only of cells")
    parts = [context.cells(tree) if tree.kind == "reference" else context.value(tree) for tree in trees]
    return Values(sum((part.kinds() == NUMERIC).sum(axis=(1, 2)) for part in parts).reshape(-1, 1, 1).astype(float))


@_function("LARGE", 2)
def _large(context: Context, trees: tuple[Tree, ...]) -> Values:
    [part], place = _parts(context, trees[:1]), as_numbers(context.one(trees[1]))
    size = max(len(part.number), len(place.number))
    flat = np.where(part.kinds() == NUMERIC, part.number, np.nan).reshape(len(part.number), -1)
    ordered = np.broadcast_to(-np.sort(-flat, axis=1), (size, flat.shape[1]))  # what is no number comes last
    which = np.broadcast_to(np.trunc(place.number[:, 0, 0]), size)
    inside = (which >= 1) & (which <= flat.shape[1])
    found = ordered[np.arange(size), np.where(inside, which - 1, 0).astype(np.int64)]
    good = inside & ~np.isnan(found)
    number, kind = np.where(good, found, NUM), np.where(good, NUMERIC, ERROR)
    first = _over([part], -np.inf, np.maximum)[0]  # an error in the range, or in the place, comes first
    for wrong in (place, first):
        bad = np.broadcast_to(wrong.kinds()[:, 0, 0] == ERROR, size)
        number = np.where(bad, np.broadcast_to(wrong.number[:, 0, 0], size), number)
        kind = np.where(bad, ERROR, kind)
    return Values(number.reshape(-1, 1, 1), kind.astype(np.uint8).reshape(-1, 1, 1))


@_function("SUMPRODUCT", 1, 255)
def _sumproduct(context: Context, trees: tuple[Tree, ...]) -> Values:
    if len(trees) == 2 and all(tree.kind == "reference" for tree in trees):
        quick = context.dot(*trees)
        if quick is not None and np.isfinite(quick.number).all():
            return quick
    product: Values | None = None
    shape: tuple[int, ...] | None = None
    for tree in trees:
        if _gives_cells(tree) == {True}:  # what is no number counts as 0
            part = context.cells(tree) if tree.kind == "reference" else context.value(tree)
            lost = (part.kinds() != NUMERIC) & (part.kinds() != ERROR)
        else:
            part = context.value(tree, array=True)
            lost = part.kinds() == BOOLEAN  # so does a comparison's answer, unless arithmetic made it a number
        if lost.any():
            part = Values(
                np.where(lost, 0.0, part.number), np.where(lost, NUMERIC, part.kinds()).astype(np.uint8), part.texts
            )
        part = as_numbers(part)
        if shape is not None and part.number.shape[1:] != shape:
            return error(VALUE)
        shape = part.number.shape[1:]
        product = part if product is None else elementwise(np.multiply, product, part)
    assert product is not None
    return _over([product], 0.0, np.add)[0]


# -- of single numbers -------------------------------------------------------------------------------------------------


def _of_numbers(name: str, count: int, compute: Callable[..., np.ndarray], *, ranges: bool = True) -> None:
    def value(context: Context, trees: tuple[Tree, ...]) -> Values:
        return elementwise(compute, *((context.value if ranges else context.one)(tree) for tree in trees))

    FUNCTIONS[name] = Function(count, count, value, compute if ranges else None)


def _round(x: float, digits: float) -> float:
    """Half away from zero, as the 15 digits show the number that Excel keeps: 1.005 becomes 1.01."""
    places, shown = int(max(-400.0, min(400.0, digits))), Decimal(f"{x:.15g}")
    if x == 0 or shown.adjusted() + places >= 15:
        return x
    return float(shown.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _DIGITS))


_DIGITS = DecimalContext(prec=1000)
_erf, _erfc, _rounded = (np.vectorize(function, otypes=[float]) for function in (math.erf, math.erfc, _round))

_of_numbers("EXP", 1, np.exp)
_of_numbers("LN", 1, np.log)
_of_numbers("TANH", 1, np.tanh)
_of_numbers("SQRT", 1, np.sqrt)
_of_numbers("ABS", 1, np.abs)
_of_numbers("INT", 1, np.floor)
_of_numbers("ERF", 1, _erf, ranges=False)  # of Excel's Analysis ToolPak, whose functions take no ranges
_of_numbers("NORMSDIST", 1, lambda x: 0.5 * _erfc(-x / math.sqrt(2)))
_of_numbers("ROUND", 2, _rounded)


@_function("REPT", 2)
def _rept(context: Context, trees: tuple[Tree, ...]) -> Values:
    text, count = context.one(trees[0]), as_numbers(context.one(trees[1]))
    if (text.kinds() != TEXT).any():
        raise FormulaError("REPT is known only of a text")
    size = max(len(text.number), len(count.number))
    times = np.broadcast_to(np.trunc(count.number[:, 0, 0]), size)
    texts = np.broadcast_to(text.all_texts()[:, 0, 0], size)
    wrong = np.broadcast_to(count.kinds()[:, 0, 0] == ERROR, size)
    code = np.broadcast_to(count.number[:, 0, 0], size)
    if sum(min(max(0.0, n), MOST_LETTERS) * len(str(text)) for n, text in zip(times, texts, strict=True)) > MOST_JOINED:
        raise FormulaError(f"repeats texts to more than {MOST_JOINED:,} letters")
    result = Values(np.zeros((size, 1, 1)), np.full((size, 1, 1), TEXT, np.uint8), np.full((size, 1, 1), "", object))
    assert result.kind is not None
    assert result.texts is not None
    for n in range(size):
        if wrong[n] or code[n] < 0 or times[n] * len(str(texts[n])) > MOST_LETTERS:
            result.kind[n], result.number[n] = ERROR, code[n] if wrong[n] else VALUE
        else:
            result.texts[n] = str(texts[n]) * int(min(times[n], MOST_LETTERS))
    return result


# -- choosing ----------------------------------------------------------------------------------------------------------


def _truths(values: Values) -> Values:
    """What may be a condition: of texts only TRUE and FALSE, not the numbers that others spell."""
    texts = values.kinds() == TEXT
    if not texts.any():
        return values
    words = np.char.upper(values.all_texts().astype(str))
    known = np.isin(words, ("TRUE", "FALSE"))
    number = np.where(texts, np.where(known, words == "TRUE", VALUE), values.number)
    return Values(number, np.where(texts, np.where(known, BOOLEAN, ERROR), values.kinds()).astype(np.uint8))


@_function("IF", 2, 3)
def _if(context: Context, trees: tuple[Tree, ...]) -> Values:
    truth = as_numbers(_truths(context.value(trees[0])))
    wrong, holds = truth.kinds() == ERROR, truth.number != 0
    yes = _branch(context, trees[1], holds & ~wrong)
    no = _branch(context, trees[2], ~holds & ~wrong) if len(trees) > 2 else constant(False)
    return choose([wrong, holds], [Values(truth.number, truth.kinds()), yes], no)


def _branch(context: Context, tree: Tree, chosen: np.ndarray) -> Values:
    """What IF gives where it is chosen: where it never is, it may hold what cannot be evaluated."""
    try:
        return context.value(tree)
    except FormulaError:
        if chosen.any():
            raise
        return constant(False)


@_function("_XLFN.SINGLE", 1)  # how Excel writes @ into files
def _single(context: Context, trees: tuple[Tree, ...]) -> Values:
    return (context.crossing(trees[0]) if trees[0].kind == "reference" else context.value(trees[0])).first()


@_function("ISNUMBER", 1)
def _isnumber(context: Context, trees: tuple[Tree, ...]) -> Values:
    value = context.value(trees[0])
    return Values((value.kinds() == NUMERIC).astype(float), np.full(value.number.shape, BOOLEAN, np.uint8))


@_function("CHOOSE", 2, 255)
def _choose(context: Context, trees: tuple[Tree, ...]) -> Values:
    which = as_numbers(context.value(trees[0]))
    options = [context.value(tree) for tree in trees[1:]]
    place = np.trunc(which.number)
    conditions = [which.kinds() == ERROR, *(place == n for n in range(1, len(options) + 1))]
    return choose(conditions, [Values(which.number, which.kinds()), *options], error(VALUE))


@_function("INDEX", 2, 3)
def _index(context: Context, trees: tuple[Tree, ...]) -> Values:
    if trees[0].kind == "error":  # the range was deleted
        return context.value(trees[0])
    if trees[0].kind != "reference":
        raise FormulaError("INDEX needs a range of cells")
    rows, columns = context.size(trees[0])
    given = [as_numbers(context.one(tree)) for tree in trees[1:]]
    if len(given) == 1:
        if rows != 1 and columns != 1:
            raise FormulaError("INDEX of a rectangle needs a row and a column")
        row, column = (given[0], constant(1.0)) if columns == 1 else (constant(1.0), given[0])
    else:
        row, column = given
    places = [np.trunc(part.number[:, 0, 0]) for part in (row, column)]
    outside = (places[0] < 1) | (places[0] > rows) | (places[1] < 1) | (places[1] > columns)
    cells = context.at(trees[0], *(np.where(outside, 0, place - 1).astype(np.int64) for place in places))
    size = len(cells.number)
    low = (places[0] < 1) | (places[1] < 1)  # 0 means a whole row or column, which is no single value
    kind = np.where(outside, ERROR, cells.kinds()[:, 0, 0])
    number = np.where(outside, np.where(low, VALUE, REF), cells.number[:, 0, 0])
    for part in (column, row):
        bad = np.broadcast_to(part.kinds()[:, 0, 0] == ERROR, size)
        kind, number = np.where(bad, ERROR, kind), np.where(bad, np.broadcast_to(part.number[:, 0, 0], size), number)
    return Values(number.reshape(-1, 1, 1), kind.astype(np.uint8).reshape(-1, 1, 1), cells.texts)


@_function("MATCH", 3)
def _match(context: Context, trees: tuple[Tree, ...]) -> Values:
    if trees[1].kind == "error":
        return context.value(trees[1])
    if trees[1].kind != "reference" or trees[2] != Tree("number", 0.0):
        raise FormulaError("MATCH is known only as MATCH(value, range, 0)")
    wanted, cells = context.one(trees[0]), context.cells(trees[1], texts=True)
    if 1 not in cells.number.shape[1:]:
        return error(NA)
    if any(mark in str(text) for text in wanted.all_texts().flat for mark in "*?~"):
        raise FormulaError("MATCH is not known of a text with a wildcard: *, ? or ~")
    hit = compare("=", wanted, cells)
    blank = (cells.kinds() == BLANK) | (wanted.kinds() == BLANK)
    equal = ((hit.number == 1) & (hit.kinds() == BOOLEAN) & ~blank).reshape(len(hit.number), -1)
    found = equal.any(axis=1)
    wrong = np.broadcast_to((wanted.kinds() == ERROR).reshape(-1), len(found))
    number = np.where(found, equal.argmax(axis=1) + 1.0, NA)
    number = np.where(wrong, np.broadcast_to(wanted.number.reshape(-1), len(found)), number)
    kind = np.where(found & ~wrong, NUMERIC, ERROR).astype(np.uint8)
    return Values(number.reshape(-1, 1, 1), kind.reshape(-1, 1, 1))
