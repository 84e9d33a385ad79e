"""The exercise file: its tasks, checked against the network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..arrays.array import shape_text
from ..errors import ExerciseError, NetworkError
from ..model.network import Network
from ..model.network_file import parse_toml
from ..model.settings import Text, validated
from ..plain import near
from ..reading import read_text
from ..templates import EXERCISE, exercises
from .tasks import TASKS
from .tasks.task import Feedback, Task

MAX_BYTES = 1_000_000  # of an exercise file


class ExerciseSettings(BaseModel):
    """The top level of an exercise file, or the `[exercise]` table of a network file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[Text, Field(min_length=1, max_length=200)]
    about: Annotated[Text, Field(max_length=2000)] = ""
    feedback: Feedback = "none"
    vary: tuple[Literal["picture", "kernels", "mistake"], ...] = ("picture", "kernels", "mistake")
    tasks: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=50)]


class Exercise:
    """A checked exercise: its settings and its tasks in order."""

    def __init__(self, data: Any, network: Network, source: str) -> None:
        """Check an exercise's plain data; `source` is what messages call it. Raises ExerciseError."""
        self.data = data
        try:
            self.settings: ExerciseSettings = validated(ExerciseSettings, data, source)
            self.tasks = tuple(
                _task(dict(table), network, f"{source}: task {number}")
                for number, table in enumerate(self.settings.tasks, start=1)
            )
        except NetworkError as error:
            raise ExerciseError(str(error)) from None
        taken: dict[str, np.ndarray] = {}  # by array, which task each of its cells is blank for
        for number, task in enumerate(self.tasks, start=1):
            for array, mask in task.blanks(network).items():
                others = taken.setdefault(array, np.zeros(mask.shape, int))
                if (both := mask & (others > 0)).any():
                    at, layer = tuple(np.argwhere(both)[0].tolist()), array.rpartition(".")[0]
                    raise ExerciseError(
                        f"{source}: task {number} ({task.kind}): cell {shape_text(tuple(n + 1 for n in at))} of layer "
                        f"{layer!r} is blank for task {others[at]} already; choose other cells"
                    )
                others[mask] = number
        self.blanks = {array: numbers > 0 for array, numbers in taken.items()}  # by array: which of its cells are blank

    @property
    def points(self) -> float:
        return sum(task.points for task in self.tasks)

    @property
    def learns(self) -> bool:
        """Whether the backward pass and a step are drawn."""
        return any(task.learns for task in self.tasks)

    def live(self, task: Task) -> bool:
        """Whether a task tells at once what is right."""
        return (task.feedback or self.settings.feedback) == "live"


def _task(table: dict[str, Any], network: Network, where: str) -> Task:
    kind = table.pop("kind", None)
    if not isinstance(kind, str) or kind not in TASKS:
        raise ExerciseError(f"{where}: kind {kind!r} is unknown{near(kind, TASKS)}; there are {', '.join(TASKS)}")
    where = f"{where} ({kind})"
    task: Task = validated(TASKS[kind], table, where)
    try:
        task.check(network)
    except ValueError as error:
        raise ExerciseError(f"{where}: {error}") from None
    return task


def read_exercise(network: Network, path: Path | None, given: Path | None) -> Exercise:
    """The exercise of a network: the file that is given, or its `[exercise]` table, or the file beside that at `path`.

    Raises ExerciseError with one line that names the file, the task and the rule.
    """
    if given is None:
        if network.settings.exercise is not None:
            return Exercise(network.settings.exercise, network, f"{network.source}: [exercise]")
        given = None if path is None else path.with_name(path.stem + EXERCISE)
        if given is None or not os.path.isfile(given):
            beside = "" if given is None else f", and there is no {given.name} beside it"
            raise ExerciseError(
                f"{network.source}: has no [exercise]{beside}; write one, or name one with --exercise; "
                f"these templates have one: {', '.join(exercises())}"
            )
    instead = "an exercise is a few lines of TOML"
    give, toml = "give an exercise file", "an exercise file is TOML"
    text = read_text(given, MAX_BYTES, ExerciseError, give, else_=toml, instead=instead)
    try:
        data = parse_toml(text)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ExerciseError(f"{given}: is not valid TOML: {reason}") from None
    return Exercise(data.get("exercise", data), network, str(given))
