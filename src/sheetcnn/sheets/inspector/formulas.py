"""The inspector's formulas, each rectangle beside what NumPy says that it shows.

This file is longer than others: it is one table of rectangles, each with its formula and its values, which are read together.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ...arrays.array import Values
from ...arrays.computed_range import TOLERANCE, ComputedRange
from ...arrays.grid import Grid
from ...model.settings import INPUT
from ...model.trace import CellTrace
from .table import AT, CHOICES, FIELDS, MARKS, RESULTS, ROW, Inspector, chosen

HOLE = "·"  # a blank cell: padding, or the space between the cells of a spread-out input
EQUAL, DIFFERS = "✓", "≠"


def inspector_views(
    inspector: Inspector,
    places: dict[str, Grid],
    values: Values,
    choice: dict[str, Any],
) -> list[ComputedRange]:
    """Every computed rectangle; `places` are all named rectangles, `choice` is what the yellow cells hold."""
    number, place = chosen(inspector, choice)
    return _Writer(
        inspector, places, number, CellTrace(inspector.graph, values, inspector.layers[number].node, place)
    ).views()


class _Writer:
    """The formulas beside their values."""

    def __init__(self, inspector: Inspector, places: dict[str, Grid], number: int, seen: CellTrace) -> None:
        self.inspector, self.places, self.number, self.seen = inspector, places, number, seen
        self.layer = inspector.layers[number]
        self.visible, self.hidden = places["inspector_layer"].sheet, places["inspector_table"].sheet

    def area(self, name: str, sheet: str) -> str:
        return self.places[f"inspector_{name}"].seen_from(sheet).area

    def cell(self, name: str, row: int, column: int, sheet: str) -> str:
        grid = self.places[f"inspector_{name}"].seen_from(sheet)
        return grid.window(row, column, 1, 1)

    def fixed(self, name: str, row: int, column: int, sheet: str) -> str:
        """The same cell, written with $."""
        grid = self.places[f"inspector_{name}"]
        return Grid(grid.sheet, grid.top + row, grid.left + column, 1, 1).seen_from(sheet).area

    def of(self, field: str, sheet: str) -> str:
        """A number of the chosen layer."""
        return self.fixed("chosen", 0, FIELDS.index(field), sheet)

    def at(self, field: str, sheet: str) -> str:
        """A number of the chosen place."""
        return self.fixed("at", 0, AT.index(field), sheet)

    def choose(self, sheet: str, options: list[str]) -> str:
        """What differs between layers; where nothing does, no CHOOSE."""
        if len(set(options)) == 1:
            return options[0]
        return f"CHOOSE({self.at('layer', sheet)},{','.join(options)})"

    def row(self, field: str, line: int, sheet: str) -> str:
        """A number of a line of windows."""
        grid = self.places["inspector_lines"].seen_from(sheet)
        return f"{grid.prefix}${grid.window(line, ROW.index(field), 1, 1).removeprefix(grid.prefix)}"

    def views(self) -> list[ComputedRange]:
        """All computed rectangles."""
        found = [self._at(), self._chosen(), self._numbers(), self._columns(), self._lines(), self._marks()]
        found += [self._limit(), self._source(), *self._ends(), self._channel(), self._window()]
        if self.inspector.widths[1]:
            found += [self._kernel(), self._product(), self._total(), self._sum()]
        if self.inspector.activates_each:
            found.append(self._part())
        return [*found, self._word(), self._divisor(), self._result(), self._scale(), *self._inspected()]

    # -- the hidden sheet --------------------------------------------------------------------------------------------
    def _at(self) -> ComputedRange:
        sheet, seen = self.hidden, self.seen
        of, at = partial(self.of, sheet=sheet), partial(self.at, sheet=sheet)
        counted = "*".join(
            f"(MIN({at(start)}+{of(size)},{of(whole)}+{of(after)})-MAX({at(start)},-{of(before)}))"
            for start, size, whole, before, after in (
                ("top", "height", "height_in", "count_top", "count_bottom"),
                ("left", "width", "width_in", "count_left", "count_right"),
            )
        )
        texts = [f"MATCH({self.area('layer', sheet)},{self.area('layers', sheet)},0)"]
        for choice, size in zip(CHOICES[1:], ("maps", "rows", "columns"), strict=True):
            texts.append(f"ROUND(MAX(1,MIN({self.area(choice, sheet)},{of(size)})),0)")
        texts += [
            f"INT(({at('map')}-1)/{of('maps_each')})",
            f"{at('map')}-1-{at('filter')}*{of('maps_each')}",
            f"INT({at('filter')}/{of('filters')})*{of('group')}",
            f"{at('depth')}*{of('level_stride')}-{of('level_start')}",
            f"({at('row')}-1)*{of('down')}-{of('top')}",
            f"({at('column')}-1)*{of('along')}-{of('left')}",
            f"CHOOSE({of('kind')},{of('divisor')},1,{counted})",
        ]
        m, i, j = seen.place
        values = [self.number + 1, m + 1, i + 1, j + 1, seen.filter, seen.depth, seen.first, seen.level]
        return ComputedRange("inspector_at", lambda _, n: texts[n], [[*values, *seen.corner, seen.divisor]])

    def _chosen(self) -> ComputedRange:
        table = self.places["inspector_table"]
        columns = [Grid(table.sheet, table.top, table.left + n, table.rows, 1).area for n in range(table.columns)]
        values = self.inspector.table[self.number].tolist()
        return ComputedRange("inspector_chosen", lambda _, n: _index(columns[n], self.at("layer", self.hidden)), [values])

    def _numbers(self) -> ComputedRange:
        sizes = [self.of(field, self.hidden) for field in ("maps", "rows", "columns")]
        shape = self.layer.node.shape
        values = [[n + 1 if n < size else "" for size in shape] for n in range(self.inspector.longest)]
        return ComputedRange("inspector_numbers", lambda i, j: f'IF({i + 1}<={sizes[j]},{i + 1},"")', values)

    def _columns(self) -> ComputedRange:
        sheet, reduction = self.hidden, self.layer.reduction
        of, at = partial(self.of, sheet=sheet), partial(self.at, sheet=sheet)

        def text(i: int, b: int) -> str:
            if i:
                place = f"1+{at('filter')}*{of('kernel_filter_along')}+{b}*{of('kernel_along')}"
                return f"IF({b}>={of('width')},0,{place})"
            place = f"{at('left')}+{b}*{of('step_along')}"
            return f"IF({b}>={of('width')},0,{_inside(place, of('width_in'), of('hole_along'))})"

        geometry = dict(zip(FIELDS, self.inspector.table[self.number].astype(int).tolist(), strict=True))
        source, kernel = [0] * self.inspector.widths[0], [0] * self.inspector.widths[0]
        for b in range(reduction.window.size[1]):
            place = self.seen.corner[1] + b * reduction.window.dilation[1]
            source[b] = place + 1 if 0 <= place < geometry["width_in"] and place % geometry["hole_along"] == 0 else 0
            kernel[b] = 1 + self.seen.filter * geometry["kernel_filter_along"] + b * geometry["kernel_along"]
        return ComputedRange("inspector_columns", text, [source, kernel])

    def _lines(self) -> ComputedRange:
        sheet, seen, reduction = self.hidden, self.seen, self.layer.reduction
        of, at = partial(self.of, sheet=sheet), partial(self.at, sheet=sheet)

        def text(y: int, n: int) -> str:
            term, line = self.row("term", y, sheet), self.row("line", y, sheet)
            if n == 0:
                return f"IF({y}<{of('terms')}*({of('height')}+1),INT({y}/({of('height')}+1))+1,0)"
            if n == 1:
                before = f"{y}-({term}-1)*({of('height')}+1)"
                return f"IF({term}=0,0,IF({before}<{of('height')},{before}+1,0))"
            if n == 2:
                level = f"{at('level')}+({term}-1)*{of('level_step')}"
                place = f"{at('top')}+({line}-1)*{of('step_down')}"
                stack = f"IF({level}<0,0,IF({level}>={of('depth')},0,({at('channel')}+{level})*{of('pitch_in')}+{place}+1))"
                return f"IF({line}=0,0,{_inside(place, of('height_in'), of('hole_down'), stack)})"
            if n == 3:
                down = f"{at('filter')}*{of('kernel_filter_down')}+({at('channel')}+{term}-1)*{of('kernel_channel_down')}"
                return f"IF({line}=0,0,1+{down}+({line}-1)*{of('kernel_down')})"
            return f"IF({line}=0,0,({term}-1)*{of('kernel_term_along')})"

        geometry = dict(zip(FIELDS, self.inspector.table[self.number].astype(int).tolist(), strict=True))
        values = []
        for y in range(self.inspector.lines):
            t, a = divmod(y, reduction.window.size[0] + 1)
            if t >= reduction.terms:
                values.append([0] * len(ROW))
                continue
            if a == reduction.window.size[0]:
                values.append([t + 1, 0, 0, 0, 0])
                continue
            level, place = seen.level + t * reduction.levels[2], seen.corner[0] + a * reduction.window.dilation[0]
            inside = 0 <= place < geometry["height_in"] and place % geometry["hole_down"] == 0
            inside = inside and 0 <= level < reduction.depth
            source = (seen.first + level) * geometry["pitch_in"] + place + 1 if inside else 0
            kernel = 1 + seen.filter * geometry["kernel_filter_down"] + a * geometry["kernel_down"]
            kernel += (seen.first + t) * geometry["kernel_channel_down"]
            values.append([t + 1, a + 1, source, kernel, t * geometry["kernel_term_along"]])
        return ComputedRange("inspector_lines", text, values)

    def _total(self) -> ComputedRange:
        row = self.places["inspector_product"].seen_from(self.hidden)
        values = [[float(self.seen.products[t, a].sum()) if a >= 0 else 0.0] for t, a in self._seen_lines()]
        return ComputedRange("inspector_total", lambda y, _: f"SUM({row.window(y, 0, 1, row.columns)})", values)

    def _marks(self) -> ComputedRange:
        sheet = self.hidden
        of, at = partial(self.of, sheet=sheet), partial(self.at, sheet=sheet)
        last = f"{at('level')}+({of('terms')}-1)*{of('level_step')}"
        own = [at("map"), at("map"), at("row"), at("row"), at("column"), at("column"), "1", "1", "1"]
        read = [
            f"{at('channel')}+MAX(0,{at('level')})+1",
            f"{at('channel')}+MIN({of('depth')}-1,{last})+1",
            f"{at('top')}+1",
            f"{at('top')}+({of('height')}-1)*{of('step_down')}+1",
            f"{at('left')}+1",
            f"{at('left')}+({of('width')}-1)*{of('step_along')}+1",
            of("step_down"),
            of("step_along"),
            of("level_step"),
        ]
        return ComputedRange(
            "inspector_marks", lambda n, j: (own, read)[j][n], [list(pair) for pair in zip(*self._marked(), strict=True)]
        )

    def _marked(self) -> tuple[list[int], list[int]]:
        """What is outlined of the layer itself, and of what it reads."""
        seen, reduction = self.seen, self.layer.reduction
        m, i, j = (n + 1 for n in seen.place)
        first = seen.first + max(0, seen.level) + 1
        last = seen.first + min(reduction.depth - 1, seen.level + (reduction.terms - 1) * reduction.levels[2]) + 1
        ends = [corner + reach for corner, reach in zip(seen.corner, reduction.window.reach, strict=True)]
        (top, left), step = seen.corner, reduction.window.dilation
        read = [first, last, top + 1, ends[0], left + 1, ends[1], *step, reduction.levels[2]]
        return [m, m, i, i, j, j, 1, 1, 1], read

    # -- the visible sheet -------------------------------------------------------------------------------------------
    def _limit(self) -> ComputedRange:
        fields = ("maps", "rows", "columns")
        return ComputedRange(
            "inspector_limit", lambda n, _: self.of(fields[n], self.visible), [[size] for size in self.layer.node.shape]
        )

    def _word_of(self, column: int) -> tuple[str, str]:
        text = f"INDEX({self.area('words', self.visible)},{self.at('layer', self.visible)},{column + 1})"
        return text, self.inspector.words[self.number][column]

    def _source(self) -> ComputedRange:
        text, word = self._word_of(0)
        return ComputedRange("inspector_source", lambda *_: text, [[word]])

    def _ends(self) -> list[ComputedRange]:
        marks = self._marked()[1]
        return [
            ComputedRange(f"inspector_{name}", lambda n, _, start=start: self.fixed("marks", start + 2 * n, 1, self.visible),  # type: ignore[misc]
                 [[marks[start]], [marks[start + 2]]])
            for name, start in (("first", 2), ("last", 3))
        ]  # fmt: skip

    def _seen_lines(self) -> list[tuple[int, int]]:
        """The term and the row of its window that each line shows; −1 where it shows none."""
        reduction = self.layer.reduction
        found = [divmod(y, reduction.window.size[0] + 1) for y in range(self.inspector.lines)]
        return [(t, a) if t < reduction.terms and a < reduction.window.size[0] else (-1, -1) for t, a in found]

    def _channel(self) -> ComputedRange:
        sheet, seen = self.visible, self.seen
        inputs = [n for n, stack in enumerate(self.inspector.stacks, start=1) if stack == INPUT]
        column = f"IF({self.of('source', sheet)}={inputs[0]},2,1)" if inputs else "1"

        def text(y: int, _: int) -> str:
            level = f"{self.at('level', sheet)}+({self.row('term', y, sheet)}-1)*{self.of('level_step', sheet)}"
            name = f"INDEX({self.area('labels', sheet)},{self.at('channel', sheet)}+{level}+1,{column})"
            name = f'IF({level}<0,"padding",IF({level}>={self.of("depth", sheet)},"padding",{name}))'
            return f'IF({self.row("line", y, sheet)}=1,{name},"")'

        values = []
        for t, a in self._seen_lines():
            level = seen.level + t * self.layer.reduction.levels[2]
            colour = int(self.layer.source is self.inspector.stacks.get(INPUT))
            inside = 0 <= level < self.layer.reduction.depth
            values.append(["" if a else self.inspector.labels[seen.first + level][colour] if inside else "padding"])
        return ComputedRange("inspector_channel", text, values)

    def _window(self) -> ComputedRange:
        sheet = self.visible
        spans = [_span(layer.source.grids, sheet) for layer in self.inspector.layers]

        def text(y: int, b: int) -> str:
            source, column = self.row("source", y, sheet), self.fixed("columns", 0, b, sheet)
            found = self.choose(sheet, [_index(area, f"{source},{column}") for area in spans])
            outside = f"{self.row('line', y, sheet)}*{self.fixed('columns', 1, b, sheet)}=0"
            return f'IF({outside},"",IF({source}*{column}=0,"{HOLE}",{found}))'

        return ComputedRange("inspector_window", text, self._spread_out(self.seen.windows, self.inspector.widths[0]))

    def _kernel(self) -> ComputedRange:
        sheet = self.visible
        options = [
            layer.kernels and _span([grid for row in layer.kernels for grid in row], sheet)
            for layer in self.inspector.layers
        ]

        def text(y: int, b: int) -> str:
            column = self.fixed("columns", 1, b, sheet)
            place = f"{self.row('kernel', y, sheet)},{column}+{self.row('offset', y, sheet)}"
            found = self.choose(sheet, [_index(area, place) if area else "0" for area in options])
            outside = f"{self.of('has_kernel', sheet)}*{self.row('line', y, sheet)}*{column}=0"
            return f'IF({outside},"",{found})'

        return ComputedRange("inspector_kernel", text, self._spread_out(self.seen.kernels, self.inspector.widths[1]))

    def _product(self) -> ComputedRange:
        def text(y: int, b: int) -> str:
            kernel, window = (self.cell(name, y, b, self.visible) for name in ("kernel", "window"))
            return f'IF({kernel}="","",IF({window}="{HOLE}",0,{window}*{kernel}))'

        products = self.seen.products if len(self.seen.kernels) else self.seen.kernels
        # To LibreOffice the kernel's cell here is "" where the kernel's own cell is blank, and so is the product.
        blank = {
            (y, b): {""}
            for y, (t, a) in enumerate(self._seen_lines())
            if a >= 0 and len(self.seen.kernels)
            for b in np.flatnonzero(self.seen.kernels[t, a] == 0).tolist()
        }
        return ComputedRange("inspector_product", text, self._spread_out(products, self.inspector.widths[1]), blank)

    def _spread_out(self, arrays: np.ndarray, width: int) -> list[list[Any]]:
        """Windows one below the other, with a blank line after each."""
        found: list[list[Any]] = []
        for t, a in self._seen_lines():
            line = arrays[t, a].tolist() if a >= 0 and t < len(arrays) else []
            found.append([HOLE if n != n else n for n in line] + [""] * (width - len(line)))
        return found

    def _sum(self) -> ComputedRange:
        sheet = self.visible
        lines, totals = self.places["inspector_lines"], self.area("total", sheet)
        terms = Grid(lines.sheet, lines.top, lines.left + ROW.index("term"), lines.rows, 1).seen_from(sheet).area

        def text(y: int, _: int) -> str:
            total = f"SUMPRODUCT(({terms}={self.row('term', y, sheet)})*{totals})"
            middle = f"{self.row('line', y, sheet)}=INT(({self.of('height', sheet)}+1)/2)"
            return f'IF({self.of("has_kernel", sheet)}=0,"",IF({middle},{total},""))'

        return ComputedRange("inspector_sum", text, self._in_the_middle(self.seen.sums))

    def _part(self) -> ComputedRange:
        def text(y: int, _: int) -> str:
            sum_ = self.cell("sum", y, 0, self.visible)
            each = [layer.reduction.term_activation for layer in self.inspector.layers]
            options = [activation.cell(sum_) if activation is not None else sum_ for activation in each]
            return f'IF({sum_}="","",{self.choose(self.visible, options)})'

        return ComputedRange("inspector_part", text, self._in_the_middle(self.seen.parts))

    def _in_the_middle(self, numbers: np.ndarray) -> list[list[Any]]:
        """One number for each window, beside its middle line."""
        middle = (self.layer.reduction.window.size[0] + 1) // 2 - 1
        shown = bool(self.layer.kernels)
        return [[float(numbers[t]) if shown and a == middle else ""] for t, a in self._seen_lines()]

    def _word(self) -> ComputedRange:
        sheet, seen = self.visible, self.seen
        (together, a), (activation, b), (cell, c) = (self._word_of(n) for n in (1, 2, 3))
        texts = [
            together,
            f'IF({self.of("has_bias", sheet)}=0,"","+ bias")',
            '"= total"',
            activation,
            cell,
            '"equal?"',
        ]
        values = [a, "" if seen.bias is None else "+ bias", "= total", b, c, "equal?"]
        return ComputedRange("inspector_word", lambda n, _: texts[n], [[value] for value in values])

    def _result(self) -> ComputedRange:
        sheet, seen, layers = self.visible, self.seen, self.inspector.layers
        together, bias, total, activated, cell, _ = (self.fixed("result", n, 0, sheet) for n in range(len(RESULTS)))
        window = self.area("window", sheet)
        parts = "part" if self.inspector.activates_each else "sum"
        summed = f"SUM({self.area(parts, sheet)})" if self.inspector.widths[1] else "0"
        divisor, has_bias, acts = self.at("divisor", sheet), self.of("has_bias", sheet), self.of("has_activation", sheet)
        spans = [_span(layer.cells, sheet) for layer in layers]
        place = (
            f"({self.at('map', sheet)}-1)*{self.of('pitch_out', sheet)}+{self.at('row', sheet)},{self.at('column', sheet)}"
        )
        biased = [
            _index(_span(layer.biases, sheet), f"{self.at('filter', sheet)}*{self.of('pitch_bias', sheet)}+1,1")
            if layer.biases
            else "0"
            for layer in layers
        ]
        acted = [layer.activation.cell(total) if layer.activation is not None else total for layer in layers]
        given = f"CHOOSE({self.of('kind', sheet)},{summed},MAX({window}),SUM({window}))"
        sums = [layer.reduction.sum_activation for layer in layers]
        if any(sums):  # those of other layers stay as short as they are
            given = self.choose(sheet, [given if one is None else one.cell(given) for one in sums])
        texts = [
            given,
            f'IF({has_bias}=0,"",{self.choose(sheet, biased)})',
            f"{together}/{divisor}+IF({has_bias}=0,0,{bias})",
            f'IF({acts}=0,"",{self.choose(sheet, acted)})',
            self.choose(sheet, [_index(area, place) for area in spans]),
            f'IF(ABS(IF({acts}=0,{total},{activated})-{cell})<={TOLERANCE}*(1+ABS({cell})),"{EQUAL}","{DIFFERS}")',
        ]
        values = [
            seen.together,
            "" if seen.bias is None else seen.bias,
            seen.total,
            "" if seen.activated is None else seen.activated,
            seen.cell,
            EQUAL,
        ]
        return ComputedRange("inspector_result", lambda n, _: texts[n], [[value] for value in values])

    def _divisor(self) -> ComputedRange:
        divisor = self.at("divisor", self.visible)
        value = "" if self.seen.divisor == 1 else self.seen.divisor
        return ComputedRange("inspector_divisor", lambda *_: f'IF({divisor}=1,"",{divisor})', [[value]])

    def _scale(self) -> ComputedRange:
        """The largest size of the kernel's and the products' numbers, for their colours."""
        names = ("kernel", "product") if self.inspector.widths[1] else ()

        def text(n: int, _: int) -> str:
            if not names:
                return "1"
            area = self.area(names[n], self.visible)
            return f"MAX(MAX({area}),-MIN({area}),{TOLERANCE})"

        arrays = (self.seen.kernels, self.seen.products if len(self.seen.kernels) else self.seen.kernels)
        values = [[max(float(np.abs(array).max(initial=0)), float(TOLERANCE)) if names else 1.0] for array in arrays]
        return ComputedRange("inspector_scale", text, values)

    # -- the sheets of the layers ------------------------------------------------------------------------------------
    def _inspected(self) -> list[ComputedRange]:
        """On the sheet of every stack: which of its cells are outlined."""
        found = []
        layer = self.layer
        for number, (name, stack) in enumerate(self.inspector.stacks.items(), start=1):
            sheet = self.places[stack.name].sheet
            own, read = self._marked()
            marks = own if name == layer.node.name else read if stack is layer.source else [0] * len(MARKS)

            def text(n: int, _: int, number: int = number, sheet: str = sheet) -> str:
                shown = [self.fixed("marks", n, j, sheet) for j in (0, 1)]
                read = f"IF({self.of('source', sheet)}={number},{shown[1]},0)"
                return f"IF({self.of('own', sheet)}={number},{shown[0]},{read})"

            found.append(ComputedRange(stack.name, text, [[mark] for mark in marks]))
        return found


def _inside(place: str, size: str, hole: str, found: str | None = None) -> str:
    """The place counted from 1 (or what is found there) if it is inside and no hole; else 0."""
    whole = f"IF({place}-INT(({place})/{hole})*{hole}=0,{found or f'{place}+1'},0)"
    return f"IF({place}<0,0,IF({place}>={size},0,{whole}))"


def _index(area: str, place: str) -> str:
    """A cell of an area; of an area of one cell itself, since not every program takes INDEX of that."""
    return f"INDEX({area},{place})" if ":" in area else area


def _span(grids: list[Grid], sheet: str) -> str:
    """The smallest rectangle around grids."""
    top, left = min(grid.top for grid in grids), min(grid.left for grid in grids)
    rows, columns = max(grid.bottom for grid in grids) - top + 1, max(grid.right for grid in grids) - left + 1
    return Grid(grids[0].sheet, top, left, rows, columns).seen_from(sheet).area
