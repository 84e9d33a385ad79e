"""The command `sheetcnn` itself: what it says alone, and how help is laid out."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from .show import listed, say, width, wrapped

START = (
    ("sheetcnn build edges cat", "a photograph through four filters, as a workbook"),
    ("sheetcnn templates", "the networks that come along, and what each answers"),
    ("sheetcnn --help", "all commands"),
)


def _help(command: Any, context: Any) -> str:
    """Help as plain lines that break between words only, however narrow the terminal is."""
    columns = width()
    usage = " ".join(["Usage:", context.command_path, *command.collect_usage_pieces(context)])
    parts = ["\n".join(wrapped(_bare(usage), columns, hanging=4)), "\n".join(wrapped(command.help or "", columns))]
    parameters = command.get_params(context)
    arguments = [(one.metavar, one.help or "") for one in parameters if one.param_type_name == "argument"]
    options = [one.get_help_record(context) for one in parameters if one.param_type_name == "option"]
    commands: list[tuple[str, str]] = []
    if isinstance(command, TyperGroup):
        found = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
        commands = [(name, one.help or "") for name, one in found if one is not None]
    for title, pairs in (("Arguments", arguments), ("Options", options), ("Commands", commands)):
        if pairs:
            parts.append(listed(title, [pair for pair in pairs if pair], columns))
    return "\n\n".join(parts) + "\n"


def _bare(usage: str) -> str:
    """Without the brackets that some versions of typer put around what must be given."""
    return usage.replace("{", "").replace("}", "")


class _Command(TyperCommand):
    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(_help(self, ctx))


class _Group(TyperGroup):
    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(_help(self, ctx))


app = typer.Typer(cls=_Group, add_completion=False, pretty_exceptions_enable=False)
command = partial(app.command, cls=_Command)


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        say(f"sheetcnn {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """See and touch a convolutional network in a spreadsheet."""
    if context.invoked_subcommand is None:
        say(listed("", START, width()), lines=True)
