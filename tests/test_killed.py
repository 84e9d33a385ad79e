"""Commands that are stopped at any moment: nobody works on, nothing is half-written, and nothing stays."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from processes import commands, gone, soon

import sheetcnn
from sheetcnn.temporary import remove_leftovers

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals"),
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc"),
]
SEED = int(os.environ.get("SEED", "0"))
KILLS = int(os.environ.get("KILLS", "1"))  # of each command with each signal
NETWORK = """
name = "small"
[input]
channels = 1
height = 12
width = 12
[[layers]]
type = "conv2d"
name = "conv"
out_channels = 2
kernel_size = 3
"""
TASK = 'title = "Small"\n[[tasks]]\nkind = "fill"\nlayer = "conv"\npoints = 4\n'
COMMANDS = {
    "build": "build net.toml net.npy -o out/book.xlsx",
    "handout": "handout net.toml net.npy --students roster.csv -o out --overwrite",
    "grade": "grade class.zip --key key.xlsx -o out/grades.csv",
    "export": "export book.xlsx -o out/weights.npz",
    "check": "check book.xlsx --engine libreoffice",
}
ROSTER = "Anna Schmidt\nBob Jones\nCem Öz\nDora Maar\nEve Curie\n"


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What commands read: a workbook, a roster, a key, and what a class has handed in, in an archive."""
    folder = tmp_path_factory.mktemp("material")
    (folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    (folder / "net.toml").write_text(NETWORK, encoding="utf-8")
    (folder / "net.exercise.toml").write_text(TASK, encoding="utf-8")
    np.save(folder / "net.npy", np.random.default_rng(0).normal(size=(1, 12, 12)))
    sheetcnn.build(folder / "net.toml", folder / "net.npy", folder / "book.xlsx")
    made = sheetcnn.hand_out(folder / "net.toml", folder / "net.npy", folder / "made", students=folder / "roster.csv")
    with zipfile.ZipFile(folder / "class.zip", "w") as archive:
        for book in made.workbooks:
            archive.write(book, f"{book.stem}/work.xlsx")
    made.key.rename(folder / "key.xlsx")
    shutil.rmtree(folder / "made")
    return folder


def start(command: str, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "sheetcnn", *COMMANDS[command].split()], cwd=folder, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def whole(path: Path) -> bool:
    """Whether a file is one that a command has written to its end."""
    if path.suffix in (".xlsx", ".npz"):
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    return path.read_text(encoding="utf-8").endswith("\n")


def listed(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def kept(folder: Path, before: dict[Path, bytes], private: Path) -> Callable[[], bool]:
    """Whether nothing is there but what was, or has been completed."""

    def true() -> bool:
        files = {path for path in folder.rglob("*") if path.is_file() and private not in path.parents}
        return files == {*before} and not [*private.iterdir()]

    return true


@pytest.mark.parametrize(
    "command", [pytest.param(one, marks=[pytest.mark.libreoffice] if one == "check" else []) for one in COMMANDS]
)
def test_stopped_at_any_moment(command: str, material: Path, tmp_path: Path, private: Path) -> None:
    folder = tmp_path / "work"
    shutil.copytree(material, folder)
    (folder / "out").mkdir()
    began = time.monotonic()
    assert start(command, folder).wait(60) == 0
    took = time.monotonic() - began
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    moments = random.Random(f"{SEED} {command}")
    for how in ["SIGTERM", "SIGINT", "SIGKILL"] * KILLS:
        moment = moments.uniform(0.3, 1) * took  # before that, nothing is at work but Python
        process = start(command, folder)
        time.sleep(moment)
        process.send_signal(getattr(signal, how))
        process.wait(30)
        assert soon(lambda: gone(private)), commands(private)
        for path, data in before.items():
            assert path.read_bytes() == data or whole(path), (path, how, moment)
        if how == "SIGKILL":  # nobody can tidy up then but the next run
            for place in {private, *(path.parent for path in before)}:
                remove_leftovers(place)
        assert soon(kept(folder, before, private)), (how, moment, listed(folder), listed(private))


@pytest.mark.parametrize("command", ["handout", "grade"])
def test_the_next_run_removes_what_was_left(command: str, material: Path, tmp_path: Path, private: Path) -> None:
    """And nothing of what another run still needs."""
    folder = tmp_path / "work"
    shutil.copytree(material, folder)
    (folder / "out").mkdir()
    place = private if command == "grade" else folder / "out"
    killed = start(command, folder)
    assert soon(lambda: bool([*place.glob("*sheetcnn-*/*"), *place.glob(".sheetcnn-*/*")]))
    other = start(command, folder)
    time.sleep(0.2)
    killed.kill()
    killed.wait()
    assert other.wait(60) == 0
    assert start(command, folder).wait(60) == 0
    assert soon(lambda: gone(private)), commands(private)
    assert not [*private.iterdir(), *(folder / "out").rglob(".*")]
