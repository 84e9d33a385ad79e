"""What a network should have answered: of each picture a label, or the numbers that it should have put out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays.array import Values
from ..errors import NetworkError, PictureError, located
from ..plain import near
from .labels import label_number
from .loss import LOSS
from .network import Network
from .settings import INPUT


@dataclass(frozen=True)
class Wanted:
    """The right answer of each picture, by its name, or one array of numbers for the picture."""

    labels: dict[str, str]
    typed: np.ndarray | None = None

    def given(self, network: Network, pictures: Mapping[str, np.ndarray]) -> Values:
        """The numbers that the loss begins with, and those of steps that each may take the next picture."""
        found = {f"{LOSS}.{key}": np.array([number]) for key, number in network.training.numbers().items()}
        if len(pictures) > 1:
            one = np.ones(1)
            found |= {f"{LOSS}.order": one, f"{LOSS}.picture": one, f"{INPUT}.picture": np.stack(list(pictures.values()))}
        if self.typed is not None:
            return found | {f"{LOSS}.target": self.typed}
        numbers = np.array([float(network.answers.index(label) + 1) for label in self.labels.values()])
        return found | {f"{LOSS}.answer": numbers[:1], f"{LOSS}.answers": numbers}


def wanted_of(network: Network, pictures: Sequence[str], answer: Any = None) -> Wanted:
    """What is wanted of each picture: as given, as the network file says, or the label in the picture's name.

    Raises NetworkError or PictureError where that does not fit the last layer, or where it is not known.
    """
    last, source = network.nodes[-1], network.source
    given = network.training.answers if answer is None else (answer,) if isinstance(answer, str) else tuple(answer)
    with located(file=source, setting="answers"):
        if network.loss == "cross_entropy" and len(last.shape) != 1:
            raise NetworkError(
                f'{source}: [training]: loss "cross_entropy" needs one number for each answer, but the last layer '
                f'{last.name!r} puts out maps; use loss = "mse"'
            )
        if given is not None and len(given) not in (1, len(pictures)):
            raise NetworkError(
                f"{source}: [training]: answers has {len(given)}, and there are {len(pictures)} pictures; give one for each"
            )
        if network.loss == "mse" and (given is None or not isinstance(given[0], str)):
            return _numbers(network, given)
        if given is not None and not network.answers:
            raise NetworkError(
                f"{source}: answer {given[0]!r:.60}: the last layer {last.name!r} puts out maps, which no label names; leave it out"
            )
        known, labels = [name.casefold() for name in network.answers], {}
        for n, picture in enumerate(pictures):
            if given is not None:
                text = given[n % len(given)]
                if not isinstance(text, str) or text.casefold() not in known:
                    raise NetworkError(
                        f"{source}: answer {text!r:.60} is no label{near(str(text), network.answers)}; there are {', '.join(network.answers[:20])}"
                    )
                labels[picture] = network.answers[known.index(text.casefold())]
            else:
                number = label_number(picture, network.answers)
                if not number:
                    raise PictureError(
                        f"{picture}: its name has no label, so its right answer is not known; name it, as --answer {network.answers[0]}"
                    )
                labels[picture] = network.answers[number - 1]
    return Wanted(labels)


def _numbers(network: Network, given: tuple[Any, ...] | None) -> Wanted:
    """The numbers that the last layer should put out; 0 where nothing is said."""
    last = network.nodes[-1]
    if given is None:
        return Wanted({}, np.zeros(last.shape))
    if len(given) > 1:
        raise NetworkError(
            f"{network.source}: [training]: answers: {len(given)} lists of numbers; all pictures have one target: give one list, "
            "or a label for each picture"
        )
    if len(last.shape) != 1 or len(given[0]) != last.shape[0]:
        raise NetworkError(
            f"{network.source}: [training]: answers: {len(given[0])} numbers do not fit the last layer {last.name!r}, which puts out "
            f"{'×'.join(map(str, last.shape))}"
        )
    return Wanted({}, np.array(given[0], float))
