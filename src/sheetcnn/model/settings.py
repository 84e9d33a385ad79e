"""What a network file may say at its top and of its input, and the one line that says what is wrong with it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ..arrays.array import Array, Shape
from ..arrays.grid import Grids
from ..errors import NetworkError, SheetcnnError, located
from ..layers.settings import Count, Number
from ..plain import near

INPUT = "input"  # what layers call the input in `input =`
MAX_LABEL = 200  # letters
MAX_ABOUT = 2000


def plain_text(text: Any) -> Any:
    """The text, which must be one that a workbook can hold; otherwise ValueError."""
    if isinstance(text, str) and (bad := re.search(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff\ud800-\udfff]", text)):
        raise ValueError(f"the control character {bad.group()!r} cannot stand in a workbook; leave it out")
    return text


Text = Annotated[str, BeforeValidator(plain_text)]


def _per_channel(value: Any) -> Any:
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else value


Positive = Annotated[Number, Field(gt=0)]


class InputSettings(BaseModel):
    """The `[input]` table: the shape that the network reads, and what happens to pixels before the first layer."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    channels: Count
    height: Count
    width: Count
    scale: Positive | None = None
    mean: (
        Annotated[tuple[Number, ...], BeforeValidator(_per_channel, json_schema_input_type=Number | tuple[Number, ...])]
        | None
    ) = None
    std: (
        Annotated[
            tuple[Positive, ...], BeforeValidator(_per_channel, json_schema_input_type=Positive | tuple[Positive, ...])
        ]
        | None
    ) = None
    invert: Annotated[bool, Field(strict=True)] = False
    fit: Literal["contain", "cover", "stretch"] = "contain"

    @property
    def shape(self) -> Shape:
        return (self.channels, self.height, self.width)

    @property
    def normalizes(self) -> bool:
        """Whether (pixel / scale − mean) / std is to be computed."""
        return any(setting is not None for setting in (self.scale, self.mean, self.std))

    def constants(self) -> dict[str, np.ndarray]:
        """The numbers of (pixel / scale − mean) / std that are given: one scale, a mean and a deviation per channel."""
        given: dict[str, np.ndarray] = {}
        if self.scale is not None:
            given["scale"] = np.array([self.scale])
        for key, values in (("mean", self.mean), ("std", self.std)):
            if values is not None:
                given[key] = np.broadcast_to(np.array(values, float), (self.channels,)).copy()
        return given

    @property
    def reads(self) -> str:
        """The key of the array that layers read."""
        return "normalized" if self.normalizes else "channel"

    def arrays(self) -> list[Array]:
        """The arrays that the Input sheet draws, in the order in which they are computed."""
        channel = Array("channel", self.shape, owner=INPUT, role="pixels", grid_axes=1)
        if not self.normalizes:
            return [channel]
        given = {
            key: Array(key, array.shape, owner=INPUT, role="parameter", grid_axes=int(key != "scale"))
            for key, array in self.constants().items()
        }
        normalized = Array("normalized", self.shape, _normalized, _normalized_cell, owner=INPUT, role="output", grid_axes=1,
                           inputs=(channel,), parameters=given)  # fmt: skip
        return [channel, *given.values(), normalized]


def _normalized(x: np.ndarray, **given: np.ndarray) -> np.ndarray:
    """(pixel / scale − mean) / std, as far as these are given."""
    by = {key: array.reshape(-1, 1, 1) for key, array in given.items()}
    return (x / by.get("scale", 1.0) - by.get("mean", 0.0)) / by.get("std", 1.0)


def _normalized_cell(at: Shape, x: Grids, scale: Grids = None, mean: Grids = None, std: Grids = None) -> str:
    c, i, j = at
    text = x[c].at(i, j)
    if scale is not None:
        text += f"/{scale.area}"
    if mean is not None:
        text += f"-{mean[c].area}"
    return text if std is None else f"({text})/{std[c].area}"


MAX_STEPS = 1000  # far more than a workbook can hold of all but the smallest networks


def checked_steps(steps: Any) -> int:
    """How many steps of training are drawn. Raises SheetcnnError where there cannot be so many."""
    if type(steps) is not int or not 1 <= steps <= MAX_STEPS:
        raise SheetcnnError(f"steps {steps!r:.40}: must be a whole number from 1 to {MAX_STEPS:,}")
    return steps


Beta = Annotated[float, Field(ge=0, lt=1)]


class TrainingSettings(BaseModel):
    """The table [training] of a network file; the optimizers are torch.optim.SGD, the same with momentum, and Adam."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    loss: Literal["cross_entropy", "mse"] | None = None  # None: cross entropy where the last layer is a vector
    rate: Annotated[float, Field(allow_inf_nan=False)] = 0.1
    steps: Annotated[Count, Field(le=MAX_STEPS)] = 1
    optimizer: Literal["sgd", "momentum", "adam"] = "sgd"
    momentum: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None  # of "momentum"; None: 0.9
    betas: tuple[Beta, Beta] | None = None  # of "adam"; None: 0.9 and 0.999
    eps: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None  # of "adam"; None: 1e-8
    answers: tuple[Text | tuple[float, ...], ...] | None = None  # of each picture its label, or the numbers wanted
    snapshots: Annotated[Text, Field(min_length=1, max_length=500)] | None = None  # a file of recorded epochs

    @model_validator(mode="after")
    def _fit(self) -> TrainingSettings:
        """Settings of another optimizer would be read by nobody."""
        for key, optimizer in (("momentum", "momentum"), ("betas", "adam"), ("eps", "adam")):
            if getattr(self, key) is not None and self.optimizer != optimizer:
                raise ValueError(f'{key} is a setting of optimizer = "{optimizer}", not of "{self.optimizer}"')
        return self

    def numbers(self) -> dict[str, float]:
        """What the optimizer computes with, by the names of the cells that hold it."""
        found = {"rate": self.rate}
        if self.optimizer == "momentum":
            found["momentum"] = 0.9 if self.momentum is None else self.momentum
        if self.optimizer == "adam":
            found["beta1"], found["beta2"] = self.betas or (0.9, 0.999)
            found["eps"] = 1e-8 if self.eps is None else self.eps
        return found


class NetworkSettings(BaseModel):
    """The top level of a network file."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    name: Annotated[Text, Field(min_length=1, max_length=200)]
    about: Annotated[Text, Field(max_length=MAX_ABOUT)] = ""
    labels: tuple[Annotated[Text, Field(max_length=MAX_LABEL)], ...] | None = None
    weights: Annotated[Text, Field(min_length=1, max_length=500)] | None = None
    outputs: tuple[Text, ...] | None = None  # layers that an exported model puts out, besides those that no layer reads
    input: InputSettings
    layers: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1000)]
    training: TrainingSettings | None = None
    exercise: dict[str, Any] | None = None  # read by `handout`


def validated(model: type[Any], data: Any, where: str) -> Any:
    """The model made of the data; its first complaint becomes one line."""
    if not isinstance(data, dict):
        raise NetworkError(f"{where}: must be a table of settings, not {data!r:.60}")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        setting, text = _complaint(error, model)
        with located(setting=re.sub(r"\.\d+", "", setting) or None):  # of several numbers, none is a setting of its own
            raise NetworkError(f"{where}: {text}") from None
    except RecursionError:
        raise NetworkError(f"{where}: is nested too deeply") from None


def _complaint(error: ValidationError, model: type[BaseModel]) -> tuple[str, str]:
    """The setting that is wrong, and what is wrong with it."""
    first = error.errors(include_url=False)[0]
    path = [str(part) for part in first["loc"] if not str(part).startswith(("tuple[", "function-", "literal["))]
    key = ".".join(path)
    if first["type"] == "extra_forbidden":
        for part in first["loc"][:-1]:
            model = model.model_fields[str(part)].annotation  # type: ignore[assignment]
        fields = list(model.model_fields)
        return key, f"unknown setting {key!r:.60}{near(path[-1], fields)}; there are {', '.join(fields) or 'none'}"
    if first["type"] == "missing":
        return key, f"{key} is missing"
    reason = first["msg"].removeprefix("Value error, ")
    if not key:
        return "", reason
    given = repr(first["input"])
    return key, f"{key}: {reason[0].lower()}{reason[1:]}, not {given if len(given) <= 60 else given[:57] + '...'}"
