"""The layers, one file each. To add one: write its file and name its class here."""

from .adaptive_avg_pool2d import AdaptiveAvgPool2d
from .add import Add
from .avg_pool2d import AvgPool2d
from .base import Layer
from .batch_norm2d import BatchNorm2d
from .channel_shuffle import ChannelShuffle
from .clip import Clip
from .concat import Concat
from .conv2d import Conv2d
from .conv3d import Conv3d
from .conv_transpose2d import ConvTranspose2d
from .dropout import Dropout
from .elu import ELU
from .flatten import Flatten
from .gelu import GELU
from .global_avg_pool2d import GlobalAvgPool2d
from .global_max_pool2d import GlobalMaxPool2d
from .group_norm import GroupNorm
from .hard_sigmoid import HardSigmoid
from .hard_swish import HardSwish
from .identity import Identity
from .instance_norm2d import InstanceNorm2d
from .leaky_relu import LeakyReLU
from .linear import Linear
from .log_softmax import LogSoftmax
from .lrn import LRN
from .max_pool2d import MaxPool2d
from .mish import Mish
from .multiply import Multiply
from .pad import Pad
from .pixel_shuffle import PixelShuffle
from .prelu import PReLU
from .relu import ReLU
from .relu6 import ReLU6
from .selu import SELU
from .sigmoid import Sigmoid
from .silu import SiLU
from .softmax import Softmax
from .softplus import Softplus
from .softsign import Softsign
from .subtract import Subtract
from .tanh import Tanh
from .upsample import Upsample

_CLASSES: tuple[type[Layer], ...] = (
    Conv2d,
    Conv3d,
    ConvTranspose2d,
    MaxPool2d,
    AvgPool2d,
    GlobalMaxPool2d,
    GlobalAvgPool2d,
    AdaptiveAvgPool2d,
    BatchNorm2d,
    InstanceNorm2d,
    GroupNorm,
    LRN,
    ReLU,
    ReLU6,
    Clip,
    LeakyReLU,
    PReLU,
    ELU,
    SELU,
    GELU,
    SiLU,
    Mish,
    Softplus,
    Softsign,
    Sigmoid,
    HardSigmoid,
    HardSwish,
    Tanh,
    Softmax,
    LogSoftmax,
    Add,
    Subtract,
    Multiply,
    Concat,
    Pad,
    Upsample,
    PixelShuffle,
    ChannelShuffle,
    Flatten,
    Linear,
    Dropout,
    Identity,
)

LAYERS: dict[str, type[Layer]] = {layer.type: layer for layer in _CLASSES}
