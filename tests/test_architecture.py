"""Who may import whom: rooms lie in levels, imports run downwards, and none closes a circle.

Were the check to know the layout, or a layer the evaluator, the check would prove nothing.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "sheetcnn"


def name_of(path: Path) -> str:
    """A module's name within the package; that of the package itself is empty."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}

# From the ground up. A room (a folder or a file) may know those below it, and files of its own.
LEVELS = (
    ("a1", "deadline", "plain", "progress", "stopping", "version"),
    ("errors",),
    ("temporary",),
    ("files", "reading"),
    ("arrays", "office"),
    ("formula", "layers"),
    ("model",),
    ("image", "onnx", "templates", "xlsx"),
    ("frameworks",),
    ("formats",),
    ("notebook", "opening", "schema"),
    ("explaining", "importer", "sheets"),
    ("checking",),
    ("builder", "explainer", "exporter", "training"),
    ("course", "handout"),
    ("",),
    ("cli",),
    ("__main__",),
)
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}

# What must not know each other although their levels would let them.
FORBIDDEN = {
    "formula": ("arrays",),  # it knows spreadsheets, and nothing of networks
    "checking": ("xlsx",),  # what stands in a workbook is the check's to find, not the builder's to tell
    "sheets": ("formula",),  # what is written is not computed by our own evaluator
    "builder": ("formula", "checking"),
    "model": ("formula",),
    "onnx": ("formula",),
}
# Of a sheet's room the check may know what the sheet says, but neither where it stands nor how it looks.
CONTENT = ("content", "table", "formulas")
ONLY = {
    "PIL": ("image",),
    "openpyxl": ("xlsx", "sheets", "handout"),
    "onnx": ("onnx",),
    "typer": ("cli",),
    "rich": ("cli",),
    "formualizer": ("formula.engines.by_formualizer",),
    "torch": ("frameworks", "training"),
    "zlib_ng": ("xlsx",),
}
MOST_LINES = 400


def imports(module: str, path: Path | None = None) -> set[str]:
    """All that a module imports, wherever in it: modules of the package by their names, others by their first part."""
    found = set()
    path = path or FILES[module]
    package = [part for part in (module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]) if part]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {f"/{alias.name.split('.')[0]}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(f"/{(node.module or '').split('.')[0]}")
        elif isinstance(node, ast.ImportFrom):
            inside = [*package[: len(package) - node.level + 1], *(node.module.split(".") if node.module else [])]
            for alias in node.names:
                whole = ".".join([*inside, alias.name])
                found.add(whole if whole in FILES else ".".join(inside))
    return found


OWN = {module: {name for name in imports(module) if not name.startswith("/")} for module in FILES}


def room(module: str) -> str:
    return module.split(".")[0]


def test_every_room_has_a_level() -> None:
    assert {room(module) for module in FILES} <= LEVEL.keys()


@pytest.mark.parametrize("module", FILES)
def test_imports_run_downwards(module: str) -> None:
    for name in OWN[module]:
        if room(name) != room(module):
            assert LEVEL[room(name)] < LEVEL[room(module)], f"{module} imports {name}"


def test_no_import_closes_a_circle() -> None:
    """Neither those for types nor those within functions."""
    try:
        TopologicalSorter({module: OWN[module] - {module} for module in FILES}).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


@pytest.mark.parametrize("module", FILES)
def test_forbidden_imports(module: str) -> None:
    for name in OWN[module]:
        assert room(name) not in FORBIDDEN.get(room(module), ()), f"{module} imports {name}"
        if room(module) == "checking" and room(name) == "sheets":
            assert name.split(".")[-1] in CONTENT, f"{module} imports {name}"
        if module.split(".")[-1] in CONTENT and room(module) == "sheets":
            assert room(name) != "xlsx", f"{module} imports {name}"
            assert not name.endswith((".look", ".place")), f"{module} imports {name}"
    for package, owners in ONLY.items():
        if f"/{package}" in imports(module):
            assert module in owners or room(module) in owners, f"{module} imports {package}"


@pytest.mark.parametrize("module", FILES)
def test_layers_are_not_asked_for_by_name(module: str) -> None:
    """Nothing outside imports a layer's own file: what is to be known of it, its class says."""
    if room(module) not in ("layers",):
        own = [name for name in OWN[module] if name.startswith("layers.")]
        shared = ("activation", "backward", "base", "drawing", "example", "reduction", "settings")
        assert all(name.split(".")[1] in shared for name in own), f"{module} imports {own}"


@pytest.mark.parametrize("module", FILES)
def test_files_are_small(module: str) -> None:
    """One that is longer says why in its first lines."""
    text = FILES[module].read_text(encoding="utf-8")
    lines = text.splitlines()
    assert len(lines) <= MOST_LINES or "longer than others" in " ".join(lines[:12]), f"{module} has {len(lines)} lines"


@pytest.mark.parametrize("module", FILES)
def test_only_the_command_line_prints(module: str) -> None:
    calls = [node for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    printing = any(isinstance(call.func, ast.Name) and call.func.id == "print" for call in calls)
    assert not printing or room(module) == "cli"


@pytest.mark.parametrize("module", FILES)
def test_public_things_have_docstrings(module: str) -> None:
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), module
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{module}.{node.name}"


@pytest.mark.parametrize(
    ("code", "unread"),
    {
        "sheetcnn.build; sheetcnn.check; sheetcnn.export": ["onnx"],
        "import sheetcnn.cli": ["numpy", "openpyxl", "PIL", "pydantic", "rich"],
        "sheetcnn.build('edges', 'cat')": ["sheetcnn.layers.conv3d", "sheetcnn.sheets.learning", "sheetcnn.explaining"],
    }.items(),
)
def test_start_is_fast(code: str, unread: list[str]) -> None:
    """Neither `--help` waits for NumPy, nor a network in TOML for what it does not need."""
    read = f"import sys, sheetcnn\n{code}\nprint(*({unread} & sys.modules.keys()))".replace("[", "{").replace("]", "}")
    done = subprocess.run([sys.executable, "-c", read], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_the_rules_see_what_they_should(tmp_path: Path) -> None:
    """A rule on a room that does not exist, or an import that is not seen, would hold nothing."""
    rooms = {room(module) for module in FILES}
    assert {*FORBIDDEN, *(name for names in FORBIDDEN.values() for name in names)} <= rooms
    for owners in ONLY.values():
        assert {room(owner) for owner in owners} <= rooms
    assert any(name.startswith("sheets.") for module in FILES if room(module) == "checking" for name in OWN[module])
    path = tmp_path / "probe.py"
    path.write_text(
        "import PIL.Image\nfrom . import look\ndef f():\n    from ..page import Page\n    from ...a1 import LETTERS\n"
    )
    assert imports("sheets.gallery.probe", path) == {"/PIL", "sheets.gallery.look", "sheets.page", "a1"}
