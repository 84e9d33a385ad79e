"""What whole networks of ImageNet size take: built, checked, opened and recalculated in LibreOffice; a row of a table for each.

Run:  make bench LARGE=1        or some of them:  make bench LARGE=1 NETWORKS="squeezenet alexnet"
"""

from __future__ import annotations

import argparse
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SAMPLES = Path(__file__).parents[1] / "samples"
SPARE = 600_000_000  # bytes of memory that are left to others: whoever would take them is ended
LONGEST = 3600  # seconds of one command
HEAD = (
    "network",
    "cells",
    "formulas",
    "weights",
    "file",
    "build",
    "check",
    "opened in LibreOffice",
    "recalculated, compared",
)


@dataclass(frozen=True)
class Case:
    """A network, by a file of the package onnx, and which of its layers are live."""

    title: str
    model: str
    live: str | None = None


CASES = {
    "squeezenet": Case("SqueezeNet", "squeezenet"),
    "shufflenet": Case("ShuffleNet", "shufflenet"),
    "mobilenet": Case("MobileNetV2", "mobilenet 224"),
    "mobilenet-160": Case("MobileNetV2, 160×160", "mobilenet 160"),
    "googlenet": Case("GoogLeNet", "inception_v1"),
    "alexnet": Case("AlexNet", "bvlc_alexnet"),
    "zfnet512": Case("ZFNet-512", "zfnet512"),
    "vgg19": Case("VGG-19, last convolution and last two fully connected layers live", "vgg19", "n34:n36,n41:"),
    "resnet50": Case("ResNet-50, last block live", "resnet50", "n162:"),
    "densenet121": Case("DenseNet-121, last two layers of its last block live", "densenet121", "n872:"),
    "wide": Case("two layers, 256 → 256 → 256 channels, 14×14", "wide"),
}


@dataclass(frozen=True)
class Taken:
    """What a command took; `failed` says why it is no success."""

    wall: float
    processor: float
    memory: float  # bytes of the process and all that it started, together, at the worst moment
    failed: str = ""

    def __str__(self) -> str:
        words = f"{_time(self.wall)} ({_time(self.processor)}), {self.memory / 1e9:.1f} GB"
        return f"{self.failed} after {words}" if self.failed else words


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def taken(command: list[str], log: Path) -> Taken:
    """Run a command and watch what it and all that it starts take; it is ended where memory or patience come to their end."""
    start = time.perf_counter()
    with log.open("wb") as words:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=words, start_new_session=True)
        watch = Watch(process.pid)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        watch.stop.set()
        watch.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    last = (log.read_text(errors="replace").strip().splitlines() or [""])[-1]
    failed = watch.ended or (f"exit code {process.returncode}: {last[:120]}" if process.returncode else "")
    memory = max(watch.peak, usage.ru_maxrss * 1024)
    return Taken(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, memory, failed)


class Watch(threading.Thread):
    """The memory of a process and its descendants together, looked at five times a second, where the system is a Linux."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak, self.ended = pid, 0, ""
        self.stop = threading.Event()

    def run(self) -> None:
        start = time.perf_counter()
        while not self.stop.wait(0.2):
            family = list(_family(self.pid))
            self.peak = max(self.peak, _memory(family))
            if time.perf_counter() - start > LONGEST:
                self._end(family, f"not done in {LONGEST // 60} minutes,")
            elif _available() < SPARE:
                self._end(family, f"ended, as memory ran out at {self.peak / 1e9:.1f} GB,")

    def _end(self, family: list[int], why: str) -> None:
        self.ended = self.ended or why
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:  # it has gone
                continue


def _family(pid: int) -> Iterator[int]:
    """A process and its descendants."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        parents.setdefault(parent, []).append(int(stat.parent.name))
    waiting = [pid]
    while waiting:
        yield (now := waiting.pop())
        waiting += parents.get(now, [])


def _memory(pids: list[int]) -> int:
    """What processes have of memory: of those that run one program the largest, since a process that was just split off shares it all."""
    most: dict[str, int] = {}
    for pid in pids:
        try:
            program = os.readlink(f"/proc/{pid}/exe")
            resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            continue
        most[program] = max(most.get(program, 0), resident)
    return sum(most.values())


def _available() -> float:
    """How much memory is free for processes."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return float("inf")
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), float("inf"))


def files_of(case: Case, folder: Path) -> tuple[Path, str]:
    """The network and its picture."""
    if case.model == "wide":
        convolution = {"type": "conv2d", "out_channels": 256, "kernel_size": 3, "padding": 1, "activation": "relu"}
        network = {"name": "wide", "input": {"channels": 256, "height": 14, "width": 14}, "layers": [convolution] * 2}
        np.save(folder / "wide.npy", np.random.default_rng(0).integers(0, 256, (256, 14, 14)).astype(float))
        return _written(folder / "wide.toml", network), str(folder / "wide.npy")
    if case.model.startswith("mobilenet"):
        made = runpy.run_path(str(SAMPLES / "mobilenet.py"))["MobileNet"](int(case.model.split()[1]))
        return _written(folder / "mobilenet-v2.toml", made.network), str(SAMPLES / "cat.jpg")
    import onnx

    [path] = Path(onnx.__file__).parent.rglob(f"light_{case.model}.onnx")
    return path, str(SAMPLES / "cat.jpg")


def _written(path: Path, network: dict[str, object]) -> Path:
    from sheetcnn.model.network_file import network_toml

    path.write_text(network_toml(network), encoding="utf-8")
    return path


def counted(network: Path, live: str | None) -> tuple[str, ...]:
    """The cells, formulas and weights of the workbook."""
    from sheetcnn.model.graph import Graph
    from sheetcnn.opening import open_network
    from sheetcnn.sheets.layout import drawn_for

    opened = open_network(network).network
    opened = opened if live is None else opened.with_live(live)
    graph = Graph(opened, drawn_for(opened, "auto", None))
    formulas = sum(array.count for array in graph if array.formula is not None)
    weights = sum(node.parameter_count for node in opened.nodes)
    return tuple(f"{number:,}" for number in (sum(array.count for array in graph), formulas, weights))


def row_of(case: Case, folder: Path) -> Iterator[str]:
    """The cells of a row, as they become known; what follows from something that failed is left out."""
    from sheetcnn.office.libreoffice import find_libreoffice

    network, picture = files_of(case, folder)
    yield from counted(network, case.live)
    book, log, sheetcnn = folder / "book.xlsx", folder / "log", [sys.executable, "-m", "sheetcnn"]
    build = taken(
        [*sheetcnn, "build", str(network), picture, "-o", str(book), *([] if case.live is None else ["--live", case.live])],
        log,
    )
    yield f"{book.stat().st_size / 1e6:.0f} MB" if book.exists() else "none"
    yield str(build)
    if build.failed:
        return
    yield str(taken([*sheetcnn, "check", str(book)], log))
    if (office := find_libreoffice()) is None:
        return
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    opening = [office, profile, "--headless", "--norestore", "--convert-to", "csv", "--outdir", str(folder), str(book)]
    opened = taken(opening, log)
    there = (folder / "book.csv").exists()  # LibreOffice ends as if all were well
    yield str(opened) if there or opened.failed else f"not opened after {opened}"
    if there:
        yield str(taken([*sheetcnn, "check", str(book), "--engine", "libreoffice"], log))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=f"of {', '.join(CASES)}; all of them by default")
    names = parser.parse_args().networks or [*CASES]
    if unknown := [name for name in names if name not in CASES]:
        parser.error(f"{unknown[0]!r} is none of {', '.join(CASES)}")
    print(
        f"Python {sys.version.split()[0]}, {os.cpu_count()} cores; seconds of the clock (of the processors), memory of all processes\n"
    )
    print(f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}", flush=True)
    for name in names:
        print(f"| {CASES[name].title} |", end="", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            try:
                for cell in row_of(CASES[name], Path(folder)):
                    print(f" {cell.replace('|', '/')} |", end="", flush=True)
            except Exception as error:  # the others go on
                print(f" {type(error).__name__}: {str(error)[:200]} |", end="")
        print(flush=True)


if __name__ == "__main__":
    main()
