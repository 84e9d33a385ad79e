"""The sheet's formulas, each rectangle beside what NumPy says that it shows."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ...arrays.computed_range import TOLERANCE, ComputedRange, choose
from ...arrays.grid import Grid
from ...arrays.terms import Area
from ...layers.backward import NEAR
from ..inspector.references import place_note
from .moving import AXES, features_of
from .references import To, index, index_at, plain, seen
from .steps import CLOSED, EARLIER, OPEN, OTHER, WON, Step, steps_of
from .table import AT, BEFORE, CHOICES, FIELDS, LIMITS, LINE, NOTHING, PLACE, SCALES, InspectorBack

HOLE = "·"  # a blank cell: padding, or the space between the cells of a gradient drawn with the stride
EQUAL, DIFFERS, ELSEWHERE = "✓ as on its sheet", "≠ its sheet", "✗ not the cell that was chosen"


def inspector_back_views(shown: InspectorBack, places: dict[str, Grid], choice: dict[str, Any]) -> list[ComputedRange]:
    """Every computed rectangle; `places` are all named rectangles, `choice` is what the yellow cells hold."""
    return _Views(shown, To(places), choice).all()


class _Views:
    def __init__(self, shown: InspectorBack, to: To, choice: dict[str, Any]) -> None:
        self.shown, self.to, self.choice = shown, to, choice
        self.k, self.place = shown.chosen(choice)
        self.subject = shown.subjects[self.k]
        self.features = features_of(self.place, self.subject.divisors)
        self.row = dict(zip(FIELDS, shown.table[self.k].astype(int).tolist(), strict=True))
        table = shown.place_table.astype(int)
        self.corners = [
            [row[4] + int(row[6 : 6 + 2 * AXES] @ self.features), row[5] + int(row[6 + 2 * AXES :] @ self.features)]
            for row in table
        ]
        self.table = table
        self.lines = [self._line(y) for y in range(shown.lines)]
        self.steps = [steps_of(shown, to, k) for k in range(len(shown.subjects))]

    def all(self) -> list[ComputedRange]:
        found = [self._at(), self._chosen(), self._corners(), self._numbers(), self._lines(), self._values(), self._totals()]
        found += [*self._steps(), *self._choice(), *self._windows(), *self._results()]
        named = [ComputedRange(BEFORE + one.name, one.formula, plain(one.values), one.also) for one in found]
        return named + self._scale()

    # -- hidden --------------------------------------------------------------------------------------------------------
    def _at(self) -> ComputedRange:
        to, hidden = self.to, self.to.hidden
        texts = [f"MATCH({to.area('gradient', hidden)},{to.area('subjects', hidden)},0)"]
        texts += [
            f"ROUND(MAX(1,MIN({to.area(c, hidden)},{to.of(s, hidden)})),0)" for c, s in zip(CHOICES[1:], LIMITS, strict=True)
        ]
        texts += [f"{to.at(choice, hidden)}-1" for choice in CHOICES[1:]]
        texts += [f"INT({to.at(f'feature_{n}', hidden)}/{to.of(f'divisor_{n}', hidden)})" for n in range(AXES)]
        values = [self.k + 1, *(n + 1 for n in self.place), *self.features]
        return ComputedRange("at", lambda _, n: texts[n], [values])

    def _chosen(self) -> ComputedRange:
        n, hidden = len(self.shown.subjects), self.to.hidden
        columns = [self.to.part("table", 0, field, n, 1, hidden) for field in range(len(FIELDS))]
        return ComputedRange(
            "chosen", lambda _, f: index(columns[f], self.to.at("gradient", hidden)), [[*self.row.values()]]
        )

    def _corners(self) -> ComputedRange:
        to, hidden = self.to, self.to.hidden
        features = to.part("at", 0, AT.index("feature_0"), 1, 2 * AXES, hidden)

        def text(p: int, n: int) -> str:
            moves = to.part("places", p, len(PLACE) + n * 2 * AXES, 1, 2 * AXES, hidden)
            return f"{to.cell('places', p, PLACE.index('top') + n, hidden)}+SUMPRODUCT({moves},{features})"

        return ComputedRange("corners", text, self.corners)

    def _numbers(self) -> ComputedRange:
        to, hidden = self.to, self.to.hidden

        def text(i: int, n: int) -> str:
            number = to.count(i, hidden)
            return f'IF({number}<{to.of(LIMITS[n], hidden)},{number}+1,"")'

        values = [[i + 1 if i < size else "" for size in self.subject.size] for i in range(self.shown.longest)]
        return ComputedRange("numbers", text, values)

    def _line(self, y: int) -> list[int]:
        t, line = divmod(y, self.row["pitch"])
        p = self.row["first"] + 2 * t
        step = self.row["step"]
        if t >= self.row["terms"] or line * step >= self.table[p - 1][1]:
            return [0] * len(LINE)
        (area, _, columns), (other, *_) = self.table[p - 1][:3], self.table[p][:3]
        (top, left), (other_top, other_left) = self.corners[p - 1], self.corners[p]
        both = [area, top + line * step, left, -(-columns // step), other]
        both += [other_top + line * step, other_left] if other else [0, 0]
        return [p, line, *map(int, both)]

    def _lines(self) -> ComputedRange:
        to, hidden, count = self.to, self.to.hidden, len(self.shown.places)

        def column(name: str, n: int) -> str:
            return to.part(name, 0, n, count, 1, hidden)

        def text(y: int, n: int) -> str:
            number, pitch, step = to.count(y, hidden), to.of("pitch", hidden), to.of("step", hidden)
            t = f"INT({number}/{pitch})"
            p, line = (to.cell("lines", y, i, hidden) for i in (0, 1))
            if n == 0:
                place = f"{to.of('first', hidden)}+2*{t}"
                inside = f"IF(({number}-{t}*{pitch})*{step}<{index(column('places', 1), place)},{place},0)"
                return f"IF({t}>={to.of('terms', hidden)},0,{inside})"
            other = to.cell("lines", y, LINE.index("other area"), hidden)
            texts = {
                "line": f"{number}-{t}*{pitch}",
                "area": index(column("places", 0), p),
                "row": f"{index(column('corners', 0), p)}+{line}*{step}",
                "left": index(column("corners", 1), p),
                "columns": f"-INT(-{index(column('places', 2), p)}/{step})",
                "other area": index(column("places", 0), f"{p}+1"),
                "other row": f"IF({other}=0,0,{index(column('corners', 0), f'{p}+1')}+{line}*{step})",
                "other left": f"IF({other}=0,0,{index(column('corners', 1), f'{p}+1')})",
            }
            return f"IF({p}=0,0,{texts[LINE[n]]})"

        return ComputedRange("lines", text, self.lines)

    def _values(self) -> ComputedRange:
        """The single cells of the chosen gradient: its own, gates, and what its factor reads."""
        to, hidden = self.to, self.to.hidden
        single = [one.area.rows == one.area.columns == 1 for _, one, _ in self.shown.places]

        def text(p: int, _: int) -> str:
            k, one, _ = self.shown.places[p]
            if not single[p]:
                return "0"
            area = self.shown.areas[self.shown.area_of(one) - 1]
            top, left = (to.cell("corners", p, n, hidden) for n in (0, 1))
            return f"IF({to.at('gradient', hidden)}={k + 1},{index(seen(area), f'{top},{left}')}+0,0)"

        values = [
            [self._number(one.at(self.features)) if single[p] and k == self.k else 0.0]
            for p, (k, one, _) in enumerate(self.shown.places)
        ]
        self.singles = [value for (value,) in values]
        return ComputedRange("values", text, values)

    def _number(self, area: Area) -> float:
        return float(np.nan_to_num(self.shown.cells.numbers(area)).item())

    def _totals(self) -> ComputedRange:
        to, hidden, width = self.to, self.to.hidden, self.shown.width

        def text(y: int, _: int) -> str:
            p, other = to.cell("lines", y, 0, hidden), to.cell("lines", y, LINE.index("other area"), hidden)
            sign = index(to.part("places", 0, PLACE.index("sign"), len(self.shown.places), 1, hidden), p)
            window, products = (f"SUM({to.line_of(name, y, width, hidden)})" for name in ("window", "product"))
            return f"IF({p}=0,0,{sign}*IF({other}=0,{window},{products}))"

        values = []
        for y, line in enumerate(self.lines):
            sign = int(self.table[line[0] - 1][3]) if line[0] else 0
            numbers = self._numbers_of(y, "product" if line[6] else "window")
            values.append([float(sign * sum(n for n in numbers if isinstance(n, float)))])
        self.totals = values
        return ComputedRange("totals", text, values)

    def _numbers_of(self, y: int, which: str) -> list[Any]:
        """A line of numbers of a window, of what it is multiplied by, or of the products."""
        p, line, _, _, _, columns, other, *_ = self.lines[y]
        if not p or (which != "window" and not other):
            return [""] * self.shown.width
        step = self.row["step"]
        places = [self.shown.places[p - 1 + n][1].at(self.features) for n in range(2 if other else 1)]
        rows = [self.shown.cells.numbers(place)[line * step, ::step] for place in places]
        if which == "product":
            numbers = np.nan_to_num(rows[0] * rows[1]).tolist()
        else:
            numbers = [HOLE if n != n else n for n in rows[which == "times"].tolist()]
        return [*numbers, *[""] * (self.shown.width - columns)]

    def _steps(self) -> list[ComputedRange]:
        to, hidden, n = self.to, self.to.hidden, self.shown.steps

        def of(k: int, s: int) -> Step | None:
            return self.steps[k][s] if s < len(self.steps[k]) else None

        def guarded(k: int, text: str) -> str:
            return f'IF({to.at("gradient", hidden)}={k + 1},{text},"")'

        def result(k: int, s: int) -> str:
            step = of(k, s)
            return '""' if step is None else guarded(k, step.text)

        def saying(k: int, s: int) -> str:
            step = of(k, s)
            return '""' if step is None or not step.says else guarded(k, step.says)

        numbers, words = self._step_values()
        blank = [""] * n
        rows = [numbers if k == self.k else blank for k in range(len(self.shown.subjects))]
        texts = [words if k == self.k else blank for k in range(len(self.shown.subjects))]
        return [ComputedRange("results", result, rows), ComputedRange("saying", saying, texts)]

    def _step_values(self) -> tuple[list[Any], list[str]]:
        """What the steps of the chosen gradient give, in NumPy."""
        shown, subject = self.shown, self.subject
        own = self.singles[shown.first(self.k, "own")]
        numbers: list[Any] = []
        words: list[str] = []
        total = float(sum(value for (value,) in self.totals))
        passed = own if subject.kind == "large" else total
        if subject.won:
            cell, largest, gets = (self.singles[shown.first(self.k, "won") + n] for n in range(3))
            before = self._before()
            won = cell >= largest - NEAR and not before
            told = OTHER if cell < largest - NEAR else EARLIER if before else WON
            numbers, words, passed = [largest, cell, gets], ["", told, ""], gets if won else 0.0
        elif subject.pairs:
            numbers, words = [passed], [""]
        if subject.factor:
            passed = passed * subject.times if subject.times is not None else own
            numbers, words = [*numbers, passed], [*words, ""]
        for n, (gate, _) in enumerate(subject.gates):
            number = self.singles[shown.first(self.k, "gates") + n]
            size = abs(number) if gate.size else number
            opens = size > gate.limit if gate.sign == ">" else size < gate.limit
            numbers.append(number)
            words.append(OPEN if opens else CLOSED)
            passed = passed if opens else 0.0
        self.passed = passed if subject.kind != "none" else own
        numbers, words = [*numbers, self.passed, own], [*words, "", ""]
        rest = shown.steps - len(numbers)
        return [*numbers, *[""] * rest], [*words, *[""] * rest]

    def _before(self) -> int:
        """How many cells before the chosen one in its window are as large as the largest."""
        cell, largest, _ = self.subject.won
        window = self.shown.cells.numbers(self.subject.pairs[0][1].at(self.features))
        at, corner = cell.at(self.features), self.subject.pairs[0][1].at(self.features)
        order = (at.top - corner.top) * window.shape[1] + at.left - corner.left
        best = self._number(largest.at(self.features))
        return int((window.reshape(-1)[:order] >= best - NEAR).sum())

    # -- visible -------------------------------------------------------------------------------------------------------
    def _choice(self) -> list[ComputedRange]:
        to, sheet = self.to, self.to.visible
        found = [
            ComputedRange(field, lambda *_, field=field: to.of(field, sheet), [[size]])
            for field, size in zip(LIMITS, self.subject.size, strict=True)
        ]
        text, self.note = place_note(
            to, sheet, zip(CHOICES[1:], LIMITS, strict=True), self.subject.size, self.place, self.choice
        )
        found.append(ComputedRange("note", lambda *_: text, [[self.note]]))
        words = index(to.area("words", sheet), to.at("gradient", sheet))
        found.append(ComputedRange("sentence", lambda *_: words, [[self.subject.words]]))
        found.append(ComputedRange("maps_shown", lambda *_: to.of("maps", sheet), [[self.row["maps"]]]))
        return found

    def _windows(self) -> list[ComputedRange]:
        to, sheet, step = self.to, self.to.visible, self.to.of("step", self.to.visible)
        reached = self.shown.reached

        def text(y: int, c: int, side: int) -> str:
            if (y, c, side) not in reached:
                return '""'
            area, row, left = (
                to.cell("lines", y, LINE.index(name), sheet) for name in (LINE[2:5] if side == 0 else LINE[6:9])
            )
            number = to.count(c, sheet)
            x = self._found(area, f"{row},{left}+{number}*{step}", reached[y, c, side])
            columns = to.cell("lines", y, LINE.index("columns"), sheet)
            shown = f'IF({number}>={columns},"",IF({x}="","{HOLE}",{x}))'
            return shown if side == 0 else f'IF({area}=0,"",{shown})'

        def times(y: int, c: int) -> str:
            if (y, c, 1) not in reached:
                return '""'
            one, other = (to.cell(name, y, c, sheet) for name in ("window", "times"))
            return f'IF({other}="","",IF({one}="{HOLE}",0,IF({other}="{HOLE}",0,{one}*{other})))'

        values = {
            name: [self._numbers_of(y, name) for y in range(self.shown.lines)] for name in ("window", "times", "product")
        }
        self.numbers = values
        found = [ComputedRange(name, partial(text, side=n), values[name]) for n, name in enumerate(("window", "times"))]
        return [*found, ComputedRange("product", times, values["product"]), *self._sums()]

    def _found(self, area: str, place: str, sheets: set[str]) -> str:
        """A cell of the area with this number, which is on one of these sheets."""
        if len(sheets) == 1:
            return next(index(seen(one), place) for one in self.shown.areas if one.sheet in sheets)
        options = [index(seen(one), place) if one.sheet in sheets else "0" for one in self.shown.areas]
        return choose(area, options)

    def _sums(self) -> list[ComputedRange]:
        to, sheet = self.to, self.to.visible
        places, totals = to.part("lines", 0, 0, self.shown.lines, 1, sheet), to.area("totals", sheet)

        def first(y: int) -> str:
            return f"{to.cell('lines', y, 0, sheet)}*({to.cell('lines', y, 1, sheet)}=0)"

        def total(y: int, _: int) -> str:
            p = to.cell("lines", y, 0, sheet)
            return f'IF({first(y)}*(1-{to.of("winner", sheet)})>0,SUMPRODUCT(({places}={p})*{totals}),"")'

        def label(y: int, _: int) -> str:
            return f'IF({first(y)}>0,{index(to.area("labels", sheet), to.cell("lines", y, 0, sheet))},"")'

        labels = self.shown.texts()["labels"]
        sums, names = [], []
        for p, line, *_ in self.lines:
            begins = p > 0 and line == 0
            own = sum(value for (value,), (q, *_) in zip(self.totals, self.lines, strict=True) if q == p)
            sums.append([own if begins and not self.row["winner"] else ""])
            names.append([labels[p - 1][0] if begins else ""])
        return [ComputedRange("sum", total, sums), ComputedRange("label", label, names), *self._headings(labels)]

    def _headings(self, labels: list[list[str]]) -> list[ComputedRange]:
        """What the first windows show, and what they are multiplied by."""
        to, sheet, first = self.to, self.to.visible, self.row["first"] - 1
        own, other = (
            index(to.area("labels", sheet), f"{to.of('first', sheet)}+{n}") if len(labels) > 1 else f'"{NOTHING}"'
            for n in (0, 1)
        )
        some, both = bool(self.row["terms"]), bool(self.row["terms"]) and bool(self.table[first + 1][0])
        times = f"{to.cell('lines', 0, LINE.index('other area'), sheet)}=0"
        found = {
            "window_name": (f'IF({to.of("terms", sheet)}=0,"",{own})', labels[first][0] if some else ""),
            "times_name": (f'IF({times},"","× "&{other})', f"× {labels[first + 1][0]}" if both else ""),
            "product_name": (f'IF({times},"","= products")', "= products" if both else ""),
        }
        return [ComputedRange(name, lambda *_, text=text: text, [[value]]) for name, (text, value) in found.items()]

    def _results(self) -> list[ComputedRange]:
        to, sheet, n = self.to, self.to.visible, self.shown.steps
        gradient = to.at("gradient", sheet)
        numbers, words = self._step_values()
        heads = [step.head for step in self.steps[self.k]]
        heads += [""] * (n - len(heads))
        hidden = {name: index_at(to.area(name, sheet), gradient) for name in ("heads", "results", "saying")}
        found = [
            ComputedRange("head", lambda _, s: f'IF({hidden["heads"](s)}="{NOTHING}","",{hidden["heads"](s)})', [heads]),
            ComputedRange("step", lambda _, s: hidden["results"](s), [numbers]),
            ComputedRange("says", lambda _, s: hidden["saying"](s), [words]),
        ]
        ends = [choose(gradient, [to.cell("step", 0, len(steps) - back, sheet) for steps in self.steps]) for back in (2, 1)]
        equal = f'IF(ABS({ends[0]}-{ends[1]})<={TOLERANCE}*(1+ABS({ends[1]})),"{EQUAL}","{DIFFERS}")'
        tick = f'IF({to.area("note", sheet)}="",{equal},"{ELSEWHERE}")'
        found.append(ComputedRange("tick", lambda *_: tick, [[ELSEWHERE if self.note else EQUAL]]))
        return [*found, self._where()]

    def _where(self) -> ComputedRange:
        """The name of the grid that the cell lies in, as the Name Box takes it, and where in it."""
        to, sheet = self.to, self.to.visible
        axes, at = to.of("axes", sheet), {name: to.at(name, sheet) for name in CHOICES[1:]}
        name = index(to.area("grids", sheet), to.at("gradient", sheet))
        numbers = f'IF({axes}>0,"_"&{at["filter"]},"")&IF({axes}>1,"_"&{at["channel"]},"")'
        text = f'{name}&{numbers}&", row "&{at["row"]}&", column "&{at["column"]}'
        filter_, channel, row, column = (n + 1 for n in self.place)
        own = self.shown.texts()["grids"][self.k][0]
        axes_ = self.subject.array.grid_axes
        value = (
            own + (f"_{filter_}" if axes_ else "") + (f"_{channel}" if axes_ > 1 else "") + f", row {row}, column {column}"
        )
        return ComputedRange("where", lambda *_: text, [[value]])

    def _scale(self) -> list[ComputedRange]:
        """The sizes of the largest numbers of what is shown, for the colours."""
        to, sheet = self.to, self.to.visible
        values, texts = [], []
        for name in SCALES:
            own = "window" if name == "read" else name
            area = to.area(own, sheet)
            texts.append(f"MAX(MAX({area}),-MIN({area}),{TOLERANCE})")
            sizes = [abs(n) for row in self.numbers[own] for n in row if not isinstance(n, str)]
            values.append([max([float(TOLERANCE), *sizes])])
        return [ComputedRange(f"{BEFORE}scale", lambda n, _: texts[n], values)]


def constants(shown: InspectorBack, places: dict[str, Grid]) -> dict[str, list[list[str]]]:
    """The texts on the hidden sheet that nobody computes, by the names of their rectangles."""
    to = To(places)
    heads = []
    for k in range(len(shown.subjects)):
        own = [step.head for step in steps_of(shown, to, k)]
        heads.append([*own, *[NOTHING] * (shown.steps - len(own))])
    return {BEFORE + name: texts for name, texts in (shown.texts() | {"heads": heads}).items()}
