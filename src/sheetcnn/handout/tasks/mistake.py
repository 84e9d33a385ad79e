"""Find the mistake: one error is planted; the student names a cell that has it, and mends it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from ...a1 import sheet_prefix
from ...arrays.grid import Grid, seen_from
from ...model.network import Network, Node
from ...model.settings import Text
from ...plain import near
from ...xlsx.draft import put
from ..draft import EXERCISE, HandoutDraft, Total
from ..marking import Graded, Tally, Work
from ..mistakes import MISTAKES, TYPED, Planted
from ..trial import TRIALS, trial
from ..variant import Variant
from .task import Task, node_of

SEEN = 1e-3  # how far a planted mistake is off at least, as a part of the layer's largest number


def _kinds(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Mistake(Task):
    """One planted error of a chosen or random kind, in a map or in a single cell."""

    kind: ClassVar[str] = "mistake"

    # One kind, or several to draw from.
    mistake: Annotated[tuple[str, ...], BeforeValidator(_kinds), Field(min_length=1)] = ("random",)
    layer: Text | None = None  # drawn too, where not given
    extent: Literal["map", "cell"] = "map"  # how far the mistake reaches; a typed number is always a single cell

    def check(self, network: Network) -> None:
        for kind in self.mistake:
            if kind not in ("random", *MISTAKES):
                raise ValueError(
                    f"mistake {kind!r} is unknown{near(kind, MISTAKES)}; there are random, {', '.join(MISTAKES)}"
                )
        if self.layer is not None:
            node_of(network, self.layer)
        if not self.places(network, set()):
            where = f"layer {self.layer!r}" if self.layer else "the network"
            raise ValueError(f"mistake {', '.join(self.mistake)}: {where} has no place for it; choose another kind or layer")

    def places(self, network: Network, taken: Set[str]) -> list[tuple[Node, str]]:
        """Layers and kinds to draw from; layers that are taken have no room for a mistake."""
        kinds = dict.fromkeys(self.mistake)
        if "random" in kinds:
            kinds = dict.fromkeys([kind for kind, one in MISTAKES.items() if one.drawn or kind in kinds])
        nodes = [node for node in network.nodes if node.name not in taken and self.layer in (None, node.name)]
        return [(node, kind) for node in nodes for kind in kinds if len(node.shape) == 3 and MISTAKES[kind].fits(node)]

    def plant(self, variant: Variant, taken: Set[str], seed: list[int]) -> Planted:
        """The mistake in a place drawn by the seed, where the picture shows it."""
        rng = np.random.default_rng(seed)
        places = self.places(variant.network, taken)
        by_kind = {kind: [node for node, other in places if other == kind] for _, kind in places}
        # Every kind is as likely as the others, however many layers it fits.
        for kind in rng.permutation(sorted(by_kind)).tolist():
            for n in rng.permutation(len(by_kind[kind])).tolist():
                node, pick = by_kind[kind][n], int(rng.integers(1 << 16))
                for k in rng.permutation(node.shape[0]).tolist():
                    found = self._in_map(variant, node, kind, pick, int(k), rng)
                    if found is not None:
                        return found
        raise ValueError(
            f"there is no layer left in which {' or '.join(self.mistake)} would be seen; "
            "layers that other tasks use, or build on, are left alone; choose another kind, layer or picture"
        )

    def _in_map(
        self, variant: Variant, node: Node, kind: str, pick: int, k: int, rng: np.random.Generator
    ) -> Planted | None:
        right = variant.values[f"{node.name}.output"]
        scale = float(np.abs(right).max()) or 1.0
        mask = np.zeros(right.shape, bool)
        if kind == TYPED:
            at = (k, int(rng.integers(right.shape[1])), int(rng.integers(right.shape[2])))
            mask[at] = True
            # A number that might stand there: another cell's, if there is one that differs.
            others = np.unique(np.round(right[k], 2))
            others = others[np.abs(others - right[at]) > max(SEEN * scale, 0.01)]
            number = float(rng.choice(others)) if len(others) else float(np.round(right[at], 2)) + 1.0
            return Planted(kind, node, pick, mask, number)
        mistake = MISTAKES[kind]
        off = np.abs(mistake.values(node, *variant.read_by(node), pick)[k] - right[k])
        if float(off.max()) <= SEEN * scale:
            return None
        # The cells whose formulas differ: those that give something else for other pixels and kernels.
        for number in range(TRIALS):
            read, numbers = trial(node, number)
            given = tuple(read[name] for name in node.inputs)
            wrong = mistake.values(node, given, numbers, pick)[k]
            mask[k] |= np.abs(wrong - node.layer.activated(*given, **numbers)[k]) > 1e-6
        if not mask.any():
            return None
        if self.extent == "cell":
            shown = np.argwhere(mask[k] & (off > SEEN * scale))
            if not len(shown):
                return None
            i, j = shown[int(rng.integers(len(shown)))].tolist()
            mask[k] = False
            mask[k, i, j] = True
        return Planted(kind, node, pick, mask)

    @property
    def sheet(self) -> str:
        return self.layer or ""

    def instruction(self, variant: Variant, number: int) -> str:
        where = f"sheet {self.layer}" if self.layer else "one of the layers' sheets"
        reach = "the formulas of one map" if self.extent == "map" else "one cell"
        return (
            f"There is one mistake, in {reach} on {where}. Name a cell that has it, and mend it: write the right formula"
            f"{' in all cells that have the mistake' if self.extent == 'map' else ''}."
        )

    def draw(self, draft: HandoutDraft, number: int) -> None:
        """Wrong formulas, or a number in the place of one; their values are what they give."""
        if number in draft.live:
            variant = draft.variant
            layers = dict.fromkeys(node.name for node, _ in self.places(variant.network, variant.taken))
            draft.totals.append(Total(number, [*layers], '"mended";;"not yet"'))
        if draft.key:
            return
        planted, graph, grids = draft.variant.planted[number], draft.content.graph, draft.content.grids
        node = planted.node
        xs = tuple(seen_from(grids[array.id], node.name) for array in graph.read_by(node.name))
        own = {array.key: grids[array.id] for array in graph.of[node.name]}
        write = MISTAKES[planted.kind].formula(node, xs, own, planted.pick)
        for at in map(tuple, np.argwhere(planted.mask).tolist()):
            grid, (i, j) = own["output"][at[0]], at[1:]
            cell = draft.cell(grid, i, j)
            if planted.number is None:
                cell = replace(cell, formula=write(at))
            else:
                cell = replace(cell, formula=None, value=planted.number)
            draft.put_cells(grid, {(i, j): cell})

    def draw_answers(self, draft: HandoutDraft, number: int, row: int) -> int:
        """A cell to name one that has the mistake."""
        sheet, planted = draft.home, draft.variant.planted[number]
        # Any cell of the right form, whether it has the mistake or not: it is the same whatever was drawn.
        node, _ = self.places(draft.variant.network, draft.variant.taken)[0]
        example = draft.content.grids[f"{node.name}.output"][0]
        put(
            sheet,
            row,
            3,
            f"A cell that has the mistake, such as {sheet_prefix(node.name)}{example.at(0, 0)}:",
            "aside_right",
        )
        draft.name(f"task_{number}_cell", Grid(EXERCISE, row, 4, 1, 1))
        k, i, j = np.argwhere(planted.mask)[0].tolist()
        grid = draft.content.grids[f"{planted.node.name}.output"][k]
        put(sheet, row, 4, f"{sheet_prefix(grid.sheet)}{grid.at(i, j)}" if draft.key else "", "choice")
        if draft.key:
            put(sheet, row, 5, f"  {MISTAKES[planted.kind].words}", "soft")
        return row + 1

    def grade(self, work: Work, number: int) -> Graded:
        """Half of the points for naming a cell, half for mending, by cells."""
        planted = work.variant.planted[number]
        name, half = planted.node.name, self.points / 2
        tally = Tally()
        tally.output(work, name, planted.mask, formula=True, tolerance=self.tolerance)
        mended = tally.graded(half)
        remarks = [f"mending: {remark}" for remark in mended.remarks]
        given, cells = work.named(f"task_{number}_cell", name)
        found = bool(cells) and all(layer == name and planted.mask[at] for layer, at in cells)
        if not found:
            places = [work.where(name, tuple(at)) for at in np.argwhere(planted.mask).tolist()]
            one = places[0] if len(places) == 1 else f"{places[0]} to {places[-1]}"
            said = f"{given!r:.60} is not a cell that has the mistake" if given.strip() else "no cell is named"
            remarks.insert(0, f"{said}; {MISTAKES[planted.kind].words}, in {one}")
        points = round(mended.points + (half if found else 0.0), 2)
        return Graded(points, self.points, tally.right + found, tally.cells + 1, remarks, mended.look)
