"""The channels that are read and the map with the cell as thumbnails, the place of the window and of the cell marked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ...arrays.computed_range import ComputedRange
from .hidden import HiddenSheet
from .inspected import SHOT
from .references import index
from .stack import Stack
from .table import RAY, zeros

Found = Callable[[str], str]  # a row and a column among the grids of a stack -> the text of that cell


class Thumbnails:
    """Formulas and values of both sheets."""

    def __init__(self, hidden: HiddenSheet) -> None:
        self.hidden, self.to, self.seen = hidden, hidden.to, hidden.seen
        self.inspector, self.layer, self.g = hidden.inspector, hidden.layer, hidden.geometry
        self.rays = [self._ray(f) for f in range(self.inspector.rays)]
        self.map_rays = [self._map_ray(r) for r in range(SHOT)]

    def views(self) -> list[ComputedRange]:
        """All computed rectangles."""
        found = [self._map_rays(), self._offsets(), *self._map_shot()]
        return [*found, self._rays(), *self._shots()] if self.inspector.rays else found

    # -- of what is read -----------------------------------------------------------------------------------------------
    def _rays(self) -> ComputedRange:
        """Of each row of thumbnails the row that it shows."""
        of, term_of = self.hidden.of, self.hidden.term

        def text(f: int, n: int) -> str:
            number, term = self.to.count(f, self.to.hidden), self.to.fixed("rays", f, 0, self.to.hidden)
            if n == 0:
                return f"IF({number}<{of('pictured')}*{of('shot_high')},INT({number}/{of('shot_high')})+1,0)"
            if n == 1:
                row = f"INT(({number}-({term}-1)*{of('shot_high')})/{of('shot_zoom')})*{of('shot_step')}"
                place = f"{term_of('channel', term)}*{term_of('pitch_down', term)}+{row}+1"
                shown = f"IF({row}<{term_of('rows', term)},{place},0)"
                return f"IF({term}=0,0,IF({term_of('channel', term)}<0,0,{shown}))"
            along = f"{term_of('channel', term)}*{term_of('pitch_along', term)}"
            return f"IF({term}=0,0,{(term_of('columns', term), along, term_of('stack', term))[n - 2]})"

        return ComputedRange("inspector_rays", text, self.rays)

    def _ray(self, f: int) -> list[int]:
        high = self.g["shot_high"]
        if f >= self.g["pictured"] * high:
            return [0, 0, 0, 0, 0]
        t, number = divmod(f, high)
        stack, channel, _, _, rows, columns, _, _, down, along, _ = self.hidden.terms[t]
        row = number // self.g["shot_zoom"] * self.g["shot_step"]
        source = channel * down + row + 1 if channel >= 0 and row < rows else 0
        return [t + 1, source, columns, channel * along, stack]

    def _offsets(self) -> ComputedRange:
        """The column of a map that each column of a thumbnail shows: of what is read, and of the map with the cell."""
        of, g = self.hidden.of, self.g

        def text(n: int, q: int) -> str:
            kind = ("shot", "own")[n]
            return f"INT({q}/{of(f'{kind}_zoom')})*{of(f'{kind}_step')}"

        self.offsets = [[q // g[f"{kind}_zoom"] * g[f"{kind}_step"] for q in range(SHOT)] for kind in ("shot", "own")]
        return ComputedRange("inspector_offsets", text, self.offsets)

    def _shots(self) -> list[ComputedRange]:
        to, sheet, of = self.to, self.to.visible, partial(self.to.of, sheet=self.to.visible)
        pictured = {stack.id for layer in self.inspector.layers if layer.pictured for stack in layer.reads}

        def text(f: int, q: int) -> str:
            stack = to.fixed("rays", f, RAY.index("stack"), sheet)
            return self._shot("rays", f, q, 0, lambda place: to.of_stack(stack, place, pictured))

        def mark(f: int, n: int) -> str:
            number = to.count(f, sheet)
            term, source, columns = (to.fixed("rays", f, i, sheet) for i in range(3))
            top, left = (index(to.column("terms", i, sheet), term) for i in (2, 3))
            step, zoom = of("shot_step"), of("shot_zoom")
            row = f"INT(({number}-({term}-1)*{of('shot_high')})/{zoom})*{step}"
            bottom = f"{top}+({of('height')}-1)*{of('step_down')}"
            right = f"{left}+({of('width')}-1)*{of('step_along')}"
            found = (
                f"INT(MAX(0,{left})/{step})*{zoom}",
                f"INT(MIN({columns}-1,{right})/{step})*{zoom}+{zoom}-1",
            )[n]
            return f"IF({source}=0,-1,IF({row}+{step}-1<{top},-1,IF({row}>{bottom},-1,{found})))"

        def shade(f: int, _: int) -> str:
            return self.hidden.shade_of(to.fixed("rays", f, 0, sheet))

        values = [self._values(ray, self.offsets[0]) for ray in self.rays]
        return [
            ComputedRange("inspector_shot", text, values, zeros(values)),
            ComputedRange("inspector_shot_mark", mark, [self._marked(f, ray) for f, ray in enumerate(self.rays)]),
            ComputedRange("inspector_shot_shade", shade, [[self.hidden.shade(ray[0])] for ray in self.rays]),
        ]

    def _marked(self, f: int, ray: list[int]) -> list[int]:
        """The first and the last marked column of a row of thumbnails."""
        g, (term, source, columns, _, _) = self.g, ray
        if not source:
            return [-1, -1]
        _, _, top, left, *_ = self.hidden.terms[term - 1]
        step, zoom = g["shot_step"], g["shot_zoom"]
        row = (f - (term - 1) * g["shot_high"]) // zoom * step
        bottom, right = top + (g["height"] - 1) * g["step_down"], left + (g["width"] - 1) * g["step_along"]
        if row + step - 1 < top or row > bottom:
            return [-1, -1]
        return [max(0, left) // step * zoom, min(columns - 1, right) // step * zoom + zoom - 1]

    # -- of the map ----------------------------------------------------------------------------------------------------
    def _map_rays(self) -> ComputedRange:
        of, at = self.hidden.of, self.hidden.at
        stacks = [index(self.to.column("stacks", n, self.to.hidden), of("own")) for n in range(6)]

        def text(r: int, n: int) -> str:
            number = self.to.count(r, self.to.hidden)
            row = f"INT({number}/{of('own_zoom')})*{of('own_step')}"
            place = f"IF({row}<{stacks[0]},({at('map')}-1)*{stacks[4]}+{row}+1,0)"
            along = f"({at('map')}-1)*{stacks[5]}"
            return (at("map"), place, stacks[1], along, of("own"))[n]

        return ComputedRange("inspector_map_rays", text, self.map_rays)

    def _map_ray(self, r: int) -> list[int]:
        rows, columns, _, _, down, along, *_ = self.hidden.stacks[self.g["own"] - 1].tolist()
        row, m = r // self.g["own_zoom"] * self.g["own_step"], self.seen.place[0]
        return [m + 1, m * down + row + 1 if row < rows else 0, columns, m * along, self.g["own"]]

    def _map_shot(self) -> list[ComputedRange]:
        to, sheet, of = self.to, self.to.visible, partial(self.to.of, sheet=self.to.visible)
        spans = [layer.own.span(sheet) for layer in self.inspector.layers]

        def found(place: str) -> str:
            return to.choose(to.at("layer", sheet), [index(span, place) for span in spans])

        def mark(r: int, n: int) -> str:
            zoom, step = of("own_zoom"), of("own_step")
            row, column = (f"INT(({to.at(name, sheet)}-1)/{step})" for name in ("row", "column"))
            number = to.count(r, sheet)
            return f"IF({row}=INT({number}/{zoom}),{column}*{zoom}{f'+{zoom}-1' if n else ''},-1)"

        _, i, j = self.seen.place
        step, zoom = self.g["own_step"], self.g["own_zoom"]
        ends = [j // step * zoom, j // step * zoom + zoom - 1]
        marks = [ends if i // step == r // zoom else [-1, -1] for r in range(SHOT)]
        offsets = [q // zoom * step for q in range(SHOT)]
        values = [self._values(ray, offsets) for ray in self.map_rays]
        return [
            ComputedRange("inspector_map_shot", lambda r, q: self._shot("map_rays", r, q, 1, found), values, zeros(values)),
            ComputedRange("inspector_map_mark", mark, marks),
        ]

    # -- a cell --------------------------------------------------------------------------------------------------------
    def _shot(self, rays: str, row: int, q: int, which: int, found: Found) -> str:
        source, columns, along = (self.to.fixed(rays, row, n, self.to.visible) for n in (1, 2, 3))
        place = self.to.fixed("offsets", which, q, self.to.visible)
        return f'IF({source}=0,"",IF({place}>={columns},"",{found(f"{source},{along}+{place}+1")}))'

    def _values(self, ray: list[int], offsets: list[int]) -> list[Any]:
        _, source, columns, along, number = ray
        if not source:
            return [""] * SHOT
        row = self._row_of(list(self.inspector.stacks.values())[number - 1], source - 1)
        return [float(row[along + column]) if column < columns else "" for column in offsets]

    def _row_of(self, stack: Stack, source: int) -> np.ndarray:
        """A row of cells through all grids of a stack, the holes between its elements being 0."""
        numbers = self.seen.values[stack.id]
        x = numbers.reshape(len(stack.grids), stack.grids[0].rows, stack.grids[0].columns)
        first, last = stack.grids[0], stack.grids[-1]
        row = np.zeros(last.right - first.left + 1)
        for grid, one in zip(stack.grids, x, strict=True):
            inside, hole = divmod(source - (grid.top - first.top), grid.spacing[0])
            if hole == 0 and 0 <= inside < grid.rows:
                left = grid.left - first.left
                row[left : left + (grid.columns - 1) * grid.spacing[1] + 1 : grid.spacing[1]] = one[inside]
        return row
