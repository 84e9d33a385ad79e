"""Write the parts of the documentation that the code knows: between `<!-- made: NAME -->` and `<!-- end -->`.

Run:  make docs        (or: python docs/make.py)        A test tells where a page says something else.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import typer

import sheetcnn
from sheetcnn.arrays.array import shape_text
from sheetcnn.cli import app
from sheetcnn.layers import LAYERS
from sheetcnn.model.costs import costs
from sheetcnn.model.network_file import read_network
from sheetcnn.templates import LESSONS, samples, templates

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PART = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def layers() -> str:
    """The layers with their settings."""
    rows = []
    for name, layer in LAYERS.items():
        settings = ", ".join(f"`{field}`" for field in layer.model_fields) or "–"
        rows.append([f"`{name}`", layer.about, settings])
    return table(["layer", "what it does", "settings"], rows)


def lessons() -> str:
    """The templates with their questions, in the order in which one would learn."""
    rows = []
    for name, lesson in LESSONS.items():
        network = read_network(templates()[name])
        parameters = sum(cost.parameters for cost in costs(network).values())
        what = [shape_text(network.input.shape), f"{parameters:,}"]
        rows.append([f"`{name}` `{lesson.picture}`", lesson.question, lesson.answer, *what])
    return table(["template, picture", "question", "answer", "input", "parameters"], rows)


def pictures() -> str:
    """The names of the sample pictures."""
    return ", ".join(f"`{name}`" for name in samples()) + "\n"


def commands() -> str:
    """Each command with its arguments and options, as `--help` has them."""
    group = typer.main.get_command(app)
    parts = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        context = typer.Context(command, info_name=name)
        given = [one for one in command.params if one.param_type_name == "argument"]
        several = ["" if one.nargs == 1 else " …" for one in given]
        usage = " ".join(f"{one.metavar}{more}" for one, more in zip(given, several, strict=True))
        rows = [[f"`{one.metavar}`", one.help or ""] for one in given]
        options = [one.get_help_record(context) for one in command.params if one.param_type_name == "option"]
        rows += [[f"`{spelling}`", text.replace("  [", " [")] for spelling, text in filter(None, options)]
        parts.append(
            f"## `{f'sheetcnn {name} {usage}'.strip()}`\n\n{command.help}\n\n"
            + (table(["argument or option", "meaning"], rows) if rows else "")
        )
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def modules() -> str:
    """The package's files and folders, each with the first line of what it says of itself."""
    package = Path(sheetcnn.__file__).parent
    found = [path for path in sorted(package.iterdir()) if path.suffix == ".py" or (path / "__init__.py").exists()]
    lines = []
    for path in found:
        source = path if path.is_file() else path / "__init__.py"
        says = (ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or "").splitlines()[0]
        if not path.name.startswith("__"):
            lines.append([f"`{path.name}{'/' if path.is_dir() else ''}`", says])
    return table(["file", "what it does"], lines)


MADE = {made.__name__: made for made in (layers, lessons, pictures, commands, modules)}


def remade(text: str) -> str:
    """A page's text with its made parts made anew."""
    return PART.sub(lambda found: found[1] + MADE[found[2]]() + found[3], text)


if __name__ == "__main__":
    for page in PAGES:
        old = page.read_text(encoding="utf-8")
        if (new := remade(old)) != old:
            page.write_text(new, encoding="utf-8")
            print(f"wrote {page.relative_to(ROOT)}")
