"""The hidden sheet: where the chosen layer's windows lie, line by line, and what is done with them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ...arrays.computed_range import ComputedRange
from ...arrays.symbol import Number, Symbol
from ...model.trace import CellTrace, as_maps
from .arithmetic import TOO_LARGE, Arithmetic, Piece, said
from .inspected import FINE, Inspected
from .references import References, index
from .stack import Stack
from .table import CHOICES, FIELDS, MARKS, ORIGIN, ROW, STACK, TERM

NO_LINE, BLANK = -1, 0  # where a cell of the windows' lines shows nothing, and where it shows a blank cell


class HiddenSheet:
    """Its formulas, each beside its value; `number` is that of the chosen layer."""

    def __init__(self, to: References, number: int, seen: CellTrace) -> None:
        self.to, self.number, self.seen = to, number, seen
        self.inspector, self.layer = to.inspector, to.inspector.layers[number]
        self.geometry = dict(zip(FIELDS, self.inspector.table[number].astype(int).tolist(), strict=True))
        self.stacks = self.inspector.places.astype(int)
        self.arithmetic = [Arithmetic(to, layer, n) for n, layer in enumerate(self.inspector.layers)]
        self.of, self.at = partial(to.of, sheet=to.hidden), partial(to.at, sheet=to.hidden)
        self.terms = self._term_values()

    def views(self) -> list[ComputedRange]:
        """All computed rectangles."""
        found = [self._at(), self._chosen(), self._numbers(), self._origins(), self._terms(), self._columns()]
        found += [self._lines(), self._found(), self._marks(), *self._steps(), self._sentences()]
        return [*found, *self._totals()]

    # -- the place -----------------------------------------------------------------------------------------------------
    def _at(self) -> ComputedRange:
        to, of, at = self.to, self.of, self.at
        stacks = [to.column("stacks", n, to.hidden) for n in range(2)]
        counted = "*".join(
            f"(MIN({at(start)}+{of(size)},{index(whole, of('source'))}+{of(after)})-MAX({at(start)},-{of(before)}))"
            for start, size, whole, before, after in (
                ("top", "height", stacks[0], "count_top", "count_bottom"),
                ("left", "width", stacks[1], "count_left", "count_right"),
            )
        )
        texts = [f"MATCH({to.area('layer', to.hidden)},{to.area('layers', to.hidden)},0)"]
        for choice, size in zip(CHOICES[1:], ("maps", "rows", "columns"), strict=True):
            texts.append(f"ROUND(MAX(1,MIN({to.area(choice, to.hidden)},{of(size)})),0)")
        cells = to.area("box", to.hidden)
        size = f"MAX(MAX({cells}),-MIN({cells}))"
        texts += [
            f"IF({of('vector')}=1,{at('row')}-1,INT(({at('map')}-1)/{of('maps_each')}))",
            f"{at('map')}-1-INT(({at('map')}-1)/{of('maps_each')})*{of('maps_each')}",
            f"INT({at('filter')}/{of('filters')})*{of('group')}",
            f"{at('depth')}*{of('level_stride')}-{of('level_start')}",
            f"({at('row')}-1)*{of('down')}-{of('top')}",
            f"({at('column')}-1)*{of('along')}-{of('left')}",
            f"IF({of('counted')}=1,{counted},{of('divisor')})",
            f"IF({size}>{TOO_LARGE},-1,{'+'.join(f'IF({size}<{limit},1,0)' for limit in DIGITS)})",
        ]
        m, i, j = self.seen.place
        seen, corner = self.seen, self._corner()
        values = [self.number + 1, m + 1, i + 1, j + 1, seen.filter, seen.depth, seen.first, seen.level, *corner]
        return ComputedRange("inspector_at", lambda _, n: texts[n], [[*values, seen.divisor, self.digits]])

    def _corner(self) -> tuple[int, int]:
        geometry, (_, i, j) = self.geometry, self.seen.place
        return i * geometry["down"] - geometry["top"], j * geometry["along"] - geometry["left"]

    @property
    def digits(self) -> int:
        """How many decimals the sentence has; −1 where its numbers are too large for one."""
        values = self.arithmetic[self.number].values(self.seen)
        size = max(max(values), -min(values))
        return -1 if size > float(TOO_LARGE) else sum(size < float(limit) for limit in DIGITS)

    def _chosen(self) -> ComputedRange:
        columns = [self.to.column("table", n, self.to.hidden) for n in range(len(FIELDS))]
        values = self.inspector.table[self.number].tolist()
        return ComputedRange("inspector_chosen", lambda _, n: index(columns[n], self.at("layer")), [values])

    def _numbers(self) -> ComputedRange:
        sizes = [self.of(field) for field in ("maps", "rows", "columns")]

        def text(i: int, j: int) -> str:
            number = self.to.count(i, self.to.hidden)
            return f'IF({number}<{sizes[j]},{number}+1,"")'

        shape = as_maps(self.layer.node.shape)
        values = [[n + 1 if n < size else "" for size in shape] for n in range(self.inspector.longest)]
        return ComputedRange("inspector_numbers", text, values)

    # -- the windows ---------------------------------------------------------------------------------------------------
    def _origins(self) -> ComputedRange:
        """Single cells that are read: each layer's own formulas, worked out for the chosen one."""
        at = tuple(Symbol(f"({self.at(name)}-1)") for name in CHOICES[1:])
        rows = [self._places(layer, at) for layer in self.inspector.layers]
        numbers = self._places(self.layer, self.seen.place)
        width = self.inspector.origins * len(ORIGIN)

        def text(n: int, j: int) -> str:
            return f"IF({self.at('layer')}={n + 1},{rows[n][j]},0)" if j < len(rows[n]) else "0"

        values = [[0] * width for _ in rows]
        values[self.number][: len(numbers)] = numbers
        return ComputedRange("inspector_origins", text, values)

    def _places(self, layer: Inspected, at: Any) -> list[Number]:
        """Stack, channel in it, row and column of each single cell."""
        if layer.windowed:
            return []
        found: list[Number] = []
        for channel, row, column in layer.node.layer.origins(at, *layer.node.in_shapes):
            stack, before = self.inspector.number(layer.reads[0]), 0
            inside = channel
            for one, other in zip(layer.reads, layer.reads[1:], strict=False):
                before += len(one.grids)
                beyond = channel >= before if isinstance(channel, Symbol) else int(channel >= before)
                stack += beyond * (self.inspector.number(other) - self.inspector.number(one))
                inside -= beyond * len(one.grids)
            found += [stack, inside, row, column]
        return found

    def _term_values(self) -> list[list[int]]:
        found = []
        for t in range(self.inspector.terms):
            if t >= self.layer.reduction.terms:
                found.append([0, -1, *[0] * (len(TERM) - 2)])
                continue
            if self.layer.windowed:
                level = self.seen.level + t * self.layer.reduction.levels[2]
                inside = 0 <= level < self.layer.reduction.depth
                place = [self.geometry["source"], self.seen.first + level if inside else -1, *self._corner()]
            else:
                place = self._places(self.layer, self.seen.place)[t * len(ORIGIN) : (t + 1) * len(ORIGIN)]
            stack = dict(zip(STACK, self.stacks[place[0] - 1].tolist(), strict=True))
            shade = stack["shade"] * (place[1] + 1)
            found.append([*place, *(stack[field] for field in STACK[:6]), shade])
        return found

    def _terms(self) -> ComputedRange:
        to, of, at = self.to, self.of, self.at
        stacks = [to.column("stacks", n, to.hidden) for n in range(len(STACK))]
        origins = to.area("origins", to.hidden)

        def text(t: int, n: int) -> str:
            number = to.count(t, to.hidden)
            if TERM[n] == "shade":  # the number of the channel of the picture, of which padding is none
                shade = index(stacks[STACK.index("shade")], to.fixed("terms", t, 0, to.hidden))
                return f"IF({number}>={of('terms')},0,{shade}*({to.fixed('terms', t, 1, to.hidden)}+1))"
            if n >= 4:
                return f"IF({number}>={of('terms')},0,{index(stacks[n - 4], to.fixed('terms', t, 0, to.hidden))})"
            level = f"({at('level')}+{number}*{of('level_step')})"
            windowed = (
                of("source"),
                f"IF({level}<0,-1,IF({level}>={of('depth')},-1,{at('channel')}+{level}))",
                at("top"),
                at("left"),
            )[n]
            single = "0"
            if t < self.inspector.origins:
                single = index(origins, f"{at('layer')},{t * len(ORIGIN) + n + 1}")
            return f"IF({number}>={of('terms')},{-1 if n == 1 else 0},IF({of('windowed')}=1,{windowed},{single}))"

        return ComputedRange("inspector_terms", text, self.terms)

    def term(self, field: str, which: str) -> str:
        """A number of the window with this number."""
        return index(self.to.column("terms", TERM.index(field), self.to.hidden), which)

    def shade(self, number: int) -> int:
        """In which colours a window is shown: a channel of the picture in its own, which has its number; else, or without one, 0."""
        return self.terms[number - 1][TERM.index("shade")] if number else 0

    def shade_of(self, number: str) -> str:
        """The same on the visible sheet; the text is that of a cell with the window's number."""
        return f"IF({number}=0,0,{index(self.to.column('terms', TERM.index('shade'), self.to.visible), number)})"

    def _columns(self) -> ComputedRange:
        width = self.inspector.widths[0]
        own = self.layer.reduction.window.size[1]
        values = [[max(0, c - (width - own) + 1) for c in range(width)]]
        return ComputedRange("inspector_across", lambda _, c: f"MAX(0,{c + 1 - width}+{self.of('width')})", values)

    def row(self, field: str, line: int, sheet: str) -> str:
        """A number of a line of windows."""
        return self.to.fixed("lines", line, ROW.index(field), sheet)

    def _lines(self) -> ComputedRange:
        of, at, g = self.of, self.at, self.geometry

        def text(y: int, n: int) -> str:
            term, line = (self.row(name, y, self.to.hidden) for name in ("term", "line"))
            number = self.to.count(y, self.to.hidden)
            if n == 0:
                return f"IF({number}<{of('terms')}*{of('pitch')},INT({number}/{of('pitch')})+1,0)"
            if n == 1:
                before = f"{number}-({term}-1)*{of('pitch')}"
                return f"IF({term}=0,0,IF({before}<{of('height')},{before}+1,0))"
            if n == 2:
                place = f"{self.term('top', term)}+({line}-1)*{of('step_down')}"
                found = f"{self.term('channel', term)}*{self.term('pitch_down', term)}+{place}+1"
                inside = _inside(place, self.term("rows", term), self.term("hole_down", term), found)
                return f"IF({line}=0,0,IF({self.term('channel', term)}<0,0,{inside}))"
            way = ("down", "along")[n - 3]
            place = f"{at('filter')}*{of(f'kernel_filter_{way}')}+({at('channel')}+{term}-1)*{of(f'kernel_channel_{way}')}"
            place += f"+({term}-1)*{of(f'kernel_term_{way}')}+({line}-1)*{of('kernel_down' if n == 3 else 'kernel_fold')}"
            return f"IF({line}=0,0,{'1+' if n == 3 else ''}{place})"

        values = []
        for y in range(self.inspector.lines):
            t, a = divmod(y, g["pitch"])
            if t >= g["terms"] or a >= g["height"]:
                values.append([t + 1 if t < g["terms"] else 0, 0, 0, 0, 0])
                continue
            _, channel, top, _, rows, _, hole, _, down, *_ = self.terms[t]
            place = top + a * g["step_down"]
            source = channel * down + place + 1 if channel >= 0 and 0 <= place < rows and place % hole == 0 else 0
            kernel = [
                self.seen.filter * g[f"kernel_filter_{way}"]
                + (self.seen.first + t) * g[f"kernel_channel_{way}"]
                + t * g[f"kernel_term_{way}"]
                + a * g[step]
                for way, step in (("down", "kernel_down"), ("along", "kernel_fold"))
            ]
            values.append([t + 1, a + 1, source, kernel[0] + 1, kernel[1]])
        return ComputedRange("inspector_lines", text, values)

    def _found(self) -> ComputedRange:
        """The column of each cell of the windows among all grids that are read."""
        of = self.of

        def text(y: int, c: int) -> str:
            term, line, source = (self.row(name, y, self.to.hidden) for name in ("term", "line", "source"))
            column = self.to.fixed("across", 0, c, self.to.hidden)
            cell = f"({term}-1)*{of('height')}+{line}-1"
            place = f"({self.term('left', term)}+{of('fold')}*({cell})+({column}-1)*{of('step_along')})"
            size, hole = self.term("columns", term), self.term("hole_along", term)
            found = f"{self.term('channel', term)}*{self.term('pitch_along', term)}+{place}+1"
            folded = f"IF({place}>={size},{NO_LINE},{place}+1)"
            return (
                f"IF({line}*{column}=0,{NO_LINE},IF({source}=0,{BLANK},"
                f"IF({of('fold')}>0,{folded},{_inside(place, size, hole, found)})))"
            )

        values = self.found = [
            [self._place(y, c) for c in range(self.inspector.widths[0])] for y in range(self.inspector.lines)
        ]
        return ComputedRange("inspector_found", text, values)

    def _place(self, y: int, c: int) -> int:
        g = self.geometry
        t, a = divmod(y, g["pitch"])
        b = c - (self.inspector.widths[0] - g["width"])
        if t >= g["terms"] or a >= g["height"] or b < 0:
            return NO_LINE
        _, channel, top, left, rows, columns, down, along, _, pitch, _ = self.terms[t]
        row, column = top + a * g["step_down"], left + g["fold"] * (t * g["height"] + a) + b * g["step_along"]
        if channel < 0 or not 0 <= row < rows or row % down:
            return BLANK
        if g["fold"]:
            return column + 1 if column < columns else NO_LINE
        return channel * pitch + column + 1 if 0 <= column < columns and column % along == 0 else BLANK

    # -- what is outlined ----------------------------------------------------------------------------------------------
    def _marks(self) -> ComputedRange:
        of, at = self.of, self.at
        last = f"{at('level')}+({of('terms')}-1)*{of('level_step')}"
        width = index(self.to.column("stacks", 1, self.to.hidden), of("source"))
        own = [at("map"), at("map"), at("row"), at("row"), at("column"), at("column"), "1", "1", "1"]
        read = [
            f"{at('channel')}+MAX(0,{at('level')})+1",
            f"{at('channel')}+MIN({of('depth')}-1,{last})+1",
            f"{at('top')}+1",
            f"{at('top')}+({of('height')}-1)*{of('step_down')}+1",
            f"{at('left')}+1",
            f"IF({of('fold')}>0,{width},{at('left')}+({of('width')}-1)*{of('step_along')}+1)",
            f"MAX(1,{of('step_down')})",
            of("step_along"),
            of("level_step"),
        ]
        values = [list(pair) for pair in zip(*self.marked(), strict=True)]
        return ComputedRange("inspector_marks", lambda n, j: (own, read)[j][n], values)

    def marked(self) -> tuple[list[int], list[int]]:
        """What is outlined of the layer itself, and of what its windows read."""
        seen, reduction, g = self.seen, self.layer.reduction, self.geometry
        m, i, j = (n + 1 for n in seen.place)
        first = seen.first + max(0, seen.level) + 1
        last = seen.first + min(reduction.depth - 1, seen.level + (reduction.terms - 1) * reduction.levels[2]) + 1
        top, left = self._corner()
        bottom, right = top + (g["height"] - 1) * g["step_down"], left + (g["width"] - 1) * g["step_along"]
        if g["fold"]:
            right = self.layer.reads[0].size[1] - 1
        read = [first, last, top + 1, bottom + 1, left + 1, right + 1, max(1, g["step_down"]), g["step_along"]]
        return [m, m, i, i, j, j, 1, 1, 1], [*read, reduction.levels[2]]

    def outlined(self, stack: Stack, sheet: str) -> ComputedRange:
        """On the sheet of a stack: which of its cells are outlined."""
        to, number = self.to, self.inspector.number(stack)
        stacks = to.column("terms", 0, sheet)
        fields = [to.column("terms", n, sheet) for n in (1, 1, 2, 2, 3, 3)]
        count = f"SUMPRODUCT(({stacks}={number})*1)"

        def text(n: int, _: int) -> str:
            own, read = (to.fixed("marks", n, j, sheet) for j in (0, 1))
            single = f"SUMPRODUCT(({stacks}={number})*({fields[n]}+1))/MAX(1,{count})" if n < len(fields) else "1"
            windowed = f"IF({to.of('source', sheet)}={number},{read},0)"
            found = f"IF({to.of('windowed', sheet)}=1,{windowed},{single})"
            return f"IF({to.of('own', sheet)}={number},{own},{found})"

        own, read = self.marked()
        terms = [term for term in self.terms if term[0] == number]
        if stack is self.layer.own:
            marks: list[Any] = [*own]
        elif self.layer.windowed:
            marks = read if stack is self.layer.reads[0] else [0] * len(MARKS)
        else:
            each = np.array(terms)[:, [1, 1, 2, 2, 3, 3]] + 1 if terms else np.zeros((1, 6))
            marks = [*each.mean(axis=0).tolist(), 1, 1, 1]
        return ComputedRange(stack.name, text, [[mark] for mark in marks])

    # -- the arithmetic ------------------------------------------------------------------------------------------------
    def _totals(self) -> list[ComputedRange]:
        if not self.inspector.widths[1]:
            return []
        row = self.to.places["inspector_product"].seen_from(self.to.hidden)

        def text(y: int, _: int) -> str:
            return f"SUM({row.window(y * FINE, 0, 1, row.columns)})"

        values = []
        for y in range(self.inspector.lines):
            t, a = divmod(y, self.geometry["pitch"])
            shown = t < self.geometry["terms"] and a < self.geometry["height"]
            values.append([float(self.seen.products[t, a].sum()) if shown and self.layer.kernels else 0.0])
        return [ComputedRange("inspector_total", text, values)]

    def _steps(self) -> list[ComputedRange]:
        formulas = [one.formulas() for one in self.arithmetic]
        values: list[list[Any]] = [[""] * self.inspector.boxes for _ in formulas]
        own = self.arithmetic[self.number].values(self.seen)
        values[self.number][: len(own)] = own
        results: list[list[Any]] = [["", ""] for _ in formulas]
        results[self.number] = [self.seen.found, self.seen.cell]

        def text(n: int, b: int) -> str:
            return formulas[n][0][b] if b < len(formulas[n][0]) else '""'

        def result(n: int, j: int) -> str:
            steps = formulas[n][0]
            return self.to.fixed("steps", n, len(steps) - 1, self.to.hidden) if j else formulas[n][1]

        return [ComputedRange("inspector_steps", text, values), ComputedRange("inspector_results", result, results)]

    def _sentences(self) -> ComputedRange:
        digits = self.at("digits")
        pieces = [one.sentence(self.seen if n == self.number else None) for n, one in enumerate(self.arithmetic)]

        def text(n: int, _: int) -> str:
            whole = "&".join(piece.formula(digits) for piece in _merged(pieces[n]))
            return self.arithmetic[n].guarded(f'IF({digits}<0,"",{whole})')

        values = [[""] for _ in pieces]
        also = {}
        if self.digits >= 0:
            first, *others = said(pieces[self.number], self.digits)
            values[self.number], also[self.number, 0] = [first], set(others)
        self.sentence, self.sentences = values[self.number][0], also.get((self.number, 0), set())
        return ComputedRange("inspector_sentences", text, values, also)


# Numbers of at least the first have no decimals, of at least the second one …: odd limits, since no number lies on them by design.
DIGITS = ("1000.3", "100.03", "10.003", "0.10003", "0.010003", "0.0010003")


def _merged(pieces: list[Piece]) -> list[Piece]:
    """Texts that follow each other as one."""
    found: list[Piece] = []
    for piece in pieces:
        if found and piece.value is None and found[-1].value is None:
            found[-1] = Piece(found[-1].text + piece.text)
        else:
            found.append(piece)
    return found


def _inside(place: str, size: str, hole: str, found: str) -> str:
    """What is found at a place that is inside and no hole; else 0."""
    whole = f"IF({place}-INT(({place})/{hole})*{hole}=0,{found},0)"
    return f"IF({place}<0,0,IF({place}>={size},0,{whole}))"
