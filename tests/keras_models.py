"""Small models of Keras of many kinds, exported by the backend that KERAS_BACKEND names: `python keras_models.py FOLDER`.

Writes, for each model, its .onnx, the picture (.x.npy, channels first) and what Keras makes of it (.y.npy).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Build = Callable[[Any, Any, Any], Any]  # keras, its layers, the input -> the output
MODELS: dict[str, tuple[tuple[int, ...], Build]] = {}


def model(*shape: int) -> Callable[[Build], Build]:
    """Register a model that reads pictures of rows × columns × channels."""

    def register(build: Build) -> Build:
        MODELS[build.__name__] = (shape, build)
        return build

    return register


@model(28, 28, 1)
def mnist_convnet(keras: Any, on: Any, x: Any) -> Any:
    """The one of Keras's documentation."""
    x = on.MaxPooling2D(2)(on.Conv2D(8, 3, activation="relu", name="conv1")(x))
    x = on.MaxPooling2D(2)(on.Conv2D(8, 3, activation="relu", name="conv2")(x))
    return on.Dense(10, activation="softmax", name="answer")(on.Dropout(0.5)(on.Flatten()(x)))


@model(8, 8, 3)
def rgb_classifier(keras: Any, on: Any, x: Any) -> Any:
    x = on.Conv2D(4, 3, padding="same", activation="relu", name="conv1")(on.Rescaling(1 / 255)(x))
    x = on.Conv2D(6, 3, strides=2, padding="same", activation="relu", name="conv2")(x)
    return on.Dense(3, activation="softmax", name="answer")(on.Flatten()(on.AveragePooling2D(2)(x)))


@model(8, 8, 3)
def batch_norm(keras: Any, on: Any, x: Any) -> Any:
    x = on.ReLU()(on.BatchNormalization(name="norm1")(on.Conv2D(4, 3, use_bias=False, name="conv1")(x)))
    return on.Dense(2, name="answer")(on.GlobalAveragePooling2D()(x))


@model(8, 8, 1)
def one_conv(keras: Any, on: Any, x: Any) -> Any:
    return on.Conv2D(2, 3, activation="relu", name="conv1")(x)


@model(8, 8, 3)
def one_conv_rgb(keras: Any, on: Any, x: Any) -> Any:
    return on.Conv2D(3, 3, padding="same", name="conv1")(x)


@model(8, 8, 1)
def autoencoder(keras: Any, on: Any, x: Any) -> Any:
    x = on.MaxPooling2D(2, padding="same")(on.Conv2D(4, 3, activation="relu", padding="same", name="down1")(x))
    x = on.UpSampling2D(2)(on.Conv2D(4, 3, activation="relu", padding="same", name="up1")(x))
    return on.Conv2D(1, 3, activation="sigmoid", padding="same", name="out")(x)


@model(8, 8, 1)
def transposed_autoencoder(keras: Any, on: Any, x: Any) -> Any:
    x = on.Conv2D(4, 3, strides=2, activation="relu", padding="same", name="down1")(x)
    return on.Conv2DTranspose(1, 3, strides=2, activation="sigmoid", padding="same", name="up1")(x)


@model(8, 8, 3)
def unet(keras: Any, on: Any, x: Any) -> Any:
    a = on.Conv2D(3, 3, padding="same", activation="relu", name="a")(x)
    b = on.Conv2D(4, 3, padding="same", activation="relu", name="b")(on.MaxPooling2D()(a))
    c = on.concatenate([a, on.UpSampling2D()(b)])
    return on.Conv2D(2, 1, activation="softmax", name="out")(c)


@model(8, 8, 1)
def unet_transposed(keras: Any, on: Any, x: Any) -> Any:
    a = on.Conv2D(3, 3, padding="same", activation="relu", name="a")(x)
    b = on.Conv2D(4, 3, padding="same", activation="relu", name="b")(on.MaxPooling2D()(a))
    c = on.Concatenate()([a, on.Conv2DTranspose(3, 2, strides=2, name="up")(b)])
    return on.Conv2D(1, 1, activation="sigmoid", name="out")(c)


@model(8, 8, 3)
def separable(keras: Any, on: Any, x: Any) -> Any:
    x = on.SeparableConv2D(4, 3, padding="same", activation="relu", name="sep1")(x)
    x = on.DepthwiseConv2D(3, name="depth1")(x)
    return on.Dense(2, activation="softmax", name="answer")(on.GlobalMaxPooling2D()(x))


@model(8, 8, 3)
def squeeze_and_excite(keras: Any, on: Any, x: Any) -> Any:
    x = on.Conv2D(4, 3, padding="same", activation="relu", name="conv1")(x)
    s = on.Dense(2, activation="relu", name="squeeze")(on.GlobalAveragePooling2D()(x))
    s = on.Reshape((1, 1, 4))(on.Dense(4, activation="sigmoid", name="excite")(s))
    return on.Conv2D(2, 1, name="out")(on.Multiply()([x, s]))


@model(8, 8, 3)
def squeeze_kept(keras: Any, on: Any, x: Any) -> Any:
    """Dense on maps of one cell."""
    x = on.Conv2D(4, 3, padding="same", activation="relu", name="conv1")(x)
    s = on.GlobalAveragePooling2D(keepdims=True)(x)
    s = on.Dense(4, activation="sigmoid", name="excite")(on.Dense(2, activation="relu", name="squeeze")(s))
    return on.Dense(2, name="answer")(on.Flatten()(on.Multiply()([x, s])))


@model(6, 6, 3)
def dense_on_maps(keras: Any, on: Any, x: Any) -> Any:
    x = on.Dense(4, activation="relu", name="mix")(x)
    return on.Dense(2, activation="softmax", name="mix2")(x)


@model(8, 8, 3)
def residual(keras: Any, on: Any, x: Any) -> Any:
    a = on.Conv2D(4, 3, padding="same", activation="relu", name="a")(x)
    b = on.Conv2D(4, 3, padding="same", name="b")(a)
    x = on.Activation("relu")(on.Add()([a, b]))
    return on.Dense(2, name="answer")(on.Flatten()(x))


@model(8, 8, 1)
def two_branches(keras: Any, on: Any, x: Any) -> Any:
    """Two flattens end to end."""
    a = on.Flatten()(on.MaxPooling2D(2)(on.Conv2D(2, 3, name="a")(x)))
    b = on.Flatten()(on.AveragePooling2D(2)(on.Conv2D(3, 5, activation="tanh", name="b")(x)))
    return on.Dense(2, activation="softmax", name="answer")(on.Concatenate()([a, b]))


@model(8, 8, 3)
def inception(keras: Any, on: Any, x: Any) -> Any:
    branches = [on.Conv2D(2, size, padding="same", activation="relu", name=f"b{size}")(x) for size in (1, 3, 5)]
    pooled = on.MaxPooling2D(3, strides=1, padding="same")(x)
    return on.Dense(2, name="answer")(on.GlobalAveragePooling2D()(on.Concatenate()([*branches, pooled])))


@model(16, 1)
def one_dimension(keras: Any, on: Any, x: Any) -> Any:
    x = on.MaxPooling1D(2)(on.Conv1D(3, 3, activation="relu", name="conv1")(x))
    return on.Dense(2, activation="softmax", name="answer")(on.Flatten()(x))


@model(16, 3)
def one_dimension_same(keras: Any, on: Any, x: Any) -> Any:
    x = on.Conv1D(4, 5, padding="same", activation="relu", name="conv1")(x)
    x = on.AveragePooling1D(2)(on.Conv1D(4, 3, strides=2, padding="same", name="conv2")(x))
    return on.Dense(2, name="answer")(on.GlobalAveragePooling1D()(x))


@model(8, 8, 3)
def activations(keras: Any, on: Any, x: Any) -> Any:
    x = on.LeakyReLU(negative_slope=0.1)(on.Conv2D(3, 3, name="conv1")(x))
    x = on.Conv2D(3, 3, activation="swish", padding="same", name="conv2")(x)
    x = on.ELU()(on.Conv2D(3, 3, activation="gelu", padding="same", name="conv3")(x))
    return on.PReLU(shared_axes=[1, 2], name="prelu1")(on.Conv2D(2, 3, activation="softplus", name="conv4")(x))


@model(8, 8, 3)
def padded_and_cropped(keras: Any, on: Any, x: Any) -> Any:
    x = on.Conv2D(2, 3, name="conv1")(on.ZeroPadding2D(((1, 2), (0, 1)))(x))
    return on.Conv2D(2, 3, name="conv2")(on.Cropping2D(((1, 0), (2, 1)))(x))


@model(8, 8, 3)
def normalized(keras: Any, on: Any, x: Any) -> Any:
    norm = on.Normalization(mean=[0.4, 0.5, 0.6], variance=[0.04, 0.05, 0.06])
    return on.Flatten()(on.Conv2D(2, 5, strides=2, name="conv1")(norm(x)))


@model(6, 6, 2)
def layer_norm(keras: Any, on: Any, x: Any) -> Any:
    x = on.LayerNormalization(name="norm1")(on.Conv2D(4, 3, name="conv1")(x))
    return on.Dense(2, name="answer")(on.Flatten()(x))


@model(8, 8, 1)
def permuted(keras: Any, on: Any, x: Any) -> Any:
    x = on.Permute((2, 1, 3))(on.Conv2D(2, 3, name="conv1")(x))
    return on.Dense(2, name="answer")(on.Flatten()(on.Conv2D(2, 3, name="conv2")(x)))


@model(8, 8, 1)
def joined_otherwise(keras: Any, on: Any, x: Any) -> Any:
    a, b = on.Conv2D(2, 3, name="a")(x), on.Conv2D(2, 3, name="b")(x)
    x = on.Concatenate()([on.Maximum()([a, b]), on.Minimum()([a, b]), on.Average()([a, b]), on.Subtract()([a, b])])
    return on.GlobalMaxPooling2D()(x)


@model(28, 28, 1)
def lenet(keras: Any, on: Any, x: Any) -> Any:
    x = on.AveragePooling2D(2)(on.Conv2D(3, 5, padding="same", activation="tanh", name="c1")(x))
    x = on.AveragePooling2D(2)(on.Conv2D(4, 5, activation="tanh", name="c3")(x))
    x = on.Dense(6, activation="tanh", name="f5")(on.Flatten()(x))
    return on.Dense(10, activation="softmax", name="answer")(x)


@model(16, 16, 3)
def vgg(keras: Any, on: Any, x: Any) -> Any:
    for n, filters in enumerate((2, 4), start=1):
        x = on.Conv2D(filters, 3, padding="same", activation="relu", name=f"block{n}_conv1")(x)
        x = on.Conv2D(filters, 3, padding="same", activation="relu", name=f"block{n}_conv2")(x)
        x = on.MaxPooling2D(2, name=f"block{n}_pool")(x)
    return on.Dense(3, activation="softmax", name="answer")(on.Dense(5, activation="relu", name="fc1")(on.Flatten()(x)))


@model(12, 12, 3)
def mobilenet(keras: Any, on: Any, x: Any) -> Any:
    x = on.Conv2D(4, 3, strides=2, padding="same", use_bias=False, name="conv1")(x)
    x = on.ReLU(6.0)(on.BatchNormalization(name="conv1_bn")(x))
    x = on.DepthwiseConv2D(3, padding="same", use_bias=False, name="dw1")(x)
    x = on.ReLU(6.0)(on.BatchNormalization(name="dw1_bn")(x))
    x = on.Conv2D(6, 1, use_bias=False, name="pw1")(x)
    x = on.ReLU(6.0)(on.BatchNormalization(name="pw1_bn")(x))
    return on.Dense(3, activation="softmax", name="answer")(on.GlobalAveragePooling2D()(x))


@model(8, 8, 3)
def resnet(keras: Any, on: Any, x: Any) -> Any:
    """A block whose shortcut is strided too, batch norm before each activation."""
    x = on.ReLU()(on.BatchNormalization(name="stem_bn")(on.Conv2D(4, 3, padding="same", name="stem")(x)))
    a = on.ReLU()(on.BatchNormalization(name="a_bn")(on.Conv2D(6, 3, strides=2, padding="same", name="a")(x)))
    a = on.BatchNormalization(name="b_bn")(on.Conv2D(6, 3, padding="same", name="b")(a))
    x = on.ReLU()(on.Add()([a, on.Conv2D(6, 1, strides=2, name="shortcut")(x)]))
    return on.Dense(2, name="answer")(on.GlobalAveragePooling2D()(x))


@model(8, 8, 3)
def densenet(keras: Any, on: Any, x: Any) -> Any:
    x = on.Conv2D(3, 3, padding="same", name="stem")(x)
    for n in (1, 2):
        y = on.Conv2D(2, 3, padding="same", name=f"conv{n}")(on.ReLU()(on.BatchNormalization(name=f"bn{n}")(x)))
        x = on.Concatenate(name=f"stack{n}")([x, y])
    return on.AveragePooling2D(2)(x)


@model(9, 9, 1)
def dilated(keras: Any, on: Any, x: Any) -> Any:
    x = on.Conv2D(2, 3, dilation_rate=2, activation="relu", name="conv1")(x)
    return on.Conv2D(1, 3, dilation_rate=2, padding="same", activation="sigmoid", name="conv2")(x)


@model(8, 8, 4)
def grouped(keras: Any, on: Any, x: Any) -> Any:
    return on.Conv2D(2, 1, name="conv2")(on.Conv2D(4, 3, groups=2, activation="relu", name="conv1")(x))


@model(7, 11, 1)
def rectangles(keras: Any, on: Any, x: Any) -> Any:
    x = on.Conv2D(3, (2, 5), strides=(1, 2), activation="elu", name="conv1")(x)
    return on.Dense(2, name="answer")(on.Flatten()(on.MaxPooling2D((3, 1), strides=(2, 1), padding="same")(x)))


@model(8, 8, 1)
def upsampled(keras: Any, on: Any, x: Any) -> Any:
    """By lines between cells."""
    x = on.UpSampling2D(2, interpolation="bilinear")(
        on.Conv2D(2, 3, strides=2, padding="same", activation="relu", name="down")(x)
    )
    return on.Conv2D(1, 3, padding="same", name="out")(x)


@model(10, 6, 1)
def resized(keras: Any, on: Any, x: Any) -> Any:
    return on.Conv2D(2, 3, name="conv1")(on.Resizing(5, 9)(x))


@model(6, 6, 1)
def dense_autoencoder(keras: Any, on: Any, x: Any) -> Any:
    x = on.Dense(4, activation="relu", name="code")(on.Flatten()(x))
    return on.Reshape((6, 6, 1))(on.Dense(36, activation="sigmoid", name="picture")(x))


@model(8, 8, 1)
def decoder(keras: Any, on: Any, x: Any) -> Any:
    """Through a vector and up again."""
    x = on.Dense(8, activation="relu", name="widen")(on.Dense(3, name="code")(on.Flatten()(x)))
    x = on.Conv2DTranspose(3, 3, strides=2, padding="same", activation="relu", name="up1")(on.Reshape((2, 2, 2))(x))
    return on.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid", name="up2")(x)


@model(16, 2)
def one_dimension_deep(keras: Any, on: Any, x: Any) -> Any:
    x = on.MaxPooling1D(2)(on.Conv1D(4, 3, padding="same", activation="relu", name="conv1")(x))
    x = on.BatchNormalization(name="bn1")(on.Conv1D(3, 3, dilation_rate=2, activation="relu", name="conv2")(x))
    return on.Dense(2, activation="softmax", name="answer")(on.GlobalMaxPooling1D()(x))


@model(16, 1)
def one_dimension_up(keras: Any, on: Any, x: Any) -> Any:
    x = on.UpSampling1D(2)(on.Conv1D(2, 3, strides=2, padding="same", activation="relu", name="down")(x))
    return on.Conv1D(1, 3, padding="same", name="out")(x)


@model(8, 8, 3)
def mean_and_largest(keras: Any, on: Any, x: Any) -> Any:
    """The mean and the largest of each map, end to end."""
    x = on.Conv2D(4, 3, activation="relu", name="conv1")(x)
    both = on.Concatenate()([on.GlobalAveragePooling2D()(x), on.GlobalMaxPooling2D()(x)])
    return on.Dense(3, activation="softmax", name="answer")(both)


@model(8, 8, 3)
def spatial_attention(keras: Any, on: Any, x: Any) -> Any:
    """Where to look: a map made of all channels, that multiplies each."""
    x = on.Conv2D(4, 3, padding="same", activation="relu", name="conv1")(x)
    return on.Multiply()([x, on.Conv2D(1, 3, padding="same", activation="sigmoid", name="where")(x)])


@model(8, 8, 1)
def max_of_filters(keras: Any, on: Any, x: Any) -> Any:
    """Maxout, of two convolutions."""
    a, b = (on.Conv2D(3, 3, name=name)(x) for name in ("a", "b"))
    return on.Dense(2, activation="sigmoid", name="answer")(on.Flatten()(on.Maximum()([a, b])))


@model(8, 8, 3)
def relu_in_between(keras: Any, on: Any, x: Any) -> Any:
    """Activations as layers, and what does nothing in inference."""
    x = on.SpatialDropout2D(0.2)(on.Activation("tanh")(on.GaussianNoise(0.1)(on.Conv2D(3, 3, name="conv1")(x))))
    return on.Softmax(name="share")(on.Dense(3, name="answer")(on.Dropout(0.3)(on.Flatten()(x))))


@model(8, 8, 2)
def hard_activations(keras: Any, on: Any, x: Any) -> Any:
    x = on.Conv2D(3, 3, activation="hard_sigmoid", name="conv1")(x)
    return on.Conv2D(2, 3, activation="softsign", name="conv2")(on.Conv2D(3, 1, activation="selu", name="conv3")(x))


@model(8, 8, 2)
def scaled_and_shifted(keras: Any, on: Any, x: Any) -> Any:
    x = on.Rescaling(2.0, offset=-1.0)(x)
    return on.Dense(2, name="answer")(on.Flatten()(on.Conv2D(3, 3, activation="relu", name="conv1")(x)))


@model(8, 8, 3)
def fully_convolutional(keras: Any, on: Any, x: Any) -> Any:
    """Classes for each place, without a vector."""
    x = on.MaxPooling2D(2)(on.Conv2D(4, 3, padding="same", activation="relu", name="conv1")(x))
    return on.Softmax()(on.Conv2D(3, 1, name="score")(x))


@model(8, 8, 3)
def shared_twice(keras: Any, on: Any, x: Any) -> Any:
    """One convolution that is used two times."""
    conv = on.Conv2D(3, 3, padding="same", activation="relu", name="conv1")
    return on.Dense(2, name="answer")(on.Flatten()(conv(conv(x))))


@model(8, 8, 3)
def nested(keras: Any, on: Any, x: Any) -> Any:
    """A model as a layer."""
    inner = keras.Sequential([on.Conv2D(3, 3, activation="relu", name="conv1"), on.MaxPooling2D(2)], name="features")
    return on.Dense(2, activation="softmax", name="answer")(on.Flatten()(inner(x)))


@model(6, 6, 2)
def pooled_by_rows(keras: Any, on: Any, x: Any) -> Any:
    """Pooled by rows, then fully connected."""
    x = on.AveragePooling2D((1, 6))(on.Conv2D(3, 3, padding="same", activation="relu", name="conv1")(x))
    return on.Dense(2, name="answer")(on.Flatten()(x))


def main(folder: Path) -> None:
    import keras

    for n, (name, (shape, build)) in enumerate(MODELS.items()):
        keras.utils.set_random_seed(n)
        x = keras.Input(shape)
        made = keras.Model(x, build(keras, keras.layers, x), name=name)
        rng = np.random.default_rng(n)
        for weight in made.weights:  # also those that begin with 0 or 1, as if trained
            if "seed" not in weight.path:
                weight.assign(
                    np.abs(rng.normal(0.4, 0.2, weight.shape))
                    if "variance" in weight.path
                    else rng.normal(0, 0.4, weight.shape)
                )
        picture = rng.random(shape).astype(np.float32)
        try:
            made(picture[None])
            answer = np.asarray(made.predict(picture[None], verbose=0))
            made.export(str(folder / f"{name}.onnx"), format="onnx", verbose=False)
        except Exception as error:  # what an exporter does not do is not ours to read
            print(f"{name}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
            continue
        first = np.moveaxis(picture, -1, 0)
        np.save(folder / f"{name}.x.npy", (first[:, None] if first.ndim == 2 else first).astype(float))
        np.save(folder / f"{name}.y.npy", answer[0].astype(float))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
