"""Who may import whom. Were the check to know the layout, or a layer the evaluator, the check would prove nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "sheetcnn"
FILES = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}

FORBIDDEN = {
    "formula.": ("layers", "grid", "layout", "workbook", "network", "checker", "openpyxl", "PIL"),
    "checker": ("layout", "workbook", "builder", "image", "openpyxl", "PIL"),
    "layers.": ("openpyxl", "PIL", "formula", "layout", "workbook", "network", "checker", "onnx"),
    "grid": ("layers", "formula", "layout", "workbook", "network", "openpyxl"),
    "network": ("formula", "layout", "workbook", "checker", "openpyxl", "PIL"),
    "views.": ("formula", "layout", "workbook", "checker", "builder", "openpyxl", "PIL"),
    "layout": ("formula", "workbook", "checker", "openpyxl", "PIL"),
    "workbook.": ("formula", "checker", "PIL"),
    "builder": ("formula", "checker"),
    "from_onnx.": ("formula", "layout", "workbook", "checker", "to_onnx", "openpyxl", "PIL"),
    "to_onnx": ("formula", "layout", "workbook", "checker", "from_onnx", "openpyxl", "PIL"),
    "exporter": ("layout", "workbook", "openpyxl", "PIL"),
    "handout.writer": ("formula", "checker"),
}
# What a task is, and how it is graded, must not depend on how it is drawn; only grading evaluates formulas.
CHECKING = ("named_grids", "report", "comparison", "added", "strays")
FORBIDDEN |= dict.fromkeys(CHECKING, FORBIDDEN["checker"])
DRAWING = ("layout", "workbook", "builder", "image", "openpyxl", "PIL")
GRADING = ("handout.grader", "handout.typed", "handout.work")
for module in FILES:
    if module.startswith("handout.") and module != "handout.writer":
        FORBIDDEN[module] = DRAWING if module in GRADING else (*DRAWING, "formula", "checker")
FORBIDDEN["handout.table"] = (*DRAWING, "checker")  # rosters may be workbooks, and these have one safe reader
ONLY = {
    "PIL": {"image"},
    "openpyxl": {module for module in FILES if module.startswith("workbook.")},
    "onnx": {"to_onnx", *(module for module in FILES if module.startswith("from_onnx."))},
    "typer": {"cli"},
    "rich": {"cli"},
    "formualizer": {"formula.engines.by_formualizer"},
}


def imports(module: str) -> set[str]:
    """What a module imports: names within the package without its own, others by their first part."""
    found = set()
    package = module.split(".")[:-1]
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1]
            inside = [*base, *(node.module or "").split(".")] if node.module else base
            found |= {".".join(filter(None, [*inside, alias.name])) for alias in node.names}
    return found


@pytest.mark.parametrize("module", FILES)
def test_imports(module: str) -> None:
    for owner, forbidden in FORBIDDEN.items():
        if module == owner or (owner.endswith(".") and module.startswith(owner)):
            # What stands in a workbook is the check's to find.
            forbidden = (*forbidden, *CHECKING) if "checker" in forbidden else forbidden
            for name in imports(module):
                assert name.split(".")[0] not in forbidden, f"{module} imports {name}"
    for package, owners in ONLY.items():
        if package in {name.split(".")[0] for name in imports(module)}:
            assert module in owners, f"{module} imports {package}"


@pytest.mark.parametrize("module", FILES)
def test_only_the_command_line_prints(module: str) -> None:
    calls = [node for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    printing = any(isinstance(call.func, ast.Name) and call.func.id == "print" for call in calls)
    assert not printing or module == "cli"


@pytest.mark.parametrize("module", FILES)
def test_public_things_have_docstrings(module: str) -> None:
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), module
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{module}.{node.name}"


def test_start_is_fast() -> None:
    """Neither `--help` nor a network in TOML waits for the package onnx."""
    code = "import sys, sheetcnn; sheetcnn.build; sheetcnn.check; sheetcnn.export; sys.exit('onnx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_rules_see_what_they_should() -> None:
    """A rule on a module that does not exist, or an import that is not seen, would hold nothing."""
    for owner in FORBIDDEN:
        assert any(module == owner or (owner.endswith(".") and module.startswith(owner)) for module in FILES)
    assert "layers.base.Layer" in imports("network")
    assert "formula.a1.cell_name" in imports("comparison")
    assert "PIL" in imports("image")
    assert "formula.read_book" in imports("handout.grader")
    assert "workbook.handout.dress_handout" in imports("handout.writer")
    assert {"formula", "layout"} <= {*FORBIDDEN["handout.variant"]}
    assert "formula" not in FORBIDDEN["handout.work"]
