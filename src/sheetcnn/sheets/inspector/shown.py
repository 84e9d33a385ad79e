"""The sheet that is looked at: windows, kernels, products and sums, the steps to the cell, thumbnails, and a sentence."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ...arrays.computed_range import TOLERANCE, ComputedRange
from ...model.trace import as_maps
from .hidden import BLANK, NO_LINE, HiddenSheet
from .references import index, place_note
from .stack import around
from .table import CHOICES, LIMITS, NOTHING, ROW, STACK, zeros

HOLE = "·"  # a blank cell: padding, or the space between the cells of a spread-out input
REACHES = f"the window reaches into padding ({HOLE})"
EQUAL, DIFFERS, ELSEWHERE = "✓ as on its sheet", "≠ its sheet", "✗ not the cell that was chosen"


class ShownSheet:
    """Its formulas, each beside its value; `choice` is what the yellow cells hold."""

    def __init__(self, hidden: HiddenSheet, choice: dict[str, Any]) -> None:
        self.hidden, self.choice, self.to, self.seen = hidden, choice, hidden.to, hidden.seen
        self.inspector, self.layer, self.sheet = hidden.inspector, hidden.layer, hidden.to.visible
        self.sources = {stack.id for layer in self.inspector.layers for stack in layer.reads}

    def views(self) -> list[ComputedRange]:
        """All computed rectangles."""
        found = [*self._limits(), self._note(), self._sentence(), self._reaches(), self._channel(), *self._window()]
        if self.inspector.widths[1]:
            found += [self._kernel(), self._product(), self._sum()]
        if self.inspector.activates_each:
            found.append(self._part())
        found += [*self._boxes(), self._tick(), self._map_name()]
        return [*found, self._scale()]

    # -- what is chosen ------------------------------------------------------------------------------------------------
    def _limits(self) -> list[ComputedRange]:
        shape = as_maps(self.layer.node.shape)
        return [
            ComputedRange(f"inspector_{field}", lambda *_, field=field: self.to.of(field, self.sheet), [[size]])
            for field, size in zip(LIMITS, shape, strict=True)
        ]

    def _note(self) -> ComputedRange:
        """What is wrong with the place that was chosen."""
        text, self.note = place_note(
            self.to,
            self.sheet,
            zip(CHOICES[1:], LIMITS, strict=True),
            as_maps(self.layer.node.shape),
            self.seen.place,
            self.choice,
        )
        return ComputedRange("inspector_note", lambda *_: text, [[self.note]])

    def _sentence(self) -> ComputedRange:
        text = index(self.to.area("sentences", self.sheet), self.to.at("layer", self.sheet))
        also = {(0, 0): self.hidden.sentences} if self.hidden.sentences else {}
        return ComputedRange("inspector_sentence", lambda *_: text, [[self.hidden.sentence]], also)

    def _reaches(self) -> ComputedRange:
        """Whether the window lies partly in the padding, of which thumbnails show nothing."""
        of, at = partial(self.to.of, sheet=self.sheet), partial(self.to.at, sheet=self.sheet)
        g, corner = self.hidden.geometry, (self.hidden.terms[0][2], self.hidden.terms[0][3])
        ends, rests = [at("top"), at("left")], [*corner]
        for n, (first, length, step) in enumerate((("top", "height", "step_down"), ("left", "width", "step_along"))):
            size = index(self.to.column("stacks", n, self.sheet), of("source"))
            ends.append(f"{size}-1-({at(first)}+({of(length)}-1)*{of(step)})")
            rests.append(self.layer.reads[0].size[n] - 1 - (corner[n] + (g[length] - 1) * g[step]))
        text = f'IF({of("windowed")}=0,"",IF({of("fold")}>0,"",IF(MIN({",".join(ends)})<0,"{REACHES}","")))'
        reaches = self.layer.windowed and not g["fold"] and min(rests) < 0
        return ComputedRange("inspector_reaches", lambda *_: text, [[REACHES if reaches else ""]])

    # -- the windows ---------------------------------------------------------------------------------------------------
    def _lines(self) -> list[tuple[int, int]]:
        """The term and the row of its window that each line shows; −1 where it shows none."""
        g = self.hidden.geometry
        found = [divmod(y, g["pitch"]) for y in range(self.inspector.lines)]
        return [(t, a) if t < g["terms"] and a < g["height"] else (-1, -1) for t, a in found]

    def _channel(self) -> ComputedRange:
        """What is read, above its window."""
        to, sheet = self.to, self.sheet
        prefixes, named = to.area("prefixes", sheet), to.column("stacks", STACK.index("named"), sheet)

        def term(field: int, which: str) -> str:
            return index(to.column("terms", field, sheet), which)

        def text(y: int, _: int) -> str:
            number, line = (to.fixed("lines", y, ROW.index(name), sheet) for name in ("term", "line"))
            stack, channel = term(0, number), term(1, number)
            of_fold = f"({number}-1)*{to.of('height', sheet)}*{to.of('fold', sheet)}+1"
            kinds = (f"{channel}+1", f'CHOOSE({channel}+1,"R","G","B")', f"{term(2, number)}+1", of_fold, number)
            name = f'{index(prefixes, stack)}&" "&CHOOSE({index(named, stack)},{",".join(kinds)})'
            return f'IF({line}=1,IF({channel}<0,"padding",{name}),"")'

        values = []
        for t, a in self._lines():
            if a != 0:
                values.append([""])
                continue
            number, channel, top, *_ = self.hidden.terms[t]
            stack = list(self.inspector.stacks.values())[number - 1]
            g = self.hidden.geometry
            which = (channel + 1, "RGB"[channel % 3], top + 1, t * g["height"] * g["fold"] + 1, t + 1)[stack.named - 1]
            values.append(["padding" if channel < 0 else f"{stack.prefix} {which}"])
        return ComputedRange("inspector_channel", text, values)

    def _window(self) -> list[ComputedRange]:
        def text(y: int, c: int) -> str:
            column = self.to.fixed("found", y, c, self.sheet)
            source, term = (self.to.fixed("lines", y, ROW.index(name), self.sheet) for name in ("source", "term"))
            stack = index(self.to.column("terms", 0, self.sheet), term)
            found = self.to.of_stack(stack, f"{source},{column}", self.sources)
            return f'IF({column}={NO_LINE},"",IF({column}={BLANK},"{HOLE}",{found}))'

        def shade(y: int, _: int) -> str:
            return self.hidden.shade_of(self.to.fixed("lines", y, 0, self.sheet))

        values = self._spread_out(self.seen.windows, self.inspector.widths[0])
        g, terms = self.hidden.geometry, [y // self.hidden.geometry["pitch"] + 1 for y in range(self.inspector.lines)]
        shades = [[self.hidden.shade(term if term <= g["terms"] else 0)] for term in terms]
        return [
            ComputedRange("inspector_window", text, values, zeros(values)),
            ComputedRange("inspector_window_shade", shade, shades),
        ]

    def _offset(self) -> int:
        """How many columns further left a kernel's cell stands in its rectangle than that of the window in its own."""
        return self.inspector.widths[0] - self.inspector.widths[1]

    def _kernel(self) -> ComputedRange:
        sheet, to = self.sheet, self.to
        options = [
            layer.kernels and around([grid for row in layer.kernels for grid in row], sheet)
            for layer in self.inspector.layers
        ]

        def text(y: int, b: int) -> str:
            column = to.fixed("across", 0, b + self._offset(), sheet)
            row, offset = (to.fixed("lines", y, ROW.index(name), sheet) for name in ("kernel", "offset"))
            place = f"{row},{offset}+({column}-1)*{to.of('kernel_along', sheet)}+1"
            found = to.choose(to.at("layer", sheet), [index(area, place) if area else "0" for area in options])
            window = to.cell("window", y, b + self._offset(), sheet)
            return f'IF({to.of("has_kernel", sheet)}=0,"",IF({window}="","",{found}))'

        values = self._spread_out(self.seen.kernels, self.inspector.widths[1])
        return ComputedRange("inspector_kernel", text, values, zeros(values))

    def _product(self) -> ComputedRange:
        def text(y: int, b: int) -> str:
            kernel = self.to.cell("kernel", y, b, self.sheet)
            window = self.to.cell("window", y, b + self._offset(), self.sheet)
            return f'IF({kernel}="","",IF({window}="{HOLE}",0,{window}*{kernel}))'

        products = self.seen.products if len(self.seen.kernels) else self.seen.kernels
        # To LibreOffice the kernel's cell here is "" where the kernel's own cell is blank, and so is the product.
        return ComputedRange(
            "inspector_product",
            text,
            self._spread_out(products, self.inspector.widths[1]),
            zeros(self._spread_out(self.seen.kernels, self.inspector.widths[1])),
        )

    def _spread_out(self, arrays: np.ndarray, width: int) -> list[list[Any]]:
        """Windows one below the other; what they lack in width is blank at the left."""
        found: list[list[Any]] = []
        offset = self.inspector.widths[0] - width
        for y, (t, a) in enumerate(self._lines()):
            line = [] if a < 0 or t >= len(arrays) else arrays[t, a].tolist()
            row = [""] * (width - len(line)) + [HOLE if n != n else n for n in line]
            if line:
                row = ["" if self.hidden.found[y][c + offset] == NO_LINE else n for c, n in enumerate(row)]
            found.append(row)
        return found

    def _sum(self) -> ComputedRange:
        sheet, to = self.sheet, self.to
        terms, totals = to.column("lines", 0, sheet), to.area("total", sheet)

        def text(y: int, _: int) -> str:
            number, line = (to.fixed("lines", y, ROW.index(name), sheet) for name in ("term", "line"))
            total = f"SUMPRODUCT(({terms}={number})*{totals})"
            return f'IF({to.of("has_kernel", sheet)}*{line}=1,{total},"")'

        return ComputedRange("inspector_sum", text, self._beside(self.seen.sums))

    def _part(self) -> ComputedRange:
        def text(y: int, _: int) -> str:
            sum_ = self.to.cell("sum", y, 0, self.sheet)
            each = [layer.reduction.term_activation for layer in self.inspector.layers]
            options = ['""' if activation is None else activation.cell(sum_) for activation in each]
            return f'IF({sum_}="","",{self.to.choose(self.to.at("layer", self.sheet), options)})'

        acts = self.layer.reduction.term_activation is not None
        blank = [[""]] * self.inspector.lines
        return ComputedRange("inspector_part", text, self._beside(self.seen.parts) if acts else blank)

    def _beside(self, numbers: np.ndarray) -> list[list[Any]]:
        """One number for each window, beside its first line."""
        shown = bool(self.layer.kernels)
        return [[float(numbers[t]) if shown and a == 0 else ""] for t, a in self._lines()]

    # -- the steps -----------------------------------------------------------------------------------------------------
    def _boxes(self) -> list[ComputedRange]:
        to, sheet = self.to, self.sheet
        count = self.inspector.boxes

        def step(name: str) -> Any:
            layer = to.at("layer", sheet)
            found = [index(to.area(name, sheet), f"{layer},{b + 1}") for b in range(count)]
            return lambda _, b: found[b] if name == "steps" else f'IF({found[b]}="{NOTHING}","",{found[b]})'

        own = self.hidden.arithmetic[self.hidden.number].values(self.seen)
        texts = (self.inspector.texts(which)[self.hidden.number] for which in ("sign", "head"))
        signs, heads = (["" if text == NOTHING else text for text in line] for line in texts)
        numbers: list[Any] = [*own, *[""] * (count - len(own))]
        rows: dict[str, tuple[str, list[Any]]] = {
            "sign": ("signs", signs),
            "head": ("heads", heads),
            "box": ("steps", numbers),
        }
        return [ComputedRange(f"inspector_{name}", step(of), [values]) for name, (of, values) in rows.items()]

    def _tick(self) -> ComputedRange:
        to, sheet = self.to, self.sheet
        found, cell = (index(to.area("results", sheet), f"{to.at('layer', sheet)},{n}") for n in (1, 2))
        equal = f'IF(ABS({found}-{cell})<={TOLERANCE}*(1+ABS({cell})),"{EQUAL}","{DIFFERS}")'
        text = f'IF({to.area("note", sheet)}="",{equal},"{ELSEWHERE}")'
        return ComputedRange("inspector_tick", lambda *_: text, [[ELSEWHERE if self.note else EQUAL]])

    def _map_name(self) -> ComputedRange:
        to, sheet = self.to, self.sheet
        name = index(to.area("layers", sheet), to.at("layer", sheet))
        text = f'IF({to.of("vector", sheet)}=1,"the cell in "&{name},"the cell in "&{name}&" map "&{to.at("map", sheet)})'
        node = self.layer.node
        shown = f"the cell in {node.name}" + (f" map {self.seen.place[0] + 1}" if len(node.shape) == 3 else "")
        return ComputedRange("inspector_map_name", lambda *_: text, [[shown]])

    def _scale(self) -> ComputedRange:
        """The sizes of the largest numbers of what is read, of the kernels, of the products and of the maps, for their colours."""
        to, sheet, stacks = self.to, self.sheet, list(self.inspector.stacks.values())
        sizes = [f"MAX({_size(stack.span(sheet))})" if stack.id in self.sources else "0" for stack in stacks]
        texts = [to.choose(to.fixed("terms", 0, 0, sheet), sizes)]
        for name in ("kernel", "product"):
            texts.append(_size(to.area(name, sheet)) if self.inspector.widths[1] else "0")
        texts.append(
            to.choose(to.at("layer", sheet), [f"MAX({_size(layer.own.span(sheet))})" for layer in self.inspector.layers])
        )
        products = self.seen.products if len(self.seen.kernels) else self.seen.kernels
        read = self.seen.values[stacks[self.hidden.terms[0][0] - 1].id]
        arrays = (read, self.seen.kernels, products, self.seen.values[self.layer.own.id])
        values = [max(float(np.abs(array).max(initial=0)), float(TOLERANCE)) for array in arrays]
        return ComputedRange("inspector_scale", lambda n, _: f"MAX({texts[n]},{TOLERANCE})", [[value] for value in values])


def _size(area: str) -> str:
    return f"MAX({area}),-MIN({area})"
