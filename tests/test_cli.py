"""The commands as people type them: what they print, and exit codes 0, 1 and 2."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from onnx import helper, numpy_helper

import sheetcnn
from sheetcnn.cli import app, main
from sheetcnn.course import build_all
from sheetcnn.errors import SheetcnnError
from sheetcnn.templates import LESSONS, exercises, samples, templates

COMMANDS = [info.name or info.callback.__name__ for info in app.registered_commands]  # type: ignore[union-attr]


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
    assert re.search(r"^all 1\d,\d{3} cells agree with NumPy", checked.stdout, re.M)
    book = openpyxl.load_workbook(tmp_path / "edges.xlsx")
    book["edges"]["B28"] = 1
    book.save(tmp_path / "edges.xlsx")
    checked = run("check", "edges.xlsx", folder=tmp_path)
    assert checked.returncode == 1
    assert not checked.stderr
    assert "edges!B28  its formula was overwritten by 1; it was =MAX(0," in checked.stdout
    data = json.loads(run("check", "edges.xlsx", "--json", folder=tmp_path).stdout)
    assert data["ok"] is False
    assert data["findings"][0]["cell"] == "edges!B28"


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
    assert "52,272" in run("summary", "edges", folder=tmp_path).stdout
    listed = run("templates", folder=tmp_path).stdout
    learning = run("templates", "--learning", folder=tmp_path).stdout
    for name in templates():
        assert (f"\n{name} " in learning, f"\n{name} " in listed) == (LESSONS[name].train, not LESSONS[name].train)
        assert LESSONS[name].question in (learning if LESSONS[name].train else listed)
    assert all(name in (learning if LESSONS[name].train else listed).split("exercises: ")[1] for name in exercises())
    assert len(listed.splitlines()) < 24
    assert all(len(line) <= 80 for line in (listed + learning).splitlines())
    listed = run("templates", "--pictures", folder=tmp_path).stdout
    assert " ".join(listed.split()) == ", ".join(samples())
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
        (
            ("build", "edgs", "cat"),
            "edgs: is no network file and no template (did you mean 'edges'?); `sheetcnn templates` lists",
        ),
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
        (("build", "edges", "cat", "--size", "9"), "are for models; put them into the file's [input]"),
        (("summary", "text.onnx"), "text.onnx: is no ONNX model"),
        (("import", "text.onnx"), "text.onnx: is no ONNX model"),
        (("import", "net.toml"), "net.toml: is no model in ONNX or of Keras"),
        (("export", "net.toml", "-o", "w.npz"), "net.toml: is no .xlsx workbook"),
        (("export", "none.xlsx"), "nothing to export"),
    ]
    for arguments, message in lines:
        assert message in fails(*arguments, folder=tmp_path), arguments
    assert (tmp_path / "old.xlsx").read_bytes() == b"precious"


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder.xlsx").mkdir()
    assert "cannot be written" in fails("build", "edges", "cat", "-o", "folder.xlsx", folder=tmp_path)


def test_no_command_says_what_to_type_first(tmp_path: Path) -> None:
    done = run(folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("sheetcnn build edges cat ")
    for line in lines:  # what it says can be typed
        name = line.split()[1]
        assert name.startswith("--") or name in COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert len(capsys.readouterr().out) > 100


# -- every way out is one line ----------------------------------------------------------------------------------------------

posix = pytest.mark.skipif(sys.platform == "win32", reason="a shell of Unix closes streams")


def shell(line: str, folder: Path) -> tuple[int, str, str]:
    """A command line of a shell, where `sheetcnn` is ours: the exit code, standard output and error."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}  # as people have it
    command = f'set -o pipefail; sheetcnn() {{ "{sys.executable}" -m sheetcnn "$@"; }}; {line}'
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout, done.stderr


@posix
@pytest.mark.parametrize(
    ("line", "code", "error"),
    [
        ("sheetcnn layers >&-", 2, "standard output: is closed; leave it open, or send it to a file"),
        ("sheetcnn --help >&-", 2, "standard output: is closed; leave it open, or send it to a file"),
        ("sheetcnn layers 2>&-", 0, ""),
        ("sheetcnn check none.xlsx 2>&-", 2, ""),
        ("sheetcnn check none.xlsx <&- 2>&- >&-", 2, ""),
        ("sheetcnn layers | true", 2, "standard output: cannot be written to (Broken pipe)"),
        ("sheetcnn --help | true", 2, "standard output: cannot be written to (Broken pipe)"),
        ("sheetcnn layers > /dev/full", 2, "standard output: cannot be written to (No space left on device)"),
        ("sheetcnn new edges > /dev/full", 2, "standard output: cannot be written to (No space left on device)"),
        ("sheetcnn --version > /dev/full", 2, "standard output: cannot be written to (No space left on device)"),
        ("sheetcnn layers 2> /dev/full", 0, ""),
        ("sheetcnn check none.xlsx 2> /dev/full", 2, ""),
    ],
)
def test_streams_that_do_not_listen(line: str, code: int, error: str, tmp_path: Path) -> None:
    if "/dev/full" in line and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    got, _, errors = shell(line, tmp_path)
    assert (got, errors) == (code, f"sheetcnn: {error}\n" if error else "")


@posix
def test_nothing_is_written_into_a_file_that_takes_a_closed_streams_place(tmp_path: Path) -> None:
    assert shell("sheetcnn build cs231n cs231n 2>&- <&- > out.txt", tmp_path)[0] == 0
    assert sheetcnn.check(tmp_path / "cs231n.xlsx").ok


def test_long_and_hostile_arguments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for size in ("9" * 5000, "9" * 5000 + "x3", "9" * 10):
        assert "must be ROWSxCOLUMNS, such as 28x28" in fails("build", "edges", "cat", "--size", size, folder=tmp_path)
    line = fails("handout", "cs231n", "cs231n", "-o", "c", "--seed", "9" * 5000, folder=tmp_path)
    assert len(line) <= len("sheetcnn: \n") + 1000
    line = fails("build", "edges", "cat", "-o", "\x1b[31m" + "n/" * 2000 + ".xls", folder=tmp_path)
    assert line.startswith("sheetcnn: [31mn/n/")
    assert len(line) <= len("sheetcnn: \n") + 1000
    assert line.endswith("…\n")
    for bad in ("no\0name", "no\ud800name"):
        with pytest.raises(SystemExit) as stopped:
            main(["check", bad])
        told = capsys.readouterr()
        assert stopped.value.code == 2
        assert told.err in (
            "sheetcnn: no name: holds a character that no name can have; leave it out\n",
            "sheetcnn: no?name: holds a character that no name can have; leave it out\n",
        )


def test_mistakes_of_ours_are_one_line_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    causes = {
        AttributeError("x\ny"): "a mistake of sheetcnn itself, please report it: AttributeError at test_cli.py:",
        RecursionError("deep"): "a mistake of sheetcnn itself, please report it: RecursionError at test_cli.py:",
        RuntimeError("can't start new thread"): "no thread could be started; close other programs",
        MemoryError(): "not enough memory",
    }
    for cause, words in causes.items():

        def fail(*_: object, cause: Exception = cause, **__: object) -> None:
            raise cause

        monkeypatch.setattr("sheetcnn.checking.check.check", fail)
        with pytest.raises(SystemExit) as stopped:
            main(["check", "book.xlsx"])
        told = capsys.readouterr()
        assert stopped.value.code == 2
        assert told.err.startswith(f"sheetcnn: {words}")
        assert told.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["none.xlsx"], [], ["none.xlsx", "--engine", "excel"], ["a", "b"]])
def test_json_in_every_case(arguments: list[str], tmp_path: Path) -> None:
    done = run("check", *arguments, "--json", folder=tmp_path)
    assert done.returncode == 2
    data = json.loads(done.stdout)
    assert data.keys() == {"ok", "error"}
    assert data["ok"] is False
    assert done.stderr == f"sheetcnn: {data['error']}\n"


def test_unknown_words_in_python(tmp_path: Path) -> None:
    book = sheetcnn.build("cs231n", "cs231n", tmp_path / "b.xlsx").path
    with pytest.raises(SheetcnnError, match="engine 'LibreOffice': must be python, formualizer or libreoffice"):
        sheetcnn.check(book, engine="LibreOffice")  # type: ignore[arg-type]
    with pytest.raises(SheetcnnError, match="detail 'all': must be auto, compact or steps"):
        sheetcnn.build("cs231n", "cs231n", tmp_path / "c.xlsx", detail="all")  # type: ignore[arg-type]
    write_model(tmp_path / "free.onnx", [1, 3, "H", "W"])
    for size in (28, (28,), (28, 28, 3), (0, 5), (5, 2.5), "28x28", (True, True), (10**6, 5)):
        with pytest.raises(SheetcnnError, match=r"must be two whole numbers from 1 to 16,384"):
            sheetcnn.build(tmp_path / "free.onnx", "cat", tmp_path / "c.xlsx", size=size)  # type: ignore[arg-type]
        with pytest.raises(SheetcnnError, match=r"must be two whole numbers from 1 to 16,384"):
            sheetcnn.import_onnx(tmp_path / "free.onnx", tmp_path / "c", size=size)  # type: ignore[arg-type]
    assert not (tmp_path / "c.xlsx").exists()


def test_check_against_a_network_of_ones_own(tmp_path: Path) -> None:
    top = '[input]\nchannels = 1\nheight = 6\nwidth = 6\n[[layers]]\ntype = "conv2d"\nname = "conv"\nout_channels = 2\n'
    text = f'name = "n"\n{top}kernel_size = 3\nactivation = "relu"\n[[layers]]\ntype = "max_pool2d"\nkernel_size = 2\n'
    (tmp_path / "ours.toml").write_text(text)
    (tmp_path / "same.toml").write_text(text.replace('"n"', '"other"').replace("= 3\n", "= [3, 3]\nseed = 5\nstride = 1\n"))
    forged = {
        "": None,
        "relu": 'conv: activation is {"type": "sigmoid"} in the workbook, {"type": "relu"} in ours.toml',
        'activation = "relu"\n': 'conv: activation is null in the workbook, {"type": "relu"} in ours.toml',
        '[[layers]]\ntype = "max_pool2d"\nkernel_size = 2\n': "max_pool2d_2: is in ours.toml only",
    }
    for left_out, words in forged.items():
        (tmp_path / "forged.toml").write_text(
            text.replace(left_out, "sigmoid" if left_out == "relu" else "") if left_out else text
        )
        assert run("build", "forged.toml", "digit-3", folder=tmp_path).returncode == 0
        assert run("check", "forged.xlsx", folder=tmp_path).returncode == 0
        done = run("check", "forged.xlsx", "--network", "ours.toml", folder=tmp_path)
        assert done.returncode == (1 if words else 0), done
        assert (f"_sheetcnn  {words}" in done.stdout) == bool(words)
        if words is None:
            assert run("check", "forged.xlsx", "--network", "same.toml", folder=tmp_path).returncode == 0
    [finding] = json.loads(run("check", "forged.xlsx", "--network", "ours.toml", "--json", folder=tmp_path).stdout)[
        "findings"
    ]
    assert (finding["layer"], finding["kind"], finding["text"]) == ("max_pool2d_2", "network", words)
    assert "none.toml: cannot be read" in fails("check", "forged.xlsx", "--network", "none.toml", folder=tmp_path)


# -- what is near, and what is narrow -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (("build", "edges", "cta"), "cta: is no file and no sample (did you mean 'cat'?)"),
        (("build", "edges", "digit3.png"), "digit3.png: cannot be read"),
        (("build", "edges", "cat.png"), "cat.png: is no file and no sample (did you mean 'cat'?)"),
        (("build", "edge.toml", "cat"), "edge.toml: cannot be read"),
        (("build", "edges.toml", "cat"), "edges.toml: is no network file and no template (did you mean 'edges'?)"),
        (("new", "lenet"), "lenet: is no template (did you mean 'lenet5'?)"),
        (("biuld", "edges", "cat"), "Did you mean 'build'?"),
        (("build", "edges", "cat", "--detial", "steps"), "--detail"),
        (
            ("build", "edges", "cat", "--detail", "step"),
            "'step' is not one of 'auto', 'compact', 'steps' (did you mean 'steps'?)",
        ),
        (("check", "x.xlsx", "--engine", "libre"), "(did you mean 'libreoffice'?)"),
        (("summary", "type.toml"), "type 'conv2' is no layer (did you mean 'conv2d'?)"),
        (("summary", "activation.toml"), "unknown activation 'rleu' (did you mean 'relu'?)"),
        (("summary", "setting.toml"), "leaky_relu has no setting slope"),
        (("summary", "inner.toml"), "leaky_relu has no setting negativ_slope (did you mean 'negative_slope'?)"),
        (("summary", "kernels.toml"), "unknown kernel 'sobelx' (did you mean 'sobel_x'?)"),
        (("summary", "read.toml"), "input 'inptu' is no layer (did you mean 'input'?)"),
        (("summary", "init.toml"), "init 'he_norm' is unknown (did you mean 'he_normal'?)"),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value),
)
def test_wrong_names_suggest_near_ones(
    arguments: tuple[str, ...],
    near: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    layers = {
        "type": 'type = "conv2"',
        "activation": 'type = "add"\nactivation = "rleu"',
        "setting": 'type = "add"\nactivation = {type = "leaky_relu", slope = 1.0}',
        "inner": 'type = "add"\nactivation = {type = "leaky_relu", negativ_slope = 1.0}',
        "read": 'type = "relu"\ninput = "inptu"',
        "kernels": 'type = "conv2d"\nkernels = ["sobelx"]',
        "init": 'type = "linear"\nout_features = 2\ninit = "he_norm"',
    }
    for name, layer in layers.items():
        top = 'name = "n"\n[input]\nchannels = 1\nheight = 4\nwidth = 4\n'
        flat = '[[layers]]\ntype = "flatten"\n' if name == "init" else ""
        (tmp_path / f"{name}.toml").write_text(f"{top}{flat}[[layers]]\n{layer}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    assert stopped.value.code == 2
    assert near in capsys.readouterr().err


def test_networks_without_an_exercise_name_those_that_have_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["handout", "unet-tiny", "shapes", "-o", "class"])
    told = capsys.readouterr().err
    assert f"these templates have one: {', '.join(exercises())}" in told
    assert not (tmp_path / "class").exists()


PRINTING = [
    [],
    ["--help"],
    *([command, "--help"] for command in COMMANDS),
    ["templates"],
    ["templates", "--pictures"],
    ["layers"],
    ["summary", "lenet5"],
]


@pytest.mark.parametrize("columns", [40, 60, 80])
@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_narrow_terminals_break_no_words(
    arguments: list[str], columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every word that wide lines have stands whole on some line, and no line is too long but for a single word's sake."""
    printed = {}
    for wide in (columns, 1000):
        monkeypatch.setenv("COLUMNS", str(wide))
        monkeypatch.setattr("sheetcnn.cli.show.on_terminal", lambda stream: True)
        with pytest.raises(SystemExit):
            main(arguments)
        printed[wide] = capsys.readouterr().out
    lines = printed[1000].splitlines()
    heads = [n for n, _ in enumerate(lines) if lines[n + 1 : n + 2] and lines[n + 1].startswith("───")]  # may be left out
    words = {word for n, line in enumerate(lines) if n not in heads for word in line.split() if "───" not in word}
    assert len(words) > 10
    assert words <= set(printed[columns].split())
    for line in printed[columns].splitlines():
        assert len(line.rstrip()) <= columns or len(line.split()) == 1, line


def test_every_template_for_a_course(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = {name: LESSONS[name] for name in ("cs231n", "relu-placement", "learn-by-hand")}
    monkeypatch.setattr("sheetcnn.course.LESSONS", few)
    folder = tmp_path / "a" / "course"
    with pytest.raises(SystemExit) as stopped:
        main(["build-all", str(folder)])
    assert stopped.value.code == 0
    told = capsys.readouterr()
    assert told.out == f"wrote 3 workbooks, and {folder / 'index.html'} with a link to each\n"
    assert told.err == ""
    assert {path.name for path in folder.iterdir()} == {
        "cs231n.xlsx",
        "relu-placement.xlsx",
        "learn-by-hand.xlsx",
        "index.html",
    }
    assert "Loss" in openpyxl.load_workbook(folder / "learn-by-hand.xlsx").sheetnames
    page = (folder / "index.html").read_text(encoding="utf-8")
    for name, lesson in few.items():
        assert f'<a href="{name}.xlsx">{lesson.question}</a>' in page
        assert sheetcnn.check(folder / f"{name}.xlsx").ok
    # Nothing is overwritten unasked, and all targets are looked at before any work.
    (folder / "cs231n.xlsx").unlink()
    before = (folder / "index.html").read_bytes()
    (folder / "relu-placement.xlsx").write_bytes(b"precious")
    with pytest.raises(SheetcnnError, match=r"relu-placement\.xlsx: exists already; .* --overwrite"):
        build_all(folder)
    assert not (folder / "cs231n.xlsx").exists()
    assert (folder / "relu-placement.xlsx").read_bytes() == b"precious"
    steps: list[tuple[int, int]] = []
    build_all(folder, overwrite=True, progress=lambda done, of: steps.append((done, of)))
    assert steps == [(0, 3), (1, 3), (2, 3)]
    assert sheetcnn.check(folder / "relu-placement.xlsx").ok
    assert (folder / "index.html").read_bytes() == before
    (folder / "index.html").unlink()
    (folder / "index.html").mkdir()
    (folder / "cs231n.xlsx").unlink()
    with pytest.raises(SheetcnnError, match="it is a folder"):
        build_all(folder, overwrite=True)
    assert not (folder / "cs231n.xlsx").exists()


def test_every_template_has_its_lesson() -> None:
    assert set(LESSONS) == set(templates())
    for name, lesson in LESSONS.items():
        assert lesson.picture in samples()
        assert len(lesson.question) <= 51, f"{name}: fits no line of `sheetcnn templates`"
