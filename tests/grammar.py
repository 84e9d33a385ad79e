"""Random formulas over all the functions that the evaluator knows, and the cells that they read."""

from __future__ import annotations

from random import Random
from typing import Any

COLUMNS, ROWS = "ABCDEF", 8
TEXTS = [
    '""',
    '"abc"',
    '"ABC"',
    '"b"',
    '"7"',
    '"-2.5"',
    '"1E2"',
    '" 3 "',
    '"TRUE"',
    '"12 "',
    '"1,5"',
    '"a*"',
    '"nan"',
    '"1_0"',
]
NUMBERS = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "0.5",
    "-2.5",
    "1.005",
    "7",
    "12",
    "100",
    "-0.1",
    "1E15",
    "-1E300",
    "1E-300",
    "1E308",
    "0.1",
    "700",
]
ERRORS = ["#DIV/0!", "#N/A", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "#NULL!"]
OF_ONE = ["EXP", "LN", "TANH", "SQRT", "ABS", "INT", "ERF", "NORMSDIST"]
OF_RANGES = [name for name in OF_ONE if name != "ERF"]  # inside SUMPRODUCT
OVER_RANGES = ["SUM", "SUMSQ", "MAX", "MIN", "AVERAGE"]
OPERATORS = ["+", "-", "*", "/", "^"]
COMPARISONS = ["=", "<>", "<", ">", "<=", ">="]


def cells(rng: Random) -> dict[str, Any]:
    """What stands in the cells: numbers of every size, texts, booleans, errors, formulas, and nothing."""
    found = {}
    for column in COLUMNS:
        for row in range(1, ROWS + 1):
            kind = rng.choice(["number"] * 6 + ["blank", "blank", "text", "boolean", "error", "empty"])
            value: Any = None
            if kind == "number":
                value = float(rng.choice(NUMBERS))
            elif kind == "text":
                value = rng.choice(TEXTS)[1:-1] or None
            elif kind == "boolean":
                value = rng.random() < 0.5
            elif kind == "error" and column in "EF":  # elsewhere they would drown all else
                value = rng.choice(ERRORS)
            elif kind == "empty":
                value = '=REPT("a",0)'
            found[f"{column}{row}"] = value
    return found


class Grammar:
    """Formulas from one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)

    def formula(self) -> str:
        return self.value(self.rng.choice([1, 1, 2, 2, 3, 4]))

    def cell(self) -> str:
        return self.rng.choice(COLUMNS) + str(self.rng.randint(1, ROWS))

    def range(self, rows: int | None = None, columns: int | None = None) -> str:
        rows, columns = rows or self.rng.randint(1, 4), columns or self.rng.randint(1, 3)
        left, top = self.rng.randint(0, len(COLUMNS) - columns), self.rng.randint(1, ROWS - rows + 1)
        return f"{COLUMNS[left]}{top}:{COLUMNS[left + columns - 1]}{top + rows - 1}"

    def leaf(self) -> str:
        kind = self.rng.random()
        if kind < 0.45:
            return self.rng.choice(NUMBERS)
        if kind < 0.85:
            return self.cell()
        if kind < 0.93:
            return self.rng.choice(TEXTS)
        return self.rng.choice(["TRUE", "FALSE"])  # no #N/A and the like: LibreOffice dies of them when it saves

    def value(self, depth: int) -> str:
        """An expression with one value."""
        if depth == 0:
            return self.leaf()
        rng, inner = self.rng, depth - 1
        kind = rng.random()
        if kind < 0.22:
            return f"{self.operand(inner)}{rng.choice(OPERATORS)}{self.operand(inner)}"
        if kind < 0.30:
            return f"{self.operand(inner)}{rng.choice(COMPARISONS)}{self.operand(inner)}"
        if kind < 0.35:
            text = self.operand(inner)
            return rng.choice([f"-{text}", f"{text}%", f"+{text}"])
        if kind < 0.50:
            return f"{rng.choice(OF_ONE)}({self.value(inner)})"
        if kind < 0.65:
            arguments = [rng.choice([self.range(), self.range(), self.value(inner)]) for _ in range(rng.randint(1, 3))]
            return f"{rng.choice(OVER_RANGES)}({','.join(arguments)})"
        if kind < 0.75:
            return f"SUMPRODUCT({self.products(inner)})"
        return rng.choice(
            [
                lambda: f"ROUND({self.value(inner)},{rng.choice(['0', '2', '-1', '5', '400', '-400', self.value(0)])})",
                lambda: f"IF({self.value(inner)},{self.value(inner)},{self.value(inner)})",
                lambda: f"IF({self.value(inner)},{self.value(inner)})",
                lambda: (
                    f"CHOOSE({rng.choice(['1', '2', '2.9', self.value(inner)])},{self.value(inner)},{self.value(inner)})"
                ),
                lambda: f"LARGE({self.range()},{rng.choice(['1', '2', '1.5', self.value(inner)])})",
                lambda: (
                    f"INDEX({self.range(3, 2)},{rng.choice(['1', '3', '2.5', self.value(inner)])},{rng.choice(['1', '2', '3'])})"
                ),
                lambda: (
                    f"INDEX({self.range(*rng.choice([(3, 1), (1, 3)]))},{rng.choice(['1', '2', '3', '4', self.value(inner)])})"
                ),
                lambda: f"MATCH({self.value(inner)},{self.range(*rng.choice([(4, 1), (1, 3)]))},0)",
                lambda: f"REPT({rng.choice(TEXTS)},{rng.choice(['0', '1', '2.9', self.value(inner)])})",
            ]
        )()

    def operand(self, depth: int) -> str:
        """Sometimes without brackets, so that precedence decides."""
        text = self.value(depth)
        return text if self.rng.random() < (0.5 if depth or text[0] == "-" else 1) else f"({text})"

    def products(self, depth: int) -> str:
        """What SUMPRODUCT takes: ranges of one shape, or arithmetic on them."""
        rng = self.rng
        size = (rng.randint(1, 4), rng.randint(2, 3))
        kind = rng.random()
        if kind < 0.5:
            other = size if rng.random() < 0.9 else (size[0], size[1] % 3 + 1)
            return ",".join([self.range(*size), self.range(*other), self.range(*size)][: rng.randint(1, 3)])
        if kind < 0.7:
            return f"{self.range(*size)}{rng.choice(OPERATORS)}{self.range(*size)}"
        if kind < 0.8:
            return f"({self.range(*size)}{rng.choice(COMPARISONS)}{self.operand(depth)})*{self.range(*size)}"
        if kind < 0.9:
            return f"{rng.choice(OF_RANGES)}({self.range(*size)}),{self.range(*size)}"
        if kind < 0.93:
            return f"ROUND({self.range(*size)},{rng.choice(['0', '1', '-2', self.range(*size), self.operand(depth)])})"
        return f"{self.range(*size)}{rng.choice(OPERATORS)}{self.operand(depth)}"
