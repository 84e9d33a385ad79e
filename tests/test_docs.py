"""README and `docs/` name every command, option, layer, setting and template; their links, pictures and made parts hold."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

import sheetcnn
from sheetcnn.arrays.kernels import KERNELS
from sheetcnn.cli import app
from sheetcnn.formula import read_book
from sheetcnn.handout.exercise import Exercise
from sheetcnn.handout.mistakes import MISTAKES
from sheetcnn.handout.tasks import TASKS
from sheetcnn.layers import LAYERS
from sheetcnn.layers.base import Layer
from sheetcnn.model.network import INITS, parse_network
from sheetcnn.model.network_file import read_network
from sheetcnn.model.settings import InputSettings, NetworkSettings
from sheetcnn.templates import LESSONS, exercises, samples, templates

ROOT = Path(__file__).parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
}
README = PAGES["README.md"]
ALL = "\n".join(PAGES.values())
MAKE = runpy.run_path(str(ROOT / "docs" / "make.py"))
README_BYTES = 12_000
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


# -- what the code knows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_made_parts(page: str) -> None:
    assert MAKE["remade"](PAGES[page]) == PAGES[page], "run: make docs"


def test_every_made_part_is_shown() -> None:
    assert sorted(name for _, name in re.findall(r"(<!-- made: (\w+) -->)", ALL)) == sorted(MAKE["MADE"])
    assert ALL.count("<!-- made") == ALL.count("<!-- end -->") == len(MAKE["MADE"])


def test_a_page_that_says_otherwise_is_found() -> None:
    page = PAGES["docs/layers.md"]
    spoilt = page.replace("max(0, x): negative", "negative")
    assert spoilt != page
    assert MAKE["remade"](spoilt) == page


OPTIONS = {
    (name, *parameter.opts, *parameter.secondary_opts)
    for name, command in COMMANDS.items()
    for parameter in command.params
    if parameter.opts[0].startswith("-")
}
TARGETS = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("option", sorted(OPTIONS), ids=" ".join)
def test_options(option: tuple[str, ...]) -> None:
    [section] = re.findall(rf"^## `sheetcnn {option[0]}\b(?!-).*?(?=^## |\Z)", PAGES["docs/commands.md"], re.M | re.S)
    assert all(re.search(rf"(?<!-){spelling}\b", section) for spelling in option[1:])


@pytest.mark.parametrize("target", TARGETS)
def test_targets(target: str) -> None:
    assert f"`make {target}" in PAGES["docs/building.md"] or target in ("office", "clean")


@pytest.mark.parametrize("name", [*templates(), *samples(), *KERNELS, *INITS, *TASKS, *MISTAKES])
def test_names(name: str) -> None:
    assert f"`{name}`" in ALL


@pytest.mark.parametrize("setting", [*NetworkSettings.model_fields, *InputSettings.model_fields, "share", "init", "seed"])
def test_settings_of_the_network_file(setting: str) -> None:
    assert re.search(rf"(^|`|\[|\b){setting}\b( +=|`|\]|\])", PAGES["docs/network-file.md"], re.M)


def test_counts() -> None:
    trained = [name for name in LESSONS if f"| `{name}` " in PAGES["docs/templates.md"].split("## Trained networks")[1]]
    words = dict(enumerate(["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]))
    assert f"[{len(templates())} networks](docs/templates.md)" in README
    assert f"[{len(LAYERS)} kinds of layers](docs/layers.md)" in README
    assert f"{words[len(trained)].capitalize()} of them\nare trained" in README
    assert f"{words[len(exercises())].capitalize()} templates have an exercise" in README
    assert f"{words[len(TASKS)].capitalize()} kinds of tasks" in README
    assert all(f"`{name}` (" in PAGES["docs/templates.md"] for name in exercises())


# -- pages and what they point to -------------------------------------------------------------------------------------------


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= README_BYTES


def anchors(text: str) -> set[str]:
    """The places in a page that links can name, as GitHub makes them of headings."""
    heads = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_exist(page: str) -> None:
    here = (ROOT / page).parent
    targets = re.findall(r"\]\((?!https?:)([^)]+)\)", PAGES[page]) + re.findall(r'src="([^"]+)"', PAGES[page])
    assert targets
    for target in targets:
        path, _, anchor = target.partition("#")
        linked = here / path if path else ROOT / page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked.read_text(encoding="utf-8")), target


def test_every_page_is_reached() -> None:
    """From README in one step or two, and from the list of pages."""
    for page in PAGES:
        name = page.removeprefix("docs/")
        assert page == "README.md" or page == "docs/README.md" or f"]({name})" in PAGES["docs/README.md"]
    assert "](docs/README.md)" in README


def test_every_picture_is_shown() -> None:
    for picture in (ROOT / "samples" / "screenshots").iterdir():
        assert f"samples/screenshots/{picture.name}" in ALL


def test_files_that_are_named_exist() -> None:
    """Pages speak of files of the package by their names."""
    package, named = ROOT / "src" / "sheetcnn", set(re.findall(r"`([\w/]+(?:\.py|/))`", PAGES["docs/building.md"]))
    assert len(named) > 20
    for name in named - {"layers/square.py", "docs/"}:
        assert any((base / name).exists() for base in (ROOT, package, package / "layers")), name


# -- what is typed ----------------------------------------------------------------------------------------------------------

TYPED = sorted(
    {
        line.split("#")[0].strip()
        for block in re.findall(r"```(?:sh)?\n(.*?)```", ALL, re.S)
        for line in block.splitlines()
        if "sheetcnn " in line.split("#")[0]
    }
)
TYPED = [line for line in TYPED if re.match(r"(\$ |\.venv/bin/)?sheetcnn ", line)]


@pytest.mark.parametrize("line", TYPED)
def test_commands_that_are_shown_are_understood(line: str) -> None:
    """They parse; those that need nothing of the reader's are run by other tests."""
    _, name, *arguments = shlex.split(line.removeprefix("$ ").removeprefix(".venv/bin/").split(">")[0])
    COMMANDS[name].make_context(name, arguments)


def test_readmes_commands(tmp_path: Path) -> None:
    """The commands for teachers and the two that begin, as they stand, one after the other."""
    mine = [line for line in TYPED if re.search(r"\b(edges|class)\b", line) and "roster" not in line]
    order = ["build", "check", "handout", "grade"]
    lines = sorted(mine, key=lambda line: order.index(line.split()[1]))
    assert [line.split()[1] for line in lines] == order
    for line in lines:
        command = [sys.executable, "-W", "error", "-m", *shlex.split(line.removeprefix(".venv/bin/"))]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"edges.xlsx", "class", "grades.csv", "grades-reports"}


def test_readme_answer_is_the_workbooks(tmp_path: Path) -> None:
    [label, number] = re.findall(r"# \('(\d)', ([\d.]+)…\)", README)[0]
    found = sheetcnn.build("digits", "digit-3", tmp_path / "book.xlsx").predictions["digit-3"]
    assert found[0][0] == label
    assert f"{found[0][1]:.9f}".startswith(number)
    for name, probability in found[:5]:
        assert re.search(rf"^{name} +{100 * probability:.1f} %", PAGES["docs/templates.md"], re.M)


# -- snippets ---------------------------------------------------------------------------------------------------------------

[LAYER, *_] = (part for part in re.findall(r"```python\n(.*?)```", ALL, re.S) if part.startswith('"""Squares."""'))
SNIPPETS = [part for part in re.findall(r"```python\n(.*?)```", ALL, re.S) if part != LAYER]
WITH_TORCH = [snippet for snippet in SNIPPETS if "import torch" in snippet or "import keras" in snippet]


def runs(snippet: str, folder: Path, warnings: str) -> None:
    """Run a snippet as it stands, as a script in an otherwise empty folder."""
    (folder / "script.py").write_text(snippet, encoding="utf-8")
    command = [sys.executable, "-W", warnings, "script.py"]
    environment = os.environ | {"KERAS_BACKEND": "torch", "KERAS_HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("snippet", [snippet for snippet in SNIPPETS if snippet not in WITH_TORCH])
def test_python_snippets_run(snippet: str, tmp_path: Path) -> None:
    runs(snippet, tmp_path, "error")


@pytest.mark.torch
@pytest.mark.parametrize("snippet", WITH_TORCH, ids=["onnx from PyTorch", "npz from PyTorch", "Keras", "PyTorch itself"])
def test_snippets_with_torch_run(snippet: str, tmp_path: Path) -> None:
    runs(snippet, tmp_path, "ignore")  # PyTorch warns of itself


@pytest.mark.torch
def test_weights_from_keras(tmp_path: Path) -> None:
    """The arrays that the snippet turns give Keras's own answer."""
    network = """
name = "Keras"
weights = "keras.npz"
input = {channels = 1, height = 8, width = 8}
layers = [
    {type = "conv2d", name = "conv1", out_channels = 2, kernel_size = 3, activation = "relu"},
    {type = "flatten"},
    {type = "linear", name = "fc", out_features = 3},
]
"""
    (tmp_path / "keras.toml").write_text(network)
    more = """
built = sheetcnn.build("keras.toml", "picture.npy", "keras.xlsx")
numpy.testing.assert_allclose(built.values["fc"]["output"], answer, rtol=1e-5, atol=1e-5)
"""
    runs(WITH_TORCH[-1] + more, tmp_path, "ignore")


def test_toml_snippets_are_networks() -> None:
    snippets = re.findall(r"```toml\n(.*?)```", ALL, re.S)
    assert len(snippets) == 5
    for snippet in snippets:
        data = tomllib.loads(snippet)
        if "tasks" in data:
            assert {task.kind for task in Exercise(data, read_network(templates()["digits"]), "page").tasks} == set(TASKS)
        else:
            parse_network(data, "page")


def test_samples_state_their_licence() -> None:
    table = (ROOT / "samples" / "README.md").read_text(encoding="utf-8")
    for path in samples().values():
        assert re.search(rf"`{path.name}` \|.*\| (CC0|public domain|CC BY 4\.0)", table), path.name


def test_the_worked_example_of_a_layer(make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    namespace: dict[str, Any] = {"__package__": "sheetcnn.layers", "__name__": "sheetcnn.layers.square"}
    monkeypatch.setitem(Layer.known, "square", Layer)  # which the class itself replaces, until the test is over
    exec(compile(LAYER, "square.py", "exec", dont_inherit=True), namespace)
    network = 'name = "n"\n[input]\nchannels = 1\nheight = 1\nwidth = 2\n[[layers]]\ntype = "{}"\nname = "it"\n{}'
    more = 'out_channels = 1\nkernel_size = 1\nweight = [[[[2]]]]\nbias = [1]\nactivation = "square"\n'
    for kind, settings, want in (("square", "", [[4, 9]]), ("conv2d", more, [[9, 49]])):
        path = make(network.format(kind, settings), [[[-2, 3]]])
        sheet, top, left, *_ = read_book(path).names["it_map_1"]
        assert read_book(path).sheets[sheet].saved[top : top + 1, left : left + 2].tolist() == want
        assert sheetcnn.check(path).ok
