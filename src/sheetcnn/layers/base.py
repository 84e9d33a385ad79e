"""What every layer has in common: its settings, the grids that it draws, and how they are computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, SerializationInfo

from ..grid import Grids
from ..plain import near
from .extent import Extent

Shape = tuple[int, ...]  # (C, H, W) of a stack of feature maps, or (N,) of a vector
Arrays = dict[str, np.ndarray]
Margin = tuple[int, int, int, int]  # top, left, bottom, right
CellFormula = Callable[[Shape], str]  # the index of a cell in its array, from 0 -> the text of its formula

Count = Annotated[int, Field(strict=True, ge=1, le=16_384)]
Amount = Annotated[int, Field(strict=True, ge=0, le=16_384)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]


def _both(value: Any) -> Any:
    return [value, value] if isinstance(value, int) else value


Counts = Annotated[
    tuple[Count, Count], BeforeValidator(_both, json_schema_input_type=Count | tuple[Count, Count])
]  # n or [rows, columns]
Amounts = Annotated[tuple[Amount, Amount], BeforeValidator(_both, json_schema_input_type=Amount | tuple[Amount, Amount])]


@dataclass(frozen=True)
class Drawing:
    """An array that is drawn as grids: its `lead` leading axes number the grids, the others lie on the sheet."""

    key: str  # what NumPy code calls it: "weight"
    label: str  # what the workbook calls it: "kernel"
    role: str  # "parameter", "step" or "output"
    shape: Shape
    lead: int
    spacing: tuple[int, int] = (1, 1)  # distance of neighbouring elements in cells: a kernel's dilation
    margin: Margin = (0, 0, 0, 0)  # padding around it
    labels: tuple[str, ...] = ()  # above its grids, the longest that fits: {k} is the map, {c} the channel
    sign: str | None = None  # before it in the equation; None: "=" or "+", as its place has it
    signed: bool = False  # coloured around 0, whatever numbers it has now
    together: bool = False  # a filter's kernels have one name: they stand one below the other, at their channels' heights

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of one grid; a vector is one column."""
        rows, columns = (*self.shape[self.lead :], 1, 1)[:2]
        return rows, columns

    def name(self, layer: str, index: Shape = ()) -> str:
        """The defined name of one grid, its index counted from 0: `conv1_kernel_1_1`; of a filter's kernels together, `conv1_kernel_1`."""
        return "_".join([layer, self.label, *(str(i + 1) for i in (index[:1] if self.together else index))])

    def indexes(self) -> Iterator[Shape]:
        """The index of every grid, counted from 0."""
        return iter(np.ndindex(*self.shape[: self.lead]))


@dataclass(frozen=True)
class Step:
    """An array on the way to a layer's output that is drawn as grids of its own."""

    key: str
    shape: Shape
    forward: Callable[..., np.ndarray]  # (*inputs, **parameters) -> array of that shape
    formula: Callable[..., str]  # (index, *inputs, **parameters and earlier steps) -> text
    spacing: tuple[int, int] = (1, 1)  # distance of its elements on the sheet
    margin: Margin = (0, 0, 0, 0)  # padding to draw around it
    labels: tuple[str, ...] = ()  # these three: see `Drawing`
    sign: str | None = None
    signed: bool = False

    def drawing(self, lead: int) -> Drawing:
        """How it is drawn, so many of its axes numbering the grids."""
        shown = (self.spacing, self.margin, self.labels, self.sign, self.signed)
        return Drawing(self.key, self.key, "step", self.shape, lead, *shown)


@dataclass(frozen=True)
class MadeOf:
    """Which windows one output cell is made of, as the inspector shows them; all places count from 0.

    Output map m belongs to filter k = m // maps and lies at depth z = m % maps. Term t reads, in the channels of the
    filter's group (from k // filters · group on), level z · levels[0] − levels[1] + t · levels[2], if it is among `depth`.
    """

    kind: str  # "sum" of windows times kernels, "largest" or "mean" of the window
    size: tuple[int, int]  # rows and columns of the window
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)  # above and left of the input; negative where windows start inside it
    dilation: tuple[int, int] = (1, 1)
    terms: int = 1  # windows for one cell
    maps: int = 1
    filters: int = 1
    group: int = 0
    depth: int = 1
    levels: tuple[int, int, int] = (0, 0, 1)  # stride, padding, dilation across the channels
    kernel: str | None = None  # the key of the kernels, where there are any
    source: str | None = None  # the key of the step that is read instead of the input
    divisor: int = 1  # of the sum
    counted_padding: Margin = (0, 0, 0, 0)  # padding that counts in a mean
    term_activation: Layer | None = None  # of each term, before they are summed


@dataclass(frozen=True)
class Example:
    """An input and the output that the layer must make of it, worked by hand or published by others."""

    x: Any
    y: Any
    settings: dict[str, Any]
    parameters: dict[str, Any]
    source: str


def example(
    x: Any, y: Any, *, parameters: dict[str, Any] | None = None, source: str = "by hand", **settings: Any
) -> Example:
    """An `Example` from an input, the output expected of it, the layer's parameters and its settings."""
    return Example(x, y, settings, parameters or {}, source)


class Layer(BaseModel):
    """One layer: its fields are its settings, with PyTorch's names and defaults.

    `forward` in NumPy and `formula` as text are written separately on purpose: one derived from the other would prove
    nothing. A layer that reads several inputs takes that many shapes, arrays or grids.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: ClassVar[str]
    about: ClassVar[str]  # one line for `sheetcnn layers` and README
    words: ClassVar[str]  # the formula in words, shown on the layer's sheet
    takes: ClassVar[str] = "maps"  # "maps", "vector" or "any"
    inputs: ClassVar[tuple[int, int]] = (1, 1)  # how many layers it reads, at least and at most
    activates: ClassVar[bool] = False  # whether `activation =` may name it
    reads_once: ClassVar[bool] = False  # whether its formula reads its input once, so that a long sum can stand inside
    buffers: ClassVar[tuple[str, ...]] = ()  # parameters that training does not change, as PyTorch calls them
    initial: ClassVar[dict[str, float]] = {}  # what parameters of one number per channel begin with, where it is not 0
    examples: ClassVar[tuple[Example, ...]] = ()

    # -- what a layer states ---------------------------------------------------------------------------------------
    def check(self, *shapes: Shape) -> None:
        """Raise ValueError where the settings do not fit an input of this shape."""

    def parameters(self, *shapes: Shape) -> dict[str, Shape]:
        """The arrays of numbers that the layer needs, by PyTorch's name, with their shapes."""
        return {}

    def formula_words(self) -> str:
        """The formula in words, as the settings have it: without a bias or factors that are not there."""
        words = self.words if getattr(self, "bias", True) else self.words.replace("bias + ", "")
        return words if getattr(self, "affine", True) else words.removesuffix(" · weight + bias")

    def warning(self) -> str:
        """What is unusual about the layer's settings, said on its sheet; empty where nothing is."""
        return ""

    def file_shape(self, key: str, shape: Shape) -> Shape:
        """The shape that a parameter of this shape has in files, where PyTorch orders its axes otherwise."""
        return shape

    def from_file(self, key: str, array: np.ndarray) -> np.ndarray:
        """A parameter as the layer uses it, made from one as files have it."""
        return array

    def to_file(self, key: str, array: np.ndarray) -> np.ndarray:
        """A parameter as files have it, made from one as the layer uses it."""
        return array

    def output_shape(self, *shapes: Shape) -> Shape:
        """The shape of the output; the input's own unless a layer says otherwise."""
        return shapes[0]

    def forward(self, x: np.ndarray, **parameters: np.ndarray) -> np.ndarray:
        """The output in NumPy (before `activation`, where the layer has one)."""
        raise NotImplementedError

    def formula(self, at: Shape, x: Grids, **parameters: Grids) -> str:
        """The text of the output cell at an index, without "=" (before `activation`)."""
        raise NotImplementedError

    def steps(self, *shapes: Shape, detail: str) -> list[Step]:
        """The arrays that are drawn on the way to the output."""
        return []

    def margin(self, *shapes: Shape) -> Margin:
        """The padding to draw around the input: cells at its top, left, bottom and right."""
        return (0, 0, 0, 0)

    def kernel_spacing(self) -> tuple[int, int]:
        """The distance of a kernel's elements on the sheet: its dilation."""
        return (1, 1)

    def reads(self, axis: int, *shapes: Shape) -> tuple[np.ndarray, np.ndarray] | None:
        """The first and last input row (axis 0) or column (1) that each row or column of the output reads; None: its own."""
        return None

    def extent(self, axis: int, shapes: tuple[Shape, ...], extents: list[Extent]) -> Extent:
        """The part of the picture that the output depends on along an axis (0 rows, 1 columns), from that of its inputs."""
        spans = self.reads(axis, *shapes)
        return extents[0] if spans is None else extents[0].of_windows(*spans)

    def wide(self, *shapes: Shape) -> bool:
        """Whether kernels stand one below the other, at their channels' heights, so that one SUMPRODUCT spans all."""
        return False

    def channels_of(self, k: int, channels: int) -> slice:
        """The input channels that filter k reads: all, or those of its group."""
        return slice(0, channels)

    def multiplications(self, *shapes: Shape) -> int:
        """Multiplications of weights with inputs in the whole layer."""
        return 0

    def cells_read(self, *shapes: Shape) -> int:
        """How many cells the formulas of the whole layer read, about."""
        return self.multiplications(*shapes)

    def made_of(self, *shapes: Shape) -> MadeOf | None:
        """Which windows an output cell is made of; None for layers that have none, or too many to be looked at."""
        return None

    def torch(self, *shapes: Shape) -> str:
        """The layer as PyTorch code; empty where PyTorch has none."""
        return ""

    def size_words(self, *shapes: Shape) -> str:
        """How rows and columns of the output come about: `(28 − 5 + 2·2)/1 + 1 = 28`; empty where there is nothing to say."""
        return ""

    # -- what the rest of sheetcnn asks ----------------------------------------------------------------------------
    def accept(self, *shapes: Shape) -> None:
        """Raise ValueError where the layer cannot read inputs of these shapes."""
        least, most = self.inputs
        if not least <= len(shapes) <= most:
            wanted = f"{least}" if least == most else f"at least {least}" if len(shapes) < least else f"at most {most}"
            raise ValueError(f"it reads {wanted} layer{'s' if wanted != '1' else ''}, but `input` names {len(shapes)}")
        for shape in shapes:
            if self.takes == "maps" and len(shape) != 3:
                raise ValueError(f"it reads feature maps, but its input is a vector of {shape[0]}; put it before `flatten`")
            if self.takes == "vector" and len(shape) != 1:
                raise ValueError(f"it reads a vector, but its input is {shape_text(shape)}; put a `flatten` layer before it")
        self.check(*shapes)

    def all_parameters(self, *shapes: Shape) -> dict[str, Shape]:
        """The parameters, those of its activation among them."""
        return self.parameters(*shapes)

    def all_initial(self) -> dict[str, float]:
        """What parameters begin with, those of its activation among them."""
        return self.initial

    def trainable(self, *shapes: Shape) -> dict[str, int]:
        """How many numbers each parameter that training changes has."""
        shapes_of = self.all_parameters(*shapes).items()
        return {key: int(np.prod(shape, dtype=object)) for key, shape in shapes_of if key not in self.buffers}

    def parameter_words(self, *shapes: Shape) -> str:
        """How the number of parameters comes about: `6·1·5·5 + 6 = 156`."""
        counts = self.trainable(*shapes)
        if not counts:
            return "none"
        terms = " + ".join("·".join(map(str, self.all_parameters(*shapes)[key])) for key in counts)
        total = str(sum(counts.values()))
        return terms if terms == total else f"{terms} = {total}"

    def setting_words(self) -> str:
        """The settings that are not the defaults, in words: `out channels 6, kernel size 5, padding 2, relu`."""
        words = []
        given = {key: getattr(self, key) for key in type(self).model_fields}
        for key, value in given.items():
            if value == type(self).model_fields[key].get_default(call_default_factory=True, validated_data=given):
                continue
            name = key.replace("_", " ")
            if isinstance(value, Layer):
                inner = value.setting_words()
                words.append(value.type + (f" ({inner})" if inner else ""))
            elif isinstance(value, bool):
                words.append(name if value else f"no {name}")
            else:
                words.append(f"{name} {_setting_text(value)}")
        return ", ".join(words)

    def all_steps(self, shapes: tuple[Shape, ...], detail: str) -> list[Step]:
        """The steps in the order in which they are computed."""
        return self.steps(*shapes, detail=detail)

    def drawings(self, shapes: tuple[Shape, ...], detail: str) -> list[Drawing]:
        """Every array that the layer draws: its parameters, its steps, and last its output."""
        output = self.output_shape(*shapes)
        maps = len(output) == 3
        drawn = []
        for key, shape in self.all_parameters(*shapes).items():
            if len(shape) > 2:
                drawn.append(Drawing(key, "kernel", "parameter", shape, len(shape) - 2, self.kernel_spacing()))
            else:
                drawn.append(Drawing(key, key, "parameter", shape, int(maps)))
        for step in self.all_steps(shapes, detail):
            lead = max(1, len(step.shape) - 2) if maps else 0
            drawn.append(step.drawing(lead))
        return [*drawn, Drawing("output", "map" if maps else "out", "output", output, int(maps))]

    def run(self, xs: tuple[np.ndarray, ...], detail: str, parameters: Arrays) -> Arrays:
        """The steps and the output in NumPy, by key."""
        shapes = tuple(x.shape for x in xs)
        values = {step.key: step.forward(*xs, **parameters) for step in self.steps(*shapes, detail=detail)}
        return values | {"output": self.forward(*xs, **parameters)}

    def formulas(
        self, shapes: tuple[Shape, ...], detail: str, xs: tuple[Grids, ...], grids: dict[str, Grids]
    ) -> dict[str, CellFormula]:
        """For every step and the output, by key, the function that writes the formula of a cell."""
        given = {key: grids[key] for key in self.parameters(*shapes)}
        cells: dict[str, CellFormula] = {}
        for step in self.steps(*shapes, detail=detail):
            cells[step.key] = partial(_write, step.formula, xs, dict(given))
            given[step.key] = grids[step.key]
        cells["output"] = partial(_write, self.formula, xs, given)
        return cells


class Elementwise(Layer):
    """A layer that makes each cell of its output from the same cell of its input."""

    takes: ClassVar[str] = "any"
    activates: ClassVar[bool] = True

    def cell(self, x: str) -> str:
        """The formula of one cell, `x` being the text of its input.

        Where the layer says `reads_once`, that may be a sum, b+s+t: put brackets around it unless it is a whole argument.
        """
        raise NotImplementedError

    def formula(self, at: Shape, x: Grids, **parameters: Grids) -> str:
        return self.cell(cell_of(x, at))


def _activation(value: Any) -> Any:
    """`"relu"` or `{type = "leaky_relu", negative_slope = 0.2}` as the layer that it names."""
    from . import LAYERS  # the list imports this module

    known = {name: layer for name, layer in LAYERS.items() if layer.activates}
    if isinstance(value, Layer) or value is None:
        return value
    settings = dict(value) if isinstance(value, dict) else {"type": value}
    kind = settings.pop("type", None)
    if not isinstance(kind, str) or kind not in known:
        raise ValueError(f"unknown activation {kind!r}{near(kind, known)}; there are {', '.join(known)}")
    for key in settings:
        if key not in known[kind].model_fields:
            raise ValueError(
                f"{kind} has no setting {key}{near(key, known[kind].model_fields)}; there are {', '.join(known[kind].model_fields) or 'none'}"
            )
    return known[kind](**settings)


def _named(activation: Layer | None, how: SerializationInfo) -> dict[str, Any] | None:
    """An activation as a network file has it, so that what is dumped can be read back."""
    return None if activation is None else {"type": activation.type, **activation.model_dump(mode=how.mode)}


PREFIX = "activation_"  # before the names of an activation's own parameters, where it is part of another layer


class Activated(Layer):
    """A layer with an `activation`, which acts once on the finished sum: relu(bias + Σ …), never Σ relu(…)."""

    activation: Annotated[Layer | None, BeforeValidator(_activation), PlainSerializer(_named)] = None

    @property
    def final(self) -> Layer | None:
        """The activation that acts on the finished sum."""
        return self.activation

    def draws_sum(self, detail: str) -> bool:
        """Whether the pre-activation is drawn: where asked for, and where the activation reads it more than once."""
        return detail == "steps" or (self.final is not None and not self.final.reads_once)

    def all_parameters(self, *shapes: Shape) -> dict[str, Shape]:
        parameters = self.parameters(*shapes)
        if self.activation is None:
            return parameters
        own = self.activation.parameters(self.output_shape(*shapes))
        return parameters | {PREFIX + key: shape for key, shape in own.items()}

    def all_initial(self) -> dict[str, float]:
        own = self.activation.initial if self.activation is not None else {}
        return self.initial | {PREFIX + key: number for key, number in own.items()}

    def accept(self, *shapes: Shape) -> None:
        super().accept(*shapes)
        if self.activation is not None:
            try:
                self.activation.accept(self.output_shape(*shapes))
            except ValueError as error:
                raise ValueError(f"activation {self.activation.type}: {error}") from None

    def all_steps(self, shapes: tuple[Shape, ...], detail: str) -> list[Step]:
        steps = super().all_steps(shapes, detail)
        if self.draws_sum(detail):
            labels = ("sum {k} (pre-activation)", "sum {k}", "sum")
            steps.append(Step("sum", self.output_shape(*shapes), self.forward, self.formula, labels=labels, signed=True))
        if self.final is not None:
            steps += self.final.steps(self.output_shape(*shapes), detail=detail)
        return steps

    def extent(self, axis: int, shapes: tuple[Shape, ...], extents: list[Extent]) -> Extent:
        own = super().extent(axis, shapes, extents)
        return own if self.activation is None else self.activation.extent(axis, (self.output_shape(*shapes),), [own])

    def run(self, xs: tuple[np.ndarray, ...], detail: str, parameters: Arrays) -> Arrays:
        own, others = split_parameters(parameters)
        values = super().run(xs, detail, own)
        if self.draws_sum(detail):
            values["sum"] = values["output"]
        if self.final is not None:
            values |= self.final.run((values["output"],), detail, others)
        return values

    def formulas(
        self, shapes: tuple[Shape, ...], detail: str, xs: tuple[Grids, ...], grids: dict[str, Grids]
    ) -> dict[str, CellFormula]:
        cells = super().formulas(shapes, detail, xs, grids)
        total = cells["output"]
        if self.draws_sum(detail):
            cells["sum"] = total
            cells["output"] = partial(cell_of, grids["sum"])
            if self.final is not None:
                drawn = grids | split_parameters(grids)[1]
                cells |= self.final.formulas((self.output_shape(*shapes),), detail, (grids["sum"],), drawn)
        elif isinstance(self.final, Elementwise):
            activate = self.final.cell
            cells["output"] = lambda at: activate(total(at))
        return cells


def split_parameters(named: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is a layer's own, and what belongs to its activation (without the prefix)."""
    own = {key: value for key, value in named.items() if not key.startswith(PREFIX)}
    return own, {key.removeprefix(PREFIX): value for key, value in named.items() if key.startswith(PREFIX)}


def _write(formula: Callable[..., str], xs: tuple[Grids, ...], given: dict[str, Grids], at: Shape) -> str:
    return formula(at, *xs, **given)


def cell_of(grids: Grids, at: Shape) -> str:
    """The cell at an index of maps (k, row, column) or of a vector (n,)."""
    if len(at) == 3:
        return grids[at[0]].at(at[1], at[2])
    return grids.at(at[0], 0)


def combined(function: str, texts: list[str]) -> str:
    """A function of any number of arguments, nested where there are more than Excel's 255."""
    while len(texts) > 255:
        texts = [f"{function}({','.join(texts[n : n + 255])})" for n in range(0, len(texts), 255)]
    return f"{function}({','.join(texts)})"


def literal(number: float) -> str:
    """A number as a formula writes it, exact: 0.01, 1E-05."""
    return repr(float(number)).upper()


def _setting_text(value: Any) -> str:
    """A setting's value as people write it: 5, 3×5, or the sides of a padding."""
    if not isinstance(value, tuple):
        return str(value)
    if value and len(set(value)) == 1 and isinstance(value[0], int):
        return str(value[0])
    return ("×" if len(value) < 4 and all(isinstance(n, int) for n in value) else " ").join(map(str, value))


def shape_text(shape: Shape) -> str:
    """A shape as people write it: 3×28×28."""
    return "×".join(map(str, shape))


def per_channel(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """One value per channel, shaped to meet maps C×H×W."""
    return values.reshape(-1, *[1] * (like.ndim - 1))
