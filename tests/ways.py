"""Ways in which people write a convolution and a pooling: right ones, wrong ones, and what each is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from sheetcnn.a1 import LETTERS, cell_name
from sheetcnn.formula import Book

WEIGHT = [[[1, 2, 0], [-1, 1, 3], [2, -2, 1]], [[0, -1, 2], [1, 0.5, 1], [-3, 1, 2]]]
BIAS = 4
RIGHT, PICTURE_ONLY, WRONG, LOOK = "right", "right for this picture only", "wrong", "not graded: look at"


class Places:
    """Where the grids of the exercise lie: two channels of 6×6, a kernel of 3×3 for each, a map of 4×4, pooled to 2×2."""

    def __init__(self, book: Book) -> None:
        self.names = book.names

    def corner(self, name: str) -> tuple[int, int]:
        return self.names[name][1:3]

    def area(self, name: str, i: int, j: int, rows: int, columns: int, *, fixed: bool = False) -> str:
        """A part of a grid, with its sheet."""
        sheet, top, left, *_ = self.names[name]
        sign = "$" if fixed else ""
        ends = [f"{sign}{LETTERS[left + b]}{sign}{top + a}" for a, b in ((i, j), (i + rows - 1, j + columns - 1))]
        return f"{sheet}!{ends[0]}" + (f":{ends[1]}" if rows * columns > 1 else "")

    def window(self, c: int, i: int, j: int) -> str:
        return self.area(f"input_channel_{c}", i, j, 3, 3)

    def pixel(self, c: int, i: int, j: int) -> str:
        return self.area(f"input_channel_{c}", i, j, 1, 1)

    def kernel(self, c: int) -> str:
        return self.area(f"conv_kernel_1_{c}", 0, 0, 3, 3, fixed=True)

    def weight(self, c: int, a: int, b: int) -> str:
        return self.area(f"conv_kernel_1_{c}", a, b, 1, 1, fixed=True)

    @property
    def bias(self) -> str:
        return self.area("conv_bias_1", 0, 0, 1, 1, fixed=True)

    def sums(self, i: int, j: int) -> str:
        """What the map's cell is before ReLU, as the workbook itself writes it."""
        return f"{self.bias}+" + "+".join(f"SUMPRODUCT({self.window(c, i, j)},{self.kernel(c)})" for c in (1, 2))

    def pairs(self, i: int, j: int) -> list[tuple[str, str]]:
        """Each pixel of the window with its weight."""
        every = product((1, 2), range(3), range(3))
        return [(self.pixel(c, i + a, j + b), self.weight(c, a, b)) for c, a, b in every]

    def pool(self, i: int, j: int) -> str:
        return self.area("conv_map_1", 2 * i, 2 * j, 2, 2)

    def pooled(self, i: int, j: int) -> list[str]:
        return [self.area("conv_map_1", 2 * i + a, 2 * j + b, 1, 1) for a, b in product(range(2), range(2))]


Write = Callable[[Places, int, int], str | float]


@dataclass(frozen=True)
class Way:
    """A formula for each cell, without "="; in braces it is an array formula. `worth` is what each cell of it is."""

    name: str
    write: Write
    worth: str = RIGHT
    spare: Write | None = None  # what the student puts into the same cell of spare ones further down
    names: tuple[tuple[str, str, str], ...] = ()  # names of the student's own: name, sheet or "", meaning
    spilt: bool = False  # one formula fills the whole map
    new: bool = False  # newer than LibreOffice 7.4


def spare(p: Places, i: int, j: int) -> str:
    """A cell below the map, where there is room for notes."""
    top, left = p.corner("conv_map_1")
    return cell_name(top + 20 + i, left + j)


def _flipped(p: Places, i: int, j: int) -> str:
    pairs = [(p.pixel(c, i + a, j + b), p.weight(c, 2 - a, 2 - b)) for c, a, b in product((1, 2), range(3), range(3))]
    return f"MAX(0,{p.bias}+{'+'.join(f'{x}*{w}' for x, w in pairs)})"


def _with(text: str) -> Write:
    """A formula around the sum."""
    return lambda p, i, j: text.replace("SUM_", f"({p.sums(i, j)})")


def _offset(p: Places, i: int, j: int) -> str:
    corners = [p.area(f"input_channel_{c}", 0, 0, 1, 1, fixed=True) for c in (1, 2)]
    terms = [f"SUMPRODUCT(OFFSET({corner},{i},{j},3,3),{p.kernel(c)})" for c, corner in enumerate(corners, start=1)]
    return f"MAX(0,{p.bias}+{'+'.join(terms)})"


def _index(p: Places, i: int, j: int) -> str:
    def window(c: int) -> str:
        whole = p.area(f"input_channel_{c}", 0, 0, 6, 6, fixed=True)
        return f"INDEX({whole},{i + 1},{j + 1}):INDEX({whole},{i + 3},{j + 3})"

    return f"MAX(0,{p.bias}+{'+'.join(f'SUMPRODUCT({window(c)},{p.kernel(c)})' for c in (1, 2))})"


def _each(text: str, around: str = "MAX(0,BIAS+TERMS)") -> Write:
    """A term for each channel, of its WINDOW and its KERNEL."""

    def write(p: Places, i: int, j: int) -> str:
        terms = "+".join(text.replace("WINDOW", p.window(c, i, j)).replace("KERNEL", p.kernel(c)) for c in (1, 2))
        return around.replace("BIAS", p.bias).replace("TERMS", terms)

    return write


def _matrix(p: Places, i: int, j: int) -> str:
    rows = [
        f"MMULT({p.area(f'input_channel_{c}', i + a, j, 1, 3)},"
        f"TRANSPOSE({p.area(f'conv_kernel_1_{c}', a, 0, 1, 3, fixed=True)}))"
        for c, a in product((1, 2), range(3))
    ]
    return f"{{MAX(0,{p.bias}+SUM({','.join(rows)}))}}"


def _spilt(p: Places, i: int, j: int) -> str:
    terms = [
        f"{p.area(f'input_channel_{c}', a, b, 4, 4)}*{p.weight(c, a, b)}" for c, a, b in product((1, 2), range(3), range(3))
    ]
    total = f"{p.bias}+{'+'.join(terms)}"
    return f"{{IF({total}>0,{total},0)}}"


def _let(p: Places, i: int, j: int) -> str:
    return f"_xlfn.LET(_xlpm.z,{p.sums(i, j)},IF(_xlpm.z>0,_xlpm.z,0))"


def _lambda(p: Places, i: int, j: int) -> str:
    return f"_xlfn.LAMBDA(_xlpm.z,MAX(0,_xlpm.z))({p.sums(i, j)})"


def _typed(p: Places, i: int, j: int) -> str:
    pixels = [p.pixel(c, i + a, j + b) for c, a, b in product((1, 2), range(3), range(3))]
    weights = [WEIGHT[c][a][b] for c, a, b in product((0, 1), range(3), range(3))]
    return f"MAX(0,{BIAS}+{'+'.join(f'{x}*({w})' for x, w in zip(pixels, weights, strict=True))})"


def _typed_caught(p: Places, i: int, j: int) -> str:
    return f"IFERROR({_typed(p, i, j)},0)"


def _indirect(p: Places, i: int, j: int) -> str:
    return _each('SUMPRODUCT(INDIRECT("WINDOW"),KERNEL)')(p, i, j)


CONVOLUTIONS = (
    Way("as the workbook writes it", _with("MAX(0,SUM_)")),
    Way("the workbook's own names", lambda p, i, j: f"MAX(0,conv_bias_1+SUMPRODUCT({p.window(1, i, j)},conv_kernel_1_1)"
        f"+SUMPRODUCT({p.window(2, i, j)},CONV_Kernel_1_2))"),
    Way("a name of one's own", lambda p, i, j: f"MAX(0,my_bias+{p.sums(i, j).split('+', 1)[1]})",
        names=(("my_bias", "", "conv_bias_1"),)),
    Way("a name of this sheet only", lambda p, i, j: f"MAX(0,mine+{p.sums(i, j).split('+', 1)[1]})",
        names=(("mine", "conv", "conv_bias_1"),)),
    Way("products inside SUMPRODUCT", _each("SUMPRODUCT(WINDOW*KERNEL)")),
    Way("an array formula", _each("SUM(WINDOW*KERNEL)", "{MAX(0,BIAS+TERMS)}")),
    Way("one sum of an array formula", lambda p, i, j:
        f"{{MAX(0,SUM({p.window(1, i, j)}*{p.kernel(1)},{p.window(2, i, j)}*{p.kernel(2)},{p.bias}))}}"),
    Way("the workbook's own with Ctrl+Shift+Enter", _with("{MAX(0,SUM_)}")),
    Way("IF", _with("IF(SUM_>0,SUM_,0)")),
    Way("IF with the other sign", _with("IF(0>=SUM_,0,SUM_)")),
    Way("a comparison as a factor", _with("(SUM_>0)*SUM_")),
    Way("IFERROR", _with("IFERROR(MAX(0,SUM_),0)")),
    Way("IFERROR inside", _with("MAX(0,IFERROR(SUM_,0))")),
    Way("IF and AND", _with("IF(AND(SUM_>0,TRUE),SUM_,0)")),
    Way("IF and NOT", _with("IF(NOT(SUM_>0),0,SUM_)")),
    Way("IFS", _with("_xlfn.IFS(SUM_>0,SUM_,TRUE,0)")),
    Way("SWITCH", _with("_xlfn.SWITCH(SUM_>0,TRUE,SUM_,0)")),
    Way("CHOOSE", _with("CHOOSE(1+(SUM_>0),0,SUM_)")),
    Way("half of x and its absolute value", _with("(SUM_+ABS(SUM_))/2")),
    Way("the sign", _with("SUM_*(1+SIGN(SUM_))/2")),
    Way("the median", _with("MEDIAN(0,SUM_,1E+30)")),
    Way("the smallest of the negatives", _with("-MIN(0,-SUM_)")),
    Way("a square root of a square", _with("(SUM_+SQRT((SUM_)^2))/2")),
    Way("rounded far behind the comma", _with("ROUND(MAX(0,SUM_),9)")),
    Way("a plus before it", _with("+MAX(0,SUM_)")),
    Way("small letters", _each("sumproduct(WINDOW,KERNEL)", "max(0,BIAS+TERMS)")),
    Way("every product written out", lambda p, i, j: f"MAX(0,{p.bias}+{'+'.join(f'{x}*{w}' for x, w in p.pairs(i, j))})"),
    Way("PRODUCT", lambda p, i, j: f"MAX(0,{p.bias}+{'+'.join(f'PRODUCT({x},{w})' for x, w in p.pairs(i, j))})"),
    Way("SUM of products", lambda p, i, j: f"MAX(0,SUM({p.bias},{','.join(f'{x}*{w}' for x, w in p.pairs(i, j))}))"),
    Way("SUMXMY2", _each("(SUMSQ(WINDOW)+SUMSQ(KERNEL)-SUMXMY2(WINDOW,KERNEL))/2")),
    Way("TRANSPOSE of both", _each("SUM(TRANSPOSE(WINDOW)*TRANSPOSE(KERNEL))", "{MAX(0,BIAS+TERMS)}")),
    Way("MMULT", _matrix),
    Way("OFFSET", _offset),
    Way("INDEX:INDEX", _index),
    Way("INDIRECT", _indirect),
    Way("LET", _let, new=True),
    Way("spare cells", lambda p, i, j: f"MAX(0,{spare(p, i, j)})", spare=lambda p, i, j: p.sums(i, j)),
    Way("spare cells with IFERROR", lambda p, i, j: f"MAX(0,{spare(p, i, j)})", spare=_with("IFERROR(SUM_,0)")),
    Way("one spilled formula for the map", _spilt, spilt=True),
    Way("LAMBDA, which nobody here knows", _lambda, LOOK),
    Way("the kernel's numbers typed into the formula", _typed, PICTURE_ONLY),
    Way("the same with IFERROR", _typed_caught, PICTURE_ONLY),
    Way("no ReLU", _with("SUM_"), WRONG),
    Way("no ReLU, with IFERROR", _with("IFERROR(SUM_,0)"), WRONG),
    Way("another activation", _with("MAX(0.1*SUM_,SUM_)"), WRONG),
    Way("the kernel turned around", _flipped, WRONG),
    Way("the bias twice", lambda p, i, j: f"MAX(0,{p.bias}+{p.sums(i, j)})", WRONG),
    Way("the bias left out", lambda p, i, j: f"MAX(0,{p.sums(i, j).split('+', 1)[1]})", WRONG),
    Way("one channel", lambda p, i, j: f"MAX(0,{p.bias}+SUMPRODUCT({p.window(1, i, j)},{p.kernel(1)}))", WRONG),
    Way("the mean of the channels", _each("SUMPRODUCT(WINDOW,KERNEL)/2"), WRONG),
    Way("one channel twice", lambda p, i, j:
        f"IFERROR(MAX(0,{p.bias}+SUMPRODUCT({p.window(1, i, j)},{p.kernel(1)})*2),0)", WRONG),
    Way("a window too far to the right", lambda p, i, j: f"MAX(0,{p.sums(i, j + 1)})", WRONG),
    Way("SUM(a*b) without Ctrl+Shift+Enter", _each("SUM(WINDOW*KERNEL)"), WRONG),
    Way("the same caught by IFERROR", _each("SUM(WINDOW*KERNEL)", "IFERROR(MAX(0,BIAS+TERMS),0)"), WRONG),
    Way("rounded to tens", _with("ROUND(MAX(0,SUM_),-1)"), WRONG),
    Way("a function that no program has", _with("SUMPRODUKT(0,SUM_)"), LOOK),
    Way("an error", _with("MAX(0,SUM_)/0"), WRONG),
    Way("a text", lambda p, i, j: f'TEXT({p.sums(i, j)},"0.000")', WRONG),
    Way("a number", lambda p, i, j: 7.25, WRONG),
)  # fmt: skip

POOLINGS = (
    Way("as the workbook writes it", lambda p, i, j: f"MAX({p.pool(i, j)})"),
    Way("four cells", lambda p, i, j: f"MAX({','.join(p.pooled(i, j))})"),
    Way("LARGE", lambda p, i, j: f"LARGE({p.pool(i, j)},1)"),
    Way("SMALL", lambda p, i, j: f"SMALL({p.pool(i, j)},4)"),
    Way("SUBTOTAL", lambda p, i, j: f"SUBTOTAL(4,{p.pool(i, j)})"),
    Way("AGGREGATE", lambda p, i, j: f"_xlfn.AGGREGATE(4,6,{p.pool(i, j)})"),
    Way("QUARTILE", lambda p, i, j: f"QUARTILE({p.pool(i, j)},4)"),
    Way("PERCENTILE", lambda p, i, j: f"PERCENTILE({p.pool(i, j)},1)"),
    Way("minus the smallest of an array", lambda p, i, j: f"{{-MIN(-{p.pool(i, j)})}}"),
    Way("an array formula", lambda p, i, j: f"{{MAX({p.pool(i, j)}*1)}}"),
    Way("IF within IF", lambda p, i, j: "IF(MAX({0},{1})>MAX({2},{3}),MAX({0},{1}),MAX({2},{3}))".format(*p.pooled(i, j))),
    Way("MAXIFS", lambda p, i, j: f'_xlfn.MAXIFS({p.pool(i, j)},{p.pool(i, j)},">=0")'),
    Way("OFFSET", lambda p, i, j: f"MAX(OFFSET({p.area('conv_map_1', 0, 0, 1, 1, fixed=True)},{2 * i},{2 * j},2,2))"),
    Way("the average", lambda p, i, j: f"AVERAGE({p.pool(i, j)})", WRONG),
    Way("the smallest", lambda p, i, j: f"MIN({p.pool(i, j)})", WRONG),
    Way("a window too far down", lambda p, i, j: f"MAX({p.area('conv_map_1', 2 * i + 1, 2 * j, 2, 2)})", WRONG),
    Way("stride 1", lambda p, i, j: f"MAX({p.area('conv_map_1', i, j, 2, 2)})", WRONG),
    Way("a plain range", lambda p, i, j: p.pool(i, j), WRONG),
)
