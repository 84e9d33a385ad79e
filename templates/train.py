"""Train the networks `digits`, `lenet5` and `shapes-rgb`, write their weights and some epochs on the way, and measure them on what was held out.

Run:  pip install -e '.[train]' && python templates/train.py [NAME ...]

What had to be chosen for digits (number of filters, epochs, distortions) was chosen by training on some of the forms before
`data.HELD_OUT` and measuring on others of these, never by what is held out; for shapes nothing was chosen among alternatives.
The same weights, byte for byte, came from PyTorch 2.13.0 with and without vector instructions (ATEN_CPU_CAPABILITY=default).
"""

import sys
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import data
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from sheetcnn.image import load_input
from sheetcnn.model.network import Network
from sheetcnn.model.network_file import read_network
from sheetcnn.training.network import measured
from sheetcnn.training.snapshots import Snapshot, recorded, save, snapshots_file, weights_file
from sheetcnn.training.trainer import share

HERE = Path(__file__).parent
BATCH = 64

Measure = Callable[[dict[str, np.ndarray]], tuple[float, int]]  # the loss, and how many pictures are right


class Recipe(NamedTuple):
    """How a network is trained; distances are parts of half a picture."""

    epochs: int
    decimals: int  # of the weights that are stored
    rate: float = 0.01
    decay: float = 0.01
    turn: float = 0.0  # degrees
    scale: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    bend: float = 0.0
    ink: float = 0.0  # how much thicker or thinner strokes become


RECIPES = {
    "digits": Recipe(epochs=300, decimals=2, turn=10, scale=0.1, shear=0.15, shift=0.12, bend=0.08, ink=0.3),
    "lenet5": Recipe(epochs=60, decimals=3, rate=0.002, turn=10, scale=0.2, shear=0.15, shift=0.12, bend=0.08, ink=0.3),
    "shapes-rgb": Recipe(epochs=40, decimals=2),
}


def as_read(pictures: np.ndarray, network: Network) -> Tensor:
    """Pictures as sheetcnn reads them from a file: resized to the network's input, and scaled."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        inputs = []
        for picture in pictures:
            Image.fromarray(picture).save(path)
            inputs.append(load_input(path, network.input))
    return torch.tensor(np.stack(inputs) / network.input.scale)


def modules(network: Network) -> Iterator[tuple[str, torch.nn.Module]]:
    """The network's layers in PyTorch by name, up to the softmax, which is part of the loss."""
    for node in network.nodes[:-1]:
        yield node.name, eval(node.layer.torch(*node.in_shapes))
        if (activation := getattr(node.layer, "activation", None)) is not None:
            yield f"{node.name}_activation", eval(activation.torch(node.shape))


def varied(x: Tensor, recipe: Recipe, random: torch.Generator) -> Tensor:
    """Pictures turned, scaled, sheared, shifted and bent at random, with thicker or thinner strokes."""

    def draw(most: float) -> Tensor:
        return (2 * torch.rand(len(x), generator=random, dtype=x.dtype) - 1) * most

    turn, wide, high = torch.deg2rad(draw(recipe.turn)), draw(recipe.scale).exp(), draw(recipe.scale).exp()
    across = torch.stack([turn.cos() * wide, draw(recipe.shear) - turn.sin() * wide, draw(recipe.shift)], 1)
    down = torch.stack([turn.sin() * high, turn.cos() * high, draw(recipe.shift)], 1)
    points = functional.affine_grid(torch.stack([across, down], 1), list(x.shape), align_corners=False)
    bends = recipe.bend * torch.randn(len(x), 2, 3, 3, generator=random, dtype=x.dtype)
    bends = functional.interpolate(bends, size=x.shape[2:], mode="bicubic", align_corners=True)
    moved = functional.grid_sample(x, points + bends.permute(0, 2, 3, 1), align_corners=False)
    return moved.clamp(0, 1) ** draw(recipe.ink).exp()[:, None, None, None]


def train(network: Network, recipe: Recipe, x: Tensor, y: Tensor, measure: Measure) -> Iterator[Snapshot]:
    """What a network learns from pictures and their classes: its weights after some of the epochs, rounded, by name."""
    torch.manual_seed(0)
    random = torch.Generator().manual_seed(0)
    model = torch.nn.Sequential(OrderedDict(modules(network)))
    for name, weight in model.named_parameters():
        if name.startswith("conv") and name.endswith("bias"):
            torch.nn.init.constant_(weight, 0.1)  # else a filter that begins below 0 everywhere would never learn
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    steps = recipe.epochs * -(-len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=steps)
    for epoch in range(recipe.epochs + 1):
        for batch in torch.randperm(len(x), generator=random).split(BATCH) if epoch else ():
            optimizer.zero_grad()
            outputs = model(varied(x[batch], recipe, random))
            functional.cross_entropy(outputs, y[batch], label_smoothing=0.05).backward()
            optimizer.step()
            schedule.step()
        if epoch in recorded(recipe.epochs):
            state = model.state_dict().items()
            weights = {name: np.round(weight.numpy(), recipe.decimals) + 0.0 for name, weight in state}
            yield Snapshot(epoch, weights, *measure(weights))


def main(names: list[str]) -> None:
    """Train, store and measure the named networks."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)  # from the first number on: then processors differ too little to be seen
    torch.use_deterministic_algorithms(True)
    for name in names:
        network = read_network(HERE / f"{name}.toml")
        learned, held_out = (
            (as_read(pictures, network), torch.tensor(classes))
            for pictures, classes in (data.learned_from(name), data.held_out(name))
        )
        snapshots = [*train(network, RECIPES[name], *learned, lambda weights: measured(network, weights, *held_out))]  # noqa: B023
        last, of = snapshots[-1], len(held_out[1])
        for file, arrays in (
            (f"{name}.npz", weights_file(network, last.weights)),
            (f"{name}-epochs.npz", snapshots_file(network, snapshots, of)),
        ):
            with (HERE / file).open("wb") as stream:
                save(stream, arrays)
        _, right = measured(network, last.weights, *learned)
        print(f"{name}: right on {share(right, len(learned[1]))} learned from, on {share(last.right, of)} held out")


if __name__ == "__main__":
    main(sys.argv[1:] or list(RECIPES))
