"""Write MobileNetV2 as a network file, its layers called as torchvision calls them.

Run:  python samples/mobilenet.py > samples/mobilenet-v2.toml
With torchvision's own weights:  python samples/mobilenet.py --weights mobilenet_v2.safetensors > mobilenet-v2.toml
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from sheetcnn.model.network_file import network_toml

# How many times the channels a block works with, its channels, how often, and the stride of the first: arXiv 1801.04381, table 2.
BLOCKS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
ABOUT = (
    "MobileNetV2 (Sandler and others, 2018) as torchvision has it: 17 blocks, each of which makes six times as many maps, "
    "gives each a 3×3 kernel of its own, and makes few maps of them again, to which it adds what came in."
)


def channels(count: float) -> int:
    """A number of channels, a multiple of 8, and not much smaller than asked for."""
    found = max(8, int(count + 4) // 8 * 8)
    return found + 8 if found < 0.9 * count else found


class MobileNet:
    """The layers as they are written one after the other."""

    def __init__(self, size: int = 224, width: float = 1.0, classes: int = 1000, weights: str | None = None) -> None:
        self.layers: list[dict[str, Any]] = []
        self.weights = weights
        now = channels(32 * width)
        self._convolution("features.0", now, 3, stride=2)
        number = 0
        for times, wanted, count, stride in BLOCKS:
            for n in range(count):
                number += 1
                now = self._block(f"features.{number}", now, times, channels(wanted * width), stride if n == 0 else 1)
        self._convolution(f"features.{number + 1}", channels(1280 * max(1.0, width)), 1)
        self._add("global_avg_pool2d", "avgpool")
        self._add("flatten", "flatten")
        self._add("linear", "classifier.1", own=True, out_features=classes)
        self._add("softmax", "softmax")
        self.network: dict[str, Any] = {"name": "MobileNetV2", "about": ABOUT}
        self.network |= {} if weights is None else {"weights": weights}
        self.network["input"] = {
            "channels": 3, "height": size, "width": size, "scale": 255, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
            "fit": "cover",
        }  # fmt: skip
        self.network["layers"] = self.layers

    def _add(self, kind: str, name: str, own: bool = False, **settings: Any) -> str:
        """A layer, which has weights of its `own` or none; returns what it is called."""
        layer = {"type": kind, "name": name.replace(".", "_")}
        given = {"weights_prefix": name} if own and self.weights is not None else {}
        self.layers.append(layer | given | settings)
        return layer["name"]

    def _normalised(self, conv: str, norm: str, out: int, kernel: int, activated: bool = True, **settings: Any) -> str:
        """A convolution without a bias, batch norm, and perhaps ReLU6."""
        padding = {"padding": kernel // 2} if kernel > 1 else {}
        self._add("conv2d", conv, own=True, out_channels=out, kernel_size=kernel, **padding, **settings, bias=False)
        return self._add("batch_norm2d", norm, own=True, **({"activation": "relu6"} if activated else {}))

    def _convolution(self, name: str, out: int, kernel: int, **settings: Any) -> str:
        return self._normalised(f"{name}.0", f"{name}.1", out, kernel, **settings)

    def _block(self, name: str, before: int, times: int, out: int, stride: int) -> int:
        """An inverted residual: wide by a 1×1, each map by itself, and narrow again without an activation."""
        read = self.layers[-1]["name"]
        inside, part = before * times, 0
        if times > 1:
            self._convolution(f"{name}.conv.0", inside, 1)
            part = 1
        more: dict[str, Any] = {"stride": stride} if stride > 1 else {}
        self._convolution(f"{name}.conv.{part}", inside, 3, groups=inside, **more)
        last = self._normalised(f"{name}.conv.{part + 1}", f"{name}.conv.{part + 2}", out, 1, activated=False)
        if stride == 1 and before == out:
            self._add("add", f"{name}.add", input=[read, last])
        return out


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=224, help="rows and columns of the picture")
    parser.add_argument("--width", type=float, default=1.0, help="how many times the channels")
    parser.add_argument("--weights", help="a file of weights with torchvision's names, .npz or .safetensors")
    options = parser.parse_args()
    text = network_toml(MobileNet(options.size, options.width, weights=options.weights).network)
    sys.stdout.buffer.write(text.encode())
