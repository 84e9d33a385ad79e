"""A command from its arguments to its exit code; whatever is wrong becomes one line."""

from __future__ import annotations

import atexit
import gc
import logging
import os
import re
import signal
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

from ..errors import SheetcnnError
from ..plain import near, plain
from ..stopping import Stopped, stoppable
from .app import app
from .show import flush, print_json

FINE, BAD_INPUT = 0, 2  # exit codes
OBJECTS = (
    50_000  # new ones, after which Python looks for those that nobody needs: at its own 700 that takes a tenth of a command
)


def main(arguments: list[str] | None = None) -> None:
    """Run a command; whatever is wrong with its input becomes one line on standard error and exit code 2."""
    given = sys.argv[1:] if arguments is None else arguments
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # where others are at work, to start more takes longer than they save
    gc.set_threshold(OBJECTS)
    atexit.register(gc.freeze)  # at the very end it looks through all of them, and for nothing: another tenth
    _prepare_streams()
    try:
        with stoppable():
            code = _run(given)
    except Stopped as stopped:
        if stopped.number != signal.SIGINT:
            stopped.die()
        with suppress(OSError):
            print("sheetcnn: stopped", file=sys.stderr)
        code = BAD_INPUT
    except _OneLineError as said:
        message = plain(" ".join(str(said).split()))
        with suppress(OSError, SheetcnnError):
            if given[:1] == ["check"] and "--json" in given:
                print_json({"ok": False, "error": message})
        with suppress(OSError):
            print(f"sheetcnn: {message}", file=sys.stderr)
        code = BAD_INPUT
    _close(sys.stdout)
    _close(sys.stderr)
    sys.exit(code)


class _OneLineError(Exception):
    """What is to be said in one line, with exit code 2."""


def _run(arguments: list[str]) -> int:
    """The exit code of a command. Raises _OneLineError whatever else may come of it."""
    try:
        if sys.stdout is None:
            raise SheetcnnError("standard output: is closed; leave it open, or send it to a file")
        for argument in arguments:
            _refuse_argument(argument)
        code = typer.main.get_command(app)(args=arguments, prog_name="sheetcnn", standalone_mode=False) or FINE
        flush()
        return int(code)
    except SheetcnnError as error:
        raise _OneLineError(error) from None
    except typer.Abort:
        raise _OneLineError("stopped") from None
    except SystemExit:  # typer's own way out where nobody listens to its help
        raise _OneLineError("standard output: cannot be written to (Broken pipe)") from None
    except OSError as error:
        raise _OneLineError(f"{error.filename or 'file'}: {error.strerror or error}") from None
    except MemoryError:
        raise _OneLineError("not enough memory; use a smaller file, a smaller input or fewer channels") from None
    except Exception as error:
        if hasattr(error, "format_message"):  # a usage error of the command line
            if not (text := error.format_message()):  # its help has been printed instead
                return int(getattr(error, "exit_code", BAD_INPUT))
            raise _OneLineError(f"{_with_near(text)} (sheetcnn --help tells more)") from None
        if isinstance(error, RuntimeError) and "start new thread" in str(error):
            raise _OneLineError(
                "no thread could be started; close other programs, or raise the limit of processes"
            ) from None
        raise _OneLineError(f"a mistake of sheetcnn itself, please report it: {_where(error)}: {error}") from None


def _with_near(text: str) -> str:
    """A complaint about an option's word, with the one of its words that is near."""
    found = re.search(r"'([^']*)' is not one of (.+)\.$", text)
    more = near(found[1], re.findall(r"'([^']*)'", found[2])) if found else ""
    return f"{text.removesuffix('.') if more else text}{more}".replace("Value error, ", "")


def _refuse_argument(argument: str) -> None:
    """Raise SheetcnnError for what no system can take for a name."""
    try:
        fine = b"\0" not in os.fsencode(argument)
    except UnicodeEncodeError:
        fine = False
    if not fine:
        raise SheetcnnError(f"{plain(argument, 80)}: holds a character that no name can have; leave it out")


def _where(error: BaseException) -> str:
    """The kind of a mistake of ours, with its place."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    return f"{type(error).__name__}{place}"


def _prepare_streams() -> None:
    """See to it that what is printed can be, and that nobody else prints."""
    with suppress(OSError):
        while (number := os.open(os.devnull, os.O_RDWR)) < 3:  # a file of ours in a closed stream's place would get what
            pass  # others write to that
        os.close(number)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the process lives
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without × or Σ is no reason to fail
    logging.getLogger().addHandler(logging.NullHandler())  # Pillow's
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def _close(stream: Any) -> None:
    """Let go of what cannot be written any more, which Python would complain about at its end."""
    try:
        if stream is not None:
            stream.flush()
    except OSError:
        with suppress(OSError, ValueError):
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, stream.fileno())
            os.close(nothing)
