"""What can go wrong while a workbook is written: the one that was there before is intact, and nothing half-written is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sheetcnn
from sheetcnn.errors import SheetcnnError
from sheetcnn.files import write_bytes
from sheetcnn.temporary import hold

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


def has_unnamed_files(folder: Path) -> bool:
    """Whether files can be written without a name here."""
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_RDWR))
    except (AttributeError, OSError):
        return False
    return True


def start(folder: Path, named: bool = False, **options: Any) -> subprocess.Popen[str]:
    """Build a workbook; `named` has it done as on systems where a file must have a name while it is written."""
    code = f"import os, sheetcnn.cli\nif {named} and hasattr(os, 'O_TMPFILE'): del os.O_TMPFILE\nsheetcnn.cli.main()"
    command = [sys.executable, "-c", code, "build", "net.toml", "x.npy", "--no-gallery", "--no-inspector"]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", **options
    )


def half_written(folder: Path) -> list[Path]:
    return list(folder.glob(".*.part"))


def while_writing(folder: Path, build: subprocess.Popen[str]) -> None:
    """Wait until the build has begun to write."""
    while True:
        assert build.poll() is None, build.communicate()
        for opened in [*half_written(folder), *Path(f"/proc/{build.pid}/fd").glob("*")]:
            with suppress(OSError):  # closed meanwhile
                named = opened.parent == folder
                unnamed = not named and os.readlink(opened).startswith(f"{folder}/#")
                if (named or unnamed) and opened.stat().st_size:
                    return
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
@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_stopped_in_the_middle(how: str, named: bool, folder: Path) -> None:
    before = sorted(folder.iterdir())
    build = start(folder, named)
    while_writing(folder, build)
    build.send_signal(signal.Signals[how])
    _, errors = build.communicate(timeout=60)
    assert intact(folder)
    if how == "SIGINT":
        assert build.returncode in (2, 128 + signal.SIGINT)  # typer's versions differ
        assert errors in ("", "sheetcnn: stopped\n")
    else:
        assert build.returncode == -signal.Signals[how]
    if how != "SIGKILL" or (not named and has_unnamed_files(folder)):
        assert sorted(folder.iterdir()) == before
        return
    # Where a file must have a name, nobody can clean up. What is left is hidden, is no workbook, and goes with the next run.
    [part] = half_written(folder)
    with pytest.raises(SheetcnnError):
        sheetcnn.check(part)
    (folder / "net.toml").write_text(NETWORK.format(size=8))
    np.save(folder / "x.npy", np.zeros((3, 8, 8)))
    again = start(folder, named)
    again.communicate(timeout=60)
    assert again.returncode == 0
    assert sheetcnn.check(folder / "net.xlsx").ok
    assert not half_written(folder)


@pytest.mark.parametrize("mask", [0o022, 0o077])
@pytest.mark.parametrize("named", [False, True])
def test_others_may_read_what_the_system_lets_them(
    named: bool, mask: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As any program's files: not those of temporary ones, which are private."""
    if named:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    before = os.umask(mask)
    try:
        write_bytes(folder / "one.bin", b"x" * 100_000)
        assert (folder / "one.bin").stat().st_mode & 0o777 == (0o666 & ~mask if sys.platform != "win32" else 0o666)
        write_bytes(folder / "one.bin", b"other")
        assert (folder / "one.bin").read_bytes() == b"other"
        assert not half_written(folder)
    finally:
        os.umask(before)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="files without a name are Linux's")
def test_the_first_name_may_be_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_unnamed_files(folder):
        pytest.skip("this file system has no files without a name")
    names = iter([b"aaaa", b"aaaa", b"bbbb"])
    monkeypatch.setattr(os, "urandom", lambda count: next(names))
    taken = folder / f".sheetcnn-{b'aaaa'.hex()}.part"
    taken.write_bytes(b"another's")
    with taken.open("rb") as stream:  # by whoever still needs it
        assert hold(stream.fileno())
        write_bytes(folder / "one.bin", b"whole")
    assert (folder / "one.bin").read_bytes() == b"whole"
    assert taken.read_bytes() == b"another's"


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
