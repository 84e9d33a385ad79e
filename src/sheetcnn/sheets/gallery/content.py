"""The gallery: which maps it shows, and what its cells say."""

from __future__ import annotations

import numpy as np

from ...arrays.array import Array, Shape
from ...arrays.grid import Grids
from ...model.graph import Graph, sheet_of
from ...model.settings import INPUT
from ...model.training import back_of

GALLERY = "Gallery"  # the sheet
GALLERY_CELLS = 20_000  # how many cells it has at most
BAR = 4  # how many cells wide a vector is in it
LONG = 64  # and how many numbers it has at most
SHORT, TALL = 16, 2  # up to so many numbers, each is so many cells tall, which leaves room for its name
MOST_KERNELS = 64  # of a layer whose kernels are shown beside its maps
KERNEL_CELLS = 4_000  # that all kernels have together, at most
SALIENCY = back_of(INPUT)  # the key of the gradient of each pixel, beside the layers' names
SALIENCY_WORDS = ("gradient of each pixel:", "which pixels matter,", "and which way")


def shown_of(graph: Graph, name: str) -> Array:
    """What a thumbnail with this key shows: the output of a layer, or the gradient of each pixel."""
    return graph.learning_page(INPUT)[0] if name == SALIENCY else graph.output(name)


def sheet_shown(name: str) -> str:
    """The sheet of what is shown."""
    return back_of(sheet_of(INPUT)) if name == SALIENCY else sheet_of(name)


def thumbnails(graph: Graph, limit: int) -> list[Array]:
    """The maps that a gallery of so many cells shows, an array for each layer (its name is the key).

    All maps where they fit, else the first few of each layer; where not even the first ones fit, the layers with the
    largest maps are left out. A vector is shown as a column of bars, each `BAR` cells wide, unless it is so long that it
    would not fit a screen; up to `SHORT` numbers are `TALL` cells tall each.
    """
    shapes = {name: shape for name, shape in graph.network.shapes.items() if len(shape) == 3 or shape[0] <= LONG}
    stacks = {name: shape if len(shape) == 3 else (1, shape[0] * tall(shape), BAR) for name, shape in shapes.items()}
    if limit <= 0:
        return []
    for name in sorted(stacks, key=lambda name: -stacks[name][1] * stacks[name][2]):
        if sum(h * w for _, h, w in stacks.values()) > limit:
            del stacks[name]
    if not stacks:
        return []
    most = max(stack[0] for stack in stacks.values())
    while sum(min(c, most) * h * w for c, h, w in stacks.values()) > limit:
        most -= 1
    if INPUT in stacks and graph.learning_page(INPUT):
        stacks[SALIENCY] = stacks[INPUT]
    return [_thumbnail(name, shown_of(graph, name), (min(c, most), h, w)) for name, (c, h, w) in stacks.items()]


def _thumbnail(name: str, shown: Array, shape: Shape) -> Array:
    """The first maps of an output, each cell the map's own, or a vector as bars of equal cells."""
    vector = len(shown.shape) == 1
    rows = tall(shown.shape)

    def forward(x: np.ndarray) -> np.ndarray:
        return np.repeat(np.repeat(x[None, :, None], BAR, axis=2), rows, axis=1) if vector else x[: shape[0]]

    def formula(at: Shape, x: Grids) -> str:
        return x.at(at[1] // rows, 0) if vector else x[at[0]].at(at[1], at[2])

    return Array(name, shape, forward, formula, owner=GALLERY.lower(), role="thumbnail", grid_axes=1, inputs=(shown,))


def tall(shape: Shape) -> int:
    """How many cells tall each number of a vector is."""
    return TALL if shape[0] <= SHORT else 1


def kernel_thumbnails(graph: Graph, limit: int) -> list[Array]:
    """The kernels that a gallery of so many cells shows beside the maps that they make: of layers that have few, and show all maps."""
    found, room = [], KERNEL_CELLS
    names = graph.network.shapes
    for thumbnail in thumbnails(graph, limit):
        made = thumbnail.inputs[0]
        if thumbnail.key == SALIENCY:
            continue
        kernels = next((array for array in graph.of[made.owner] if array.key == "weight" and array.label == "kernel"), None)
        if kernels is None or kernels.grid_axes != 2 or thumbnail.shape[0] < made.shape[0]:
            continue
        key = f"{made.owner}_kernel"
        taken = any(other.startswith(f"{key}_") for other in names)  # whose thumbnails might have these names
        if kernels.shape[0] * kernels.shape[1] <= MOST_KERNELS and kernels.count <= room and not taken:
            room -= kernels.count
            found.append(_same(kernels, key))
    return found


def _same(kernels: Array, key: str) -> Array:
    """The kernels of a layer once more."""

    def formula(at: Shape, x: Grids) -> str:
        return x[at[0]][at[1]].at(at[2], at[3])

    return Array(
        key, kernels.shape, lambda x: x, formula, owner=GALLERY.lower(), role="thumbnail", grid_axes=2, inputs=(kernels,)
    )
