"""What is printed: lines, tables, and a progress bar; none of them breaks a word that fits the terminal."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from ..errors import SheetcnnError
from ..plain import plain, plain_json

GAP = 2  # blanks between a name and its text
COLUMN_GAP = 3  # and between columns of a table
NAMES = 30  # letters of a name that a text may still stand beside
BESIDE = 28  # letters that a text beside its name must have at least


def width() -> int:
    """The columns of the terminal."""
    return max(20, shutil.get_terminal_size().columns)


def on_terminal(stream: TextIO) -> bool:
    """Whether somebody looks at it."""
    return stream.isatty()


def wrapped(text: str, columns: int, hanging: int = 0, first: str = "") -> list[str]:
    """Lines of so many columns, those after the first indented; words are never broken."""
    return textwrap.wrap(
        text,
        columns,
        initial_indent=first,
        subsequent_indent=" " * hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def listed(title: str, pairs: Sequence[tuple[str, str]], columns: int) -> str:
    """Names with what they mean beside them, or below them where the terminal is narrow."""
    indent = 2 if title else 0
    lines = [f"{title}:"] if title else []
    names = max((len(name) for name, _ in pairs if len(name) <= NAMES), default=0) + indent + GAP
    for name, text in pairs:
        if len(name) > NAMES or columns - names < BESIDE:
            lines += wrapped(name, columns, indent + 2, " " * indent)
            hanging = indent + 4 if columns - names < BESIDE else names
            lines += wrapped(text, columns, hanging, " " * hanging)
        else:
            lines += wrapped(text, columns, names, f"{' ' * indent}{name}".ljust(names))
    return "\n".join(lines)


def table(title: str, heads: list[str], rows: list[list[str]], right: tuple[int, ...] = ()) -> None:
    """Print a table: on a terminal too narrow for its longest words, a block for each row instead."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = [[plain(cell) for cell in row] for row in rows]
    columns = [[head, *cells] for head, *cells in zip(heads, *rows, strict=True)]
    widths = [max(1, *map(_letters, column)) for column in columns]
    # Into a pipe or a file, tables are as wide as they need: nothing is folded that a script might look for.
    if on_terminal(sys.stdout):
        least = [max(max(map(_letters, cell.split()), default=0) for cell in column) for column in columns]
        room = width() - COLUMN_GAP * (len(widths) - 1)
        if sum(least) > room:
            say(_blocks(title, heads, rows, width()), lines=True)
            return
        widths = _fitted(widths, least, room)
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, (head, cells) in enumerate(zip(heads, widths, strict=True)):
        drawn.add_column(head, justify="right" if number in right else "left", width=cells)
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    with _speaking():
        console = Console(width=sum(widths) + COLUMN_GAP * (len(widths) - 1))
        if title:
            console.print(Text(plain(title), style="italic"), soft_wrap=True)
        console.print(drawn)
        if title:
            console.print()


def _letters(text: str) -> int:
    """The columns that a text takes: letters of some scripts are two wide."""
    from rich.cells import cell_len

    return cell_len(text)


def _fitted(widths: list[int], least: list[int], room: int) -> list[int]:
    """The widths that columns get: those that want the most more give way first, none below its longest word."""
    fitted = list(widths)
    while sum(fitted) > room:
        number = max(range(len(fitted)), key=lambda n: (fitted[n] > least[n], fitted[n]))
        fitted[number] -= 1
    return fitted


def _blocks(title: str, heads: list[str], rows: list[list[str]], columns: int) -> str:
    """A table's rows one below the other, each cell on lines of its own."""
    parts = ["\n".join(wrapped(plain(title), columns))] if title else []
    for row in rows:
        named = [(head, cell) for head, cell in zip(heads, row, strict=True) if cell]
        if not named:
            continue
        lines = wrapped(named[0][1], columns)
        for head, cell in named[1:]:
            lines += wrapped(f"{head}: {cell}" if head else cell, columns, hanging=4, first="  ")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def say(text: str, *, lines: bool = False) -> None:
    """Print a line; or with `lines` several, of our own making."""
    with _speaking():
        print("\n".join(map(plain, text.split("\n"))) if lines else plain(text))


def print_json(data: dict[str, Any]) -> None:
    """Print JSON that hostile letters cannot leave."""
    with _speaking():
        print(plain_json(json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False)))


def flush() -> None:
    """See to it that all that was printed has arrived. Raises SheetcnnError."""
    with _speaking():
        sys.stdout.flush()


@contextmanager
def _speaking() -> Iterator[None]:
    """Whoever listens may have gone, and a disk that it is written to may be full."""
    try:
        yield
    except OSError as error:
        raise SheetcnnError(f"standard output: cannot be written to ({error.strerror})") from None


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on a terminal, which goes away when the work is done; None elsewhere."""
    if not on_terminal(sys.stderr):
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
