"""Small PyTorch models of many kinds, with seeded weights and running statistics as if trained."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


class Residual(nn.Module):
    """Two blocks, the second with a strided shortcut; batch norm comes first in each and so cannot be folded."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.norm1, self.conv1 = nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(4), nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False)
        self.shortcut, self.fc = nn.Conv2d(4, 6, 1, stride=2), nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        x = x + self.conv1(torch.relu(self.norm1(x)))
        x = self.shortcut(x) + self.conv2(torch.relu(self.norm2(x)))
        return torch.softmax(self.fc(x.mean((2, 3))), 1)


class Inception(nn.Module):
    """Four branches in one stack."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 2, 1), nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(), nn.Conv2d(2, 3, 3, padding=1))
        self.c, self.d = nn.Conv2d(3, 2, 5, padding=2), nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(3, 2, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(torch.cat([self.a(x), self.b(x), self.c(x), self.d(x)], 1))


class SqueezeExcite(nn.Module):
    """Means of maps become factors of maps, through vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.down, self.up = nn.Conv2d(1, 4, 3), nn.Linear(4, 2), nn.Linear(2, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        factors = torch.sigmoid(self.up(torch.relu(self.down(x.mean((2, 3))))))
        return x * factors.view(-1, 4, 1, 1)


class UNet(nn.Module):
    """Down, up again by a transposed convolution, and a skip connection."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.deep = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 4, 3, padding=1)
        self.up, self.last = nn.ConvTranspose2d(4, 2, 2, stride=2), nn.Conv2d(4, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skip = torch.relu(self.down(x))
        up = self.up(torch.relu(self.deep(nn.functional.max_pool2d(skip, 2))))
        return torch.sigmoid(self.last(torch.cat([skip, up], 1)))


class Decoder(nn.Module):
    """A picture through a vector of four numbers and back to maps."""

    def __init__(self) -> None:
        super().__init__()
        self.encode, self.widen = nn.Linear(36, 4), nn.Linear(4, 18)
        self.up = nn.ConvTranspose2d(2, 1, 3, stride=2, padding=1, output_padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.up(self.widen(torch.tanh(self.encode(x.flatten(1)))).unflatten(1, (2, 3, 3))))


class Shuffle(nn.Module):
    """Channels dealt out, and maps interleaved."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        dealt = self.conv(x).view(-1, 4, 2, 4, 4).transpose(1, 2).reshape(-1, 8, 4, 4)  # as ShuffleNet's code has it
        return nn.functional.pixel_shuffle(dealt, 2)


def depthwise(channels: int, filters: int, stride: int = 1) -> list[nn.Module]:
    """A depthwise separable convolution as MobileNet has it."""
    return [
        nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU6(),
        nn.Conv2d(channels, filters, 1, bias=False),
        nn.BatchNorm2d(filters),
        nn.Hardswish(),
    ]


def dense(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers)


# By name: how to make the model, and the shape of its input.
MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, int, int]]] = {
    "plain": (
        lambda: dense(nn.Conv2d(1, 3, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(48, 5), nn.LogSoftmax(1)),
        (1, 8, 8),
    ),
    "residual, batch norm kept": (Residual, (1, 8, 8)),
    "inception": (Inception, (3, 6, 6)),
    "depthwise separable": (lambda: dense(*depthwise(3, 4), *depthwise(4, 5, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten()), (3, 8, 8)),
    "squeeze and excite": (SqueezeExcite, (1, 7, 7)),
    "dilated": (lambda: dense(nn.Conv2d(1, 2, 3, dilation=2), nn.PReLU(2), nn.Conv2d(2, 2, 3, padding=3, dilation=3), nn.ELU()), (1, 9, 9)),
    "transposed": (UNet, (1, 8, 8)),
    "through a vector": (Decoder, (1, 6, 6)),
    "batch norm folded": (lambda: dense(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.LeakyReLU(0.1), nn.AvgPool2d(2, padding=1)), (1, 8, 8)),
    "odd sizes": (
        lambda: dense(nn.ZeroPad2d((1, 2, 0, 1)), nn.Conv2d(1, 2, (2, 3), stride=(1, 2)), nn.Softplus(), nn.MaxPool2d((3, 2), (2, 1), ceil_mode=True)),
        (1, 7, 11),
    ),
    "strided": (lambda: dense(nn.Conv2d(3, 4, 3, 2, 1), nn.SiLU(), nn.Conv2d(4, 4, 3, 2, 1), nn.SiLU(), nn.Flatten(), nn.Linear(16, 2)), (3, 8, 8)),
    "group norm, smooth activations": (
        lambda: dense(nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.GELU(), nn.Conv2d(4, 2, 1), nn.InstanceNorm2d(2, affine=True), nn.Mish(),
                      nn.Hardsigmoid(), nn.GELU("tanh"), nn.Upsample(scale_factor=2, mode="bilinear"), nn.ReflectionPad2d(1)),
        (1, 6, 6),
    ),
    "shuffles": (Shuffle, (1, 4, 4)),
}  # fmt: skip


def model(name: str) -> nn.Module:
    """A model in inference, with numbers that no initialisation gives."""
    torch.manual_seed(sum(name.encode()))
    made = MODELS[name][0]().eval()
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d | nn.GroupNorm | nn.InstanceNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return made
