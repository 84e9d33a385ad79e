"""Axes split, turned and merged, as text: `"(c a b) h w -> c (h a) (w b)"`, the notation of einops (https://einops.rocks)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from ..arrays.array import Shape, shape_text

_TOKEN = re.compile(r"\(|\)|[A-Za-z_]\w*|1")
Axes = tuple[tuple[str, ...], ...]  # the names that each axis is made of, the slowest first


@dataclass(frozen=True)
class Pattern:
    """The axes of the input and of the output, each made of named ones."""

    left: Axes
    right: Axes

    def __str__(self) -> str:
        sides = [" ".join(f"({' '.join(axis)})" if len(axis) > 1 else "".join(axis) or "1" for axis in side)
                 for side in (self.left, self.right)]  # fmt: skip
        return " → ".join(sides)

    def lengths(self, shape: Shape, sizes: dict[str, int]) -> dict[str, int]:
        """How many places each name has, those left out worked out. Raises ValueError where they do not fit the shape."""
        if len(shape) != len(self.left):
            raise ValueError(f"the pattern reads {len(self.left)} axes, but the input is {shape_text(shape)}")
        found: dict[str, int] = {}
        for names, size in zip(self.left, shape, strict=True):
            known = {name: sizes[name] for name in names if name in sizes}
            open_ones = [name for name in names if name not in sizes]
            rest, more = divmod(size, prod(known.values()))
            if len(open_ones) > 1:
                raise ValueError(
                    f"sizes must say how many {' or '.join(open_ones)} there are: ({' '.join(names)}) is {size}"
                )
            if more or (not open_ones and rest != 1):
                given = ", ".join(f"{name} = {n}" for name, n in known.items()) or "a 1"
                raise ValueError(f"({' '.join(names)}) is {size}, which does not fit {given}")
            found |= known | dict.fromkeys(open_ones, rest)
        return found


@lru_cache(maxsize=200)
def parsed(text: str) -> Pattern:
    """A pattern from its text. Raises ValueError where it is none."""
    left, arrow, right = text.partition("->")
    if not arrow:
        raise ValueError(f'{text!r:.60} has no arrow; write it as "c h w -> c w h"')
    pattern = Pattern(_axes(left), _axes(right))
    sides = [sorted(name for axis in axes for name in axis) for axes in (pattern.left, pattern.right)]
    if sides[0] != sides[1] or len(set(sides[0])) != len(sides[0]):
        raise ValueError(f"{text!r:.60}: each name must stand once on the left and once on the right")
    if len(pattern.left) not in (1, 3) or len(pattern.right) not in (1, 3):
        raise ValueError(f"{text!r:.60}: each side needs three axes (channels, rows, columns) or one (a vector)")
    return pattern


def _axes(text: str) -> Axes:
    """One side of a pattern; `1` is an axis without a name."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != "".join(text.split()):
        raise ValueError(f"{text.strip()!r:.60} is not made of names, 1 and brackets")
    axes: list[tuple[str, ...]] = []
    inside: list[str] | None = None
    for token in tokens:
        if token == "(" and inside is None:
            inside = []
        elif token == ")" and inside:
            axes.append(tuple(inside))
            inside = None
        elif token in "()" or (token == "1" and inside is not None):
            raise ValueError(f"{text.strip()!r:.60} has brackets that do not match, or nothing in them")
        elif inside is not None:
            inside.append(token)
        else:
            axes.append(() if token == "1" else (token,))
    if inside is not None:
        raise ValueError(f"{text.strip()!r:.60} has brackets that do not match, or nothing in them")
    return tuple(axes)


def pattern_words(pattern: Pattern, lengths: dict[str, int]) -> str:
    """What a pattern does, in words where it is a common one; empty where the pattern itself says it best."""
    left, right = pattern.left, pattern.right
    if [*map(len, left)] == [1, 1, 1]:
        c, h, w = (axis[0] for axis in left)
        known = {c: "channel", h: "row", w: "column"}
        if right == ((h, w, c),):
            return "one column: the channels of a cell, cell after cell, row after row"
        if len(right) == 3 and set(right) == set(left):
            moved = [(known[was], known[now]) for (was,), (now,) in zip(left, right, strict=True) if was != now]
            if len(moved) == 2:
                return f"{moved[0][0]}s and {moved[1][0]}s swapped"
            return ", ".join(f"{now}s as {was}s" for was, now in moved)
    for fine, deep, words in (
        (left, right, "blocks of {} cells as channels"),
        (right, left, "channels as blocks of {} cells"),
    ):
        if [*map(len, fine)] == [1, 2, 2] and len(deep) == 3 and deep[1:] == (fine[1][:1], fine[2][:1]):
            return f"{words.format(f'{lengths[fine[1][1]]}×{lengths[fine[2][1]]}')}, {pattern}"
    return ""
