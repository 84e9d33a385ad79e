"""Predict the shape: output sizes and parameter counts left blank in the layer table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from ..model.network import Network, Node
from ..model.settings import Text
from .task import Graded, Tally, Task, Work, node_of

if TYPE_CHECKING:
    from .variant import Variant

NEAR = 1e-3  # numbers are whole
HEADS = ("channels", "rows", "columns", "parameters")


class Shapes(Task):
    """Sizes and parameters of layers, to be typed into a table."""

    kind: ClassVar[str] = "shapes"

    layer: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None  # which layers; all, where not given

    def check(self, network: Network) -> None:
        self.nodes(network)

    def nodes(self, network: Network) -> list[Node]:
        """The layers that are asked for."""
        return [node_of(network, name) for name in self.layer] if self.layer else list(network.nodes)

    def wanted(self, network: Network) -> list[list[int | None]]:
        """What is to be typed, a row for each layer; None where nothing is asked."""
        found: list[list[int | None]] = []
        for node in self.nodes(network):
            size: list[int | None] = list(node.shape) if len(node.shape) == 3 else [node.shape[0], None, None]
            found.append([*size, node.parameter_count])
        return found

    def instruction(self, variant: Variant, number: int) -> str:
        return (
            "Predict the size of each layer's output and the number of its parameters (weights and biases): "
            "fill in the table below."
        )

    def grade(self, work: Work, number: int) -> Graded:
        wanted = self.wanted(work.variant.network)
        given = work.answers(f"task_{number}_shapes", len(wanted), len(HEADS))
        tally = Tally()
        for node, row, answers in zip(self.nodes(work.variant.network), wanted, given, strict=True):
            for head, want, have in zip(HEADS, row, answers, strict=True):
                if want is None:
                    continue
                where = f"{head if len(node.shape) == 3 or head == 'parameters' else 'numbers'} of {node.name}"
                if have is None or have == "":
                    tally.add(where, "left blank")
                elif not isinstance(have, float):
                    tally.add(where, "a text where a number is needed")
                else:
                    tally.add(where, *(() if abs(have - want) <= NEAR else ("wrong", f"is {have:.10g}, should be {want}")))
        return tally.graded(self.points)
