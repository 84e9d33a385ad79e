"""Random PyTorch models: whatever layers, functions, branches and settings fit each other, with seeded weights."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional

Part = Callable[..., torch.Tensor]  # a module, or a function of tensors
Chosen = tuple[str, Part, tuple[int, ...]]  # how it reads, what it is, and the numbers of the values that it reads
MOST_PARTS = 6
MOST_CELLS = 1_500  # of one value
TRIES = 12  # at parts that fit


class Model(nn.Module):
    """Parts that read the input (0) or what earlier parts made, numbered on."""

    def __init__(self, parts: list[Chosen]) -> None:
        super().__init__()
        self.parts = parts
        self.modules_ = nn.ModuleList(part for _, part, _ in parts if isinstance(part, nn.Module))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = [x]
        for _, part, reads in self.parts:
            values.append(part(*(values[n] for n in reads)))
        return values[-1]

    def __str__(self) -> str:
        return "; ".join(f"{n} = {name} of {', '.join(map(str, reads))}" for n, (name, _, reads) in enumerate(self.parts, 1))


def model(seed: int) -> tuple[Model, torch.Tensor]:
    """The model with this number, in inference, and a picture for it."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    rank = rng.choice([4] * 8 + [3, 5])
    sizes = {3: (rng.choice([1, 2, 4]), rng.randint(6, 16)), 5: (1, rng.randint(2, 4), 6, 5)}
    shape = sizes.get(rank) or (rng.choice([1, 3, 4]), rng.randint(4, 10), rng.randint(4, 10))
    values = [torch.randn(1, *shape)]
    parts: list[Chosen] = []
    for _ in range(rng.randint(2, MOST_PARTS)):
        for _ in range(TRIES):
            reads = (rng.choice([len(values) - 1] * 6 + list(range(len(values)))),)
            try:
                with torch.no_grad(), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    name, part, others = _part(rng, values, reads[0])
                    reads = (*reads, *others)
                    _settle(part)
                    made = part(*(values[n] for n in reads))
            except (RuntimeError, ValueError, IndexError, TypeError):
                continue  # it does not fit
            if 0 < made.numel() <= MOST_CELLS and made.shape[:1] == (1,) and bool(torch.isfinite(made).all()):
                parts.append((name, part, reads))
                values.append(made)
                break
    return Model(_needed(parts)).eval(), values[0]


def _needed(parts: list[Chosen]) -> list[Chosen]:
    """The parts that the last one needs, the numbers of what they read counted anew."""
    needed = {len(parts)}
    for n in range(len(parts), 0, -1):
        needed |= set(parts[n - 1][2]) if n in needed else set()
    numbers = {n: place for place, n in enumerate(sorted(needed | {0}))}
    return [(name, part, tuple(numbers[m] for m in reads)) for n, (name, part, reads) in enumerate(parts, 1) if n in needed]


def _settle(part: Part) -> None:
    """Statistics and weights as if it was trained, in inference."""
    for module in part.modules() if isinstance(part, nn.Module) else ():
        module.eval()
        for key in ("weight", "bias", "running_mean", "running_var"):
            given = getattr(module, key, None)
            if given is not None and given.dim() == 1:
                nn.init.uniform_(given, 0.5, 1.5) if key in ("weight", "running_var") else nn.init.uniform_(given, -0.5, 0.5)


def _part(rng: random.Random, values: list[torch.Tensor], n: int) -> tuple[str, Part, tuple[int, ...]]:
    """A part that may fit a value, and the other values that it reads."""
    x = values[n]
    alike = [m for m, other in enumerate(values) if other.shape == x.shape]
    joined = [m for m, other in enumerate(values) if other.dim() == x.dim() and other.shape[2:] == x.shape[2:]]
    scaled = [
        m
        for m, other in enumerate(values)
        if other.dim() == x.dim() and other.shape[1] == x.shape[1] and other[0, 0].numel() == 1
    ]
    kinds: list[Callable[[], tuple[str, Part, tuple[int, ...]]]] = [lambda: (*_one(rng, x), ())] * 8
    kinds.append(lambda: (*rng.choice(JOINTS), (rng.choice(alike),)))
    kinds.append(lambda: (*rng.choice(STACKS), (rng.choice(joined),)))
    if scaled:
        kinds.append(lambda: ("x * factors", lambda a, b: a * b, (rng.choice(scaled),)))
    return rng.choice(kinds)()


JOINTS: list[tuple[str, Part]] = [
    ("x + y", lambda a, b: a + b),
    ("x - y", lambda a, b: a - b),
    ("x * y", lambda a, b: a * b),
    ("maximum", torch.maximum),
    ("minimum", torch.minimum),
    ("x + sigmoid(y)", lambda a, b: a + torch.sigmoid(b)),
    ("(x + y) / 2", lambda a, b: (a + b) / 2),
]
STACKS: list[tuple[str, Part]] = [
    ("cat", lambda a, b: torch.cat([a, b], 1)),
    ("cat of relu and itself", lambda a, b: torch.cat([torch.relu(a), b, a], 1)),
]


def _one(rng: random.Random, x: torch.Tensor) -> tuple[str, Part]:
    """A part of one input that may fit it."""
    several = {2: VECTOR, 3: ROW, 4: MAPS + MAPS + CELLS, 5: VOLUME}.get(x.dim(), [])
    name, make = rng.choice([*several, *several, *ANY])
    drawn = _Drawn(rng, x)
    part = make(drawn)
    return f"{name}({', '.join(drawn.told)})", part


class _Drawn:
    """Numbers for a part's settings, drawn and told; and what it reads."""

    def __init__(self, rng: random.Random, x: torch.Tensor) -> None:
        self.rng, self.shape, self.channels, self.told = rng, x.shape, x.shape[1], list[str]()

    def one(self, *options: Any) -> Any:
        chosen = self.rng.choice(options)
        self.told.append(str(chosen))
        return chosen

    def of(self, function: Part, *options: tuple[Any, ...]) -> Part:
        """A function of tensors with further arguments, one drawn of each of some options."""
        chosen = [self.one(*some) for some in options]
        return lambda *xs: function(*xs, *chosen)

    def divisor(self) -> int:
        return self.one(*(n for n in range(1, self.channels + 1) if self.channels % n == 0))

    def pair(self, low: int, high: int) -> tuple[int, int]:
        return (self.one(*range(low, high + 1)), self.one(*range(low, high + 1)))


def _conv(d: _Drawn, kind: type[nn.Module], axes: int) -> nn.Module:
    groups = d.divisor()
    size = tuple(d.one(1, 2, 3) for _ in range(axes))
    mode = d.one("zeros", "zeros", "zeros", "circular", "reflect", "replicate") if axes < 3 else "zeros"
    return kind(
        d.channels, groups * d.one(1, 2), size, stride=d.one(1, 1, 2), padding=d.one(0, 1, "same"),
        dilation=d.one(1, 1, 2), groups=groups, bias=d.one(True, False), padding_mode=mode,
    )  # fmt: skip


def _transposed(d: _Drawn, kind: type[nn.Module]) -> nn.Module:
    groups = d.divisor()
    return kind(
        d.channels, groups * d.one(1, 2), d.one(1, 2, 3), stride=d.one(1, 2, 3), padding=d.one(0, 1),
        output_padding=d.one(0, 0, 1), groups=groups, bias=d.one(True, False), dilation=d.one(1, 1, 2),
    )  # fmt: skip


def _upsample(d: _Drawn) -> Part:
    mode = d.one("nearest", "nearest-exact", "bilinear", "bicubic")
    size = d.one({"scale_factor": 2}, {"scale_factor": (1.5, 2)}, {"size": (5, 9)}, {"size": (3, 4)}, {"scale_factor": 0.5})
    aligned = {} if mode.startswith("nearest") else {"align_corners": d.one(False, True)}
    return lambda x: functional.interpolate(x, mode=mode, **size, **aligned)


class Attention(nn.Module):
    """Squeeze and excite, its pooling and its two layers written in one of several ways."""

    def __init__(self, channels: int, way: str) -> None:
        super().__init__()
        self.way = way
        self.down, self.up = (nn.Linear(channels, 2), nn.Linear(2, channels)) if way == "linear" else (
            nn.Conv2d(channels, 2, 1), nn.Conv2d(2, channels, 1))  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled = x.mean((2, 3), keepdim=self.way != "linear")
        factors = torch.sigmoid(self.up(torch.relu(self.down(pooled))))
        return x * (factors[:, :, None, None] if self.way == "linear" else factors)


class C2f(nn.Module):
    """YOLO's block: halves of the channels through bottlenecks, all stacked."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(channels, 4, 1), nn.Conv2d(6, 4, 1)
        self.inner = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.SiLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = list(functional.silu(self.first(x)).chunk(2, 1))
        parts.append(parts[-1] + self.inner(parts[-1]))
        return functional.silu(self.last(torch.cat(parts, 1)))


class Pyramid(nn.Module):
    """YOLO's SPPF: one pool after the other, all stacked."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(3, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.pool(x)
        return torch.cat([x, first, self.pool(first)], 1)


class LastNorm(nn.Module):
    """LayerNorm over channels, as ConvNeXt has it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class LastDense(nn.Module):
    """A fully connected layer along the channels, moved last and back."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.dense = nn.Linear(channels, out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dense(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Coordinates(nn.Module):
    """A map that says where each row lies, stacked with the others as CoordConv has it."""

    def __init__(self, sides: tuple[int, ...], first: bool) -> None:
        super().__init__()
        self.register_buffer("places", torch.linspace(-1, 1, sides[0])[None, None, :, None].expand(1, 1, *sides).clone())
        self.first = first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.places, x] if self.first else [x, self.places], 1)


class Learned(nn.Module):
    """A number for each channel that is added or multiplied."""

    def __init__(self, numbers: torch.Tensor, way: str) -> None:
        super().__init__()
        self.numbers, self.way = nn.Parameter(numbers), way

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.numbers if self.way == "+" else x * self.numbers


def _learned(d: _Drawn) -> nn.Module:
    channel = (1, d.channels, *[1] * (len(d.shape) - 2))
    return Learned(torch.randn(*d.one(channel, tuple(d.shape), (1,))), d.one("+", "*"))


def _last(d: _Drawn) -> tuple[int, ...]:
    return tuple(d.shape[2:])


Table = list[tuple[str, Callable[[_Drawn], Part]]]
MAPS: Table = [
    ("Conv2d", lambda d: _conv(d, nn.Conv2d, 2)),
    ("Conv2d", lambda d: _conv(d, nn.Conv2d, 2)),
    ("ConvTranspose2d", lambda d: _transposed(d, nn.ConvTranspose2d)),
    ("MaxPool2d", lambda d: nn.MaxPool2d(d.pair(1, 3), d.one(None, 1, 2, 3), d.one(0, 0, 1), d.one(1, 1, 2), ceil_mode=d.one(False, True))),
    ("AvgPool2d", lambda d: nn.AvgPool2d(d.pair(1, 3), d.one(None, 1, 2, 3), d.one(0, 0, 1), d.one(False, True), d.one(False, True))),
    ("AdaptiveAvgPool2d", lambda d: nn.AdaptiveAvgPool2d(d.one(1, (1, None), (None, 1), (d.shape[2], 1)))),
    ("AdaptiveMaxPool2d", lambda d: nn.AdaptiveMaxPool2d(d.one(1, (None, 1)))),
    ("BatchNorm2d", lambda d: nn.BatchNorm2d(d.channels, affine=d.one(True, False))),
    ("GroupNorm", lambda d: nn.GroupNorm(d.divisor(), d.channels, affine=d.one(True, False))),
    ("InstanceNorm2d", lambda d: nn.InstanceNorm2d(d.channels, affine=d.one(True, False), track_running_stats=d.one(True, False))),
    ("LayerNorm", lambda d: nn.LayerNorm(d.one(tuple(d.shape[1:]), tuple(d.shape[3:])))),
    ("LastNorm", lambda d: LastNorm(d.channels)),
    ("LastDense", lambda d: LastDense(d.channels, d.one(1, 3))),
    ("LocalResponseNorm", lambda d: nn.LocalResponseNorm(d.one(1, 3, 5), 0.3, 0.75, d.one(1.0, 2.0))),
    ("Upsample", _upsample),
    ("PixelShuffle", lambda d: nn.PixelShuffle(2)),
    ("PixelUnshuffle", lambda d: nn.PixelUnshuffle(2)),
    ("ChannelShuffle", lambda d: nn.ChannelShuffle(d.divisor())),
    ("Attention", lambda d: Attention(d.channels, d.one("linear", "conv"))),
    ("C2f", lambda d: C2f(d.channels)),
    ("Pyramid", lambda d: Pyramid()),
    ("Dropout2d", lambda d: nn.Dropout2d()),
    ("PReLU", lambda d: nn.PReLU(d.channels)),
    ("flatten", lambda d: nn.Flatten()),
    ("mean", lambda d: d.of(lambda x, dims, keep: x.mean(dims, keepdim=keep), ((2, 3), (1,), (2,), (3,), (-1, -2)), (True, False))),
    ("amax", lambda d: d.of(lambda x, dims, keep: x.amax(dims, keepdim=keep), ((2, 3), (1,), (2,)), (True, False))),
    ("softmax", lambda d: d.of(lambda x, dim: x.softmax(dim), (1, 1, 2, 3))),
]  # fmt: skip
CELLS: Table = [
    ("crop", lambda d: d.of(lambda x, a, b: x[:, :, a:, b:-1], (0, 1), (1, 2))),
    ("every second", lambda d: d.of(lambda x, a: x[:, :, a::2, ::2], (0, 1))),
    ("first channels", lambda d: d.of(lambda x, n: x[:, :n], (1, 2))),
    ("one channel", lambda d: d.of(lambda x, n: x[:, n : n + 1 or None], (0, -1))),
    ("chosen channels", lambda d: d.of(lambda x, n: x[:, n], ([1, 0], [0, 0], [-1, 0, 1]))),
    ("flip", lambda d: d.of(lambda x, dims: x.flip(dims), ((2,), (3,), (1,), (2, 3)))),
    ("roll", lambda d: d.of(lambda x, n, dim: x.roll(n, dim), (1, -2), (1, 2, 3))),
    ("transposed", lambda d: lambda x: x.transpose(2, 3)),
    ("rot90", lambda d: lambda x: x.rot90(1, (2, 3))),
    ("repeat", lambda d: d.of(lambda x, n: x.repeat(*n), ((1, 2, 1, 1), (1, 1, 2, 1), (1, 1, 2, 2)))),
    ("repeat_interleave", lambda d: d.of(lambda x, dim: x.repeat_interleave(2, dim), (1, 2, 3))),
    ("glu", lambda d: d.of(lambda x, dim: functional.glu(x, dim), (1, 2, 3))),
    ("chunks", lambda d: d.of(lambda x, dim: torch.cat(x.chunk(2, dim)[::-1], dim), (1, 2))),
    ("split", lambda d: lambda x: torch.cat([x[:, :1] * 2, x[:, 1:] if x.shape[1] > 1 else x], 1)),
    ("reshape", lambda d: lambda x: x.reshape(1, -1, x.shape[3], x.shape[2])),
    ("ZeroPad2d", lambda d: nn.ZeroPad2d(tuple(d.one(0, 1, 2) for _ in range(4)))),
    ("ConstantPad2d", lambda d: nn.ConstantPad2d(tuple(d.one(0, 1, 2, -1) for _ in range(4)), 0.5)),
    ("ReflectionPad2d", lambda d: nn.ReflectionPad2d(tuple(d.one(0, 1, 2) for _ in range(4)))),
    ("ReplicationPad2d", lambda d: nn.ReplicationPad2d(tuple(d.one(0, 1, 2) for _ in range(4)))),
    ("CircularPad2d", lambda d: nn.CircularPad2d(tuple(d.one(0, 1, 2) for _ in range(4)))),
    ("unfold blocks", lambda d: lambda x: torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1)),
    ("Coordinates", lambda d: Coordinates(d.shape[2:], d.one(True, False))),
    ("more channels", lambda d: d.of(lambda x, n, m: functional.pad(x, (0, 0, 0, 0, n, m)), (0, 1), (0, 1, 2))),
]  # fmt: skip
VECTOR: Table = [
    ("Linear", lambda d: nn.Linear(d.channels, d.one(1, 3, 8, 12), bias=d.one(True, False))),
    ("Linear", lambda d: nn.Linear(d.channels, d.one(4, 16, 18))),
    ("BatchNorm1d", lambda d: nn.BatchNorm1d(d.channels)),
    ("LayerNorm", lambda d: nn.LayerNorm(d.channels, elementwise_affine=d.one(True, False))),
    ("softmax", lambda d: nn.Softmax(1)),
    ("log_softmax", lambda d: nn.LogSoftmax(-1)),
    ("unflatten", lambda d: nn.Unflatten(1, (d.divisor(), -1, 1))),
    ("unflatten", lambda d: lambda x: x.view(1, -1, 2, 2)),
    ("vector slice", lambda d: lambda x: x[:, 1:-1]),
    ("Dropout", lambda d: nn.Dropout()),
]
ROW: Table = [
    ("Conv1d", lambda d: _conv(d, nn.Conv1d, 1)),
    ("ConvTranspose1d", lambda d: _transposed(d, nn.ConvTranspose1d)),
    ("MaxPool1d", lambda d: nn.MaxPool1d(d.one(2, 3), d.one(None, 1), ceil_mode=d.one(False, True))),
    ("AvgPool1d", lambda d: nn.AvgPool1d(d.one(2, 3), d.one(None, 1), d.one(0, 1))),
    ("AdaptiveAvgPool1d", lambda d: nn.AdaptiveAvgPool1d(1)),
    ("BatchNorm1d", lambda d: nn.BatchNorm1d(d.channels)),
    ("Upsample", lambda d: nn.Upsample(scale_factor=2, mode=d.one("nearest", "linear"))),
    ("Linear", lambda d: nn.Linear(d.shape[2], d.one(2, 5))),
    ("transposed", lambda d: lambda x: x.transpose(1, 2)),
    ("unsqueeze", lambda d: d.of(lambda x, dim: x.unsqueeze(dim), (1, 2, 3))),
    ("flatten", lambda d: nn.Flatten()),
    ("ConstantPad1d", lambda d: nn.ConstantPad1d(d.pair(0, 2), 0.5)),
    ("row slice", lambda d: lambda x: x[:, :, 1:]),
]
VOLUME: Table = [
    ("Conv3d", lambda d: _conv(d, nn.Conv3d, 3)),
    ("Conv3d", lambda d: _conv(d, nn.Conv3d, 3)),
    ("BatchNorm3d", lambda d: nn.BatchNorm3d(d.channels)),
    ("MaxPool3d", lambda d: nn.MaxPool3d((d.one(1, 2), 2, 2))),
    ("AvgPool3d", lambda d: nn.AvgPool3d((d.one(1, 2), 2, 2))),
    ("AdaptiveAvgPool3d", lambda d: nn.AdaptiveAvgPool3d(1)),
    ("flatten", lambda d: nn.Flatten()),
    ("as maps", lambda d: lambda x: x.flatten(1, 2)),
    ("one depth", lambda d: lambda x: x[:, :, 0]),
]
ANY: Table = [
    ("relu", lambda d: nn.ReLU()),
    ("ReLU6", lambda d: nn.ReLU6()),
    ("LeakyReLU", lambda d: nn.LeakyReLU(d.one(0.01, 0.2))),
    ("PReLU", lambda d: nn.PReLU()),
    ("ELU", lambda d: nn.ELU(d.one(1.0, 0.5))),
    ("CELU", lambda d: nn.CELU(d.one(1.0, 0.5))),
    ("SELU", lambda d: nn.SELU()),
    ("GELU", lambda d: nn.GELU(d.one("none", "tanh"))),
    ("SiLU", lambda d: nn.SiLU()),
    ("Mish", lambda d: nn.Mish()),
    ("Hardswish", lambda d: nn.Hardswish()),
    ("Hardsigmoid", lambda d: nn.Hardsigmoid()),
    ("Hardtanh", lambda d: nn.Hardtanh(d.one(-1.0, 0.0), d.one(1.0, 0.5))),
    ("sigmoid", lambda d: torch.sigmoid),
    ("tanh", lambda d: torch.tanh),
    ("Softplus", lambda d: nn.Softplus(d.one(1.0, 2.0))),
    ("softsign", lambda d: nn.Softsign()),
    ("LogSigmoid", lambda d: nn.LogSigmoid()),
    ("Threshold", lambda d: nn.Threshold(d.one(0.1, -0.2), d.one(0.0, 1.0))),
    ("Hardshrink", lambda d: nn.Hardshrink(0.3)),
    ("Softshrink", lambda d: nn.Softshrink(0.3)),
    ("Tanhshrink", lambda d: nn.Tanhshrink()),
    ("clamp", lambda d: d.of(lambda x, low, high: x.clamp(low, high), (-0.5, None), (0.5, 1.5))),
    ("where", lambda d: d.of(lambda x, level, other: torch.where(x > level, x, x * other), (0.0, 0.2), (0.0, 0.1))),
    ("x * sigmoid(1.7 x)", lambda d: lambda x: x * torch.sigmoid(1.702 * x)),
    ("x * relu(x)", lambda d: lambda x: x * torch.relu(x)),
    ("x * tanh(x)", lambda d: lambda x: x * torch.tanh(x)),
    ("x * hardsigmoid(x)", lambda d: lambda x: x * functional.hardsigmoid(x)),
    ("2 x - 1", lambda d: lambda x: 2 * x - 1),
    ("1 - x", lambda d: lambda x: 1 - x),
    ("-x", lambda d: lambda x: -x),
    ("(x - 0.4) / 0.3", lambda d: lambda x: (x - 0.4) / 0.3),
    ("learned", _learned),
    ("identity", lambda d: nn.Identity()),
]  # fmt: skip
