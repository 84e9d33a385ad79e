"""Compute by hand: a few cells to be worked out, with the windows and kernels that they are made of outlined."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..model.network import Network
from .task import Cells, Graded, Work, node_of

if TYPE_CHECKING:
    from .variant import Variant

MOST = 12  # cells


class Compute(Cells):
    """A few blank cells to be worked out by hand."""

    kind: ClassVar[str] = "compute"

    def check(self, network: Network) -> None:
        node, cells = node_of(network, self.layer), int(self.mask(network).sum())
        reduction = node.layer.reduction(*node.in_shapes)
        if reduction is None or reduction.source is not None:
            raise ValueError(f"layer {self.layer!r} ({node.layer.type}) has no windows to outline; use a fill task")
        if cells > MOST:
            raise ValueError(
                f"{cells} cells are too many to be worked out by hand; choose at most {MOST} with rows and columns"
            )

    def instruction(self, variant: Variant, number: int) -> str:
        cells = int(self.mask(variant.network).sum())
        what = "the blank cell" if cells == 1 else f"the {cells} blank cells"
        return (
            f"Work out {what} by hand ({self.place_words(variant.network)}) and type the "
            f"result{'s' if cells > 1 else ''}. What each is made of has a frame in its colour."
        )

    def grade(self, work: Work, number: int) -> Graded:
        return self.graded_cells(work, formula=False)
