"""The command line: arguments, progress, tables and exit codes. The only file that prints."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .errors import NetworkError, SheetcnnError
from .plain import plain, plain_json
from .stopping import Stopped, stoppable

# NumPy, openpyxl, pydantic and rich are imported by the commands that need them, so that --help answers at once.
if TYPE_CHECKING:
    from .builder import Built
    from .checking.report import Report
    from .model.network import Network

FINE, DIFFERS, BAD_INPUT = 0, 1, 2
SHOWN = 8  # cells named for each layer
TOP = 5  # answers shown of a prediction
BAR = 20  # letters of the longest bar beside them
DIGITS = 9  # of a side of a picture; Python refuses to read numbers of thousands

app = typer.Typer(
    help="See and touch a convolutional network in a spreadsheet.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Detail(StrEnum):
    """How much of the arithmetic a workbook draws."""

    compact = "compact"
    steps = "steps"


class Form(StrEnum):
    """Whose form grades are written in, besides ours."""

    moodle = "moodle"
    canvas = "canvas"


class Engine(StrEnum):
    """Who computes a workbook's formulas."""

    python = "python"
    formualizer = "formualizer"
    libreoffice = "libreoffice"


NetworkArgument = Annotated[
    str, typer.Argument(metavar="NETWORK", help="A template's name, a .toml or .json network file, or an .onnx model.")
]
SizeOption = Annotated[
    str | None,
    typer.Option("--size", metavar="ROWSxCOLUMNS", help="The picture's size, for .onnx models that leave it free."),
]
ScaleOption = Annotated[float | None, typer.Option("--scale", help="For .onnx: divide pixels by this number, e.g. 255.")]
MeanOption = Annotated[
    str | None,
    typer.Option("--mean", metavar="N[,N...]", help="For .onnx: then subtract this, one for all channels or each."),
]
StdOption = Annotated[
    str | None,
    typer.Option("--std", metavar="N[,N...]", help="For .onnx: then divide by this, one for all channels or each."),
]


@app.command()
def build(
    network: NetworkArgument,
    image: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE", help="A picture, an .npy or .csv file, or a sample's name; several make a drop-down."
        ),
    ],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="OUT.xlsx", help="The workbook to write.")] = None,
    detail: Annotated[
        Detail, typer.Option(help="Also draw products and sums as grids of their own: steps.")
    ] = Detail.compact,
    gallery: Annotated[
        bool, typer.Option("--gallery/--no-gallery", help="Show all maps as thumbnails on one sheet.")
    ] = True,
    inspector: Annotated[
        bool, typer.Option("--inspector/--no-inspector", help="Take one cell apart on a sheet of its own.")
    ] = True,
    protect: Annotated[
        bool, typer.Option("--protect", help="Lock all cells but pixels, kernels, biases and weights.")
    ] = False,
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A text file with the names of the last layer's outputs, one a line.")
    ] = None,
    size: SizeOption = None,
    scale: ScaleOption = None,
    mean: MeanOption = None,
    std: StdOption = None,
) -> None:
    """Write a workbook of a picture run through a network."""
    from .builder import build as build_workbook
    from .templates import network_path

    options = _input_options(size, scale, mean, std)
    with _progress("computing and writing cells") as progress:
        built = build_workbook(
            network,
            image,
            output or Path(f"{network_path(network).stem}.xlsx"),
            detail=detail.value,
            protect=protect,
            gallery=gallery,
            inspector=inspector,
            labels=labels,
            progress=progress,
            **options,
        )
    _print_layers(built.network)
    _print_predictions(built)
    for note in built.notes:
        _say(f"note: {note}")
    _say(f"wrote {built.path}: open it in Excel or LibreOffice, edit a kernel, save, then run  sheetcnn check {built.path}")


@app.command()
def check(
    book: Annotated[Path, typer.Argument(metavar="BOOK.xlsx", help="A workbook that sheetcnn made, edited or not.")],
    engine: Annotated[
        Engine, typer.Option(help="Who computes the formulas: our evaluator, or the real program.")
    ] = Engine.python,
    network: Annotated[
        Path | None,
        typer.Option(
            "--network", metavar="NETWORK", help="The network that it should be of: a file of your own, or a template."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Compare every cell of a workbook with NumPy. Exit code 1 where a cell differs."""
    from .checking.check import check as check_workbook

    with _progress("LibreOffice recalculates" if engine is Engine.libreoffice else "evaluating formulas") as progress:
        report = check_workbook(book, engine=engine.value, network=network, progress=progress)
    if as_json:
        _print_json(report.to_dict())
    else:
        _print_report(report)
    raise typer.Exit(FINE if report.ok else DIFFERS)


@app.command()
def handout(
    network: NetworkArgument,
    image: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE", help="A picture, an .npy or .csv file, or a sample's name; variants draw one of several."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="Where the workbooks and the key go.")],
    exercise: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="An exercise file; default: the network's own table, or the file beside it."),
    ] = None,
    students: Annotated[
        Path | None,
        typer.Option(metavar="ROSTER", help="A .csv or .xlsx file as your school's system exports it: a workbook for each."),
    ] = None,
    seed: Annotated[int, typer.Option(help="What the variants are drawn by: choose one that nobody guesses.")] = 0,
    protect: Annotated[bool, typer.Option("--protect", help="Lock all cells but those to type in.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what was handed out into this folder, and its key.")
    ] = False,
) -> None:
    """Write an exercise for students, and its key."""
    from .handout.writer import hand_out

    with _progress("writing workbooks") as progress:
        made = hand_out(
            network, image, output, exercise=exercise, students=students, seed=seed, protect=protect, overwrite=overwrite,
            progress=progress, say=_say,
        )  # fmt: skip
    for note in made.notes:
        _say(f"note: {note}")
    several = f"{len(made.workbooks)} workbooks in {made.workbooks[0].parent}" if students else str(made.workbooks[0])
    _say(f"wrote {several}, to be handed out, and {made.key}, which is yours")
    _say(f"grade what comes back:  sheetcnn grade FOLDER --key {made.key} -o grades.csv")


@app.command()
def grade(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder with what was handed in, or the .zip as it was downloaded.")
    ],
    key: Annotated[Path, typer.Option(metavar="KEY", help="The key.xlsx that `sheetcnn handout` wrote.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="grades.csv", help="The table to write; reports go beside it.")
    ] = Path("grades.csv"),
    form: Annotated[
        Form | None, typer.Option(help="Also write the table that this system imports, as grades-moodle.csv or the like.")
    ] = None,
) -> None:
    """Grade students' workbooks: a table, and a report for each."""
    from .files import Outputs
    from .handout.forms import refuse_form, write_form
    from .handout.grader import grade as grade_folder
    from .handout.grader import read_key
    from .handout.report import class_summary, points_text, refuse_output, write_csv, write_reports

    reports = output.with_name(f"{output.stem}-reports") if output.name else output
    forms = {one: output.with_name(f"{output.stem}-{one}.csv") for one in Form if output.name}
    more = [] if form is None or not output.name else [forms[form]]
    refuse_output(output, inputs=(folder, key), folder=folder, more=more, reports=reports)
    handout = read_key(key)[0]
    if form is not None:
        refuse_form(form, handout)
    with _progress("grading") as progress:
        grades = grade_folder(folder, key, skip=(output, reports, *forms.values()), progress=progress)
    exercise = handout.exercise
    notes: tuple[str, ...] = ()
    with Outputs() as outputs:
        pages = write_reports(reports, grades, exercise, outputs.write_bytes)
        if form is not None:
            notes = write_form(form, forms[form], grades, handout, outputs.write_bytes)
        write_csv(output, grades, exercise, outputs.write_bytes)
    rows = [[one.student, one.file, points_text(one.points), points_text(one.of), "; ".join(one.remarks)] for one in grades]
    _table(exercise.settings.title, ["student", "file", "points", "of", ""], rows, right=(2, 3))
    for line in class_summary(grades, len(handout.students)):
        _say(line)
    _say(f"wrote {output}" + (f" and {len(pages)} reports in {reports}" if pages else ""))
    if form is not None:
        for note in notes:
            _say(f"note: {note}")
        _say(f"wrote {forms[form]}, to be imported in {form.capitalize()}")


@app.command()
def summary(
    network: NetworkArgument,
    size: SizeOption = None,
    scale: ScaleOption = None,
    mean: MeanOption = None,
    std: StdOption = None,
) -> None:
    """Print a network's layers, output shapes, parameters, multiplications and receptive fields."""
    from .opening import open_network

    options = _input_options(size, scale, mean, std)
    with _progress("reading the network"):
        opened = open_network(network, **options).network
    _print_layers(opened)


@app.command("import")
def import_model(
    model: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="A model in ONNX.")],
    folder: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FOLDER", help="Where to; default: a folder of that name.")
    ] = None,
    size: SizeOption = None,
    scale: ScaleOption = None,
    mean: MeanOption = None,
    std: StdOption = None,
) -> None:
    """Write an ONNX model as a network file with its weights, to be read and edited."""
    from .importer import import_onnx

    options = _input_options(size, scale, mean, std)
    with _progress("reading the model"):
        written = import_onnx(model, folder, **options)
    _print_layers(written.network)
    for path in written.paths:
        _say(f"wrote {path}")
    _say(f"edit it, then build it with a picture:  sheetcnn build {written.paths[0]} PICTURE")


@app.command()
def export(
    book: Annotated[Path, typer.Argument(metavar="BOOK.xlsx", help="A workbook that sheetcnn made, edited or not.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="What to write: weights.npz, or model.onnx.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="OUT.png", help="Write the pixels as a picture.")
    ] = None,
) -> None:
    """Write the weights that are in a workbook now, as .npz or as an ONNX model, or its pixels as PNG."""
    from .exporter import export as export_workbook

    with _progress("reading the workbook") as progress:
        written = export_workbook(book, output, picture=picture, progress=progress)
    for path in written:
        _say(f"wrote {path}")


@app.command()
def templates() -> None:
    """List the networks and pictures that come with sheetcnn."""
    from .arrays.array import shape_text
    from .model.costs import costs
    from .model.network_file import read_network
    from .templates import exercises, samples
    from .templates import templates as shipped

    rows = []
    for name, path in shipped().items():
        network = read_network(path)
        parameters = sum(cost.parameters for cost in costs(network).values())
        rows.append(
            [name, shape_text(network.input.shape), f"{parameters:,}", network.settings.about or network.settings.name]
        )
    _table("Templates", ["name", "input", "parameters", "about"], rows, right=(2,))
    _say(f"pictures: {', '.join(samples())}")
    _say(f"with an exercise to hand out: {', '.join(exercises())}")
    _say("build one:  sheetcnn build NAME PICTURE        edit one:  sheetcnn new NAME")


@app.command()
def new(
    template: Annotated[str, typer.Argument(metavar="TEMPLATE", help="The name of a template.")],
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Where to; default: a folder of that name.")
    ] = None,
) -> None:
    """Copy a template's files into a folder, to be edited."""
    from .templates import copy_template

    paths = copy_template(template, folder or Path(template))
    for path in paths:
        _say(f"wrote {path}")
    network = next(path for path in paths if path.name == f"{template}.toml")
    _say(f"edit it, then build it with a picture of yours or of `sheetcnn templates`:  sheetcnn build {network} PICTURE")


@app.command()
def layers() -> None:
    """List the layers, with their settings and defaults."""
    from .layers import LAYERS

    rows = [[name, layer.about, ", ".join(_settings(layer))] for name, layer in LAYERS.items()]
    _table("Layers", ["type", "what it does", "settings"], rows)
    _say("every layer also takes  name  and  input;  layers with weights take  weight, bias, init, seed")


def _input_options(size: str | None, scale: float | None, mean: str | None, std: str | None) -> dict[str, Any]:
    """The options for .onnx models as Python takes them."""
    options: dict[str, Any] = {"scale": scale, "size": None}
    if size is not None:
        sides = size.lower().replace("×", "x").split("x")
        if (
            not all(side.isascii() and side.isdigit() and len(side) <= DIGITS and int(side) for side in sides)
            or len(sides) > 2
        ):
            raise NetworkError(f"--size {plain(size, 40)}: must be ROWSxCOLUMNS, such as 28x28, or one number for both")
        options["size"] = (int(sides[0]), int(sides[-1]))
    for name, text in (("mean", mean), ("std", std)):
        try:
            options[name] = None if text is None else [float(part) for part in text.split(",")]
        except ValueError:
            raise NetworkError(f"--{name} {text}: must be numbers with commas between them, such as 0.5,0.5,0.5") from None
    return options


def _settings(layer: Any) -> Iterator[str]:
    for name, field in layer.model_fields.items():
        default = None if field.default_factory else field.default
        if field.is_required():
            yield name
        elif default is None:
            yield f"{name}=…"
        else:
            yield f"{name}={json.dumps(default)}"


def _print_layers(network: Network) -> None:
    from .arrays.array import shape_text
    from .model.costs import costs

    found = costs(network)
    rows = [["", "input", "", shape_text(network.input.shape), "", "", ""]]
    for node in network.nodes:
        cost = found[node.name]
        words = node.parameter_words
        multiplications = f"{cost.multiplications:,}" if cost.multiplications else ""
        row = [str(node.number), node.name, node.layer.type, shape_text(node.shape), "" if words == "none" else words]
        rows.append([*row, multiplications, cost.sees])
    total = f"{sum(c.parameters for c in found.values()):,}"
    rows.append(["", "total", "", "", total, f"{sum(c.multiplications for c in found.values()):,}", ""])
    heads = ["", "layer", "type", "output C×H×W", "parameters", "multiplications", "receptive field"]
    _table(network.settings.name, heads, rows, right=(5,))


def _print_predictions(built: Built) -> None:
    """The answer to each picture; to a single one the largest few numbers with bars."""
    probable = built.network.gives_probabilities
    head = "probability" if probable else "output"

    def text(value: float) -> str:
        return f"{100 * value:.1f} %" if probable else f"{value:.4g}"

    if len(built.predictions) > 1:
        rows = [[picture, ranked[0][0], text(ranked[0][1])] for picture, ranked in built.predictions.items()]
        _table("Predictions", ["picture", "prediction", head], rows, right=(2,))
        return
    for picture, ranked in built.predictions.items():
        full = 1.0 if probable else max(abs(value) for _, value in ranked) or 1.0
        bars = ["█" * round(max(value, 0) / full * BAR) for _, value in ranked[:TOP]]
        rows = [[label, text(value), bar] for (label, value), bar in zip(ranked[:TOP], bars, strict=True)]
        _table(f"Prediction for {picture}: {ranked[0][0]}", ["label", head, ""], rows, right=(1,))


def _print_report(report: Report) -> None:
    from .checking.comparison import KEPT

    rows = []
    gone = {finding.layer for finding in report.findings if finding.kind == "missing"}
    for layer in report.layers:
        saved = "" if layer.largest_saved_difference is None else f"{layer.largest_saved_difference:.2g}"
        verdict = f"{layer.findings:,} differ" if not layer.ok else "shows errors" if layer.follow else "agrees"
        verdict = "gone" if layer.layer in gone else verdict
        row = [layer.layer, layer.type, str(layer.grids or ""), f"{layer.cells:,}"]
        rows.append([*row, f"{layer.largest_difference:.2g}" if layer.type else "", saved, verdict])
    heads = ["layer", "type", "grids", "cells", "largest difference", "saved values", "result"]
    _table(f"{report.book}: {report.network}", heads, rows, right=(2, 3, 4, 5))
    for layer in report.layers:
        shown = [finding for finding in report.findings if finding.layer == layer.layer][:SHOWN]
        for finding in shown:
            formula = f"   ={finding.formula}" if finding.formula and finding.kind in ("value", "saved", "input") else ""
            _say(f"{finding.cell}  {finding.text}{formula}")
        if layer.findings > len(shown):
            _say(f"{layer.layer}: and {layer.findings - len(shown):,} more cells (--json lists up to {KEPT:,} of a kind)")
    for note in report.notes:
        _say(f"note: {note}")
    who = {"python": "our evaluator", "libreoffice": "LibreOffice"}.get(report.engine, report.engine)
    if report.ok:
        _say(f"all {report.cells:,} cells agree with NumPy (computed by {who})")
    else:
        _say("the workbook does not agree with NumPy; what is named first comes first, later layers may only follow from it")


def _table(title: str, heads: list[str], rows: list[list[str]], right: tuple[int, ...] = ()) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = [[plain(cell) for cell in row] for row in rows]
    table = Table(title=Text(plain(title)), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    # Into a pipe or a file, tables are as wide as they need: nothing is folded that a script might look for.
    console = Console() if sys.stdout.isatty() else Console(width=max(200, *(sum(map(len, row)) + 30 for row in rows)))
    with _speaking():
        console.print(table)


def _say(text: str) -> None:
    with _speaking():
        print(plain(text))


def _print_json(data: dict[str, Any]) -> None:
    with _speaking():
        print(plain_json(json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False)))


@contextmanager
def _speaking() -> Iterator[None]:
    """Whoever listens may have gone, and a disk that it is written to may be full."""
    try:
        yield
    except OSError as error:
        raise SheetcnnError(f"standard output: cannot be written to ({error.strerror})") from None


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on a terminal, which goes away when the work is done; None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _version(wanted: bool) -> None:
    if wanted:
        from .version import VERSION

        _say(f"sheetcnn {VERSION}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """See and touch a convolutional network in a spreadsheet."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command; whatever is wrong with its input becomes one line on standard error and exit code 2."""
    given = sys.argv[1:] if arguments is None else arguments
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
                _print_json({"ok": False, "error": message})
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
        with _speaking():
            sys.stdout.flush()
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
            raise _OneLineError(f"{text} (sheetcnn --help tells more)") from None
        if isinstance(error, RuntimeError) and "start new thread" in str(error):
            raise _OneLineError(
                "no thread could be started; close other programs, or raise the limit of processes"
            ) from None
        raise _OneLineError(f"a mistake of sheetcnn itself, please report it: {_where(error)}: {error}") from None


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
