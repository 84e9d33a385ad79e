"""Every template as a workbook, and a page that leads to them."""

from __future__ import annotations

import html
from pathlib import Path

from .builder import build
from .files import make_folder, refuse_outputs, write_bytes
from .progress import Progress
from .templates import LESSONS, refuse_existing

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Convolutional networks in a spreadsheet</title>
<h1>Convolutional networks in a spreadsheet</h1>
<ul>
{}</ul>
"""
ITEM = '<li><a href="{}">{}</a> {} (with the picture {})</li>\n'


def build_all(folder: Path, *, overwrite: bool = False, progress: Progress | None = None) -> list[Path]:
    """Write every template with its picture into a folder, and last a page with their questions and answers.

    Raises SheetcnnError, before anything is written, where a file could not be written or is there already and
    `overwrite` is not given.
    """
    paths = [folder / f"{name}.xlsx" for name in LESSONS] + [folder / "index.html"]
    refuse_outputs(paths, makes_folders=True)
    if not overwrite:
        refuse_existing(paths, "give another folder, or --overwrite to replace it")
    make_folder(folder)
    for done, ((name, lesson), path) in enumerate(zip(LESSONS.items(), paths, strict=False)):
        if progress is not None:
            progress(done, len(LESSONS))
        build(name, lesson.picture, path, train=lesson.train)
    texts = [(f"{name}.xlsx", one.question, one.answer, one.picture) for name, one in LESSONS.items()]
    items = [ITEM.format(*map(html.escape, each)) for each in texts]
    write_bytes(paths[-1], PAGE.format("".join(items)).encode("utf-8"))
    return paths
