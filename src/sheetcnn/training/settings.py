"""How a network is to be trained, checked before any work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from ..errors import NetworkError
from ..model.network import Network
from ..plain import near

Optimizer = Literal["sgd", "momentum", "adam"]
RATES = {"sgd": 0.1, "momentum": 0.02, "adam": 0.01}  # where neither the command nor the network file says one
MOST_EPOCHS = 100_000


@dataclass(frozen=True)
class Plan:
    """Epochs, pictures in a batch, what chance is drawn by, the part held out, and the optimizer with its numbers."""

    epochs: int
    batch: int
    seed: int
    held_out: float
    optimizer: Optimizer
    numbers: dict[str, float]  # "rate", and those that the optimizer has besides


def plan_of(
    network: Network, *, epochs: int, rate: float | None, batch: int, seed: int, held_out: float, optimizer: str | None
) -> Plan:
    """The plan from what is given and, where nothing is, what the network file says. Raises NetworkError."""
    _refuse("epochs", epochs, type(epochs) is int and 1 <= epochs <= MOST_EPOCHS, f"from 1 to {MOST_EPOCHS:,}")
    _refuse("batch", batch, type(batch) is int and batch >= 1, "a whole number from 1 on")
    _refuse("seed", seed, type(seed) is int and 0 <= seed < 2**63, "a whole number from 0 on")
    _refuse("held_out", held_out, 0 < held_out < 1, "between 0 and 1, the part of the pictures that is measured on")
    told = network.training.model_fields_set
    name: Any = optimizer or (network.training.optimizer if "optimizer" in told else "adam")
    if name not in get_args(Optimizer):
        raise NetworkError(f"optimizer {name!r:.40} is unknown{near(name, RATES)}; there are {', '.join(RATES)}")
    rate = rate if rate is not None else network.training.rate if "rate" in told else RATES[name]
    _refuse("rate", rate, 0 < rate < 1e6, "above 0")
    numbers = network.training.model_copy(update={"optimizer": name, "rate": rate}).numbers()
    return Plan(epochs, batch, seed, held_out, name, numbers)


def _refuse(name: str, value: object, fits: bool, wanted: str) -> None:
    if not fits:
        raise NetworkError(f"{name} {value!r:.40}: must be {wanted}")
