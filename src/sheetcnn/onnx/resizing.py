"""What a Reshape with constants means for a picture of another size than the one that a model was made for."""

from __future__ import annotations

from math import prod

from ..arrays.array import Shape


def reshaped(given: Shape, made: Shape, now: Shape) -> Shape | None:
    """What is made of a tensor that is `now`, where `given` became `made`; None where that does not follow.

    Axes that were put together are put together, axes of one go where they went, and axes that keep their size do as they did.
    """
    if len(given) != len(now) or any(old == 1 != new for old, new in zip(given, now, strict=True)):
        return None
    sizes: list[int] = []
    left = [(old, new) for old, new in zip(given, now, strict=True) if old != 1]
    wanted = list(made)
    while wanted:
        if wanted[0] == 1:
            sizes.append(wanted.pop(0))
            continue
        # The fewest axes of either that hold as many numbers.
        first, taken = [left.pop(0)] if left else [], [wanted.pop(0)]
        while prod(old for old, _ in first) != prod(taken):
            more, rest = (taken, wanted) if prod(old for old, _ in first) > prod(taken) else (first, left)
            if not rest:
                return None
            more.append(rest.pop(0))  # type: ignore[arg-type]
        if all(old == new for old, new in first):
            sizes += taken
        elif sum(size != 1 for size in taken) == 1:
            sizes += [size if size == 1 else prod(new for _, new in first) for size in taken]
        else:
            return None
    return tuple(sizes)
