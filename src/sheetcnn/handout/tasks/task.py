"""A task of an exercise: its settings, and what each kind says of itself: how it is worded, drawn, varied and graded."""

from __future__ import annotations

from collections.abc import Set
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ...layers.settings import Number
from ...model.network import Network, Node
from ...model.settings import Text
from ...plain import near
from ..draft import HandoutDraft
from ..marking import Graded, Work
from ..mistakes import Planted
from ..variant import Variant

Feedback = Literal["live", "none"]


class Task(BaseModel):
    """A task of an exercise: its fields are its settings in the exercise file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    known: ClassVar[dict[str, type[Task]]] = {}  # every kind by its name

    kind: ClassVar[str]
    asks_sizes: ClassVar[bool] = False  # whether no sheet may tell the sizes of layers
    below: ClassVar[bool] = False  # whether its answers go into a table below the list of tasks

    points: Annotated[Number, Field(gt=0, le=1000)] = 1.0
    feedback: Feedback | None = None  # the exercise's own, where not given
    tolerance: Annotated[Number, Field(gt=0)] = 0.005  # of numbers that are typed
    text: Annotated[Text, Field(max_length=1000)] = ""  # instead of the instruction that the task writes itself

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if "kind" in vars(cls):
            Task.known[cls.kind] = cls

    def check(self, network: Network) -> None:
        """Raise ValueError where the task does not fit the network."""

    def layers(self, network: Network) -> list[str]:
        """The layers that are changed, and must not lie behind a planted mistake."""
        return []

    @property
    def learns(self) -> bool:
        """Whether the backward pass and a step are drawn for it."""
        return False

    def blanks(self, network: Network) -> dict[str, np.ndarray]:
        """By the ids of arrays, which of their cells are left blank."""
        return {}

    def plant(self, variant: Variant, taken: Set[str], seed: list[int]) -> Planted | None:
        """The mistake that the seed draws for a variant, where the task has one; layers that are taken have no room for it.

        Raises ValueError where no place is left.
        """
        return None

    # -- words and drawing -----------------------------------------------------------------------------------------
    @property
    def sheet(self) -> str:
        """The layer whose sheet the instructions link to; empty where there is none."""
        return ""

    def instruction(self, variant: Variant, number: int) -> str:
        """What the student is to do, in a sentence or two."""
        raise NotImplementedError

    def draw(self, draft: HandoutDraft, number: int) -> None:
        """Leave cells of the layers' sheets blank, or write something else into them; `number` counts the tasks from 1."""

    def outline(self, draft: HandoutDraft) -> None:
        """Draw over what all tasks have drawn."""

    def draw_answers(self, draft: HandoutDraft, number: int, row: int) -> int:
        """What is to be answered right below the task's own row on the Exercise sheet; returns the next free row."""
        return row

    def draw_table(self, draft: HandoutDraft, number: int, row: int) -> int:
        """A table below the list of all tasks; returns the next free row."""
        return row

    # -- grading ---------------------------------------------------------------------------------------------------
    def grade(self, work: Work, number: int) -> Graded:
        """The points of a student's work."""
        raise NotImplementedError


def node_of(network: Network, name: str) -> Node:
    """A layer by its name. Raises ValueError where there is none."""
    if name not in network.by_name:
        names = [node.name for node in network.nodes]
        raise ValueError(f"layer {name!r} is no layer{near(name, names)}; there are {', '.join(names)}")
    return network.by_name[name]
