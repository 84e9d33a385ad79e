"""Commands of `sheetcnn` under limits, each in a process of its own, a dozen in a second.

One process imports everything, and forks for each command. What is forked gets 1 GB, 10 s of computing, its own folder for
temporary files, and its output is kept. When it has ended, no process of it may be left.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

MEMORY = 1_000_000_000  # bytes
COMPUTING = 10  # seconds of a processor
WAITING = 60  # seconds on the clock, after which a command hangs
GRACE = 5.0  # seconds in which what a command has started must have ended
CLOSED = "closed"  # instead of standard output or error
# What may not reach a terminal: C0 but for the line's end, C1, and what turns the order of letters around.
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass
class Ended:
    """How a command went."""

    arguments: list[str]
    code: int  # negative: the signal that ended it
    out: bytes
    err: bytes
    seconds: float  # of computing, with all that it started
    memory: int  # bytes that it had at most
    left: list[str] = field(default_factory=list)  # processes, and temporary files

    def complaints(self, codes: tuple[int, ...] = (0, 1, 2)) -> list[str]:
        """What is wrong with that, whatever the command was given."""
        wrong = [f"left behind: {one}" for one in self.left]
        if self.code not in codes:
            wrong.append(f"exit code {self.code}")
        texts = []
        for name, data in (("standard output", self.out), ("standard error", self.err)):
            text = data.decode("utf-8", "replace")
            texts.append(text)
            if "\ufffd" in text and b"\xef\xbf\xbd" not in data:
                wrong.append(f"{name} is not in UTF-8")
            if "Traceback" in text or "mistake of sheetcnn itself" in text:
                wrong.append(f"{name} tells of a mistake of ours")
            if found := CONTROL.search(text):
                wrong.append(f"{name} has the character {found.group()!r}")
        lines = texts[1].count("\n")
        if lines != (self.code == 2) or (lines and not texts[1].startswith("sheetcnn: ")):
            wrong.append(f"{lines} lines on standard error")
        if len(texts[1]) > 1000 + len("sheetcnn: \n"):
            wrong.append(f"{len(texts[1])} letters on standard error")
        return wrong

    @property
    def said(self) -> str:
        return self.err.decode("utf-8", "replace")


class Commands:
    """Runs commands, one after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)

    def run(self, arguments: list[str], folder: Path, *, closed: tuple[str, ...] = ()) -> Ended:
        """Run a command in a folder; what is `closed` of "out" and "err" has nobody behind it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory(prefix="limited-") as name:
            kept = Path(name)
            (kept / "tmp").mkdir()
            order = {"arguments": arguments, "folder": str(folder), "kept": name, "closed": closed}
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
            texts = [b"" if one in closed else (kept / one).read_bytes() for one in ("out", "err")]
            left = [*answer["left"], *(path.name for path in (kept / "tmp").iterdir())]
        return Ended(arguments, answer["code"], *texts, answer["seconds"], answer["memory"], left)


def state(folder: Path) -> dict[str, tuple[int, ...]]:
    """What is in a folder: a number that changes with each file."""
    found = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            one = os.lstat(os.path.join(place, name))
            changed = 0 if os.path.isdir(os.path.join(place, name)) else one.st_mtime_ns
            found[os.path.relpath(os.path.join(place, name), folder)] = (
                one.st_ino,
                one.st_mode,
                one.st_size * bool(changed),
                changed,
            )
    return found


# -- the process that forks ----------------------------------------------------------------------------------------------


def _serve() -> None:
    import ctypes
    import importlib

    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: who is left behind becomes a child of this process
    modules = ("cli", "builder", "checking.check", "exporter", "importer", "onnx", "handout.grader", "handout.writer")
    for name in modules:
        importlib.import_module(f"sheetcnn.{name}")
    for name in ("onnx", "rich.table", "rich.progress", "PIL.TiffImagePlugin", "PIL.WebPImagePlugin"):
        importlib.import_module(name)
    for line in sys.stdin.buffer:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _command(order)
        _, status, used = os.wait4(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        left, seconds, memory = _others()
        memory = max(memory, used.ru_maxrss * 1024)
        seconds += used.ru_utime + used.ru_stime
        sys.stdout.write(json.dumps({"code": code, "seconds": seconds, "memory": memory, "left": left}) + "\n")
        sys.stdout.flush()


def _others() -> tuple[list[str], float, int]:
    """Who is left of a command, its grandchildren; those that have ended meanwhile do not count."""
    end = time.monotonic() + GRACE
    seconds, memory = 0.0, 0
    left: list[str] = []
    while True:
        try:
            pid, _, used = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return left, seconds, memory
        seconds += used.ru_utime + used.ru_stime
        memory = max(memory, used.ru_maxrss * 1024)
        if pid:
            continue
        if time.monotonic() > end:
            for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
                left.append(
                    Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")[:200]
                )
                os.kill(int(child), signal.SIGKILL)
            end += GRACE
        time.sleep(0.01)


def _command(order: dict[str, Any]) -> None:
    """Be the command."""
    import atexit
    import io
    import resource

    from sheetcnn import cli

    code = 99
    try:
        os.setsid()
        os.chdir(order["folder"])
        os.environ["TMPDIR"] = os.path.join(order["kept"], "tmp")
        os.environ["PYTHONIOENCODING"] = "utf-8"
        tempfile.tempdir = None
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        for number, name in ((1, "out"), (2, "err")):
            if name in order["closed"]:
                read, write = os.pipe()
                os.close(read)
                os.dup2(write, number)
            else:
                os.dup2(os.open(os.path.join(order["kept"], name), os.O_WRONLY | os.O_CREAT, 0o600), number)
        sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), encoding="utf-8")
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "wb", closefd=False)), encoding="utf-8")
        sys.stderr = io.TextIOWrapper(
            io.BufferedWriter(io.FileIO(2, "wb", closefd=False)), encoding="utf-8", line_buffering=True
        )
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.alarm(WAITING)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (COMPUTING, COMPUTING))
        try:
            cli.main(order["arguments"])
        except SystemExit as done:
            code = done.code if isinstance(done.code, int) else 98
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except BaseException:
        import traceback

        code = 97
        os.write(2, traceback.format_exc().encode("utf-8", "replace"))
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()
