"""What the sheets, `summary` and the README say of a layer: formulas, sizes, costs and PyTorch code, each worked out by hand."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from sheetcnn.arrays.array import Shape
from sheetcnn.layers import LAYERS
from sheetcnn.layers.activation import Elementwise
from sheetcnn.layers.base import combined, literal

SUM = "Σ over channels of (kernel * channel)"
ONE = "the filter's one kernel"
NOT_SO = "This is not how CNNs do it: "
SUMMED = "the activation acts once, after the sum over the channels, not on each channel before it."

# type, settings, inputs; formula, size, PyTorch, parameters, multiplications
CASES: list[tuple[str, dict[str, Any], list[Shape], str, str, str, str, int]] = [
    ("conv2d", {"out_channels": 6, "kernel_size": 5, "padding": 2, "activation": "relu"}, [(1, 28, 28)],
     f"map = bias + {SUM}", "(28 − 5 + 2·2)/1 + 1 = 28", "torch.nn.Conv2d(1, 6, 5, padding=2)",
     "6·1·5·5 + 6 = 156", 117_600),
    ("conv2d", {"out_channels": 4, "kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 0, 0, 1], "dilation": [1, 3], "groups": 2,
                "bias": False}, [(6, 9, 8)],
     "map = Σ over the channels of the filter's group (1 of 2) of (kernel * channel)",
     "rows ⌊(9 − 3 + 1 + 0)/2⌋ + 1 = 4, columns (8 − 4 + 0 + 1)/1 + 1 = 6",
     "torch.nn.ZeroPad2d((0, 1, 1, 0)), then torch.nn.Conv2d(6, 4, (3, 2), stride=(2, 1), dilation=(1, 3), groups=2, bias=False)",
     "4·3·3·2 = 72", 1_728),
    ("conv2d", {"out_channels": 2, "kernel_size": 2, "padding": "same"}, [(3, 5, 4)],
     f"map = bias + {SUM}", "rows (5 − 2 + 0 + 1)/1 + 1 = 5, columns (4 − 2 + 0 + 1)/1 + 1 = 4",
     'torch.nn.Conv2d(3, 2, 2, padding="same")', "2·3·2·2 + 2 = 26", 480),
    ("conv2d", {"out_channels": 2, "kernel_size": 2, "padding": "valid"}, [(3, 5, 5)],
     f"map = bias + {SUM}", "(5 − 2)/1 + 1 = 4", "torch.nn.Conv2d(3, 2, 2)", "2·3·2·2 + 2 = 26", 384),
    ("conv2d", {"out_channels": 2, "kernel_size": 1, "channel_mix": "mean"}, [(3, 4, 4)],
     "map = bias + mean over channels of (kernel * channel)", "(4 − 1)/1 + 1 = 4", "", "2·3·1·1 + 2 = 8", 96),
    ("conv2d", {"out_channels": 2, "kernel_size": 1, "channel_mix": "shared", "bias": False}, [(3, 4, 4)],
     f"map = Σ over channels of ({ONE} * channel)", "(4 − 1)/1 + 1 = 4", "", "2·1·1·1 = 2", 96),
    ("conv2d", {"out_channels": 2, "kernel_size": 1, "channel_mix": "separate"}, [(3, 4, 4)],
     f"map of a filter and a channel = bias + {ONE} * channel", "(4 − 1)/1 + 1 = 4", "", "2·1·1·1 + 2 = 4", 96),
    ("conv2d", {"out_channels": 2, "kernel_size": 1, "activation": "tanh", "activation_scope": "channel"}, [(3, 4, 4)],
     "map = bias + Σ over channels of tanh(kernel * channel)", "(4 − 1)/1 + 1 = 4", "", "2·3·1·1 + 2 = 8", 96),
    ("conv3d", {"out_channels": 2, "kernel_size": [2, 3, 3], "in_channels": 2, "stride": [1, 2, 1], "padding": [0, 1, 0],
                "dilation": [2, 1, 1]}, [(8, 7, 6)],
     "map = bias + Σ over the filter's depth of (kernel * map of the stack)",
     "depth (4 − 3)/1 + 1 = 2, rows (7 − 3 + 2·1)/2 + 1 = 4, columns (6 − 3)/1 + 1 = 4",
     "torch.nn.Conv3d(2, 2, (2, 3, 3), stride=(1, 2, 1), padding=(0, 1, 0), dilation=(2, 1, 1))",
     "2·2·2·3·3 + 2 = 74", 2_304),
    ("conv3d", {"out_channels": 2, "kernel_size": [1, 2, 3], "bias": False}, [(3, 5, 5)],
     "map = Σ over the filter's depth of (kernel * map of the stack)",
     "depth (3 − 1)/1 + 1 = 3, rows (5 − 2)/1 + 1 = 4, columns (5 − 3)/1 + 1 = 3",
     "torch.nn.Conv3d(1, 2, (1, 2, 3), bias=False)", "2·1·1·2·3 = 12", 432),
    ("conv3d", {"out_channels": 4, "kernel_size": 2, "in_channels": 2, "groups": 2, "padding": [1, 0, 0, 0, 0, 1]}, [(6, 5, 5)],
     "map = bias + Σ over the filter's depth of (kernel * map of the stack)",
     "depth (3 − 2 + 1 + 0)/1 + 1 = 3, rows (5 − 2)/1 + 1 = 4, columns (5 − 2 + 0 + 1)/1 + 1 = 5", "",
     "4·1·2·2·2 + 4 = 36", 1_920),
    ("conv3d", {"out_channels": 2, "kernel_size": 1, "in_channels": 2, "groups": 2}, [(4, 5, 5)],
     "map = bias + Σ over the filter's depth of (kernel * map of the stack)",
     "depth (2 − 1)/1 + 1 = 2, rows (5 − 1)/1 + 1 = 5, columns (5 − 1)/1 + 1 = 5",
     "torch.nn.Conv3d(2, 2, (1, 1, 1), groups=2)", "2·1·1·1·1 + 2 = 4", 100),
    ("conv_transpose2d", {"out_channels": 4, "kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}, [(2, 5, 5)],
     "map = bias + Σ over channels of (kernel turned by 180° * channel spread out)", "(5 − 1)·2 − 2 + 3 + 1 = 10",
     "torch.nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1)", "4·2·3·3 + 4 = 76", 1_800),
    ("conv_transpose2d", {"out_channels": 4, "kernel_size": [2, 3], "stride": [1, 2], "dilation": [2, 1], "groups": 2, "bias": False},
     [(2, 5, 4)],
     "map = Σ over the channels of the filter's group (1 of 2) of (kernel turned by 180° * channel spread out)",
     "rows (5 − 1)·1 + 3 = 7, columns (4 − 1)·2 + 3 = 9",
     "torch.nn.ConvTranspose2d(2, 4, (2, 3), stride=(1, 2), dilation=(2, 1), groups=2, bias=False)",
     "4·1·2·3 = 24", 480),
    ("conv_transpose2d", {"out_channels": 1, "kernel_size": 2, "padding": [0, 0, 1, 1]}, [(2, 5, 5)],
     "map = bias + Σ over channels of (kernel turned by 180° * channel spread out)", "(5 − 1)·1 − 1 + 2 = 5", "",
     "1·2·2·2 + 1 = 9", 200),
    ("conv_transpose2d", {"out_channels": 1, "kernel_size": 2}, [(1, 2, 2)],
     "map = bias + Σ over channels of (kernel turned by 180° * channel spread out)", "(2 − 1)·1 + 2 = 3",
     "torch.nn.ConvTranspose2d(1, 1, 2)", "1·1·2·2 + 1 = 5", 16),
    ("max_pool2d", {"kernel_size": 2}, [(3, 9, 8)],
     "map = largest cell of the window, each map by itself", "rows ⌊(9 − 2)/2⌋ + 1 = 4, columns (8 − 2)/2 + 1 = 4",
     "torch.nn.MaxPool2d(2)", "none", 0),
    ("max_pool2d", {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2}, [(3, 9, 9)],
     "map = largest cell of the window, each map by itself", "(9 − 5 + 2·1)/2 + 1 = 4",
     "torch.nn.MaxPool2d(3, stride=2, padding=1, dilation=2)", "none", 0),
    ("max_pool2d", {"kernel_size": 2, "ceil_mode": True}, [(3, 9, 9)],
     "map = largest cell of the window, each map by itself", "⌈(9 − 2)/2⌉ + 1 = 5", "torch.nn.MaxPool2d(2, ceil_mode=True)",
     "none", 0),
    ("max_pool2d", {"kernel_size": 3, "padding": [2, 0]}, [(1, 6, 6)],
     "map = largest cell of the window, each map by itself", "rows ⌊(6 − 3 + 2·2)/3⌋ + 1 = 3, columns (6 − 3)/3 + 1 = 2", "",
     "none", 0),
    ("max_pool2d", {"kernel_size": 3, "padding": "same", "stride": 1}, [(1, 6, 6)],
     "map = largest cell of the window, each map by itself", "(6 − 3 + 2·1)/1 + 1 = 6", "torch.nn.MaxPool2d(3, stride=1, padding=1)",
     "none", 0),
    ("max_pool2d", {"kernel_size": 2, "padding": [0, 0, 1, 0], "stride": 3}, [(1, 7, 8)],
     "map = largest cell of the window, each map by itself", "rows (7 − 2 + 0 + 1)/3 + 1 = 3, columns (8 − 2)/3 + 1 = 3",
     "torch.nn.ConstantPad2d((0, 0, 0, 1), -torch.inf), then torch.nn.MaxPool2d(2, stride=3)", "none", 0),
    ("max_pool2d", {"kernel_size": 3, "padding": [0, 0, 0, 2], "stride": 1}, [(1, 5, 5)],
     "map = largest cell of the window, each map by itself", "rows (5 − 3)/1 + 1 = 3, columns (5 − 3 + 0 + 2)/1 + 1 = 5",
     "torch.nn.ConstantPad2d((0, 2, 0, 0), -torch.inf), then torch.nn.MaxPool2d(3, stride=1)", "none", 0),
    ("max_pool2d", {"kernel_size": 2, "padding": [0, 0, 1, 0], "ceil_mode": True}, [(1, 5, 5)],
     "map = largest cell of the window, each map by itself", "rows (5 − 2 + 0 + 1)/2 + 1 = 3, columns ⌈(5 − 2)/2⌉ + 1 = 3", "",
     "none", 0),
    ("max_pool2d", {"kernel_size": [3, 1], "padding": [1, 0], "stride": 1}, [(1, 5, 4)],
     "map = largest cell of the window, each map by itself", "rows (5 − 3 + 2·1)/1 + 1 = 5, columns (4 − 1)/1 + 1 = 4",
     "torch.nn.MaxPool2d((3, 1), stride=1, padding=(1, 0))", "none", 0),
    ("max_pool2d", {"kernel_size": [1, 3], "padding": [0, 2], "stride": 1}, [(1, 5, 4)],
     "map = largest cell of the window, each map by itself", "rows (5 − 1)/1 + 1 = 5, columns (4 − 3 + 2·2)/1 + 1 = 6", "", "none", 0),
    ("avg_pool2d", {"kernel_size": 2, "padding": [1, 0, 0, 0], "stride": 1}, [(1, 4, 5)],
     "map = mean of the window, each map by itself", "rows (4 − 2 + 1 + 0)/1 + 1 = 4, columns (5 − 2)/1 + 1 = 4",
     "torch.nn.ZeroPad2d((0, 0, 1, 0)), then torch.nn.AvgPool2d(2, stride=1)", "none", 0),
    ("avg_pool2d", {"kernel_size": 2, "padding": [1, 0, 0, 0], "stride": 1, "count_include_pad": False}, [(1, 4, 5)],
     "map = mean of the window, each map by itself", "rows (4 − 2 + 1 + 0)/1 + 1 = 4, columns (5 − 2)/1 + 1 = 4", "", "none", 0),
    ("max_pool2d", {"kernel_size": 2, "padding": [1, 0]}, [(1, 4, 4)],
     "map = largest cell of the window, each map by itself", "rows (4 − 2 + 2·1)/2 + 1 = 3, columns (4 − 2)/2 + 1 = 2",
     "torch.nn.MaxPool2d(2, padding=(1, 0))", "none", 0),
    ("max_pool2d", {"kernel_size": 2, "padding": [0, 1]}, [(1, 4, 4)],
     "map = largest cell of the window, each map by itself", "rows (4 − 2)/2 + 1 = 2, columns (4 − 2 + 2·1)/2 + 1 = 3",
     "torch.nn.MaxPool2d(2, padding=(0, 1))", "none", 0),
    ("conv2d", {"out_channels": 1, "kernel_size": 2, "stride": 3, "padding": [1, 0]}, [(1, 8, 8)],
     f"map = bias + {SUM}", "rows ⌊(8 − 2 + 2·1)/3⌋ + 1 = 3, columns (8 − 2)/3 + 1 = 3", "torch.nn.Conv2d(1, 1, 2, stride=3, padding=(1, 0))",
     "1·1·2·2 + 1 = 5", 36),
    ("avg_pool2d", {"kernel_size": [2, 3], "stride": 1, "count_include_pad": False, "padding": [1, 1]}, [(3, 5, 5)],
     "map = mean of the window, each map by itself", "rows (5 − 2 + 2·1)/1 + 1 = 6, columns (5 − 3 + 2·1)/1 + 1 = 5",
     "torch.nn.AvgPool2d((2, 3), stride=1, padding=1, count_include_pad=False)", "none", 0),
    ("global_max_pool2d", {}, [(3, 5, 4)],
     "map = largest of all cells of the map", "", "torch.nn.AdaptiveMaxPool2d(1)", "none", 0),
    ("global_avg_pool2d", {}, [(3, 5, 4)],
     "map = mean of all cells of the map", "", "torch.nn.AdaptiveAvgPool2d(1)", "none", 0),
    ("adaptive_avg_pool2d", {"output_size": [2, 3]}, [(3, 5, 7)],
     "map = mean of the window; windows divide the map evenly", "", "torch.nn.AdaptiveAvgPool2d((2, 3))", "none", 0),
    ("adaptive_avg_pool2d", {"output_size": [4, 1]}, [(3, 5, 7)],
     "map = mean of the window; windows divide the map evenly", "", "torch.nn.AdaptiveAvgPool2d((4, 1))", "none", 0),
    ("batch_norm2d", {}, [(3, 5, 4)],
     "map = (x − running_mean) / √(running_var + eps) · weight + bias", "", "torch.nn.BatchNorm2d(3, eps=1e-05)",
     "3 + 3 = 6", 120),
    ("batch_norm2d", {"affine": False, "eps": 0.1}, [(3, 5, 4)],
     "map = (x − running_mean) / √(running_var + eps)", "", "torch.nn.BatchNorm2d(3, eps=0.1, affine=False)",
     "none", 60),
    ("instance_norm2d", {}, [(3, 5, 4)],
     "map = (x − mean of the map) / √(variance of the map + eps)", "", "torch.nn.InstanceNorm2d(3, eps=1e-05)",
     "none", 60),
    ("instance_norm2d", {"affine": True}, [(3, 5, 4)],
     "map = (x − mean of the map) / √(variance of the map + eps) · weight + bias", "", "torch.nn.InstanceNorm2d(3, eps=1e-05, affine=True)",
     "3 + 3 = 6", 120),
    ("group_norm", {"num_groups": 3}, [(6, 5, 4)],
     "map = (x − mean of the group) / √(variance of the group + eps) · weight + bias", "", "torch.nn.GroupNorm(3, 6, eps=1e-05)",
     "6 + 6 = 12", 240),
    ("group_norm", {"num_groups": 3, "affine": False}, [(6, 5, 4)],
     "map = (x − mean of the group) / √(variance of the group + eps)", "", "torch.nn.GroupNorm(3, 6, eps=1e-05, affine=False)",
     "none", 120),
    ("prelu", {}, [(3, 2, 2)], "out = x where x > 0, else weight · x", "", "torch.nn.PReLU()", "1", 0),
    ("prelu", {"num_parameters": 3}, [(3, 2, 2)],
     "out = x where x > 0, else weight · x", "", "torch.nn.PReLU(3)", "3", 0),
    ("gelu", {"approximate": "tanh"}, [(3,)],
     "out = ½ · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))", "", "torch.nn.GELU(approximate='tanh')", "none", 0),
    ("hard_sigmoid", {}, [(3,)], "out = min(max(0, alpha · x + beta), 1)", "", "torch.nn.Hardsigmoid()", "none", 0),
    ("hard_sigmoid", {"alpha": 0.2}, [(3,)], "out = min(max(0, alpha · x + beta), 1)", "", "", "none", 0),
    ("subtract", {}, [(3, 2, 2), (3, 1, 1)], "map = a − b", "", "a - b", "none", 0),
    ("add", {}, [(3, 2, 2)] * 9, "map = a + b", "", "a + b + c + d + e + f + g + h + x8", "none", 0),
    ("multiply", {}, [(3, 2, 2)] * 3, "map = a · b", "", "a * b * c", "none", 24),
    ("concat", {}, [(3, 2, 2), (4, 2, 2), (1, 2, 2)],
     "maps = those of the first input, then those of the next", "3 + 4 + 1 = 8", "torch.cat((a, b, …), dim=1)", "none", 0),
    ("concat_constant", {"before": 2, "after": 1}, [(3, 4, 5)],
     "maps = constants, those of x, constants", "2 + 3 + 1 = 6",
     "torch.cat((torch.nn.Parameter(torch.zeros(1, 2, 4, 5)), x, torch.nn.Parameter(torch.zeros(1, 1, 4, 5))), dim=1)",
     "3·4·5 = 60", 0),
    ("concat_constant", {"before": 1}, [(3,)],
     "maps = constants, then those of x", "1 + 3 = 4",
     "torch.cat((torch.nn.Parameter(torch.zeros(1, 1)), x), dim=1)", "1", 0),
    ("concat_constant", {"after": 1}, [(3,)],
     "maps = those of x, then constants", "3 + 1 = 4",
     "torch.cat((x, torch.nn.Parameter(torch.zeros(1, 1))), dim=1)", "1", 0),
    ("shrink", {}, [(3,)], "out = x − shift where x > lambd, x + shift where x < −lambd, else 0", "", "torch.nn.Hardshrink(0.5)", "none", 0),
    ("shrink", {"lambd": 0.25, "shift": 0.25}, [(3,)],
     "out = x − shift where x > lambd, x + shift where x < −lambd, else 0", "", "torch.nn.Softshrink(0.25)", "none", 0),
    ("shrink", {"lambd": 0.25, "shift": 0.5}, [(3,)],
     "out = x − shift where x > lambd, x + shift where x < −lambd, else 0", "", "", "none", 0),
    ("upsample", {"scale_factor": 2}, [(3, 4, 5)],
     "map = x enlarged", "rows 4·2 = 8, columns 5·2 = 10", "torch.nn.Upsample(scale_factor=2)", "none", 0),
    ("upsample", {"size": [7, 5], "mode": "bicubic"}, [(3, 4, 5)],
     "map = x enlarged", "rows 4 → 7, columns 5 → 5", "torch.nn.Upsample(size=(7, 5), mode='bicubic')", "none", 0),
    ("upsample", {"scale_factor": [2, 3], "mode": "bilinear", "align_corners": True}, [(3, 4, 5)],
     "map = x enlarged", "rows 4·2 = 8, columns 5·3 = 15", "torch.nn.Upsample(scale_factor=(2, 3), mode='bilinear', align_corners=True)",
     "none", 0),
    ("flatten", {}, [(2, 3, 4)], "out = every cell, map after map, row after row", "2·3·4 = 24", "torch.nn.Flatten()",
     "none", 0),
    ("unflatten", {"size": [2, 3, 4]}, [(24,)], "map = the vector's numbers, map after map, row after row", "2·3·4 = 24",
     "torch.nn.Unflatten(1, (2, 3, 4))", "none", 0),
    ("linear", {"out_features": 5, "activation": "relu"}, [(12,)], "out = bias + Σ weight · input", "", "torch.nn.Linear(12, 5)",
     "5·12 + 5 = 65", 60),
    ("linear", {"out_features": 5, "bias": False}, [(12,)], "out = Σ weight · input", "", "torch.nn.Linear(12, 5, bias=False)",
     "5·12 = 60", 60),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{case[0]}-{n}" for n, case in enumerate(CASES)])
def test_words(case: tuple[Any, ...]) -> None:
    kind, settings, shapes, words, size, torch, parameters, multiplications = case
    layer = LAYERS[kind](**settings)
    layer.accept(*shapes)
    assert layer.formula_words() == words
    assert layer.size_words(*shapes) == size
    assert layer.torch(*shapes) == torch
    assert layer.parameter_words(*shapes) == parameters
    assert layer.multiplications(*shapes) == multiplications


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"type": "conv2d", "out_channels": 6, "kernel_size": 5, "padding": 2}, "kernel size 5, padding 2, out channels 6"),
        (
            {"type": "conv2d", "out_channels": 6, "kernel_size": [3, 5], "stride": [2, 1], "bias": False, "activation": "relu"},
            "kernel size 3×5, stride 2×1, relu, out channels 6, no bias",
        ),
        ({"type": "conv2d", "kernels": ["blur", "emboss"]}, "kernel size 3, out channels 2, kernels blur emboss"),
        ({"type": "conv2d", "out_channels": 1, "kernel_size": 2, "padding": [1, 0, 0, 0]}, "kernel size 2, padding 1 0 0 0, out channels 1"),
        ({"type": "max_pool2d", "kernel_size": 2}, "kernel size 2"),
        ({"type": "max_pool2d", "kernel_size": 3, "stride": 2, "ceil_mode": True}, "kernel size 3, stride 2, ceil mode"),
        ({"type": "add", "activation": {"type": "leaky_relu", "negative_slope": 0.2}}, "leaky_relu (negative slope 0.2)"),
        ({"type": "flatten"}, ""),
        ({"type": "conv2d", "kernels": ["blur", "blur"]}, "kernel size 3, out channels 2, kernels blur blur"),
        ({"type": "conv2d", "out_channels": 1, "kernel_size": 2, "stride": 2}, "kernel size 2, stride 2, out channels 1"),
        ({"type": "max_pool2d", "kernel_size": [2, 3], "stride": [2, 3]}, "kernel size 2×3"),
        ({"type": "max_pool2d", "kernel_size": 2, "stride": 1, "padding": [1, 1, 0, 0]}, "kernel size 2, stride 1, padding 1 1 0 0"),
        ({"type": "avg_pool2d", "kernel_size": 2, "count_include_pad": False}, "kernel size 2, no count include pad"),
        ({"type": "relu"}, ""),
        ({"type": "linear", "out_features": 2, "activation": {"type": "clip", "min_val": 0.0, "max_val": 6.0}},
         "clip (min val 0.0, max val 6.0), out features 2"),
        ({"type": "unflatten", "size": [2, 3, 4]}, "size 2×3×4"),
        ({"type": "unflatten", "size": [2, 2, 2]}, "size 2"),
    ],
)  # fmt: skip
def test_settings_in_words(settings: dict[str, Any], words: str) -> None:
    kind = settings.pop("type")
    assert LAYERS[kind](**settings).setting_words() == words


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ""),
        ({"activation": "relu"}, ""),
        ({"channel_mix": "mean"}, f"{NOT_SO}what a filter finds in the channels is summed, not averaged."),
        ({"channel_mix": "separate"}, f"{NOT_SO}a filter sums over all channels and makes one map, not one for each channel."),
        ({"activation": "relu", "activation_scope": "channel"}, NOT_SO + SUMMED),
        ({"activation": "relu", "activation_scope": "sum"}, f"{NOT_SO}the bias is added before the activation, not after it."),
        ({"channel_mix": "shared", "activation": "relu", "activation_scope": "channel"},
         f"{NOT_SO}a filter has a kernel of its own for each channel, not one for all; {SUMMED}"),
    ],
)  # fmt: skip
def test_warnings(settings: dict[str, Any], words: str) -> None:
    assert LAYERS["conv2d"](out_channels=2, kernel_size=1, **settings).warning() == words


@pytest.mark.parametrize(
    ("kind", "settings", "shape", "fits"),
    [
        ("conv2d", {"out_channels": 1, "kernel_size": 4}, (1, 4, 4), True),
        ("conv2d", {"out_channels": 1, "kernel_size": [4, 5]}, (1, 4, 4), False),
        ("conv2d", {"out_channels": 1, "kernel_size": [5, 4]}, (1, 4, 4), False),
        ("conv2d", {"out_channels": 1, "kernel_size": 3, "dilation": 2, "padding": [1, 0]}, (1, 4, 5), True),
        ("conv2d", {"out_channels": 1, "kernel_size": 3, "dilation": 2, "padding": [0, 1]}, (1, 4, 5), False),
        ("conv2d", {"out_channels": 2, "kernel_size": 1, "groups": 2}, (4, 1, 1), True),
        ("conv2d", {"out_channels": 2, "kernel_size": 1, "groups": 2}, (3, 1, 1), False),
        ("conv2d", {"out_channels": 3, "kernel_size": 1, "groups": 2}, (4, 1, 1), False),
        ("conv2d", {"out_channels": 2, "kernel_size": 1, "groups": 2, "channel_mix": "mean"}, (4, 1, 1), False),
        ("conv2d", {"out_channels": 2, "kernel_size": 1, "activation_scope": "channel"}, (4, 1, 1), False),
        ("conv2d", {"out_channels": 2, "kernel_size": 1, "activation_scope": "channel", "activation": "softmax"}, (4, 1, 1), False),
        ("conv2d", {"out_channels": 2, "kernel_size": 1, "activation_scope": "channel", "activation": "tanh"}, (4, 1, 1), True),
        ("conv2d", {"out_channels": 2, "kernel_size": 1, "activation_scope": "channel", "activation": "tanh", "channel_mix": "separate"},
         (4, 1, 1), False),
        ("conv2d", {"out_channels": 2, "kernel_size": 1, "activation_scope": "sum"}, (4, 1, 1), False),
        ("conv2d", {"out_channels": 2, "kernel_size": 1, "activation_scope": "sum", "activation": "relu"}, (4, 1, 1), True),
        ("conv2d", {"out_channels": 2, "kernel_size": 1, "activation_scope": "sum", "activation": "relu", "bias": False}, (4, 1, 1), False),
        ("conv2d", {"out_channels": 2, "kernel_size": 1, "activation_scope": "sum", "activation": "relu", "channel_mix": "mean"},
         (4, 1, 1), False),
        ("conv_transpose2d", {"out_channels": 2, "kernel_size": 1, "groups": 2}, (3, 1, 1), False),
        ("conv_transpose2d", {"out_channels": 3, "kernel_size": 1, "groups": 2}, (4, 1, 1), False),
        ("conv3d", {"out_channels": 1, "kernel_size": [3, 1, 1]}, (3, 1, 1), True),
        ("conv3d", {"out_channels": 1, "kernel_size": [4, 1, 1]}, (3, 1, 1), False),
        ("conv3d", {"out_channels": 1, "kernel_size": 1, "in_channels": 2}, (3, 1, 1), False),
        ("conv3d", {"out_channels": 2, "kernel_size": 1, "in_channels": 2, "groups": 2}, (2, 1, 1), True),
        ("conv3d", {"out_channels": 1, "kernel_size": 1, "in_channels": 2, "groups": 2}, (2, 1, 1), False),
        ("concat_constant", {}, (3, 1, 1), False),
        ("conv_transpose2d", {"out_channels": 1, "kernel_size": 2, "padding": [1, 0, 0, 0]}, (1, 1, 1), True),
        ("conv_transpose2d", {"out_channels": 1, "kernel_size": 2, "padding": [1, 0, 1, 0]}, (1, 1, 1), False),
        ("conv_transpose2d", {"out_channels": 1, "kernel_size": 2, "padding": [0, 1, 0, 1]}, (1, 1, 1), False),
        ("conv_transpose2d", {"out_channels": 1, "kernel_size": 2, "stride": 2, "output_padding": 1}, (1, 2, 2), True),
        ("conv_transpose2d", {"out_channels": 1, "kernel_size": 2, "stride": 2, "output_padding": 2}, (1, 2, 2), False),
        ("conv_transpose2d", {"out_channels": 1, "kernel_size": 2, "dilation": 3, "output_padding": 2}, (1, 2, 2), True),
        ("max_pool2d", {"kernel_size": [15, 17], "dilation": 2}, (1, 40, 40), True),
        ("max_pool2d", {"kernel_size": 16, "dilation": 2}, (1, 40, 40), False),
        ("max_pool2d", {"kernel_size": 16, "dilation": [1, 2]}, (1, 40, 40), False),
        ("max_pool2d", {"kernel_size": 16}, (1, 40, 40), True),
        ("max_pool2d", {"kernel_size": 2, "padding": 1}, (1, 2, 2), True),
        ("max_pool2d", {"kernel_size": [3, 2]}, (1, 2, 2), False),
        ("max_pool2d", {"kernel_size": [2, 3]}, (1, 2, 2), False),
        ("max_pool2d", {"kernel_size": 2, "padding": 2}, (1, 2, 2), False),
        ("max_pool2d", {"kernel_size": 2, "padding": [0, 0, 0, 2], "stride": 1}, (1, 2, 2), False),
        ("max_pool2d", {"kernel_size": 2, "padding": [0, 0, 2, 0], "stride": 1}, (1, 2, 2), False),
        ("max_pool2d", {"kernel_size": 3, "padding": [1, 1, 2, 2], "dilation": 2, "stride": 1}, (1, 4, 4), True),
        ("max_pool2d", {"kernel_size": 5}, (1, 4, 5), False),
        ("max_pool2d", {"kernel_size": 5, "ceil_mode": True}, (1, 4, 5), True),
        ("max_pool2d", {"kernel_size": [6, 1], "stride": [3, 1], "ceil_mode": True}, (1, 4, 4), True),
        ("max_pool2d", {"kernel_size": [7, 1], "stride": [3, 1], "ceil_mode": True}, (1, 4, 4), False),
        ("clip", {"min_val": 2.0, "max_val": 2.0}, (3,), True),
        ("clip", {"min_val": 2.1, "max_val": 2.0}, (3,), False),
        ("pad", {"padding": 3, "mode": "reflect"}, (1, 4, 4), True),
        ("pad", {"padding": [0, 0, 4, 0], "mode": "reflect"}, (1, 4, 4), False),
        ("pad", {"padding": [0, 4, 0, 0], "mode": "reflect"}, (1, 5, 4), False),
        ("pad", {"padding": [3, 0, 0, 0], "mode": "reflect"}, (1, 4, 9), True),
        ("pad", {"padding": [4, 0, 0, 0], "mode": "reflect"}, (1, 4, 9), False),
        ("softplus", {"beta": 0.5}, (3,), True),
        ("softplus", {"beta": 0.0}, (3,), False),
        ("lrn", {"size": 255}, (2, 1, 1), True),
        ("lrn", {"size": 256}, (2, 1, 1), False),
        ("group_norm", {"num_groups": 2}, (4, 1, 1), True),
        ("group_norm", {"num_groups": 2}, (3, 1, 1), False),
        ("batch_norm2d", {"eps": 0.0}, (4, 1, 1), True),
        ("batch_norm2d", {"eps": -1e-9}, (4, 1, 1), False),
        ("group_norm", {"num_groups": 2, "eps": -1e-9}, (4, 1, 1), False),
        ("prelu", {"num_parameters": 3}, (3, 1, 1), True),
        ("prelu", {"num_parameters": 2}, (3, 1, 1), False),
        ("unflatten", {"size": [2, 2, 2]}, (8,), True),
        ("unflatten", {"size": [2, 2, 2]}, (9,), False),
        ("pixel_shuffle", {"upscale_factor": 2}, (8, 1, 1), True),
        ("pixel_shuffle", {"upscale_factor": 2}, (6, 1, 1), False),
        ("pixel_shuffle", {"upscale_factor": 3}, (9, 1, 1), True),
        ("pixel_shuffle", {"upscale_factor": 3}, (6, 1, 1), False),
        ("channel_shuffle", {"groups": 2}, (3, 1, 1), False),
        ("rearrange", {"channels": [2, -3]}, (3, 1, 1), True),
        ("rearrange", {"channels": [3]}, (3, 1, 1), False),
        ("rearrange", {"channels": -4}, (3, 1, 1), False),
        ("rearrange", {"rows": "3:"}, (1, 4, 1), True),
        ("rearrange", {"rows": "4:"}, (1, 4, 1), False),
        ("rearrange", {"rows": "::0"}, (1, 4, 1), False),
        ("rearrange", {"rows": "1-2"}, (1, 4, 1), False),
        ("rearrange", {"rows": 0}, (4,), False),
        ("rearrange", {"cells": 0}, (4,), True),
        ("rearrange", {"cells": 0}, (4, 1, 1), False),
        ("rearrange", {"pattern": "c h w -> w h c"}, (1, 2, 3), True),
        ("rearrange", {"pattern": "c h w -> w h c"}, (6,), False),
        ("rearrange", {"pattern": "c h w -> w h"}, (1, 2, 3), False),
        ("rearrange", {"pattern": "c h w"}, (1, 2, 3), False),
        ("rearrange", {"pattern": "c (h a) w -> (c a) h w", "sizes": {"a": 2}}, (1, 4, 3), True),
        ("rearrange", {"pattern": "c (h a) w -> (c a) h w", "sizes": {"a": 3}}, (1, 4, 3), False),
        ("rearrange", {"pattern": "c (h a) w -> (c a) h w", "sizes": {"h": 2, "a": 3}}, (1, 4, 3), False),
        ("rearrange", {"pattern": "c (h a) w -> (c a) h w"}, (1, 4, 3), False),
        ("rearrange", {"pattern": "c h w -> c w h", "sizes": {"a": 3}}, (1, 4, 3), False),
        ("rearrange", {"pattern": "1 h w -> h w 1"}, (1, 4, 3), True),
        ("rearrange", {"pattern": "1 h w -> h w 1"}, (2, 4, 3), False),
        ("rearrange", {"pattern": "c h w -> (c h) (w"}, (2, 4, 3), False),
        ("upsample", {"scale_factor": 2, "align_corners": True}, (1, 2, 2), False),
        ("upsample", {"scale_factor": 2, "size": 4}, (1, 2, 2), False),
        ("upsample", {}, (1, 2, 2), False),
        ("upsample", {"size": [1, 7]}, (1, 2, 2), True),
        ("upsample", {"size": 4, "start": [0.0, 0.0]}, (1, 2, 2), False),
    ],
)  # fmt: skip
def test_what_fits(kind: str, settings: dict[str, Any], shape: Shape, fits: bool) -> None:
    """The last that is allowed, and the first that is not."""
    try:
        LAYERS[kind](**settings).accept(shape)
    except ValueError:
        assert not fits
    else:
        assert fits


@pytest.mark.parametrize(
    ("kind", "shapes", "fits"),
    [
        ("concat", [(3, 2, 2), (1, 2, 2)], True),
        ("concat", [(3, 2, 2), (3, 1, 2)], False),
        ("concat", [(3, 2, 2), (3, 2, 1)], False),
        ("concat", [(3,), (4,)], True),
        ("concat", [(3,), (4, 1, 1)], False),
        ("add", [(3, 2, 2), (3, 1, 1)], True),
        ("add", [(3, 2, 2), (1, 2, 1)], True),
        ("add", [(3, 2, 2), (2, 2, 2)], False),
        ("add", [(3, 2, 2)], False),
        ("add", [(2,), (2,)], True),
        ("add", [(2,), (1, 1, 2)], False),
    ],
)
def test_what_fits_together(kind: str, shapes: list[Shape], fits: bool) -> None:
    try:
        LAYERS[kind]().accept(*shapes)
    except ValueError:
        assert not fits
    else:
        assert fits


@pytest.mark.parametrize(
    ("kind", "shapes", "words"),
    [
        ("relu", [(1,), (1,)], "it reads 1 layer, but `input` names 2"),
        ("subtract", [(2,)], "it reads 2 layers, but `input` names 1"),
        ("subtract", [(2,)] * 3, "it reads 2 layers, but `input` names 3"),
        ("add", [(2,)], "it reads at least 2 layers, but `input` names 1"),
        ("add", [(2,)] * 101, "it reads at most 100 layers, but `input` names 101"),
        ("batch_norm2d", [(7,)], "it reads feature maps, but its input is a vector of 7; put it before `flatten`"),
        ("max_pool2d", [(7,)], "it reads feature maps, but its input is a vector of 7; put it before `flatten`"),
        ("unflatten", [(3, 4, 5)], "it reads a vector, but its input is 3×4×5; put a `flatten` layer before it"),
        ("add", [(3, 4, 5), (3, 4, 4)], "inputs of 3×4×5 and 3×4×4 do not fit; they must have one shape, or axes of 1"),
        ("add", [(1,), (1, 1, 1)], "inputs of 1 and 1×1×1 do not fit; they must have one shape, or axes of 1"),
    ],
)
def test_why_it_does_not_fit(kind: str, shapes: list[Shape], words: str) -> None:
    settings = {"max_pool2d": {"kernel_size": 2}, "unflatten": {"size": [3, 4, 5]}}.get(kind, {})
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        LAYERS[kind](**settings).accept(*shapes)


@pytest.mark.parametrize(
    ("kind", "settings", "fits"),
    [
        ("conv2d", {"out_channels": 16_384, "kernel_size": 1}, True),
        ("conv2d", {"out_channels": 16_385, "kernel_size": 1}, False),
        ("conv2d", {"out_channels": 0, "kernel_size": 1}, False),
        ("conv2d", {"out_channels": 1.0, "kernel_size": 1}, False),
        ("conv2d", {"out_channels": True, "kernel_size": 1}, False),
        ("conv2d", {"out_channels": "1", "kernel_size": 1}, False),
        ("conv2d", {"out_channels": 1, "kernel_size": True}, False),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "padding": 16_384}, True),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "padding": 16_385}, False),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "padding": True}, False),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "padding": [1.0, 1]}, False),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "padding": "no"}, False),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "activation": 3}, False),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "activation": {"type": ["relu"]}}, False),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "activation": "conv2d"}, False),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "activation": LAYERS["relu"]()}, True),
        ("conv2d", {"out_channels": 1, "kernel_size": 1, "activation": None}, True),
        ("clip", {"min_val": "0"}, False),
        ("clip", {"min_val": True}, False),
        ("clip", {"min_val": float("inf")}, False),
        ("clip", {"min_val": 1}, True),
    ],
)
def test_what_settings_may_be(kind: str, settings: dict[str, Any], fits: bool) -> None:
    try:
        layer = LAYERS[kind](**settings)
    except ValueError:
        assert not fits
    else:
        assert fits
        with pytest.raises(ValueError, match="frozen"):
            layer.bias = False


@pytest.mark.parametrize(("kind", "names"), [("relu", "none"), ("clip", "min_val, max_val")])
def test_an_activation_has_no_setting_of_that_name(kind: str, names: str) -> None:
    with pytest.raises(ValueError, match=f"{kind} has no setting slope; there are {names} \\["):
        LAYERS["linear"](out_features=1, activation={"type": kind, "slope": 1})


def test_an_activation_may_be_a_layer() -> None:
    relu = LAYERS["relu"]()
    assert LAYERS["linear"](out_features=1, activation=relu).activation is relu


class Own(Elementwise):
    """A layer of somebody's own, of which PyTorch knows nothing."""


def test_layers_that_say_nothing_of_it() -> None:
    """What a layer has that states none of these: no padding, no dilation, no warning, no code, all channels."""
    layer = LAYERS["global_avg_pool2d"]()
    assert layer.margin((3, 2, 2)) == (0, 0, 0, 0)
    assert layer.kernel_spacing() == (1, 1)
    assert layer.channels_of(2, 3) == slice(0, 3)
    assert layer.multiplications((3, 2, 2)) == 0
    assert layer.warning() == ""
    assert not layer.wide((3, 2, 2))
    assert layer.size_words((3, 2, 2)) == ""
    assert Own().torch((3,)) == ""
    array = np.zeros(3)
    assert layer.from_file("weight", array) is layer.to_file("weight", array) is array
    assert not layer.all_initial()


@pytest.mark.parametrize("kind", ["conv2d", "conv_transpose2d"])
def test_channels_of_groups(kind: str) -> None:
    layer = LAYERS[kind](out_channels=4, kernel_size=1, groups=2)
    assert [layer.channels_of(k, 6) for k in range(4)] == [slice(0, 3), slice(0, 3), slice(3, 6), slice(3, 6)]
    alone = LAYERS[kind](out_channels=4, kernel_size=1)
    assert [alone.channels_of(k, 6) for k in range(4)] == [slice(0, 6)] * 4


def test_every_filter_on_every_channel_by_itself_reads_all() -> None:
    """Its maps are out_channels times the channels: none of them is of another group."""
    layer = LAYERS["conv2d"](out_channels=2, kernel_size=1, channel_mix="separate")
    assert [layer.channels_of(k, 3) for k in range(6)] == [slice(0, 3)] * 6


@pytest.mark.parametrize(
    ("settings", "margin"),
    [
        ({"kernel_size": 2, "ceil_mode": True}, (0, 0, 1, 0)),  # rows 5: a third window reaches to row 6
        ({"kernel_size": [1, 4], "stride": [1, 3], "ceil_mode": True}, (0, 0, 0, 1)),  # columns 6: the second to column 7
        ({"kernel_size": 3, "stride": 2, "padding": [1, 0, 0, 1], "ceil_mode": True}, (1, 0, 1, 1)),
        ({"kernel_size": 2, "padding": 1, "stride": 1}, (1, 1, 1, 1)),
        ({"kernel_size": 1, "stride": 3}, (0, 0, 0, 0)),  # what no window reaches
    ],
)
def test_margins(settings: dict[str, Any], margin: tuple[int, ...]) -> None:
    """The padding to draw around maps of 5×6, at their top, left, bottom and right."""
    assert LAYERS["max_pool2d"](**settings).margin((1, 5, 6)) == margin


def test_activations() -> None:
    """All of this family may be part of another layer; those that read x once stand within its formula."""
    activations = [kind for kind, layer in LAYERS.items() if layer.family == "activation"]
    assert {"relu", "prelu", "softmax", "log_softmax"} <= {*activations}
    assert [kind for kind, layer in LAYERS.items() if layer.activates] == activations
    for kind in activations:
        layer = LAYERS[kind]()
        if layer.cellwise:
            assert layer.reads_once == (layer.cell("@").count("@") == 1), kind


def test_functions_of_many_arguments() -> None:
    """Excel takes 255; beyond, groups of 255 come first."""
    texts = [f"A{n}" for n in range(1, 257)]
    assert combined("SUM", texts[:2]) == "SUM(A1,A2)"
    assert combined("SUM", texts[:255]) == f"SUM({','.join(texts[:255])})"
    assert combined("SUM", texts) == f"SUM(SUM({','.join(texts[:255])}),SUM(A256))"


def test_numbers_in_formulas() -> None:
    assert [literal(number) for number in (0.1, 1e-5, 2, -1e300)] == ["0.1", "1E-05", "2.0", "-1E+300"]


@pytest.mark.parametrize(
    ("kind", "settings", "size", "start"),
    [
        # With ceil_mode sizes are rounded up, but a window must begin inside the input, or in its padding above or left of it.
        ("max_pool2d", {"kernel_size": [2, 3], "ceil_mode": True}, (3, 2), (4, 3)),  # ⌈3/2⌉ + 1, ⌈3/3⌉ + 1
        # ⌈2/2⌉ + 1; ⌈4/3⌉ + 1 = 3 would begin at 6, beyond the last column
        ("max_pool2d", {"kernel_size": [3, 2], "stride": [2, 3], "ceil_mode": True}, (2, 2), (2, 3)),
        ("max_pool2d", {"kernel_size": [2, 1], "stride": [3, 4], "ceil_mode": True}, (2, 2), (3, 4)),  # ⌈5/4⌉ + 1 = 3 at 8
        # ⌈4/3⌉ + 1 = 3 would begin at 5, beyond the last row
        ("max_pool2d", {"kernel_size": 2, "stride": [3, 1], "padding": [1, 0, 0, 0], "ceil_mode": True}, (2, 5), (2, 4)),
        ("max_pool2d", {"kernel_size": 2, "stride": [1, 3], "padding": [0, 1, 0, 0], "ceil_mode": True}, (4, 3), (3, 5)),
        ("max_pool2d", {"kernel_size": 2, "padding": [1, 1, 1, 0]}, (3, 3), (3, 3)),
        ("max_pool2d", {"kernel_size": 2, "padding": [0, 0, 1, 0], "ceil_mode": True}, (3, 3), (4, 4)),
        (
            "max_pool2d",
            {"kernel_size": 2, "padding": [0, 0, 0, 1], "ceil_mode": True},
            (3, 3),
            (4, 4),
        ),  # a fourth column would begin at 6
        ("max_pool2d", {"kernel_size": [2, 3], "dilation": [2, 1], "stride": 1}, (3, 4), (2, 3)),
    ],
)
def test_where_windows_begin(kind: str, settings: dict[str, Any], size: Shape, start: Shape) -> None:
    """Rows and columns of the output on maps of 5×6, and where the window of the last cell begins."""
    layer = LAYERS[kind](**settings)
    layer.accept((1, 5, 6))
    assert layer.output_shape((1, 5, 6)) == (1, *size)
    assert layer.corner(size[0] - 1, size[1] - 1) == start


@pytest.mark.parametrize(
    ("settings", "shape", "words"),
    [
        ({"type": "conv2d", "out_channels": 4, "kernel_size": 3}, (3, 9, 9), "4 filters · 3 channels · 3·3 kernel + 4 biases = 112"),
        ({"type": "conv2d", "out_channels": 1, "kernel_size": [1, 2], "bias": False}, (1, 9, 9), "1 filter · 1 channel · 1·2 kernel = 2"),
        ({"type": "conv2d", "out_channels": 6, "kernel_size": 3, "groups": 2}, (4, 9, 9),
         "6 filters · 2 channels each · 3·3 kernel + 6 biases = 114"),
        ({"type": "conv2d", "out_channels": 2, "kernel_size": 3, "channel_mix": "shared"}, (3, 9, 9),
         "2 filters · 1 kernel for all channels · 3·3 + 2 biases = 20"),
        ({"type": "conv2d", "out_channels": 2, "kernel_size": 3, "activation": "prelu"}, (3, 9, 9),
         "2 filters · 3 channels · 3·3 kernel + 2 biases + 1 slope = 57"),
        ({"type": "concat_constant", "before": 2}, (3, 4, 5), "2 maps · 4·5 cells = 40"),
        ({"type": "concat_constant", "before": 1}, (3,), "1 number"),
        ({"type": "conv3d", "out_channels": 1, "kernel_size": [3, 4, 5]}, (6, 9, 9), "1 filter · 1 channel · 3·4·5 kernel + 1 bias = 61"),
        ({"type": "conv_transpose2d", "out_channels": 2, "kernel_size": 2, "stride": 2}, (3, 4, 4),
         "2 filters · 3 channels · 2·2 kernel + 2 biases = 26"),
        ({"type": "linear", "out_features": 10}, (128,), "10 outputs · 128 inputs + 10 biases = 1290"),
        ({"type": "batch_norm2d"}, (3, 2, 2), "3 weights + 3 biases = 6"),
        ({"type": "prelu", "num_parameters": 4}, (4, 2, 2), "4 slopes"),
        ({"type": "relu"}, (4, 2, 2), "none"),
    ],
)  # fmt: skip
def test_factors_of_parameters_are_named(settings: dict[str, Any], shape: tuple[int, ...], words: str) -> None:
    kind = settings.pop("type")
    assert LAYERS[kind](**settings).named_parameter_words(shape) == words


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rows": "::2"}, "map = x: every second row"),
        ({"rows": "1::2", "columns": ":-1"}, "map = x: every second row from 2 on; all columns but the last column"),
        ({"rows": "1:7:3"}, "map = x: every third of rows 2 to 7"),
        ({"channels": [2, 1, 0]}, "map = x: channels 3, 2, 1"),
        ({"channels": 1}, "map = x: channel 2"),
        ({"columns": "::-1"}, "map = x: columns from the last to the first"),
        ({"rows": "2:5", "columns": "1:-1"}, "map = x: rows 3 to 5; columns 2 to the last but one"),
        ({"rows": "3:4"}, "map = x: row 4"),
        ({"rows": ["-2:", ":", ":1"]}, "map = x: the last 2 rows, then all rows, then the first row"),
        ({"rows": [":", ":"]}, "map = x: all rows, then all rows"),
        ({"cells": [4, "2:"]}, "out = x: cell 5, then cells from 3 on"),
        ({"pattern": "a b c -> a c b"}, "map = x: rows and columns swapped"),
        ({"pattern": "c h w -> h w c"}, "map = x: rows as channels, columns as rows, channels as columns"),
        ({"pattern": "c h w -> (h w c)"}, "out = x: one column: the channels of a cell, cell after cell, row after row"),
        (
            {"pattern": "(a b c) h w -> c (h a) (w b)", "sizes": {"a": 2, "b": 3}},
            "map = x: channels as blocks of 2×3 cells, (a b c) h w → c (h a) (w b)",
        ),
        (
            {"channels": 0, "pattern": "c (h a) w -> a h (w c)", "sizes": {"a": 2}},
            "map = x: channel 1, then c (h a) w → a h (w c), a = 2",
        ),
    ],
)
def test_moved_cells_in_words(settings: dict[str, Any], words: str) -> None:
    assert LAYERS["rearrange"](**settings).formula_words() == words


@pytest.mark.parametrize("number", range(len(LAYERS["rearrange"].examples)))
def test_moved_cells_say_where_they_come_from(number: int) -> None:
    """What the inspector shows of a cell is the input's cell that the layer has put there."""
    given = LAYERS["rearrange"].examples[number]
    layer, x, y = LAYERS["rearrange"](**given.settings), np.array(given.x), np.array(given.y)
    found = 0
    for at in np.ndindex(y.shape):
        for channel, row, column in layer.origins(at if y.ndim == 3 else (0, at[0], 0), x.shape):
            found += 1
            assert x[(channel, row, column) if x.ndim == 3 else row] == y[at]
    lists = any(isinstance(value, list) for value in given.settings.values())
    assert found == (0 if lists else y.size)
