"""Disks that are full, or fill up meanwhile: one line says so, nothing is left, and what was there stays."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from processes import commands, gone, soon
from test_killed import COMMANDS
from test_killed import material as material

Small = Callable[[Path, int], None]


@pytest.fixture
def small() -> Iterator[Small]:
    """A function that makes a folder a file system of so many kilobytes; skips where nobody may do that."""
    mounted = []

    def mount(folder: Path, kilobytes: int) -> None:
        if sys.platform != "linux":
            pytest.skip("only Linux has file systems in memory that anybody can size")
        command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, check=False, text=True)
        except OSError as error:
            pytest.skip(f"no file system can be mounted here ({error.strerror})")
        if done.returncode:
            pytest.skip(f"no file system can be mounted here ({done.stderr.strip()})")
        mounted.append(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sheetcnn", *COMMANDS[command].split()], cwd=folder, check=False, timeout=120,
        capture_output=True, encoding="utf-8",
    )  # fmt: skip


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done
    assert done.stderr.startswith("sheetcnn: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def files(*folders: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("left", [0, 8])
@pytest.mark.parametrize("command", ["build", "handout", "grade", "export"])
def test_no_room_for_outputs(command: str, left: int, material: Path, tmp_path: Path, private: Path, small: Small) -> None:
    for name in ("book.xlsx", "class.zip", "key.xlsx", "net.toml", "net.npy", "net.exercise.toml", "roster.csv"):
        (tmp_path / name).symlink_to(material / name)
    out = tmp_path / "out"
    out.mkdir()
    small(out, 32)
    (out / "precious").write_bytes(bytes((32 - left) << 10))
    before = files(out)
    if command == "export" and left:
        assert run(command, tmp_path).returncode == 0  # a few hundred bytes
        return
    line = one_line(run(command, tmp_path))
    assert line.startswith("sheetcnn: out")
    assert "No space left on device" in line
    assert ".part" not in line
    assert files(out) == before
    assert not [*private.iterdir()]


@pytest.mark.parametrize(
    ("command", "kilobytes", "words"),
    [
        ("grade", 16, "the temporary folder has no room to unpack what was handed in; make room, or name another folder"),
        pytest.param("check", 16, "No space left on device", marks=pytest.mark.libreoffice),
        pytest.param("check", 300, "LibreOffice could not open it", marks=pytest.mark.libreoffice),
    ],
)
def test_no_room_for_temporary_files(
    command: str, kilobytes: int, words: str, material: Path, tmp_path: Path, private: Path, small: Small
) -> None:
    small(private, kilobytes)
    (material / "out").mkdir(exist_ok=True)
    before = files(material)
    assert words in one_line(run(command, material))
    assert files(material) == before
    assert soon(lambda: gone(private)), commands(private)
    assert not [*private.iterdir()]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is full")
@pytest.mark.parametrize("command", ["build", "handout", "grade", "export", "check"])
def test_no_room_for_what_is_said(command: str, material: Path, private: Path) -> None:
    (material / "out").mkdir(exist_ok=True)
    arguments = COMMANDS[command].replace("--engine libreoffice", "")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sheetcnn", *arguments.split()], cwd=material, check=False, timeout=120,
            stdout=full, stderr=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip
    assert done.stderr == "sheetcnn: standard output: cannot be written to (No space left on device)\n"
    assert done.returncode == 2
    assert not [*private.iterdir()]
