"""Cells of a layer at other places: which layers move them there, from the place that each comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from ..arrays.array import Shape
from ..layers import LAYERS

Move = tuple[str, dict[str, Any]]
MOST_PIECES = 2_000  # in which a selection is written down
_AXES = ("channels", "rows", "columns")
_LETTERS, _SPARE = "chw", "abdefgijklmopqrstuvxyz"


def moves(shape: Shape, goal: Shape, order: np.ndarray) -> list[Move] | None:
    """The layers that make maps or a vector of one shape those of another, whose n-th cell is the `order[n]`-th of the first.

    None where they could only be written down cell by cell, and that takes too long.
    """
    cells = int(np.prod(shape))
    if np.array_equal(order, np.arange(cells)):
        flat: list[Move] = [("flatten", {})] if len(shape) == 3 else []
        return [] if shape == goal else [*flat, *_put(goal)]
    if len(shape) == len(goal) == 3 and len(order) == cells:
        for chain in _shuffles(shape, goal):
            moved = np.arange(cells).reshape(shape)
            for kind, settings in chain:
                moved = LAYERS[kind](**settings).forward(moved)
            if moved.shape == goal and np.array_equal(moved.reshape(-1), order):
                return chain
    if found := selected(shape, goal, order) or _arranged(shape, goal, order):
        return found
    if len(shape) == 3:  # as a vector it may be in order
        found = moves((cells,), goal, order)
        return None if found is None else [("flatten", {}), *found]
    found = selected(shape, (len(order),), order)  # cell by cell
    return None if found is None else [*found, *_put(goal)]


def _put(goal: Shape) -> list[Move]:
    """A vector put into maps, where these are wanted."""
    return [("unflatten", {"size": list(goal)})] if len(goal) == 3 else []


def _shuffles(shape: Shape, goal: Shape) -> Iterator[list[Move]]:
    """The chains of shuffling layers that lead from maps of one shape to maps of another."""
    channels = shape[0]
    if goal == shape:
        for groups in range(2, channels):
            if channels % groups == 0:
                yield [("channel_shuffle", {"groups": groups})]
    if goal[1] % shape[1] == 0:
        r = goal[1] // shape[1]
        if r > 1 and goal == (channels // r**2, shape[1] * r, shape[2] * r):
            yield [("pixel_shuffle", {"upscale_factor": r})]
            yield [("channel_shuffle", {"groups": r**2}), ("pixel_shuffle", {"upscale_factor": r})]


# -- some places along each axis ---------------------------------------------------------------------------------------


def selected(shape: Shape, goal: Shape, order: np.ndarray) -> list[Move] | None:
    """A layer that selects places along each axis, or repeats each row and column, if that is all.

    None too where they would have to be written down one by one and are too many.
    """
    if len(shape) != len(goal):
        return None
    places = np.unravel_index(order.reshape(goal), shape)
    chosen = []
    for axis, at in enumerate(places):
        along = np.moveaxis(at, axis, 0).reshape(goal[axis], -1)
        if (along != along[:, :1]).any():
            return None
        chosen.append(along[:, 0])
    repeats = [len(own) // size for own, size in zip(chosen, shape, strict=True)]
    each = [np.array_equal(own, np.repeat(np.arange(size), n)) for own, size, n in zip(chosen, shape, repeats, strict=True)]
    if len(shape) == 3 and all(each) and repeats[0] == 1:
        return [("upsample", {"scale_factor": repeats[1:]})]
    settings = _selection(chosen, shape)
    short = all(not isinstance(pieces, list) or len(pieces) <= MOST_PIECES for pieces in settings.values())
    return [("rearrange", settings)] if short else None


def _selection(chosen: Sequence[np.ndarray], shape: Shape) -> dict[str, Any]:
    """The settings that select places, where not all are selected in their order."""
    names = _AXES if len(shape) == 3 else ("cells",)
    return {
        name: _pieces(own, size)
        for name, own, size in zip(names, chosen, shape, strict=True)
        if not np.array_equal(own, np.arange(size))
    }


def _pieces(chosen: np.ndarray, size: int) -> Any:
    """Places along an axis as people write them: one slice, or places and slices in a list."""
    own: list[int] = chosen.tolist()
    pieces: list[int | str] = []
    start = 0
    while start < len(own):
        stop, step = start + 1, own[start + 1] - own[start] if start + 1 < len(own) else 0
        while step and stop < len(own) and own[stop] - own[stop - 1] == step:
            stop += 1
        text = _slice_text(own[start], own[stop - 1], step, size)
        if stop - start > 2 or (stop - start == len(own) == 2 and (abs(step) == 1 or (own[0] < step and text.count("::")))):
            pieces.append(text)
        else:
            stop = start + 1
            pieces.append(own[start])
        start = stop
    return pieces[0] if len(pieces) == 1 else pieces


def _slice_text(first: int, last: int, step: int, size: int) -> str:
    beyond = last + step
    start = "" if first == (0 if step > 0 else size - 1) else str(first)
    stop = "" if not 0 <= beyond < size and (step > 0 or beyond < 0) else str(last + (1 if step > 0 else -1))
    return f"{start}:{stop}" + (f":{step}" if step != 1 else "")


# -- axes split, turned and merged -------------------------------------------------------------------------------------


def _arranged(shape: Shape, goal: Shape, order: np.ndarray) -> list[Move] | None:
    """A layer that turns axes, or parts of them, after some places along each were selected, in their order or backwards."""
    places = np.unravel_index(order, shape)
    chosen = [np.unique(at) for at in places]
    kept = tuple(map(len, chosen))
    if len(order) != int(np.prod(kept)) or len(np.unique(order)) != len(order):
        return None
    there = [np.searchsorted(own, at) for own, at in zip(chosen, places, strict=True)]
    for ways in product((1, -1), repeat=len(shape)):
        at = [own if way > 0 else len(all_) - 1 - own for own, way, all_ in zip(there, ways, chosen, strict=True)]
        parts = _parts(np.ravel_multi_index(at, kept).reshape(goal))
        if parts is not None and (named := _named(parts, kept)) is not None:
            return [("rearrange", _selection([own[::way] for own, way in zip(chosen, ways, strict=True)], shape) | named)]
    return None


Part = tuple[int, int]  # how many places, and how far apart they lie in the input


def _parts(index: np.ndarray) -> list[list[Part]] | None:
    """The parts that each axis of an array of places is made of, the slowest first; None where there are none."""
    tables = []
    total = np.zeros(index.shape, int)
    for axis, size in enumerate(index.shape):
        table = np.moveaxis(index, axis, 0).reshape(size, -1)[:, 0]
        tables.append(table)
        total = total + table.reshape([-1 if a == axis else 1 for a in range(index.ndim)])
    if index.flat[0] != 0 or (total != index).any():
        return None
    found = [_digits(table) for table in tables]
    return None if any(one is None for one in found) else [one for one in found if one is not None]


def _digits(table: np.ndarray) -> list[Part] | None:
    """An axis as parts: its places counted with digits, each digit worth a fixed distance."""
    parts: list[Part] = []
    while len(table) > 1:
        step = int(table[1] - table[0])
        run = np.flatnonzero(np.diff(table) != step)
        count = int(run[0]) + 1 if len(run) else len(table)
        if step < 1 or len(table) % count:
            return None
        inner = table.reshape(-1, count)
        if (inner != inner[:, :1] + step * np.arange(count)).any():
            return None
        parts.insert(0, (count, step))
        table = inner[:, 0]
    return parts


def _named(parts: list[list[Part]], kept: Shape) -> dict[str, Any] | None:
    """The pattern whose output axes are made of these parts, and the sizes that it needs; None where the input has others."""
    worth = [int(np.prod(kept[axis + 1 :])) for axis in range(len(kept))]
    for n, far in enumerate(worth):  # a part may reach over several axes of the input
        parts = [[piece for part in axis for piece in _cut(part, far * kept[n])] for axis in parts]
    home = {part: n for n, axis in enumerate(parts) for part in axis}
    letters, spare = _LETTERS if len(kept) == 3 else "n", iter(_SPARE)
    names: dict[Part, str] = {}
    sizes: dict[str, int] = {}
    left: list[list[str]] = []
    for axis, (size, far) in enumerate(zip(kept, worth, strict=True)):
        own = sorted(
            (part for part in home if far <= part[1] and part[0] * part[1] <= far * size), key=lambda part: -part[1]
        )
        ends = [far * size, *(step for _, step in own)]
        if ends[-1] != far or any(count * step != end for (count, step), end in zip(own, ends, strict=False)):
            return None
        main = next((part for part in own if home[part] == axis), own[0] if own else None)
        names |= {part: letters[axis] if part == main else next(spare) for part in own}
        sizes |= {names[part]: part[0] for part in own if part != main}
        left.append([names[part] for part in own])
    right = [[names[part] for part in axis] for axis in parts]
    lone = [axis for axis in right if not axis]  # of one place, as some of the input's are
    for n in [n for n, axis in enumerate(left) if not axis][: len(lone)]:
        left[n] = [letters[n]]
        lone.pop().append(letters[n])
    text = " -> ".join(" ".join(map(_axis, side)) for side in (left, right))
    return {"pattern": text} | ({"sizes": sizes} if sizes else {})


def _cut(part: Part, end: int) -> list[Part]:
    """A part in two where it reaches over the end of an axis."""
    count, step = part
    inside = end // step
    if step < end < step * count and end % step == 0 and count % inside == 0:
        return [(count // inside, end), (inside, step)]
    return [part]


def _axis(names: list[str]) -> str:
    return "1" if not names else names[0] if len(names) == 1 else f"({' '.join(names)})"
