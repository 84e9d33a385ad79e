"""The layers, one file each, named after the layer's type. To add one: write its file and name it here."""

from importlib import import_module

from .base import Layer

_NAMES = (
    "conv2d",
    "conv3d",
    "conv_transpose2d",
    "max_pool2d",
    "avg_pool2d",
    "global_max_pool2d",
    "global_avg_pool2d",
    "adaptive_avg_pool2d",
    "batch_norm2d",
    "instance_norm2d",
    "group_norm",
    "lrn",
    "relu",
    "relu6",
    "clip",
    "threshold",
    "leaky_relu",
    "prelu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "softplus",
    "softsign",
    "sigmoid",
    "hard_sigmoid",
    "hard_swish",
    "tanh",
    "softmax",
    "log_softmax",
    "add",
    "subtract",
    "multiply",
    "concat",
    "pad",
    "upsample",
    "pixel_shuffle",
    "channel_shuffle",
    "flatten",
    "unflatten",
    "linear",
    "dropout",
    "identity",
)


def _layer(name: str) -> type[Layer]:
    """The class of a layer's file: the one whose `type` is the file's name."""
    things = vars(import_module(f".{name}", __name__)).values()
    return next(thing for thing in things if isinstance(thing, type) and getattr(thing, "type", None) == name)


LAYERS: dict[str, type[Layer]] = {name: _layer(name) for name in _NAMES}
