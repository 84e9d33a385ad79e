"""Find the mistake: one error is planted; the student names a cell that has it, and mends it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from ...a1 import sheet_prefix
from ...arrays.array import Array
from ...arrays.grid import Grid, flat, seen_from
from ...model.drawn import Drawn
from ...model.graph import Graph
from ...model.network import Network, Node
from ...model.settings import Text
from ...model.training import back_of, refuse_untrainable
from ...plain import near
from ...xlsx.labels import put
from ..draft import EXERCISE, HandoutDraft, Total
from ..learning_mistakes import LEARNING_MISTAKES, LearningMistake, ancestors
from ..marking import Graded, Tally, Work
from ..mistakes import MISTAKES, TYPED, MistakeKind, Planted
from ..trial import TRIALS, runs, telling, trial
from ..variant import Variant
from .task import Task, node_of

KINDS: dict[str, MistakeKind | LearningMistake] = {**MISTAKES, **LEARNING_MISTAKES}
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
            if kind not in ("random", *KINDS):
                raise ValueError(f"mistake {kind!r} is unknown{near(kind, KINDS)}; there are random, {', '.join(KINDS)}")
        if self.layer is not None:
            node_of(network, self.layer)
        if self.learns:
            refuse_untrainable(network)
        if not self.places(network, set()):
            where = f"layer {self.layer!r}" if self.layer else "the network"
            raise ValueError(f"mistake {', '.join(self.mistake)}: {where} has no place for it; choose another kind or layer")

    @property
    def learns(self) -> bool:
        return any(kind in LEARNING_MISTAKES for kind in self.mistake)

    def places(self, network: Network, taken: Set[str], graph: Graph | None = None) -> list[tuple[Node, str]]:
        """Layers and kinds to draw from; layers that are taken have no room for a mistake."""
        return self._forward(network, taken) + [(node, kind) for node, kind, _ in self._back(network, graph)]

    def _back(self, network: Network, graph: Graph | None) -> list[tuple[Node, str, Array]]:
        """The same of the backward pass and the step, with the arrays that have the mistakes."""
        if not self.learns:
            return []
        if graph is None:
            graph = Graph(network, Drawn(training=True, typed=network.loss == "mse"))
        found = [
            (node, kind, LEARNING_MISTAKES[kind].wrong(graph, node))
            for node in network.nodes
            for kind in dict.fromkeys(self.mistake)
            if kind in LEARNING_MISTAKES and self.layer in (None, node.name)
        ]
        return [(node, kind, wrong) for node, kind, wrong in found if wrong is not None]

    def _forward(self, network: Network, taken: Set[str]) -> list[tuple[Node, str]]:
        kinds = dict.fromkeys(kind for kind in self.mistake if kind not in LEARNING_MISTAKES)
        if "random" in kinds:
            kinds = dict.fromkeys([kind for kind, one in MISTAKES.items() if one.drawn or kind in kinds])
        nodes = [node for node in network.nodes if node.name not in taken and self.layer in (None, node.name)]
        return [(node, kind) for node in nodes for kind in kinds if len(node.shape) == 3 and MISTAKES[kind].fits(node)]

    def plant(self, variant: Variant, taken: Set[str], seed: list[int]) -> Planted:
        """The mistake in a place drawn by the seed, where the picture shows it."""
        rng = np.random.default_rng(seed)
        places = self._forward(variant.network, taken)
        back = self._room(variant)
        kinds = len({kind for _, kind, _ in back})
        if back and (not places or rng.integers(len(set(self.mistake))) < kinds):
            found = self._learning(variant, back, rng)
            if found is not None:
                return found
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

    def _room(self, variant: Variant) -> list[tuple[Node, str, Array]]:
        """What may be planted in the backward pass: nothing that other tasks build on."""
        if not self.learns:
            return []
        needed = ancestors(variant.graph, [*variant.blanks, *(one.id for one in variant.planted.values())])
        return [one for one in self._back(variant.network, variant.graph) if one[2].id not in needed]

    def _learning(self, variant: Variant, places: list[tuple[Node, str, Array]], rng: np.random.Generator) -> Planted | None:
        """A mistake in the backward pass or in the step, in a grid in which these numbers show it."""
        others = runs(variant.graph, variant.given)
        kinds = sorted({kind for _, kind, _ in places})
        for kind in rng.permutation(kinds).tolist():
            fitting = [place for place in places if place[1] == kind]
            for n in rng.permutation(len(fitting)).tolist():
                node, _, wrong = fitting[n]
                right, have = variant.values[wrong.id], wrong.computed(variant.values)
                off = np.abs(have - right) > SEEN * variant.scale(wrong.id)
                differs = off.copy()
                for run in telling(others, wrong.id):
                    differs |= np.abs(wrong.computed(run) - run[wrong.id]) > SEEN * (
                        float(np.abs(run[wrong.id]).max()) or 1.0
                    )
                parts = rng.permutation(right.shape[0]).tolist() if wrong.grid_axes else [slice(None)]
                for part in parts:
                    if off[part].any():
                        mask = np.zeros(right.shape, bool)
                        mask[part] = differs[part]
                        if self.extent == "cell":
                            shown = np.argwhere(mask & off)
                            mask[:] = False
                            mask[tuple(shown[int(rng.integers(len(shown)))])] = True
                        return Planted(kind, node, 0, mask, wrong=wrong)
        return None

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
        return back_of(self.layer) if self.layer and self.learns else self.layer or ""

    def instruction(self, variant: Variant, number: int) -> str:
        sheets = "one of the sheets of gradients" if self.learns else "one of the layers' sheets"
        where = f"sheet {self.sheet}" if self.layer else sheets
        reach = "the formulas of one map" if self.extent == "map" else "one cell"
        return (
            f"There is one mistake, in {reach} on {where}. Name a cell that has it, and mend it: write the right formula"
            f"{' in all cells that have the mistake' if self.extent == 'map' else ''}."
        )

    def draw(self, draft: HandoutDraft, number: int) -> None:
        """Wrong formulas, or a number in the place of one; their values are what they give."""
        if number in draft.live:
            variant = draft.variant
            nodes = dict.fromkeys(node.name for node, _ in self._forward(variant.network, variant.taken))
            arrays = [variant.graph.output(name).id for name in nodes]
            arrays += dict.fromkeys(wrong.id for _, _, wrong in self._room(variant)) | {variant.planted[number].id: None}
            draft.totals.append(Total(number, [*dict.fromkeys(arrays)], '"mended";;"not yet"'))
        if draft.key:
            return
        planted, graph, grids = draft.variant.planted[number], draft.content.graph, draft.content.grids
        node, wrong = planted.node, planted.wrong
        if wrong is not None:
            for index, grid in flat(grids[wrong.id]):
                write = wrong.written(grids, grid.sheet)
                for place in map(tuple, np.argwhere(planted.mask).tolist()):
                    if place[: len(index)] == index:
                        i, j = (*place[len(index) :], 0, 0)[:2]
                        draft.put_cells(grid, {(i, j): replace(draft.cell(grid, i, j), formula=write(place))})
            return
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
        forward, back = (
            self._forward(draft.variant.network, draft.variant.taken),
            self._back(draft.variant.network, draft.variant.graph),
        )
        id = f"{forward[0][0].name}.output" if forward else back[0][2].id
        example = next(grid for _, grid in flat(draft.content.grids[id]))
        put(
            sheet,
            row,
            3,
            f"A cell that has the mistake, such as {sheet_prefix(example.sheet)}{example.at(0, 0)}:",
            "aside_right",
        )
        draft.name(f"task_{number}_cell", Grid(EXERCISE, row, 4, 1, 1))
        at = tuple(np.argwhere(planted.mask)[0].tolist())
        index, grid = next(
            (index, grid) for index, grid in flat(draft.content.grids[planted.id]) if at[: len(index)] == index
        )
        i, j = (*at[len(index) :], 0, 0)[:2]
        put(sheet, row, 4, f"{sheet_prefix(grid.sheet)}{grid.at(i, j)}" if draft.key else "", "choice")
        if draft.key:
            put(sheet, row, 5, f"  {KINDS[planted.kind].words}", "soft")
        return row + 1

    def grade(self, work: Work, number: int) -> Graded:
        """Half of the points for naming a cell, half for mending, by cells."""
        planted = work.variant.planted[number]
        id, half = planted.id, self.points / 2
        page = planted.node.name if planted.wrong is None else back_of(planted.wrong.owner)
        tally = Tally()
        tally.output(work, id, planted.mask, formula=True, tolerance=self.tolerance)
        mended = tally.graded(half)
        remarks = [f"mending: {remark}" for remark in mended.remarks]
        given, cells = work.named(f"task_{number}_cell", page)
        found = bool(cells) and all(array == id and planted.mask[at] for array, at in cells)
        if not found:
            places = [work.where(id, tuple(at)) for at in np.argwhere(planted.mask).tolist()]
            one = places[0] if len(places) == 1 else f"{places[0]} to {places[-1]}"
            said = f"{given!r:.60} is not a cell that has the mistake" if given.strip() else "no cell is named"
            remarks.insert(0, f"{said}; {KINDS[planted.kind].words}, in {one}")
        points = round(mended.points + (half if found else 0.0), 2)
        return Graded(points, self.points, tally.right + found, tally.cells + 1, remarks, mended.look)
