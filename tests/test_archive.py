"""The archive of an .xlsx: its parts arrive whole and in order, whatever the thread that compresses them is doing."""

from __future__ import annotations

import io
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from zlib_ng import zlib_ng

from sheetcnn.xlsx.archive import AHEAD, BATCH, LEVEL, PLAIN, archive

RNG = np.random.default_rng(0)
PARTS = {"a.xml": [10, BATCH, 3], "b.xml": [0], "c.xml": [5 * BATCH, 7, BATCH // 2] * 3, "d.xml": [1]}
PIECES = {name: [RNG.integers(32, 127, size, dtype=np.uint8).tobytes() for size in sizes] for name, sizes in PARTS.items()}


class Watched(io.BytesIO):
    """A stream that tells which threads write to it, and what is to happen then."""

    def __init__(self, then: Callable[[], Any] = lambda: None) -> None:
        super().__init__()
        self.then, self.threads = then, set[int]()

    def write(self, data: Any) -> int:
        self.threads.add(threading.get_ident())
        self.then()
        return super().write(data)


def test_parts_in_pieces() -> None:
    stream = Watched()
    before = sys.getswitchinterval()
    with archive(stream, large=False) as target:
        for name, pieces in PIECES.items():
            for n, piece in enumerate(pieces):
                target.writestr(name, piece.decode() if n % 2 else piece)
        assert target.namelist() == [*PIECES]
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == before
    assert len(stream.threads) == 2  # the one that compresses, and this one, which writes the directory
    with zipfile.ZipFile(stream) as found:
        assert found.testzip() is None
        assert {name: found.read(name) for name in found.namelist()} == {n: b"".join(p) for n, p in PIECES.items()}
        assert {item.compress_type for item in found.infolist()} == {zipfile.ZIP_DEFLATED}


def test_what_is_not_compressed_yet_stays_small() -> None:
    """Whoever makes pieces faster than they are compressed waits."""
    ahead, stream = [], Watched(lambda: time.sleep(0.002))
    noise = RNG.integers(0, 256, BATCH, dtype=np.uint8).tobytes()  # which does not become smaller
    with archive(stream, large=False) as target:
        for n in range(30):
            target.writestr("a.xml", noise)
            ahead.append((n + 1) * BATCH - len(stream.getvalue()))
    assert max(ahead) <= (AHEAD + 2) * BATCH


@pytest.mark.parametrize("place", ["in the thread", "between two parts"])
def test_nothing_goes_on_after_an_error(place: str) -> None:
    def full() -> None:
        if stream.tell() > BATCH and place == "in the thread":
            raise OSError(28, "No space left on device")

    stream, before, threads = Watched(full), sys.getswitchinterval(), threading.active_count()
    noise = RNG.integers(0, 256, BATCH, dtype=np.uint8).tobytes()
    with pytest.raises((OSError, KeyError)) as caught, archive(stream, large=False) as target:  # noqa: PT012
        for _ in range(20):
            target.writestr("a.xml", noise)
        raise KeyError("a bug")
    assert caught.type is (OSError if place == "in the thread" else KeyError)
    assert (sys.getswitchinterval(), threading.active_count()) == (before, threads)
    assert b"PK\x05\x06" not in stream.getvalue()  # the directory's end, without which no program opens it


def test_two_at_once() -> None:
    """Whichever ends first, what is changed for both is as before when both have ended."""
    before = sys.getswitchinterval()
    for first in (0, 1):
        archives = [archive(io.BytesIO(), large=True) for _ in range(2)]
        targets = [one.__enter__() for one in archives]
        targets[0].writestr("a.xml", "a")
        archives[first].__exit__(None, None, None)
        assert (sys.getswitchinterval() < before, zipfile.ZIP64_LIMIT) == (True, PLAIN)
        archives[1 - first].__exit__(None, None, None)
        assert (sys.getswitchinterval(), zipfile.ZIP64_LIMIT) == (before, (1 << 31) - 1)


def test_deflate_is_that_of_zlib_ng() -> None:
    """zipfile has no place for another library's: where it takes it from elsewhere one day, files are written in twice the time."""
    stream, deflate = io.BytesIO(), zlib_ng.compressobj(LEVEL, zlib_ng.DEFLATED, -zlib_ng.MAX_WBITS)
    text = " ".join(f"{number:.3f}" for number in RNG.normal(size=50_000).tolist()).encode()
    with archive(stream, large=False) as target:
        target.writestr("a.xml", text)
    compressed = deflate.compress(text) + deflate.flush()
    assert compressed in stream.getvalue()
    assert compressed != zlib.compress(text, LEVEL, wbits=-zlib.MAX_WBITS)
