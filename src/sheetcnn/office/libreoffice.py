"""A real recalculation: LibreOffice opens a workbook, computes every formula anew, and saves it.

The workbook may be anybody's, so LibreOffice is shut in: it calls no server, reads no other file, keeps all that it writes
in one folder, and goes away with that folder when its time is over or whoever started it ends, in whatever way.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..deadline import time_left
from ..errors import EngineError
from ..reading import Held, Source, open_regular, shown
from ..temporary import ELSEWHERE, temporary_folder
from . import guard
from .unlinked import unlink_others

TIMEOUT = 1800  # seconds
LARGEST = 2_000_000_000  # bytes of a file
_PLACES = (
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
    r"C:\Program Files\LibreOffice\program\soffice.com",
    r"C:\Program Files (x86)\LibreOffice\program\soffice.com",
)

_SECURITY = "Office.Common/Security/Scripting"
_NOWHERE = ("127.0.0.1", "9")  # the port for what is to be thrown away: nobody listens there
_SETTINGS = (
    # By default LibreOffice trusts the values saved in an .xlsx file; 0 means "always recalculate".
    ("Office.Calc/Formula/Load", "OOXMLRecalcMode", "0"),
    ("Office.Calc/Formula/Load", "ODFRecalcMode", "0"),
    # What a document links to: pictures and objects elsewhere, cells of other files (1 means "never update").
    (_SECURITY, "BlockUntrustedRefererLinks", "true"),
    (_SECURITY, "DisableActiveContent", "true"),  # which older ones do not know, and leave alone
    ("Office.Calc/Content/Update", "Link", "1"),
    # Blocked links are asked for all the same, before it is seen that they are blocked: by a proxy that is not there (2 means
    # "set by hand"). A proxy is asked for HTTP, WebDAV and FTP.
    ("Inet/Settings", "ooInetProxyType", "2"),
    ("Inet/Settings", "ooInetNoProxy", ""),
    *(("Inet/Settings", f"ooInet{kind}Proxy{what}", value)
      for kind in ("HTTP", "HTTPS", "FTP") for what, value in zip(("Name", "Port"), _NOWHERE, strict=True)),
    (_SECURITY, "MacroSecurityLevel", "3"),  # very high
    (_SECURITY, "DisableMacrosExecution", "true"),
)  # fmt: skip
_PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"
           xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
{}
</oor:items>
"""
APART = True  # whether LibreOffice is also cut off from the network, where the system can do that
SHARE = 0.9  # of the time that is left: the rest is for what comes after LibreOffice


def find_libreoffice() -> str | None:
    """The program's path, or None where it is not installed."""
    return shutil.which("soffice") or shutil.which("libreoffice") or next((p for p in _PLACES if Path(p).exists()), None)


def write_profile(folder: Path) -> None:
    """Make a folder a LibreOffice user profile that recalculates whatever it loads, and follows no links."""
    (folder / "user").mkdir(parents=True)
    items = (
        f'<item oor:path="/org.openoffice.{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>'
        for path, name, value in _SETTINGS
    )
    (folder / "user" / "registrymodifications.xcu").write_text(_PROFILE.format("\n".join(items)), encoding="utf-8")


@contextmanager
def recalculated(book: Source, timeout: float = TIMEOUT) -> Iterator[Path]:
    """The workbook as LibreOffice saves it after a full recalculation, in a folder that goes away afterwards.

    Raises EngineError where LibreOffice is not installed or does not do its work.
    """
    with converted([book.data if isinstance(book, Held) else book], timeout, str(book)) as [result]:
        yield result


@contextmanager
def converted(books: Sequence[Path | bytes], timeout: float, called: str = "the workbook") -> Iterator[list[Path]]:
    """Several workbooks recalculated and saved as .xlsx, in a folder that goes away afterwards; `called` is for messages.

    Workbooks that are no files are .xlsx. Raises EngineError where LibreOffice is not installed or does not do its work.
    """
    program = find_libreoffice()
    if program is None:
        raise EngineError("LibreOffice is not installed (no soffice found); install it, or check with --engine python")
    timeout = min(timeout, SHARE * time_left())
    with temporary_folder(EngineError) as folder:
        profile = (folder / "profile").as_uri()
        command = [program, f"-env:UserInstallation={profile}", "--headless", "--norestore"]
        command += ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder / "out")]
        try:
            write_profile(folder / "profile")
            command += [str(_put(book, folder / f"book{n}", called)) for n, book in enumerate(books)]
            environment = _environment(folder)
        except OSError as error:
            raise EngineError(f"{called}: cannot be prepared for LibreOffice ({error.strerror}); {ELSEWHERE}") from None
        orders = {"folder": str(folder), "profile": profile, "command": command, "environment": environment}
        with _guarded(orders | {"seconds": timeout, "apart": APART}) as went:
            if "late" in went:
                raise EngineError(f"{called}: LibreOffice did not finish within {timeout:.3g} seconds")
            results = [folder / "out" / f"book{n}.xlsx" for n in range(len(books))]
            if not all(result.exists() for result in results):
                raise EngineError(f"{called}: LibreOffice could not open it ({went.get('words', 'it broke off')})")
            yield results


def _put(book: Path | bytes, place: Path, called: str) -> Path:
    """A copy of a workbook: nothing is locked, and no name can be taken for an option. Raises OSError where there is no room."""
    if isinstance(book, bytes):
        copy = place.with_suffix(".xlsx")
        copy.write_bytes(book)
        return copy
    copy = place.with_suffix(book.suffix.lower())
    with open_regular(book, EngineError, "give a workbook", where=called) as source, copy.open("wb") as target:
        if os.fstat(source.fileno()).st_size > LARGEST:  # though it may take up no room on its disk
            raise EngineError(f"{called}: is larger than {LARGEST:,} bytes; LibreOffice is not given it")
        shutil.copyfileobj(source, target)
    try:
        unlink_others(copy)
    except EngineError as error:
        raise EngineError(f"{called}: {str(error).removeprefix(f'{shown(copy)}: ')}") from None
    return copy


def _environment(folder: Path) -> dict[str, str]:
    """What LibreOffice is told of the system: nothing of this Python, of proxies, or of who would fetch files for it."""
    dropped = ("PYTHONPATH", "PYTHONHOME", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY")
    found = {key: value for key, value in os.environ.items() if key not in dropped and not key.lower().endswith("_proxy")}
    home = folder / "home"
    home.mkdir(mode=0o700)
    found |= dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(home))
    if sys.platform != "win32":
        found |= dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"), str(home))
        found["GIO_USE_VFS"] = "local"  # a desktop's services fetch files from servers too
    return found


@contextmanager
def _guarded(orders: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """How it went when the guard did what it was told; it stays as long as its input is open."""
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )  # fmt: skip
    except OSError as error:
        raise EngineError(f"LibreOffice needs a second Python process, which does not start ({error.strerror})") from None
    assert process.stdin is not None
    assert process.stdout is not None
    heard: dict[str, Any] = {}
    try:
        with suppress(OSError):  # it has died, as its output says too
            process.stdin.write(json.dumps(orders).encode() + b"\n")
            process.stdin.flush()
        while "over" not in heard and (line := process.stdout.readline()):
            heard |= json.loads(line)
        yield heard
    finally:
        with suppress(OSError):
            process.stdin.close()
        if process.wait() < 0 and "pid" in heard:  # somebody has killed the guard, and nobody guards LibreOffice
            with suppress(OSError):
                os.killpg(heard["pid"], signal.SIGKILL)
        process.stdout.close()
