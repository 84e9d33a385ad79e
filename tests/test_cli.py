"""The commands as people type them: what they print, and exit codes 0, 1 and 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from onnx import helper, numpy_helper

import sheetcnn
from sheetcnn.cli import app, main
from sheetcnn.templates import samples, templates


def run(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-W", "error", "-m", "sheetcnn", *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", env=environment, timeout=120, check=False
    )


def fails(*arguments: str | Path, folder: Path) -> str:
    """A command that must end with exit code 2 and one line on standard error; returns the line."""
    done = run(*arguments, folder=folder)
    assert done.returncode == 2, done
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("sheetcnn: ")
    assert "Traceback" not in done.stderr
    assert not done.stdout
    assert not list(folder.glob("*.part")) + list(folder.glob(".*.part"))
    return done.stderr


def test_the_main_job(tmp_path: Path) -> None:
    built = run("build", "edges", "cat", folder=tmp_path)
    assert built.returncode == 0, built
    assert not built.stderr
    assert "4·3·3·3 + 4 = 112" in built.stdout
    assert "sheetcnn check edges.xlsx" in built.stdout
    checked = run("check", "edges.xlsx", folder=tmp_path)
    assert checked.returncode == 0, checked
    assert "all 19,819 cells agree with NumPy" in checked.stdout
    book = openpyxl.load_workbook(tmp_path / "edges.xlsx")
    book["edges"]["B9"] = 1
    book.save(tmp_path / "edges.xlsx")
    checked = run("check", "edges.xlsx", folder=tmp_path)
    assert checked.returncode == 1
    assert not checked.stderr
    assert "edges!B9  its formula was overwritten by 1; it was =MAX(0," in checked.stdout
    data = json.loads(run("check", "edges.xlsx", "--json", folder=tmp_path).stdout)
    assert data["ok"] is False
    assert data["findings"][0]["cell"] == "edges!B9"


def test_options_of_build(tmp_path: Path) -> None:
    done = run(
        "build",
        "edges",
        samples()["cat"],
        "-o",
        "out.xlsx",
        "--detail",
        "steps",
        "--protect",
        "--no-gallery",
        "--no-inspector",
        folder=tmp_path,
    )
    assert done.returncode == 0, done
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert "edges_product_1_1" in book.defined_names
    assert book["edges"].protection.sheet
    assert not {"Gallery", "Inspector"} & set(book.sheetnames)


@pytest.mark.libreoffice
def test_check_with_libreoffice(tmp_path: Path) -> None:
    run("build", "rgb-filters", "shapes", folder=tmp_path)
    done = run("check", "rgb-filters.xlsx", "--engine", "libreoffice", folder=tmp_path)
    assert done.returncode == 0, done
    assert "computed by LibreOffice" in done.stdout


def test_summary_templates_layers(tmp_path: Path) -> None:
    assert "155,952" in run("summary", "edges", folder=tmp_path).stdout
    listed = run("templates", folder=tmp_path).stdout
    assert all(name in listed for name in [*templates(), *samples()])
    listed = run("layers", folder=tmp_path).stdout
    assert "conv2d" in listed
    assert "negative_slope=0.01" in listed
    assert run("--version", folder=tmp_path).stdout == f"sheetcnn {sheetcnn.__version__}\n"


def test_new_template_is_edited_and_built(tmp_path: Path) -> None:
    assert run("new", "rgb-filters", folder=tmp_path).returncode == 0
    file = tmp_path / "rgb-filters" / "rgb-filters.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("stride = 2", "stride = 3"), encoding="utf-8")
    done = run("build", "rgb-filters/rgb-filters.toml", "shapes", folder=tmp_path)
    assert "6×10×10" in done.stdout
    assert run("new", "edges", "mine", folder=tmp_path).returncode == 0
    assert (tmp_path / "mine" / "edges.toml").exists()
    assert "exists already" in fails("new", "edges", "mine", folder=tmp_path)
    assert "no template" in fails("new", "nothing", folder=tmp_path)


def test_a_folder_does_not_hide_what_is_shipped(tmp_path: Path) -> None:
    """`new cs231n` makes a folder of the name that the picture and the exercise have too."""
    run("new", "cs231n", folder=tmp_path)
    run("build", "cs231n", "cs231n", folder=tmp_path)
    run("handout", "cs231n", "cs231n", "--exercise", "cs231n", "-o", "class", folder=tmp_path)
    assert (tmp_path / "cs231n.xlsx").is_file()
    assert (tmp_path / "class" / "key.xlsx").is_file()


def write_model(path: Path, shape: list[int | str]) -> None:
    """A small ONNX model: 3 filters, ReLU, means of maps."""
    nodes = [
        helper.make_node("Conv", ["x", "conv1.weight"], ["c"], "conv1", kernel_shape=[3, 3]),
        helper.make_node("Relu", ["c"], ["r"], "relu1"),
        helper.make_node("GlobalAveragePool", ["r"], ["y"], "pool"),
    ]
    weight = numpy_helper.from_array(np.linspace(-1, 1, 81, dtype=np.float32).reshape(3, 3, 3, 3), "conv1.weight")
    values = [helper.make_tensor_value_info(name, 1, sides) for name, sides in (("x", shape), ("y", None))]
    made = helper.make_model(helper.make_graph(nodes, "g", values[:1], values[1:], [weight]))
    path.write_bytes(made.SerializeToString())


def test_onnx_in_and_out(tmp_path: Path) -> None:
    write_model(tmp_path / "model.onnx", ["N", 3, "H", "W"])
    options = ("--size", "20x24", "--scale", "255", "--mean", "0.4,0.5,0.6", "--std", "0.2")
    done = run("summary", "model.onnx", "--size", "20", folder=tmp_path)
    assert "3·3·3·3 = 81" in done.stdout
    assert "3×18×18" in done.stdout
    done = run("build", "model.onnx", "cat", *options, folder=tmp_path)
    assert done.returncode == 0, done
    assert "3×18×22" in done.stdout
    done = run("import", "model.onnx", "-o", "out", *options, folder=tmp_path)
    assert "sheetcnn build out/model.toml PICTURE" in done.stdout
    assert run("build", "out/model.toml", "cat", "-o", "again.xlsx", folder=tmp_path).returncode == 0
    for book in ("model.xlsx", "again.xlsx"):
        assert run("check", book, folder=tmp_path).returncode == 0
        done = run("export", book, "-o", f"{book}.npz", "--picture", f"{book}.png", folder=tmp_path)
        assert done.stdout == f"wrote {book}.npz\nwrote {book}.png\n"
    assert (tmp_path / "model.xlsx.png").read_bytes() == (tmp_path / "again.xlsx.png").read_bytes()
    one, other = (dict(np.load(tmp_path / f"{book}.xlsx.npz")) for book in ("model", "again"))
    np.testing.assert_array_equal(one["conv1.weight"], other["conv1.weight"])
    assert run("export", "model.xlsx", "-o", "out.onnx", folder=tmp_path).returncode == 0
    assert "3×18×22" in run("summary", "out.onnx", folder=tmp_path).stdout
    assert "exists already" in fails("import", "model.onnx", "-o", "out", "--size", "9", folder=tmp_path)


def test_bad_input(tmp_path: Path) -> None:
    write_model(tmp_path / "free.onnx", [1, 3, "H", "W"])
    (tmp_path / "text.onnx").write_text("hello")
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "net.toml").write_text(
        'name = "n"\n[input]\nchannels = 1\nheight = 4\nwidth = 4\n[[layers]]\ntype = "conv2d"\nkernel = 3\n'
    )
    (tmp_path / "old.xlsx").write_bytes(b"precious")
    lines = [
        (("build", "edges", "none.png"), "none.png: cannot be read"),
        (("build", "edges", "text.png"), "text.png: is no picture"),
        (("build", "edgs", "cat"), "edgs: is no network file and no template; there are alexnet-block"),
        (("build", "none.toml", "cat"), "none.toml: cannot be read"),
        (("build", "net.toml", "cat", "-o", "old.xlsx"), 'net.toml: layer 1 (conv2d "conv2d_1"): '),
        (("build", "edges", "cat", "-o", "nowhere/x.xlsx"), "give a folder that exists"),
        (("build", "edges", "cat", "-o", "x.xls"), "must end in .xlsx"),
        (("build", "edges"), "Missing argument"),
        (("build", "edges", "cat", "--detail", "all"), "compact"),
        (("build", "edges", "cat", "--colour"), "No such option"),
        (("check", "text.png"), "is no .xlsx workbook"),
        (("check", "none.xlsx"), "cannot be read"),
        (("check", "."), "cannot be read"),
        (("summary", "none"), "no template"),
        (("frobnicate",), "No such command"),
        (("build", "free.onnx", "cat"), "free.onnx: leaves the size of its input free; give it with --size ROWSxCOLUMNS"),
        (("build", "free.onnx", "cat", "--size", "big"), "--size big: must be ROWSxCOLUMNS"),
        (("build", "free.onnx", "cat", "--size", "0"), "--size 0: must be ROWSxCOLUMNS"),
        (("build", "free.onnx", "cat", "--size", "9", "--mean", "a,b"), "--mean a,b: must be numbers"),
        (("build", "free.onnx", "cat", "--size", "9", "--mean", "1,2"), "mean has 2 numbers for 3 channels"),
        (("build", "edges", "cat", "--size", "9"), "are for .onnx models; put them into the file's [input]"),
        (("summary", "text.onnx"), "text.onnx: is no ONNX model"),
        (("import", "text.onnx"), "text.onnx: is no ONNX model"),
        (("import", "net.toml"), "net.toml: is no .onnx model"),
        (("export", "net.toml", "-o", "w.npz"), "net.toml: is no .xlsx workbook"),
        (("export", "none.xlsx"), "nothing to export"),
    ]
    for arguments, message in lines:
        assert message in fails(*arguments, folder=tmp_path), arguments
    assert (tmp_path / "old.xlsx").read_bytes() == b"precious"


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder.xlsx").mkdir()
    assert "cannot be written" in fails("build", "edges", "cat", "-o", "folder.xlsx", folder=tmp_path)


def test_no_command_shows_help(tmp_path: Path) -> None:
    done = run(folder=tmp_path)
    assert "Usage" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [info.name or info.callback.__name__ for info in app.registered_commands])  # type: ignore[union-attr]
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert len(capsys.readouterr().out) > 100
