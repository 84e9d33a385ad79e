"""Find the mistake: one error is planted; the student names a cell that has it, and mends it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from ..arrays.array import Values
from ..model.network import Network, Node
from ..model.settings import Text
from ..plain import near
from .mistakes import MISTAKES, TYPED
from .task import Graded, Tally, Task, Work, node_of
from .trial import TRIALS, trial

if TYPE_CHECKING:
    from .variant import Variant

SEEN = 1e-3  # how far a planted mistake is off at least, as a part of the layer's largest number


@dataclass(frozen=True)
class Planted:
    """A mistake in its place."""

    kind: str
    node: Node
    pick: int  # what the mistake chooses by, where there is a choice
    mask: np.ndarray  # the cells that have it
    number: float | None = None  # what was typed over a formula

    def values(self, right: np.ndarray, xs: tuple[np.ndarray, ...], numbers: Values) -> np.ndarray:
        """What the layer puts out with the mistake in it."""
        if self.number is not None:
            return np.where(self.mask, self.number, right)
        return np.where(self.mask, MISTAKES[self.kind].values(self.node, xs, numbers, self.pick), right)


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
        kinds = list(MISTAKES) if "random" in self.mistake else list(dict.fromkeys(self.mistake))
        nodes = [node for node in network.nodes if node.name not in taken and self.layer in (None, node.name)]
        return [(node, kind) for node in nodes for kind in kinds if len(node.shape) == 3 and MISTAKES[kind].fits(node)]

    def plant(self, variant: Variant, taken: Set[str], seed: list[int]) -> Planted | None:
        """The mistake in a place drawn by the seed; None where no place shows it in this picture."""
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
        xs = variant.read_by(node)
        off = np.abs(mistake.values(node, xs, variant.parameters_of(node), pick)[k] - right[k])
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

    def instruction(self, variant: Variant, number: int) -> str:
        where = f"sheet {self.layer}" if self.layer else "one of the layers' sheets"
        reach = "the formulas of one map" if self.extent == "map" else "one cell"
        return (
            f"There is one mistake, in {reach} on {where}. Name a cell that has it, and mend it: write the right formula"
            f"{' in all cells that have the mistake' if self.extent == 'map' else ''}."
        )

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
