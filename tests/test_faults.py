"""What can go wrong while a workbook is written: the one that was there before is intact, and nothing half-written is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sheetcnn
from sheetcnn.errors import SheetcnnError

NETWORK = """
name = "large"
[input]
channels = 3
height = {size}
width = {size}
[[layers]]
type = "conv2d"
out_channels = 8
kernel_size = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a network that takes a while, its input, and a workbook of the same name."""
    (tmp_path / "net.toml").write_text(NETWORK.format(size=160))
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(3, 160, 160)))
    (tmp_path / "net.xlsx").write_bytes(b"precious")
    return tmp_path


def start(folder: Path, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sheetcnn", "build", "net.toml", "x.npy", "--no-gallery", "--no-inspector"]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", **options
    )


def half_written(folder: Path) -> list[Path]:
    return list(folder.glob(".*.part"))


def while_writing(folder: Path, build: subprocess.Popen[str]) -> None:
    """Wait until the build has begun to write."""
    while not any(part.stat().st_size for part in half_written(folder)):
        assert build.poll() is None, build.communicate()
        time.sleep(0.002)


def intact(folder: Path) -> bool:
    return (folder / "net.xlsx").read_bytes() == b"precious"


def test_no_room(folder: Path) -> None:
    """A disk that is full, as a limit of a file's size: the error comes in the middle of writing."""
    resource = pytest.importorskip("resource", reason="this system has no limits of files' sizes")
    build = start(folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)))
    _, errors = build.communicate(timeout=120)
    assert build.returncode == 2
    assert errors.startswith("sheetcnn: net.xlsx: cannot be written (")
    assert errors.count("\n") == 1
    assert intact(folder)
    assert not half_written(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_stopped_in_the_middle(how: str, folder: Path) -> None:
    build = start(folder)
    while_writing(folder, build)
    build.send_signal(signal.Signals[how])
    _, errors = build.communicate(timeout=60)
    assert intact(folder)
    if how == "SIGINT":
        assert build.returncode in (2, 128 + signal.SIGINT)  # typer's versions differ
        assert errors in ("", "sheetcnn: stopped\n")
        assert not half_written(folder)
        return
    # Nobody can clean up behind SIGKILL. What is left is hidden, tells its name, and is never taken for a workbook.
    [part] = half_written(folder)
    assert part.name.startswith(".net.")
    with pytest.raises(SheetcnnError):
        sheetcnn.check(part)
    (folder / "net.toml").write_text(NETWORK.format(size=8))
    np.save(folder / "x.npy", np.zeros((3, 8, 8)))
    again = start(folder)
    again.communicate(timeout=60)
    assert again.returncode == 0
    assert sheetcnn.check(folder / "net.xlsx").ok
    assert half_written(folder) == [part]


def test_folder_that_cannot_be_written_to(folder: Path) -> None:
    target = Path("/sys/net.xlsx")  # which even an administrator cannot
    if not target.parent.is_dir():
        pytest.skip("this system has no folder that nobody can write to")
    with pytest.raises(SheetcnnError, match=r"/sys/net.xlsx: cannot be written \(.*: /sys\); give a folder"):
        sheetcnn.build("rgb-filters", "shapes", target)


def test_target_is_open_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has the old one open keeps it, or where the system forbids that (Windows), the new one is refused."""
    with (folder / "net.xlsx").open("rb") as opened:
        sheetcnn.build("rgb-filters", "shapes", folder / "net.xlsx")
        assert opened.read() == b"precious"
    (folder / "net.xlsx").write_bytes(b"precious")

    def locked(self: Path, target: Path) -> None:
        raise PermissionError(13, "The process cannot access the file because it is being used by another process")

    monkeypatch.setattr(Path, "replace", locked)
    with pytest.raises(SheetcnnError, match=r"net.xlsx: cannot be written \(The process"):
        sheetcnn.build("rgb-filters", "shapes", folder / "net.xlsx")
    assert intact(folder)
    assert not half_written(folder)


def test_target_is_a_folder_or_has_a_long_name(folder: Path) -> None:
    (folder / "folder.xlsx").mkdir()
    with pytest.raises(SheetcnnError, match="cannot be written"):
        sheetcnn.build("rgb-filters", "shapes", folder / "folder.xlsx")
    assert not half_written(folder)
    assert sheetcnn.build("rgb-filters", "shapes", folder / f"{'n' * 245}.xlsx").path.exists()
