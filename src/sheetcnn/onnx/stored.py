"""The numbers of large weights stay in a model's file, or in those beside it, until somebody reads them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..errors import NetworkError
from ..reading import Held, Source, open_regular
from .counting import MODEL_GRAPH, varint

MAX_BYTES = 1_600_000_000  # of the file, and of all tensors beside it: as many numbers as a workbook may have cells
GRAPH_WEIGHT, TENSOR_NAME, TENSOR_RAW = 5, 8, 9  # the numbers of fields, from onnx.proto
LARGE = 4_000_000  # bytes of one weight

Places = dict[str, tuple[int, int]]  # where the numbers of weights begin in the file and end, by the names of these


def without_numbers(data: bytes) -> tuple[bytes, Places]:
    """A model's bytes without the numbers of its large weights, and where these are; damaged ones are left as they are."""
    if len(data) < LARGE:
        return data, {}
    places: Places = {}
    try:
        message = memoryview(data)
        found = b"".join(_model(message, places))
    except (IndexError, ValueError):
        return data, {}
    return (found, places) if places else (data, {})


def _model(message: memoryview, places: Places) -> Iterator[bytes | memoryview]:
    for number, start, begin, end in _fields(message, 0, len(message)):
        if number == MODEL_GRAPH:
            yield from _sized(number, b"".join(_graph(message, begin, end, places)))
        else:
            yield message[start:end]


def _graph(message: memoryview, begin: int, end: int, places: Places) -> Iterator[bytes | memoryview]:
    for number, start, inside, last in _fields(message, begin, end):
        if number == GRAPH_WEIGHT and last - inside >= LARGE and (left := _weight(message, inside, last, places)):
            yield from _sized(number, left)
        else:
            yield message[start:last]


def _weight(message: memoryview, begin: int, end: int, places: Places) -> bytes:
    """A weight without its numbers; nothing where they do not stand in one piece."""
    fields = [*_fields(message, begin, end)]
    raw = [(inside, last) for number, _, inside, last in fields if number == TENSOR_RAW]
    names = [str(message[inside:last], "utf-8") for number, _, inside, last in fields if number == TENSOR_NAME]
    if len(raw) != 1 or len(names) != 1 or names[0] in places:
        return b""
    places[names[0]] = raw[0]
    return b"".join(message[start:last] for number, start, _, last in fields if number != TENSOR_RAW)


def _fields(message: memoryview, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a message: the number of each, where it starts, where what it holds begins, and where it ends."""
    while at < end:
        start = at
        tag, at = varint(message, at)
        kind = tag & 7
        inside = at
        if kind == 0:
            _, at = varint(message, at)
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        elif kind == 2:
            length, inside = varint(message, at)
            at = inside + length
        else:
            raise ValueError("no kind of field that ONNX has")
        if at > end:
            raise ValueError("a field that is longer than its message")
        yield tag >> 3, start, inside, at


def _sized(number: int, content: bytes) -> Iterator[bytes]:
    """A field with bytes or a message in it."""
    for whole in (number << 3 | 2, len(content)):
        while whole > 127:
            yield bytes([whole & 127 | 128])
            whole >>= 7
        yield bytes([whole])
    yield content


class Stored:
    """The files of a model, its own and others beside it, from which numbers are read when they are asked for."""

    def __init__(self, path: Source, places: Places) -> None:
        self.path, self._places = path, places
        self._taken: dict[str, int] = {}  # how many bytes of files beside the model each tensor has
        self._known = _state(path) if places else None

    def inside(self, name: str, where: str) -> bytes | memoryview | None:
        """The numbers of a weight that were left in the model's own file."""
        if name not in self._places:
            return None
        begin, end = self._places[name]
        if isinstance(self.path, Held):
            return memoryview(self.path.data)[begin:end]
        with open_regular(self.path, NetworkError, "leave it where it is", where=where) as stream:
            try:
                if _state(self.path) != self._known:
                    raise NetworkError(f"{where}: the file was changed while it was read; read it anew")
                stream.seek(begin)
                return stream.read(end - begin)
            except OSError as error:
                raise NetworkError(f"{where}: cannot be read ({error.strerror}); leave it where it is") from None

    def outside(self, entries: Mapping[str, str], where: str) -> bytes:
        """The numbers of a tensor that stand in a file of their own."""
        location = entries.get("location", "")
        if not isinstance(self.path, Path):
            raise NetworkError(f"{where}: stands in a file of its own, and only the model's bytes were given; give its path")
        folder = self.path.parent.resolve()
        try:
            path = (folder / location).resolve()
            if not location or not path.is_relative_to(folder):
                raise NetworkError(f"{where}: its file {location!r} leaves the model's folder; put it beside the model")
            stream = open_regular(
                path, NetworkError, "put it beside the model", where=f"{where}: its file {location[:80]!r}"
            )
        except (OSError, RuntimeError, ValueError) as error:  # links in a circle, or a null character
            raise NetworkError(f"{where}: its file {location[:80]!r} cannot be read ({str(error)[:120]})") from None
        try:
            with stream:
                size = os.fstat(stream.fileno()).st_size
                start = int(entries.get("offset", 0))
                length = int(entries.get("length", size - start))
                if not (0 <= start <= size and 0 <= length <= min(size - start, MAX_BYTES)):
                    raise NetworkError(f"{where}: {location!r} has {size:,} bytes, it needs {length:,} from {start:,} on")
                self._taken[where] = length
                if sum(self._taken.values()) > MAX_BYTES:
                    raise NetworkError(
                        f"{where}: its file {location[:80]!r} and others hold more than {MAX_BYTES:,} bytes; "
                        "no workbook could hold these weights"
                    )
                stream.seek(start)
                return stream.read(length)
        except OSError as error:
            raise NetworkError(f"{where}: its file {location!r} cannot be read ({error.strerror})") from None
        except ValueError:
            raise NetworkError(
                f"{where}: says of its file {location[:80]!r} what is no number; the model is damaged"
            ) from None


def _state(path: Source) -> tuple[int, int] | None:
    """What tells whether a file is as it was."""
    if isinstance(path, Held):
        return None
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns
