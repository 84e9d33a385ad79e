"""An array of numbers that a workbook draws: what it is computed from, in NumPy and as formulas, and how it looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

import numpy as np

from .grid import Grid, Grids, seen_from

Shape = tuple[int, ...]  # (C, H, W) of a stack of feature maps, or (N,) of a vector
Margin = tuple[int, int, int, int]  # top, left, bottom, right
Values = dict[str, np.ndarray]  # numbers by the `id` of their array: "conv1.weight"
CellFormula = Callable[[Shape], str]  # the index of a cell in its array, from 0 -> the text of its formula
Role = Literal["pixels", "parameter", "shared", "mirror", "step", "output", "thumbnail", "bank", "view", "gradient", "loss"]


@dataclass(frozen=True, eq=False)
class Array:
    """An array that is drawn as grids: its first `grid_axes` axes number the grids, the others lie on the sheet.

    What is typed reads nothing. Everything else has `forward`, which makes it of the numbers that it reads, and `formula`, the
    text of one of its cells (the index first, then the grids of what it reads): written apart on purpose, since one derived
    from the other would prove nothing. Both take the inputs by place and the parameters by name, formulas the steps too.
    """

    key: str  # what NumPy code calls it: "weight"
    shape: Shape
    forward: Callable[..., np.ndarray] | None = None
    formula: Callable[..., str] | None = None
    _: KW_ONLY
    owner: str = ""  # the layer that it belongs to, or "input"
    label: str = ""  # what the workbook calls it where that is not the key: "kernel"
    role: Role = "step"
    grid_axes: int = 0
    inputs: tuple[Array, ...] = ()
    parameters: Mapping[str, Array] = field(default_factory=dict)
    steps: Mapping[str, Array] = field(default_factory=dict)
    bound: Callable[..., CellFormula] | None = (
        None  # from the grids of its inputs, where much is worked out once for all cells
    )
    around: Callable[[str], str] | None = None  # what stands around the formula of each cell: an activation
    spacing: tuple[int, int] = (1, 1)  # distance of neighbouring elements in cells: a kernel's dilation
    margin: Margin = (0, 0, 0, 0)  # padding around it
    labels: tuple[str, ...] = ()  # above its grids, the longest that fits: {k} is the map, {c} the channel
    sign: str | None = None  # before it in the equation; None: "=" or "+", as its place has it
    numbered_from: int | None = None  # the number of its first grid in their names, where that is not 1
    of_weights: bool = False  # a step that is weights in another order, and has their colours
    shared_name: bool = False  # a filter's kernels have one name: they stand one below the other, at their channels' heights

    one_name: bool = False  # all its grids have one name: they stand at equal distances in a row or a column

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label or self.key)

    @property
    def id(self) -> str:
        """What its numbers are found by, as PyTorch names weights: conv1.weight."""
        return f"{self.owner}.{self.key}"

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of one grid; a vector is one column."""
        rows, columns = (*self.shape[self.grid_axes :], 1, 1)[:2]
        return rows, columns

    @property
    def count(self) -> int:
        """How many numbers it has."""
        return int(np.prod(self.shape, dtype=object))

    @property
    def names(self) -> int:
        """How many defined names its grids have."""
        return int(np.prod(self.shape[: 0 if self.one_name else 1 if self.shared_name else self.grid_axes], dtype=object))

    def name(self, index: Shape = ()) -> str:
        """The defined name of one grid, its index counted from 0: `conv1_kernel_1_1`; of a filter's kernels together, `conv1_kernel_1`."""
        if self.one_name:
            return f"{self.owner}_{self.label}"
        numbers = [i + 1 for i in (index[:1] if self.shared_name else index)]
        if self.numbered_from is not None:
            numbers = [self.numbered_from + (index[0] if index else 0)]
        return "_".join([self.owner, self.label, *map(str, numbers)])

    def indexes(self) -> Iterator[Shape]:
        """The index of every grid, counted from 0."""
        return iter(np.ndindex(*self.shape[: self.grid_axes]))

    def computed(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Its numbers in NumPy, made of those that it reads."""
        assert self.forward is not None
        given = {key: values[array.id] for key, array in self.parameters.items()}
        return self.forward(*[values[array.id] for array in self.inputs], **given)

    def written(self, grids: dict[str, Grids], sheet: str, also: str | None = None) -> CellFormula:
        """The function that writes a cell's formula for `sheet`; `grids` has those of all arrays, by their ids.

        Grids of its own layer are taken to be on the same sheet, unless `also` says from which one they are seen.
        """
        xs = [seen_from(grids[array.id], sheet) for array in self.inputs]
        own = {
            key: grids[array.id] if array.owner == self.owner else seen_from(grids[array.id], sheet)
            for key, array in (*self.parameters.items(), *self.steps.items())
        }
        if also is not None:
            own = {key: seen_from(grid, also) for key, grid in own.items()}
        return self.reading(xs, own)

    def reading(self, xs: Sequence[Grids], own: Mapping[str, Grids]) -> CellFormula:
        """The function that writes a cell's formula from these inputs, parameters and steps."""
        formula, around = self.formula, self.around
        if self.bound is not None:
            return self.bound(*xs, **own)
        assert formula is not None
        if around is None:
            return lambda at: formula(at, *xs, **own)
        return lambda at: around(formula(at, *xs, **own))


def mirror(owner: str, shown: Array, number: int, numbered_from: int, margin: Margin) -> Array:
    """What a layer reads as its nth input, shown once more on its own sheet, cell by cell; its grids' names count on."""
    label = "reads"
    return Array(f"{label}_{number}", shown.shape, same, same_cell, owner=owner, label=label, role="mirror",
                 grid_axes=shown.grid_axes, inputs=(shown,), margin=margin, numbered_from=numbered_from)  # fmt: skip


def original(array: Array) -> Array:
    """What an array is that only shows another once more."""
    while array.role in ("mirror", "shared", "thumbnail", "view"):
        array = next(iter([*array.inputs, *array.parameters.values()]))
    return array


def same(x: np.ndarray) -> np.ndarray:
    """An array as it is."""
    return x


def same_cell(at: Shape, grids: Grids) -> str:
    """The cell of an array at an index, whatever number of axes number its grids."""
    place = list(at)
    while not isinstance(grids, Grid):
        grids = grids[place.pop(0)]
    return grids.at(*[*place, 0, 0][:2])


def shape_text(shape: Shape) -> str:
    """A shape as people write it: 3×28×28."""
    return "×".join(map(str, shape))


def cell_of(grids: Grids, at: Shape) -> str:
    """The cell at an index of maps (k, row, column) or of a vector (n,)."""
    if len(at) == 3:
        return grids[at[0]].at(at[1], at[2])
    return grids.at(at[0], 0)
