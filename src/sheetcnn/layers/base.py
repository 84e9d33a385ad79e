"""What every layer has in common: its settings, the grids that it draws, and how they are computed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from ..arrays.array import Array, Margin, Shape, shape_text
from ..arrays.grid import Grids
from ..arrays.receptive_field import ReceptiveField
from .backward import Backward
from .reduction import Operation, Place, Reduction

PREFIX = "activation_"  # before the names of an activation's own parameters, where it is part of another layer


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


class OnnxGraph(Protocol):
    """An ONNX model that is being written."""

    def add(self, operator: str, name: str, *inputs: str, **attributes: Any) -> str:
        """The name of a new node's output."""

    def constant(self, name: str, array: np.ndarray) -> str:
        """The name of a constant; real numbers are in single precision."""

    def integers(self, name: str, numbers: list[int]) -> str:
        """The name of a constant of whole numbers."""

    def weight(self, key: str, array: np.ndarray) -> str:
        """The name of one of the layer's weights."""


@dataclass(frozen=True)
class Part:
    """A layer, or its activation: the prefix of its parameters, the shapes that it reads, and the shape of its output."""

    layer: Layer
    prefix: str
    shapes: tuple[Shape, ...]
    shape: Shape


class Layer(Backward, BaseModel):
    """One layer: its fields are its settings, with PyTorch's names and defaults.

    `forward` in NumPy and `formula` as text are written separately on purpose: one derived from the other would prove
    nothing. A layer that reads several inputs takes that many shapes, arrays or grids.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
    known: ClassVar[dict[str, type[Layer]]] = {}  # every layer by its type

    type: ClassVar[str]
    family: ClassVar[str]  # one of `FAMILIES`: where tables of layers list it
    about: ClassVar[str]  # one line for `sheetcnn layers` and README
    words: ClassVar[str]  # the formula in words, shown on the layer's sheet
    takes: ClassVar[str] = "maps"  # "maps", "vector" or "any"
    inputs: ClassVar[tuple[int, int]] = (1, 1)  # how many layers it reads, at least and at most
    maps_label: ClassVar[str] = "kernel"  # what parameters are called that are drawn as grids of rows and columns
    classic_kernels: ClassVar[bool] = False  # whether its kernels, filter by channel, may be chosen among classic ones
    activates: ClassVar[bool] = False  # whether `activation =` may name it
    joins_sums: ClassVar[bool] = False  # whether people write it as the end of the layer before it
    cellwise: ClassVar[bool] = False  # whether a cell depends on the same cell of the input alone, as `cell` writes it
    reads_once: ClassVar[bool] = False  # whether its formula reads its input once, so that a long sum can stand inside
    sign: ClassVar[str] = ""  # between its inputs, where it joins several
    mirrors: ClassVar[bool] = True  # whether what it reads may be shown once more on its sheet, for its formulas to read
    unrolls: ClassVar[bool] = False  # whether it makes one vector of maps: map after map, row after row
    folds: ClassVar[str] = ""  # the parameter that has a column for each number read: each row of it may be shown as maps
    gives_probabilities: ClassVar[bool] = False  # whether its numbers are positive and sum to 1
    exponentials: ClassVar[bool] = False  # whether cross entropy is taken of what it reads: softmax and its logarithm
    buffers: ClassVar[tuple[str, ...]] = ()  # parameters that training does not change, as PyTorch calls them
    initial: ClassVar[dict[str, float]] = {}  # what parameters of one number per channel begin with, where it is not 0
    examples: ClassVar[tuple[Example, ...]] = ()
    onnx_operator: ClassVar[str] = ""  # what it is in ONNX, where it is one operator
    onnx_attributes: ClassVar[dict[str, Any]] = {}  # of that operator, whatever the settings are
    onnx_settings: ClassVar[dict[str, str]] = {}  # and those that are settings here, by ONNX's name

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if "type" in vars(cls):
            Layer.known[cls.type] = cls

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

    def cell(self, x: str) -> str:
        """The formula of one cell, `x` being the text of its input, where the layer is `cellwise`.

        Where it says `reads_once` too, that may be a sum, b+s+t: put brackets around it unless it is a whole argument.
        """
        raise NotImplementedError

    def steps(self, *shapes: Shape, detail: str) -> list[Array]:
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

    def receptive_field(self, axis: int, shapes: tuple[Shape, ...], fields: list[ReceptiveField]) -> ReceptiveField:
        """The part of the picture that the output depends on along an axis (0 rows, 1 columns), from that of its inputs."""
        spans = self.reads(axis, *shapes)
        return fields[0] if spans is None else fields[0].of_windows(*spans)

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

    def reduction(self, *shapes: Shape) -> Reduction | None:
        """Which windows an output cell is reduced from; None for layers that have none, or too many to be looked at."""
        return None

    def origins(self, at: Place, *shapes: Shape) -> tuple[Place, ...]:
        """The input cells that an output cell is made of, where it has no windows; none where it is not to be looked into."""
        return (at,) if self.cellwise else ()

    def operations(self, *shapes: Shape) -> tuple[Operation, ...]:
        """What is done with what a cell reads, one after the other, up to the cell (before `activation`)."""
        if self.cellwise:
            act = (lambda x, _: self.cell(x)), (lambda x, _: float(self.forward(np.array([x]))[0]))
            parts = tuple(self.words.removeprefix("out = ").split("x)"))  # as in max(0, x)
            once = len(parts) == 2 and parts[0].endswith((", ", "(")) and not re.search(r"\bx\b", "".join(parts))
            spelt = (parts[0], ")" + parts[1]) if once else None
            return (Operation("→", self.type, function=act, spelt=spelt),)
        return (Operation("+", "bias", "bias"),) if "bias" in self.parameters(*shapes) else ()

    # -- what exercises plant mistakes by, and ask for --------------------------------------------------------------
    def textbook(self, *shapes: Shape) -> bool:
        """Whether windows slide over its input and its formula reads like the equation: then it can go wrong as students' do."""
        return False

    def filter_makes_map(self, *shapes: Shape) -> bool:
        """Whether the kernels of filter k, which no other map needs, make map k: then they can be asked for."""
        return False

    def shifted(self, x: np.ndarray, by: tuple[int, int], **parameters: np.ndarray) -> np.ndarray:
        """What a `textbook` layer puts out where every window lies so many cells further down and to the right."""
        raise NotImplementedError

    def mistaken(self, *shapes: Shape) -> dict[str, Layer]:
        """What students take the layer for, by the name that exercises have for the mistake: the layer with a wrong setting."""
        return {}

    def torch(self, *shapes: Shape) -> str:
        """The layer as PyTorch code; empty where PyTorch has none."""
        return ""

    def to_onnx(self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...], **parameters: np.ndarray) -> str:
        """Write the layer, without its activation, into an ONNX model; returns the name of its output.

        Raises ValueError where there is no way to say it in ONNX.
        """
        if not self.onnx_operator:
            raise ValueError("has no form in ONNX")
        settings = {attribute: getattr(self, setting) for attribute, setting in self.onnx_settings.items()}
        return to.add(self.onnx_operator, name, *xs, **self.onnx_attributes, **settings)

    def first_map(self, k: int, count: int, *shapes: Shape) -> int:
        """The output map beside which the k-th of so many grids stands: the first of several, for the mean of a group."""
        maps = self.output_shape(*shapes)[0]
        return k * (maps // count) if maps % count == 0 and maps >= count else k

    def map_words(self, m: int, *shapes: Shape) -> str:
        """What output map m is called where "map" and its number do not say what it is; empty where they do."""
        return ""

    def size_words(self, *shapes: Shape) -> str:
        """How rows and columns of the output come about: `(28 − 5 + 2·2)/1 + 1 = 28`; empty where there is nothing to say."""
        return ""

    @property
    def classic(self) -> tuple[str, ...] | None:
        """The classic kernels, one for each filter, where the settings name them."""
        return None

    # -- what the rest of sheetcnn asks ----------------------------------------------------------------------------
    @property
    def final(self) -> Layer | None:
        """The activation that acts on the finished sum."""
        return None

    def draws_sum(self, detail: str) -> bool:
        """Whether what the activation acts on is drawn by itself."""
        return False

    def parts(self, *shapes: Shape) -> list[Part]:
        """The layer and its activation, one after the other."""
        shape = self.output_shape(*shapes)
        own = Part(self, "", shapes, shape)
        return [own] if self.final is None else [own, Part(self.final, PREFIX, (shape,), shape)]

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
        if self.final is not None:
            try:
                self.final.accept(self.output_shape(*shapes))
            except ValueError as error:
                raise ValueError(f"activation {self.final.type}: {error}") from None

    def all_parameters(self, *shapes: Shape) -> dict[str, Shape]:
        """The parameters, those of its activation among them."""
        parts = self.parts(*shapes)
        return {part.prefix + key: shape for part in parts for key, shape in part.layer.parameters(*part.shapes).items()}

    def all_initial(self) -> dict[str, float]:
        """What parameters begin with, those of its activation among them."""
        own = {} if self.final is None else self.final.initial
        return self.initial | {PREFIX + key: number for key, number in own.items()}

    def activated(self, *xs: np.ndarray, **parameters: np.ndarray) -> np.ndarray:
        """The output in NumPy, the activation included, from all parameters by name."""
        for part in self.parts(*(x.shape for x in xs)):
            own = part.layer.parameters(*part.shapes)
            xs = (part.layer.forward(*xs, **{key: parameters[part.prefix + key] for key in own}),)
        return xs[0]

    def trainable(self, *shapes: Shape) -> dict[str, int]:
        """How many numbers each parameter that training changes has."""
        shapes_of = self.all_parameters(*shapes).items()
        return {key: int(np.prod(shape, dtype=object)) for key, shape in shapes_of if key not in self.buffers}

    def parameter_words(self, *shapes: Shape) -> str:
        """How the number of parameters comes about: `6·1·5·5 + 6 = 156`."""
        counts = self.trainable(*shapes)
        if not counts:
            return "none"
        sizes = self.all_parameters(*shapes)
        terms = " + ".join("·".join(map(str, self.factors(key, sizes[key]))) for key in counts)
        total = str(sum(counts.values()))
        return terms if terms == total else f"{terms} = {total}"

    def factors(self, key: str, shape: Shape) -> Shape:
        """What is multiplied to count the numbers of a parameter of this shape."""
        return shape

    def factor_words(self, key: str, shape: Shape) -> str:
        """How many numbers a parameter of this shape has, every factor named: `4 filters · 3 channels · 3·3 kernel`."""
        return "·".join([*map(str, shape[:-1]), counted(shape[-1], key)])

    def named_parameter_words(self, *shapes: Shape) -> str:
        """How the number of parameters comes about, every factor named: `4 filters · 3 channels · 3·3 kernel + 4 biases = 112`."""
        terms, total = [], 0
        for part in self.parts(*shapes):
            for key, shape in part.layer.parameters(*part.shapes).items():
                if key not in part.layer.buffers:
                    terms.append(part.layer.factor_words(key, shape))
                    total += int(np.prod(shape, dtype=object))
        if not terms:
            return "none"
        words = " + ".join(terms)
        return words if len(terms) == 1 and "·" not in words else f"{words} = {total}"

    def but(self, **settings: Any) -> Self:
        """The layer with some settings changed."""
        return type(self)(**{key: getattr(self, key) for key in type(self).model_fields} | settings)

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


def counted(number: int, what: str) -> str:
    """A number of things: `4 filters`, `1 bias`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}{'es' if what.endswith('s') else 's'}"


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


def per_channel(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """One value per channel, shaped to meet maps C×H×W."""
    return values.reshape(-1, *[1] * (like.ndim - 1))
