"""Who works for a folder: processes of which nobody may be left."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def processes(folder: Path) -> list[int]:
    """Those whose command line or environment names a folder."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit() and int(place.name) != os.getpid():
            with suppress(OSError):
                if any(os.fsencode(folder) in (place / name).read_bytes() for name in ("cmdline", "environ")):
                    found.append(int(place.name))
    return found


def commands(folder: Path) -> str:
    """Their command lines."""
    found = []
    for pid in processes(folder):
        with suppress(OSError):
            found.append(Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace").replace("\0", " "))
    return "\n".join(found)


def soon(true: Callable[[], bool], seconds: float = 15) -> bool:
    """Whether something becomes true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return true()


def gone(folder: Path) -> bool:
    """Whether nobody works for a folder any more."""
    return not processes(folder)  # of who has ended, nothing can be read
