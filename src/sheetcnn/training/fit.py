"""Gradient descent on pictures, and what the network was like after some of its epochs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..arrays.array import Values
from ..errors import NetworkError
from ..model.network import Network
from ..progress import Progress
from .network import loss_of, measured, rounded, run, tensors
from .pictures import Sorted
from .settings import Plan
from .snapshots import Snapshot, moving, recorded

BOUND = 1e12  # of a loss


@dataclass(frozen=True)
class Fitted:
    """The recorded epochs, and how many pictures were learned from and held out."""

    snapshots: tuple[Snapshot, ...]
    learned: int
    held_out: int


def fit(network: Network, start: Values, data: Sorted, plan: Plan, progress: Progress | None = None) -> Fitted:
    """Train a network from these weights on; the same again for the same plan. Raises NetworkError where it cannot learn."""
    random = np.random.default_rng(plan.seed)
    learned, held_out = _parted(data.classes, plan.held_out, random)
    x, y = torch.from_numpy(data.pictures), torch.from_numpy(data.classes)
    changed, kept, found = moving(network), recorded(plan.epochs), []
    with _by_itself(plan.seed):
        parameters = tensors(start)
        optimizer = _optimizer(plan, [parameters[name].requires_grad_() for name, learns in changed.items() if learns])
        steps = -(-len(learned) // plan.batch)
        for epoch in range(plan.epochs + 1):
            for n, batch in enumerate(np.array_split(random.permutation(learned), steps) if epoch else ()):
                _step(network, parameters, optimizer, x[batch], y[batch], epoch)
                if progress is not None:
                    progress((epoch - 1) * steps + n + 1, plan.epochs * steps)
            if epoch in kept:
                weights = start | {name: rounded(parameters[name].detach().numpy()) for name in changed}
                loss, right = measured(network, weights, x[held_out], y[held_out])
                _refuse_boundless(network, loss, epoch)
                found.append(Snapshot(epoch, weights, loss, right))
    return Fitted(tuple(found), len(learned), len(held_out))


def _step(network: Network, parameters: dict[str, Tensor], optimizer: Any, x: Tensor, y: Tensor, epoch: int) -> None:
    optimizer.zero_grad()
    loss = loss_of(network, run(network, parameters, x, training=True), y)
    _refuse_boundless(network, float(loss), epoch)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _refuse_boundless(network: Network, loss: float, epoch: int) -> None:
    if not loss < BOUND:  # nor where it is no number
        raise NetworkError(f"{network.source}: in epoch {epoch} the loss is beyond all bounds; give a smaller learning rate")


def _optimizer(plan: Plan, parameters: list[Tensor]) -> torch.optim.Optimizer:
    of = plan.numbers
    if plan.optimizer == "adam":
        return torch.optim.Adam(parameters, of["rate"], (of["beta1"], of["beta2"]), of["eps"])
    return torch.optim.SGD(parameters, of["rate"], of.get("momentum", 0.0))


def _parted(classes: np.ndarray, part: float, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The pictures to learn from and those held out: of each label the same part, and at least one."""
    learned, held_out = [], []
    for label in range(int(classes.max()) + 1):
        own = random.permutation(np.flatnonzero(classes == label))
        count = min(max(1, round(part * len(own))), len(own) - 1)
        held_out.append(own[:count])
        learned.append(own[count:])
    return np.sort(np.concatenate(learned)), np.sort(np.concatenate(held_out))


@contextmanager
def _by_itself(seed: int) -> Iterator[None]:
    """Numbers that do not hang on how many processors there are or what was drawn at random before; afterwards all is as it was."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        try:
            torch.set_num_threads(1)
            torch.use_deterministic_algorithms(True)
            torch.manual_seed(seed)
            yield
        finally:
            torch.use_deterministic_algorithms(strict)
            torch.set_num_threads(threads)
