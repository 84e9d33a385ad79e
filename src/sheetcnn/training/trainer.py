"""Pictures with labels in, a trained network file out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..arrays.array import shape_text
from ..errors import NetworkError, SheetcnnError
from ..files import Outputs, refuse_outputs
from ..model.network import Network, Node, parse_network
from ..model.network_file import network_toml
from ..model.settings import INPUT
from ..model.weights import load_parameters
from ..opening import Opened, open_network
from ..progress import Progress
from ..templates import EPOCHS, refuse_existing
from .pictures import Sorted, read_pictures
from .settings import plan_of
from .snapshots import Snapshot, save, snapshots_file, weights_file

if TYPE_CHECKING:
    from .fit import Fitted

NAMED = 8  # labels that a message names


@dataclass(frozen=True)
class Trained:
    """What `train` wrote, and what it measured on the held-out pictures after each of the recorded epochs."""

    paths: tuple[Path, ...]
    network: Network
    snapshots: tuple[Snapshot, ...]
    learned: int  # pictures
    held_out: int
    notes: tuple[str, ...]

    @property
    def accuracy(self) -> float:
        """The part of the held-out pictures that the trained network is right on."""
        return self.snapshots[-1].right / self.held_out


def train(
    network: Any,
    pictures: str | Path,
    output: str | Path,
    *,
    epochs: int = 50,
    rate: float | None = None,
    batch: int = 32,
    optimizer: str | None = None,
    held_out: float = 0.2,
    seed: int = 0,
    anew: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Trained:
    """Train a network on pictures with PyTorch, and write it as a network file with its weights and its recorded epochs.

    `network` is what `build` takes. `pictures` is a folder with a sub-folder for each label, or an .npz file with the arrays
    `images` and `labels`; the part `held_out` of each label's pictures is measured on, and nothing is learned from it.
    `output` is the .toml to write; mine.npz with the weights and mine-epochs.npz with the epochs come beside mine.toml. It
    begins with the weights that the network has; `anew` with those that `init` and `seed` in the network file make up.
    `optimizer` is adam, sgd or momentum. The same again makes the same files. Raises SheetcnnError with one line.
    """
    paths = _outputs(Path(output), overwrite)
    try:
        from .fit import fit
        from .network import refuse_unknown
    except ImportError:
        raise SheetcnnError("training needs PyTorch; install it with  pip install 'sheetcnn[torch]'") from None
    opened = open_network(network)
    refuse_outputs(paths, [*opened.files, Path(pictures)])
    checked = opened.network
    plan = plan_of(checked, epochs=epochs, rate=rate, batch=batch, seed=seed, held_out=held_out, optimizer=optimizer)
    refuse_unknown(checked)
    _refuse_frozen(checked)
    if len(checked.nodes[-1].shape) != 1:
        raise NetworkError(
            f"{checked.source}: {_last(checked)}; a label needs a number: end it with a vector, as flatten makes"
        )
    start, notes = load_parameters(checked, opened.folder, {} if anew else opened.arrays)
    data = read_pictures(Path(pictures), checked.input, checked.settings.labels, progress)
    _refuse_labels(checked, data, Path(pictures))
    described = _description(opened, data.labels, paths)
    parse_network(described, str(paths[0]))  # labels that no workbook can hold are refused before the work
    fitted = fit(checked, start, data, plan, progress)
    right = share(fitted.snapshots[-1].right, fitted.held_out)
    described["about"] = f"Trained on {fitted.learned:,} pictures. It is right on {right}, of those that were held out."
    _write(paths, described, checked, fitted)
    made = parse_network(described, str(paths[0]))
    return Trained(paths, made, fitted.snapshots, fitted.learned, fitted.held_out, tuple(notes))


def share(right: int, of: int) -> str:
    """How many of so many, and of a hundred: `57 of 60, 95.0 %`."""
    return f"{right:,} of {of:,}, {100 * right / of:.1f} %"


def _outputs(output: Path, overwrite: bool) -> tuple[Path, Path, Path]:
    """The network file, its weights and its recorded epochs. Raises SheetcnnError where they cannot be written."""
    if output.suffix.lower() != ".toml":
        raise NetworkError(f"{output}: the network file's name must end in .toml")
    paths = (output, output.with_name(f"{output.stem}.npz"), output.with_name(f"{output.stem}{EPOCHS}"))
    if not overwrite:
        refuse_existing(list(paths), "give another name, or --overwrite")
    refuse_outputs(paths)
    return paths


def _last(network: Network) -> str:
    last = network.nodes[-1]
    return f"the last layer {last.name!r} puts out {shape_text(last.shape)}"


def _refuse_frozen(network: Network) -> None:
    """Raise NetworkError where no layer has weights that training changes."""
    if not any(node.train and node.parameter_count for node in network.nodes):
        raise NetworkError(f"{network.source}: no layer has weights to be trained; add one, or take out  train = false")


def _refuse_labels(network: Network, data: Sorted, pictures: Path) -> None:
    """Raise NetworkError where there is not one number for each label."""
    count = len(data.labels)
    if network.nodes[-1].shape != (count,):
        some = ", ".join(data.labels[:NAMED]) + (" …" if count > NAMED else "")
        raise NetworkError(
            f"{network.source}: {_last(network)} numbers, and {pictures} has {count} labels ({some}); there must be one for "
            f"each: out_features = {count} in the last layer with weights"
        )


# -- writing ---------------------------------------------------------------------------------------------------------------
def _description(opened: Opened, labels: tuple[str, ...], paths: tuple[Path, Path, Path]) -> dict[str, Any]:
    """The network file: as it was, with the labels, and with the files that come beside it."""
    network = opened.network
    settings = network.settings
    told = {"name": settings.name, "about": "", "labels": list(labels), "weights": paths[1].name}
    if settings.outputs is not None:
        told["outputs"] = list(settings.outputs)
    training = network.training.model_dump(mode="json", exclude_unset=True, exclude_none=True, exclude={"answers"})
    return told | {
        "input": settings.input.model_dump(mode="json", exclude_unset=True, exclude_none=True),
        "training": training | {"snapshots": paths[2].name},
        "layers": [_table(network, node) for node in network.nodes],
    }


def _table(network: Network, node: Node) -> dict[str, Any]:
    """A layer's table: numbers that training changed stand in the file of weights from now on."""
    before = network.nodes[node.number - 2].name if node.number > 1 else INPUT
    table = {key: value for key, value in node.settings.items() if (key, value) != ("input", before)}
    if not network.by_name[network.owner(node.name)].train:
        return table | node.inline
    if node.layer.classic is not None:  # kernels that it has no more; their names may have said the sizes, too
        del table["kernels"]
        table |= {key: getattr(node.layer, key) for key in ("out_channels", "kernel_size")}
    return table


def _write(paths: tuple[Path, Path, Path], described: dict[str, Any], network: Network, fitted: Fitted) -> None:
    every = fitted.snapshots
    with Outputs() as outputs:  # the network file last: it never names what is not there
        outputs.write(paths[2], lambda stream: save(stream, snapshots_file(network, every, fitted.held_out)))
        outputs.write(paths[1], lambda stream: save(stream, weights_file(network, every[-1].weights)))
        outputs.write(paths[0], lambda stream: stream.write(network_toml(described).encode()))
