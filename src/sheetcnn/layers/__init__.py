"""The layers, one file each. To add one: write its file and name its class here."""

from .avg_pool2d import AvgPool2d
from .base import Layer
from .batch_norm2d import BatchNorm2d
from .conv2d import Conv2d
from .flatten import Flatten
from .global_avg_pool2d import GlobalAvgPool2d
from .leaky_relu import LeakyReLU
from .linear import Linear
from .max_pool2d import MaxPool2d
from .relu import ReLU
from .sigmoid import Sigmoid
from .softmax import Softmax
from .tanh import Tanh

_CLASSES: tuple[type[Layer], ...] = (
    Conv2d,
    MaxPool2d,
    AvgPool2d,
    GlobalAvgPool2d,
    BatchNorm2d,
    ReLU,
    LeakyReLU,
    Sigmoid,
    Tanh,
    Flatten,
    Linear,
    Softmax,
)

LAYERS: dict[str, type[Layer]] = {layer.type: layer for layer in _CLASSES}
