"""Some places along an axis, in some order: `"::2"`, `[2, 1, 0]`, or pieces one after the other, `["-1:", ":", ":1"]`."""

from __future__ import annotations

import re
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator

Selected = tuple[int | str, ...]
_SLICE = re.compile(r"(-?\d{1,9})?:(-?\d{1,9})?(?::(-?\d{1,9})?)?")
_SHOWN = 8  # places that are named one by one
_ORDINALS = {2: "second", 3: "third", 4: "fourth", 5: "fifth"}


def _pieces(value: Any) -> Any:
    """A place, a slice, or a list of them, as a list."""
    pieces = [value] if isinstance(value, int | str) and not isinstance(value, bool) else value
    if not isinstance(pieces, list | tuple) or not pieces:
        raise ValueError('must be a place counted from 0, a slice as "::2", or a list of these')
    for piece in pieces:
        if isinstance(piece, str):
            match = _SLICE.fullmatch(piece)
            if match is None or (match[3] is not None and int(match[3]) == 0):
                raise ValueError(f'{piece!r:.40} is no slice; write start:stop:step, as "::2" or "1:-1"')
        elif not isinstance(piece, int) or isinstance(piece, bool) or abs(piece) >= 10**9:
            raise ValueError(f"{piece!r:.40} is no place; write whole numbers, counted from 0, or slices")
    return tuple(pieces)


_Given = int | str | tuple[int | str, ...]
Selection = Annotated[Selected, BeforeValidator(_pieces, json_schema_input_type=_Given)]


def slice_of(piece: str) -> slice:
    """A slice from its text."""
    match = _SLICE.fullmatch(piece)
    assert match is not None
    return slice(*(None if part is None else int(part) for part in match.groups()))


def places(selected: Selected, size: int) -> list[int]:
    """The places along an axis of so many, counted from 0."""
    found: list[int] = []
    for piece in selected:
        found += range(*slice_of(piece).indices(size)) if isinstance(piece, str) else [piece % size]
    return found


def even(selected: Selected, size: int) -> tuple[int, int] | None:
    """The first place and how far the next is, where all are as far apart; None where they are given one by one."""
    if len(selected) > 1:
        return None
    piece = selected[0]
    if isinstance(piece, int):
        return piece % size, 0
    found = range(*slice_of(piece).indices(size))
    return found.start, found.step


def count(selected: Selected, size: int) -> int:
    """How many places these are along an axis of so many. Raises ValueError where there are none, or some beyond its ends."""
    total = 0
    for piece in selected:
        if isinstance(piece, str):
            total += len(range(*slice_of(piece).indices(size)))
        elif -size <= piece < size:
            total += 1
        else:
            raise ValueError(f"place {piece} does not exist among {size}, which are counted from 0")
    if not total:
        raise ValueError(f"{', '.join(map(str, selected))} selects nothing of {size}")
    return total


def taken(x: np.ndarray, axis: int, selected: Selected) -> np.ndarray:
    """The selected places of an array along an axis."""
    before = (slice(None),) * axis
    pieces = [slice_of(piece) if isinstance(piece, str) else [piece] for piece in selected]
    return np.concatenate([x[(*before, piece)] for piece in pieces], axis=axis)


def selection_words(selected: Selected, name: str) -> str:
    """The places in words, counted from 1: "every second row", "channels 3, 2, 1"; `name` is one of them, "row"."""
    if all(isinstance(piece, int) for piece in selected):
        return _numbers([piece for piece in selected if isinstance(piece, int)], name)
    words = [_slice_words(piece, name) if isinstance(piece, str) else _numbers([piece], name) for piece in selected]
    return ", then ".join(words)


def _numbers(numbers: list[int], name: str) -> str:
    texts = [str(n + 1) if n >= 0 else ("the last" if n == -1 else f"the {-n}th to last") for n in numbers]
    shown = texts if len(texts) <= _SHOWN else [*texts[: _SHOWN - 1], "…"]
    return f"{name}{'s' if len(texts) > 1 else ''} {', '.join(shown)}"


def _slice_words(piece: str, name: str) -> str:
    given = slice_of(piece)
    start, stop, step = given.start, given.stop, 1 if given.step is None else given.step
    if step == 1:
        return _span(start or 0, stop, name)
    if start in (None, 0) and stop is None and step > 1:
        return f"every {_ordinal(step)} {name}"
    if step > 1:
        span = _span(start or 0, stop, name)
        return (
            f"every {_ordinal(step)} {name} {span.removeprefix(f'{name}s ')}"
            if stop is None
            else f"every {_ordinal(step)} of {span}"
        )
    if start is None and stop is None:
        return f"{name}s from the last to the first" + (f", every {_ordinal(-step)}" if step < -1 else "")
    return f"{name}s {piece}, counted from 0"


def _span(start: int, stop: int | None, name: str) -> str:
    """The places from start to stop, which is not among them, each counted from 0 or, below 0, from the end."""
    if stop is None:
        if start < 0:
            return f"the last {_many(-start, name)}"
        return f"{name}s from {start + 1} on" if start else f"all {name}s"
    if start < 0:
        return f"{name}s {start}:{stop}, counted from 0"
    if stop < 0:
        but = f"the last but {'one' if stop == -1 else -stop}" if start else f"the last {_many(-stop, name)}"
        return f"{name}s {start + 1} to {but}" if start else f"all {name}s but {but}"
    if start == 0:
        return f"the first {_many(stop, name)}"
    return f"{name} {stop}" if stop == start + 1 else f"{name}s {start + 1} to {stop}"


def _many(count: int, name: str) -> str:
    return name if count == 1 else f"{count} {name}s"


def _ordinal(n: int) -> str:
    return _ORDINALS.get(n, f"{n}th")
