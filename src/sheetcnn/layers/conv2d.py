"""Convolution, as CNNs do it and as they do not; longer than others for the examples of all these ways."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import ConfigDict, model_validator

from ..arrays.array import Array, Margin, Shape
from ..arrays.grid import Grids, span
from ..arrays.kernels import KERNELS
from ..plain import near
from .activation import Activated, Elementwise
from .backward import Local, T, laid_back, laid_whole, margin_back, stamped, turned_back, turned_kernels
from .base import Layer, OnnxGraph, counted, example
from .reduction import Reduction
from .settings import Count, Flag
from .sliding import Sliding, correlated, group_of, group_words, kernel_factors, pair

WIDE = 16  # beyond so many channels kernels stand one below the other: a term for each would make formulas too long
FEW, MOST_TERMS = 8, 1_000_000  # beyond so many channels too, where the formulas of a layer would have so many terms in all


def _kernels_say_sizes(schema: dict[str, Any]) -> None:
    """Classic kernels by name, in the JSON schema: where they are given, no other setting must be."""
    one = next(part for part in schema["properties"]["kernels"]["anyOf"] if part["type"] == "array")
    one["items"] = {"enum": list(KERNELS)}
    schema["anyOf"] = [{"required": schema.pop("required")}, {"required": ["kernels"]}]


class Conv2d(Activated, Sliding):
    """Each filter lays one kernel per input channel on the window and sums everything into one map.

    Weights are (out_channels, in_channels / groups, kernel rows, kernel columns). Source: torch.nn.Conv2d.
    """

    model_config = ConfigDict(json_schema_extra=_kernels_say_sizes)

    type: ClassVar[str] = "conv2d"
    family: ClassVar[str] = "convolution"
    classic_kernels: ClassVar[bool] = True
    about: ClassVar[str] = "each filter: one kernel per input channel, all products summed into one map"
    words: ClassVar[str] = "map = bias + Σ over channels of (kernel * channel)"
    examples: ClassVar = (
        example(
            [[[1, 2, 0], [0, 1, 3], [2, 1, 1]]],
            [[[2, 5], [1, 2]]],
            out_channels=1,
            kernel_size=2,
            bias=False,
            parameters={"weight": [[[[1, 0], [0, 1]]]]},
        ),
        example(  # two channels are summed, the bias is added once, and only then ReLU: 4 − 9 + 3 = −2 becomes 0
            [[[1, 4]], [[2, 9]]],
            [[[2, 0]], [[0, 6]]],
            out_channels=2,
            kernel_size=1,
            activation="relu",
            parameters={"weight": [[[[1]], [[-1]]], [[[2]], [[0]]]], "bias": [3, -2]},
        ),
        example(
            [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]],
            [[[12, 16], [24, 28]]],
            out_channels=1,
            kernel_size=2,
            stride=1,
            parameters={"weight": [[[[1, 1], [1, 1]]]], "bias": [0]},
        ),
        example(
            [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]],
            [[[1, 5], [11, 28]]],
            out_channels=1,
            kernel_size=2,
            stride=2,
            padding=[1, 1, 0, 0],
            bias=False,
            parameters={"weight": [[[[1, 1], [1, 1]]]]},
        ),
        example(
            [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]],
            [[[20]]],
            out_channels=1,
            kernel_size=2,
            dilation=2,
            bias=False,
            parameters={"weight": [[[[1, 1], [1, 1]]]]},
        ),
        example(  # every second row, and columns one apart: strides and dilations of rows and columns differ
            [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]],
            [[[1, 2, 3], [7, 8, 9]]],
            out_channels=1,
            kernel_size=1,
            stride=[2, 1],
            bias=False,
            parameters={"weight": [[[[1]]]]},
        ),
        example(
            [[[1, 2, 3], [4, 5, 6], [7, 8, 9]]],
            [[[18, 22]]],
            out_channels=1,
            kernel_size=2,
            dilation=[2, 1],
            bias=False,
            parameters={"weight": [[[[1, 1], [1, 1]]]]},
        ),
        example(  # the readings that are not CNNs': one kernel for all channels, 2·(1 + 10) + 1 and 2·(−4 + 3) + 1
            [[[1, -4]], [[10, 3]]],
            [[[23, -1]]],
            out_channels=1,
            kernel_size=1,
            channel_mix="shared",
            parameters={"weight": [[[[2]]]], "bias": [1]},
        ),
        example(  # every filter on every channel by itself: two filters on two channels make four maps
            [[[1, -4]], [[10, 3]]],
            [[[2, -8]], [[20, 6]], [[-1, 4]], [[-10, -3]]],
            out_channels=2,
            kernel_size=1,
            channel_mix="separate",
            bias=False,
            parameters={"weight": [[[[2]]], [[[-1]]]]},
        ),
        example(  # averaged instead of summed: (2·1 + 3·10) / 2 + 1
            [[[1, -4]], [[10, 3]]],
            [[[17, 1.5]]],
            out_channels=1,
            kernel_size=1,
            channel_mix="mean",
            parameters={"weight": [[[[2]], [[3]]]], "bias": [1]},
        ),
        example(  # ReLU on each channel before the sum: 0 + 9 − 5, where the right order gives relu(−8 + 9 − 5) = 0
            [[[-4]], [[3]]],
            [[[4]]],
            out_channels=1,
            kernel_size=1,
            activation="relu",
            activation_scope="channel",
            parameters={"weight": [[[[2]], [[3]]]], "bias": [-5]},
        ),
        example(  # ReLU on the sum before the bias: relu(−8 + 9) − 5 and relu(8 − 9) − 5, where ReLU never gives less than 0
            [[[-4, 4]], [[3, -3]]],
            [[[-4, -5]]],
            out_channels=1,
            kernel_size=1,
            activation="relu",
            activation_scope="sum",
            parameters={"weight": [[[[2]], [[3]]]], "bias": [-5]},
        ),
        example(  # both: the mean of relu(−8) and relu(9), then the bias
            [[[-4]], [[3]]],
            [[[5]]],
            out_channels=1,
            kernel_size=1,
            activation="relu",
            activation_scope="channel",
            channel_mix="mean",
            parameters={"weight": [[[[2]], [[3]]]], "bias": [0.5]},
        ),
        example(  # two groups: the second filter never sees the first channel
            [[[1, 2]], [[3, 4]]],
            [[[10, 20]], [[300, 400]]],
            out_channels=2,
            kernel_size=1,
            groups=2,
            bias=False,
            parameters={"weight": [[[[10]]], [[[100]]]]},
        ),
    )

    out_channels: Count
    groups: Count = 1
    bias: Flag = True
    channel_mix: Literal["sum", "shared", "separate", "mean"] = "sum"
    activation_scope: Literal["map", "channel", "sum"] = "map"
    kernels: tuple[str, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _count_kernels(cls, settings: Any) -> Any:
        if isinstance(settings, dict) and isinstance(settings.get("kernels"), list):
            return {"out_channels": len(settings["kernels"]), "kernel_size": 3} | settings
        return settings

    @model_validator(mode="after")
    def _kernels_exist(self) -> "Conv2d":
        if self.kernels is None:
            return self
        for name in self.kernels:
            if name not in KERNELS:
                raise ValueError(f"kernels: unknown kernel {name!r}{near(name, KERNELS)}; there are {', '.join(KERNELS)}")
        if len(self.kernels) != self.out_channels:
            raise ValueError(
                f"kernels names {len(self.kernels)} kernels, out_channels is {self.out_channels}; one per filter"
            )
        if any(size < 3 or size % 2 == 0 for size in self.kernel_size):
            raise ValueError(f"classic kernels are 3×3; kernel_size {pair(self.kernel_size)} cannot hold one in its middle")
        return self

    def check(self, shape: Shape) -> None:
        if shape[0] % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"groups (={self.groups}) must divide the {shape[0]} input channels and out_channels (={self.out_channels})"
            )
        if self.channel_mix != "sum" and self.groups > 1:
            raise ValueError(f'channel_mix "{self.channel_mix}" goes with groups 1, not {self.groups}')
        if self.activation_scope != "map" and (self.activation is None or not self.activation.cellwise):
            raise ValueError(
                f'activation_scope "{self.activation_scope}" needs an activation that acts cell by cell, such as "relu"'
            )
        if self.activation_scope == "channel" and self.channel_mix == "separate":
            raise ValueError('activation_scope "channel" means nothing where channels stay separate; leave one of them out')
        if self.activation_scope == "sum" and not (self.bias and self.channel_mix in ("sum", "shared")):
            raise ValueError('activation_scope "sum" needs a bias and a sum over the channels; leave one of them out')
        super().check(shape)

    @property
    def classic(self) -> tuple[str, ...] | None:
        return self.kernels

    @property
    def final(self) -> Layer | None:
        return self.activation if self.activation_scope == "map" else None

    def formula_words(self) -> str:
        one = {"sum": "kernel", "mean": "kernel"}.get(self.channel_mix, "the filter's one kernel")
        bias = "bias + " if self.bias else ""
        if self.channel_mix == "separate":
            return f"map of a filter and a channel = {bias}{one} * channel"
        part = f"({one} * channel)"
        if self.activation_scope == "channel" and self.activation is not None:
            part = f"{self.activation.type}({one} * channel)"
        together = f"{'mean' if self.channel_mix == 'mean' else 'Σ'} over {group_words(self.groups)} {part}"
        if self.activation_scope == "sum" and self.activation is not None:
            together = f"{self.activation.type}({together})"
        return f"map = {bias}{together}"

    def warning(self) -> str:
        wrong = {
            "shared": "a filter has a kernel of its own for each channel, not one for all",
            "separate": "a filter sums over all channels and makes one map, not one for each channel",
            "mean": "what a filter finds in the channels is summed, not averaged",
        }
        words = [wrong[self.channel_mix]] if self.channel_mix in wrong else []
        if self.activation_scope == "channel":
            words.append("the activation acts once, after the sum over the channels, not on each channel before it")
        if self.activation_scope == "sum":
            words.append("the bias is added before the activation, not after it")
        return f"This is not how CNNs do it: {'; '.join(words)}." if words else ""

    def parameters(self, shape: Shape) -> dict[str, Shape]:
        channels = 1 if self.channel_mix in ("shared", "separate") else shape[0] // self.groups
        weight = (self.out_channels, channels, *self.kernel_size)
        return {"weight": weight} | ({"bias": (self.out_channels,)} if self.bias else {})

    def factor_words(self, key: str, shape: Shape) -> str:
        if key != "weight":
            return super().factor_words(key, shape)
        if self.channel_mix in ("shared", "separate"):
            return kernel_factors(shape, "1 kernel for all channels").removesuffix(" kernel")
        return kernel_factors(shape, counted(shape[1], "channel") + ("" if self.groups == 1 else " each"))

    def output_shape(self, shape: Shape) -> Shape:
        maps = self.out_channels * (shape[0] if self.channel_mix == "separate" else 1)
        return (maps, *self.positions(shape))

    def kernel_spacing(self) -> tuple[int, int]:
        return self.dilation

    def wide(self, shape: Shape) -> bool:
        channels = shape[0] // self.groups
        many = channels > FEW and channels * math.prod(self.output_shape(shape)) > MOST_TERMS
        return (channels > WIDE or many) and self.channel_mix in ("sum", "mean") and self.activation_scope != "channel"

    def channels_of(self, k: int, channels: int) -> slice:
        return group_of(k, self.out_channels, self.groups, channels)

    def steps(self, shape: Shape, detail: str) -> list[Array]:
        needed = detail != "compact" or (
            self.final is None and self.activation is not None and not self.activation.reads_once
        )
        if not needed or self.wide(shape) or self.channel_mix == "separate":
            return []
        size = (self.out_channels, shape[0] // self.groups, *self.positions(shape))
        labels = ("kernel * channel {c}", "channel {c}", "ch {c}", "{c}")
        return [Array("product", size, self._products, self._product_formula, labels=labels, sign="→")]

    def _products(self, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
        """Each window with its kernel, channel by channel: filters × channels × rows × columns."""
        return np.stack(list(self._each_filters_products(x, weight)))

    def _each_filters_products(self, x: np.ndarray, weight: np.ndarray) -> Iterator[np.ndarray]:
        """The same for one filter after the other: all together may be a thousand times what the layer puts out."""
        view = self.window.views(x, 0)
        for k, kernels in enumerate(weight):
            seen = view[self.channels_of(k, len(x))]
            yield np.einsum("cijab,cab->cij", seen, np.broadcast_to(kernels, (len(seen), *self.kernel_size)))

    def _product_formula(self, at: Shape, x: Grids, weight: Grids, bias: Grids | None = None) -> str:
        k, c, i, j = at
        channel = x[self.channels_of(k, len(x))][c]
        kernel = weight[k][c if len(weight[k]) > 1 else 0]
        return f"SUMPRODUCT({channel.window(*self.corner(i, j), *self.reach)},{kernel.area})"

    def forward(self, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
        y = self._mixed(x, weight)
        if self.activation_scope == "sum" and self.activation is not None:
            y = self.activation.forward(y)
        if bias is None:
            return y
        return y + np.repeat(bias, len(y) // len(bias))[:, None, None]

    def _mixed(self, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """What the channels give together, before the bias."""
        if self.activation_scope == "channel" and self.activation is not None:
            each = map(self.activation.forward, self._each_filters_products(x, weight))
            return np.stack([part.mean(axis=0) if self.channel_mix == "mean" else part.sum(axis=0) for part in each])
        if self.channel_mix == "separate":
            return self._products(x, weight).reshape(self.output_shape(x.shape))
        weight = np.broadcast_to(weight, (self.out_channels, len(x) // self.groups, *self.kernel_size))
        view = self.window.views(x, 0)
        y = np.zeros(self.output_shape(x.shape))
        filters = self.out_channels // self.groups
        for g in range(self.groups):
            part = slice(g * filters, (g + 1) * filters)
            y[part] = correlated(view[self.channels_of(g * filters, len(x))], weight[part])
        return y / len(x) if self.channel_mix == "mean" else y

    def formula(self, at: Shape, x: Grids, weight: Grids, bias: Grids | None = None, product: Grids | None = None) -> str:
        k, i, j = at
        channels = x if self.groups == 1 else x[self.channels_of(k, len(x))]
        if self.channel_mix == "separate":
            k, c = divmod(k, len(x))
            channels = [x[c]]
        kernels = weight[k]
        if product is not None:
            terms = [step.at(i, j) for step in product[k]]
        elif len(kernels) > 1 and kernels[0].left == kernels[-1].left:  # a wide layer's, one below the other
            height = kernels[-1].bottom - kernels[0].top + 1
            window = (*self.corner(i, j), height, self.reach[1])
            terms = [f"SUMPRODUCT({channels[0].windows[window]},{span(kernels)})"]
        else:
            window = (*self.corner(i, j), self.reach[0], self.reach[1])
            if len(kernels) < len(channels):
                kernels = kernels * len(channels)
            terms = [f"SUMPRODUCT({c.windows[window]},{w.area})" for c, w in zip(channels, kernels, strict=True)]
        if self.activation_scope == "channel" and self.activation is not None:
            terms = [self.activation.cell(term) for term in terms]
        total = "+".join(terms)
        if self.channel_mix == "mean":
            total = f"({total})/{len(channels)}"
        if self.activation_scope == "sum" and self.activation is not None:
            total = self.activation.cell(total if self.activation.reads_once else f"({total})")
        return total if bias is None else f"{bias[k].area}+{total}"

    def reduction(self, shape: Shape) -> Reduction:
        each = self.activation if self.activation_scope == "channel" else None
        together = self.activation if self.activation_scope == "sum" else None
        own = Reduction("sum", self.window, kernel="weight", term_activation=each, sum_activation=together)
        if self.channel_mix == "separate":
            return replace(own, maps=shape[0], depth=shape[0], levels=(1, 0, 1))
        channels = shape[0] // self.groups
        divisor = channels if self.channel_mix == "mean" else 1
        filters = self.out_channels // self.groups
        return replace(own, terms=channels, filters=filters, group=channels, depth=channels, divisor=divisor)

    def textbook(self, shape: Shape) -> bool:
        return self.groups == 1 and not self.warning() and super().textbook(shape)

    def filter_makes_map(self, shape: Shape) -> bool:
        return self.channel_mix == "sum"

    def mistaken(self, shape: Shape) -> dict[str, Layer]:
        found = super().mistaken(shape)
        if self.textbook(shape) and shape[0] > 1 and self.activation is not None and self.activation.cellwise:
            found["relu_before_sum"] = self.but(activation_scope="channel")
        if self.textbook(shape) and self.bias and self.activation is not None and self.activation.cellwise:
            found["bias_outside_relu"] = self.but(activation_scope="sum")
        return found

    # -- what it passes back ---------------------------------------------------------------------------------------
    def grad_spacing(self) -> tuple[int, int]:
        return self.stride

    def grad_margin(self, shape: Shape) -> Margin:
        return margin_back(self.window, shape)

    def grad_steps(self, shape: Shape) -> list[Array]:
        turned = turned_kernels(self.parameters(shape)["weight"], self.dilation)
        if self.activation_scope != "sum":
            return [turned]
        size, look = self.output_shape(shape), {"grid_axes": 1, "spacing": self.stride, "margin": self.grad_margin(shape)}
        summed = Array("inner", size, self._inner, self._inner_cell, grid_axes=1)
        return [summed, Array("grad_inner", size, self._through, self._through_cell, **look), turned]  # type: ignore[arg-type]

    # With the bias behind the activation, the gradient goes through this before it reaches kernels and inputs.
    def _inner(self, of: Local[np.ndarray]) -> np.ndarray:
        return self.but(activation_scope="map")._mixed(of.xs[0], of.own["weight"])

    def _inner_cell(self, at: Shape, of: Local[Grids]) -> str:
        return self.but(activation_scope="map").formula(at, of.xs[0], of.own["weight"])

    def _through(self, of: Local[np.ndarray]) -> np.ndarray:
        assert isinstance(self.activation, Elementwise)
        x = of.own["inner"]
        return of.grad * self.activation.slope(x, self.activation.forward(x))

    def _through_cell(self, at: Shape, of: Local[Grids]) -> str:
        assert isinstance(self.activation, Elementwise)
        y = f"({of.y[at[0]].at(*at[1:])}-{of.own['bias'][at[0]].area})"  # type: ignore[index]
        return self.activation.through(of.grad[at[0]].at(*at[1:]), of.own["inner"][at[0]].at(*at[1:]), y)

    def _reaching(self, of: Local[T]) -> T:
        """The gradient at the sum over the channels."""
        return of.own.get("grad_inner", of.grad)

    def _readers(self, c: int, channels: int) -> list[tuple[int, int, int]]:
        """For an input channel: the maps that it goes into, each with the filter and its kernel that are laid on it."""
        if self.channel_mix == "separate":
            return [(k * channels + c, k, 0) for k in range(self.out_channels)]
        if self.channel_mix == "shared":
            return [(k, k, 0) for k in range(self.out_channels)]
        seen = ((k, self.channels_of(k, channels)) for k in range(self.out_channels))
        return [(k, k, c - part.start) for k, part in seen if part.start <= c < part.stop]

    def _part(self, channels: int) -> int:
        """What a mean divides by."""
        return channels if self.channel_mix == "mean" else 1

    def grad_input(self, n: int, of: Local[np.ndarray]) -> np.ndarray:
        (x,), weight = of.xs, turned_back(of)
        found = np.zeros(x.shape)
        for c in range(len(x)):
            maps, filters, kernels = (list(part) for part in zip(*self._readers(c, len(x)), strict=True))
            found[c] = stamped(self._reaching(of)[maps], weight[filters, kernels], self.window, x.shape)
        return found / self._part(len(x))

    def grad_input_cell(self, n: int, at: Shape, of: Local[Grids]) -> str:
        c, i, j = at
        channels = len(of.xs[n])
        readers, grad = self._readers(c, channels), self._reaching(of)
        text = laid_back(
            self.window, (i, j), [grad[m] for m, *_ in readers], [of.own["turned"][k][w] for _, k, w in readers]
        )
        return f"({text})/{channels}" if self._part(channels) > 1 else text

    def grad_parameter(self, key: str, of: Local[np.ndarray]) -> np.ndarray:
        if key == "bias":
            return of.grad.reshape(self.out_channels, -1).sum(axis=1)
        (x,), found = of.xs, np.zeros(of.own["weight"].shape)
        view, grad = self.window.views(x, 0), self._reaching(of)
        for c in range(len(x)):
            for m, k, w in self._readers(c, len(x)):
                found[k, w] += np.einsum("ij,ijab->ab", grad[m], view[c])
        return found / self._part(len(x))

    def grad_parameter_cell(self, key: str, at: Shape, of: Local[Grids]) -> str:
        if key == "bias":
            maps = len(of.grad) // self.out_channels
            return "+".join([f"SUM({grid.area})" for grid in of.grad[at[0] * maps : (at[0] + 1) * maps]])
        (k, w, a, b), (x,) = at, of.xs
        if "laid on" not in of.memo:
            laid_on: dict[tuple[int, ...], list[tuple[int, int]]] = {}
            for c in range(len(x)):
                for m, *kernel in self._readers(c, len(x)):
                    laid_on.setdefault(tuple(kernel), []).append((m, c))
            of.memo["laid on"] = laid_on
        grad = self._reaching(of)
        terms = [laid_whole(self.window, (a, b), x[c], grad[m]) for m, c in of.memo["laid on"][k, w]]
        text = "+".join(terms)
        return f"({text})/{len(x)}" if self._part(len(x)) > 1 else text

    def map_words(self, m: int, *shapes: Shape) -> str:
        if self.channel_mix != "separate":
            return ""
        k, c = divmod(m, shapes[0][0])
        return f"filter {k + 1} on map {c + 1}"

    def multiplications(self, shape: Shape) -> int:
        rows, columns = self.positions(shape)
        return self.out_channels * rows * columns * (shape[0] // self.groups) * self.kernel_size[0] * self.kernel_size[1]

    def torch(self, shape: Shape) -> str:
        if self.warning():
            return ""
        more = "" if self.groups == 1 else f", groups={self.groups}"
        more += "" if self.bias else ", bias=False"
        return self.code(f"Conv2d({shape[0]}, {self.out_channels}, ", more)

    def to_onnx(
        self, to: OnnxGraph, name: str, xs: list[str], shapes: tuple[Shape, ...], weight: np.ndarray, **more: np.ndarray
    ) -> str:
        bias = [to.weight("bias", more["bias"])] if "bias" in more else []
        if self.channel_mix == "sum" and self.activation_scope == "map":
            return to.add("Conv", name, *xs, to.weight("weight", weight), *bias, group=self.groups, **self.onnx_window())
        # What CNNs do not do, with a kernel for every filter and channel: each product is a map of its own …
        channels, size = shapes[0][0], shapes[0][0] // self.groups
        kernels = np.broadcast_to(weight, (len(weight), size, *self.kernel_size))
        products = np.zeros((len(weight), size, channels, *self.kernel_size))
        for k, c in np.ndindex(len(weight), size):
            products[k, c, self.channels_of(k, channels).start + c] = kernels[k, c]
        if self.channel_mix == "separate":
            bias = [to.weight("bias", np.repeat(more["bias"], channels))] if "bias" in more else []
            return to.add(
                "Conv",
                name,
                *xs,
                to.weight("weight", products.reshape(-1, *products.shape[2:])),
                *bias,
                **self.onnx_window(),
            )
        part = 1 / size if self.channel_mix == "mean" else 1.0
        if self.activation_scope == "sum":
            y = to.add("Conv", f"{name}_sum", *xs, to.weight("weight", products.sum(axis=1)), **self.onnx_window())
            assert self.activation is not None
            y = self.activation.to_onnx(to, f"{name}_activated", [y], ((len(weight), *self.positions(shapes[0])),))
            return to.add("Add", name, y, to.weight("bias", more["bias"][:, None, None]))
        if self.activation_scope == "map":
            summed = products.sum(axis=1) * part
            return to.add("Conv", name, *xs, to.weight("weight", summed), *bias, **self.onnx_window())
        each = to.weight("weight", products.reshape(-1, *products.shape[2:]))
        y = to.add("Conv", f"{name}_products", *xs, each, **self.onnx_window())
        assert self.activation is not None
        y = self.activation.to_onnx(to, f"{name}_activated", [y], ((len(weight) * size, *self.positions(shapes[0])),))
        # … and a convolution of 1×1 sums those of each filter.
        ones = np.kron(np.eye(len(weight)), np.full((1, size), part))[:, :, None, None]
        return to.add("Conv", name, y, to.weight("summing", ones), *bias)
