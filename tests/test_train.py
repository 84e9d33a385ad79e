"""`sheetcnn train`: what is trained is what is drawn, the same again, and nothing is written where something is wrong."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import sheetcnn
from sheetcnn.cli import main
from sheetcnn.image import load_input
from sheetcnn.layers import LAYERS
from sheetcnn.model.graph import Graph
from sheetcnn.model.network import Network
from sheetcnn.model.network_file import read_network
from sheetcnn.model.weights import load_parameters
from sheetcnn.training.pictures import natural, read_pictures
from sheetcnn.training.snapshots import recorded
from sheetcnn.training.trainer import train

pytestmark = pytest.mark.torch

PAGE = (Path(__file__).parents[1] / "docs" / "train.md").read_text(encoding="utf-8")
NETWORK = """
name = "small"
input = {channels = 1, height = 6, width = 6, scale = 255, invert = true}
layers = [
    {type = "conv2d", name = "edge", kernels = ["sobel_x", "sobel_y"], padding = 1, train = false},
    {type = "conv2d", name = "conv", kernels = ["blur", "outline", "emboss"], padding = 1, activation = "relu"},
    {type = "batch_norm2d", name = "norm"},
    {type = "max_pool2d", kernel_size = 2},
    {type = "dropout", p = 0.1},
    {type = "flatten"},
    {type = "linear", name = "fc", out_features = 3, init = "xavier_uniform", seed = 3},
    {type = "softmax"},
]
"""
LABELS = ("2", "10", "X")  # in their order
EACH = 10


def picture(label: str, random: np.random.Generator) -> np.ndarray:
    """Dark on light: a bar across, a bar down, or both; with noise."""
    pixels = random.integers(200, 256, (12, 12))
    row, column = random.integers(2, 10, 2)
    if label != "10":
        pixels[row : row + 2] = 20
    if label != "2":
        pixels[:, column : column + 2] = 20
    return pixels.astype(np.uint8)


def draw(folder: Path) -> Path:
    random = np.random.default_rng(5)
    for label in LABELS:
        (folder / label).mkdir(parents=True)
        for n in range(EACH):
            Image.fromarray(picture(label, random)).save(folder / label / f"{n}.png")
    (folder / "X" / ".DS_Store").write_bytes(b"not a picture")
    (folder / "notes.txt").write_text("beside the labels' folders")
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network, drawings, and what training with the command made of them."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "net.toml").write_text(NETWORK, encoding="utf-8")
    draw(folder / "drawings")
    assert run(folder, "train net.toml drawings -o mine.toml --epochs 12 --batch 8 --held-out 0.3 --seed 4") == 0
    return folder


@pytest.fixture
def work(made: Path, tmp_path: Path) -> Path:
    """A copy of it without what was made."""
    shutil.copytree(made, tmp_path / "work", ignore=shutil.ignore_patterns("mine*"))
    return tmp_path / "work"


def run(folder: Path, line: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with pytest.raises(SystemExit) as stopped:
            main(shlex.split(line))
    return int(stopped.value.code or 0)


def numpys(network: Network, parameters: dict[str, np.ndarray], pictures: np.ndarray) -> np.ndarray:
    """What our own network puts out for each picture."""
    graph = Graph(network)
    name = graph.output(network.nodes[-1].name).id
    return np.stack([graph.run(parameters | {"input.channel": one})[name] for one in pictures])


def held_out_of(count: int, part: float, seed: int) -> np.ndarray:
    from sheetcnn.training.fit import _parted

    classes = np.repeat(np.arange(len(LABELS)), EACH)
    learned, held_out = _parted(classes, part, np.random.default_rng(seed))
    assert len({*learned.tolist(), *held_out.tolist()}) == count == len(learned) + len(held_out)
    return held_out


# -- what is trained is what is drawn --------------------------------------------------------------------------------------


def test_what_is_trained_is_what_is_drawn(made: Path) -> None:
    """PyTorch's numbers are ours, and so are the loss and the accuracy after each epoch that was kept."""
    import torch

    from sheetcnn.training.network import run as in_torch
    from sheetcnn.training.network import tensors

    network = read_network(made / "mine.toml")
    assert network.settings.labels == LABELS
    parameters, notes = load_parameters(network, made)
    assert not notes
    data = read_pictures(made / "drawings", network.input, LABELS)
    which = held_out_of(len(data.pictures), 0.3, 4)
    pictures, right = data.pictures[which], data.classes[which]
    found = in_torch(network, tensors(parameters), torch.from_numpy(pictures))[f"{network.nodes[-1].name}.output"]
    np.testing.assert_allclose(found.numpy(), numpys(network, parameters, pictures), atol=1e-5)
    with np.load(made / "mine-epochs.npz") as epochs, np.load(made / "mine.npz") as weights:
        assert epochs["epoch"].tolist() == [0, 1, 2, 5, 12]
        assert {*epochs} == {*weights, "epoch", "loss", "accuracy"}
        for n in range(len(epochs["epoch"])):
            after = parameters | {name: epochs[name][n] for name in weights}
            p = numpys(network, after, pictures)
            assert epochs["accuracy"][n] == pytest.approx((p.argmax(1) == right).mean())
            assert epochs["loss"][n] == pytest.approx(-np.log(p[np.arange(len(p)), right]).mean(), abs=2e-6)
        for name in weights:
            np.testing.assert_array_equal(epochs[name][-1], weights[name])
            assert name == "norm.running_var" or (epochs[name][0] != weights[name]).any(), name
        assert epochs["loss"][-1] < epochs["loss"][0] / 2
        assert epochs["accuracy"][-1] > 0.8


def test_what_is_frozen_stays_and_what_learns_loses_its_kernels_names(made: Path) -> None:
    network = read_network(made / "mine.toml")
    edge, conv = network.by_name["edge"].layer, network.by_name["conv"].layer
    assert (edge.classic, conv.classic) == (("sobel_x", "sobel_y"), None)
    assert network.training.snapshots == "mine-epochs.npz"
    begun, _ = load_parameters(read_network(made / "net.toml"), made)
    ended, _ = load_parameters(network, made)
    assert (begun["edge.weight"] == ended["edge.weight"]).all()
    with np.load(made / "mine-epochs.npz") as epochs:
        np.testing.assert_allclose(epochs["conv.weight"][0], begun["conv.weight"], rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(epochs["fc.weight"][0], begun["fc.weight"], atol=1e-4)  # of init and seed


def test_every_array_has_four_digits(made: Path) -> None:
    with np.load(made / "mine.npz") as weights:
        for name in weights:
            shown = [
                f"{number:.12g}".lstrip("-").replace("0.", "", 1).lstrip("0").replace(".", "")
                for number in weights[name].flat
            ]
            assert max(map(len, shown)) <= 4, name


def test_it_is_built_and_trained_further(work: Path, made: Path) -> None:
    for path in made.glob("mine*"):
        shutil.copy(path, work)
    built = sheetcnn.build(work / "mine.toml", [work / "drawings" / "10" / f"{n}.png" for n in range(3)])
    assert [ranked[0][0] for ranked in built.predictions.values()] == ["10"] * 3
    begun = train(work / "mine.toml", work / "drawings", work / "more.toml", epochs=1).snapshots[0]
    anew = train(work / "mine.toml", work / "drawings", work / "anew.toml", epochs=1, anew=True).snapshots[0]
    with np.load(work / "mine.npz") as weights:
        np.testing.assert_array_equal(begun.weights["fc.weight"], weights["fc.weight"])
        assert (anew.weights["fc.weight"] != weights["fc.weight"]).any()


@pytest.mark.parametrize("kind", LAYERS)
def test_layers_of_a_batch(kind: str) -> None:
    """Each picture of a batch has the layer's own numbers, whatever the others are."""
    import torch

    from sheetcnn.training.layers import output

    for example in LAYERS[kind].examples:
        layer = LAYERS[kind](**example.settings)
        if getattr(layer, "activation_scope", "map") == "channel":
            continue
        given = [np.array(x, float) for x in (example.x if layer.inputs[1] > 1 else [example.x])]
        parameters = {key: np.array(value, float) for key, value in example.parameters.items()}
        batch = [[x * factor + more for x in given] for factor, more in ((1, 0), (-2, 0.5), (0.3, -1))]
        own = {key: torch.tensor(value) for key, value in parameters.items()}
        found = output(layer, [torch.tensor(np.stack(xs)) for xs in zip(*batch, strict=True)], own, training=False)
        for one, xs in zip(found, batch, strict=True):
            np.testing.assert_allclose(one.numpy(), layer.forward(*xs, **parameters), atol=1e-9)


# -- the same again --------------------------------------------------------------------------------------------------------


def test_the_same_again(made: Path, work: Path) -> None:
    """To the byte, whatever was drawn by chance before and on how many processors; nothing of PyTorch's stays changed."""
    import torch

    torch.rand(3)
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    options: dict[str, Any] = {"epochs": 12, "batch": 8, "held_out": 0.3}
    torch.set_num_threads(2)
    try:
        train(work / "net.toml", work / "drawings", work / "mine.toml", seed=4, **options)
        train(work / "net.toml", work / "drawings", work / "other.toml", seed=5, **options)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(state, torch.random.get_rng_state())
    for path in made.glob("mine*"):
        assert (work / path.name).read_bytes() == path.read_bytes(), path.name
    assert (work / "other.npz").read_bytes() != (work / "mine.npz").read_bytes()


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_steps_are_pytorchs(optimizer: str, loss: str, work: Path) -> None:
    """All pictures in one batch: each epoch is a step of PyTorch's own optimizer, with the network file's numbers."""
    import torch
    from torch.nn import functional

    told = {"sgd": "", "momentum": ", momentum = 0.5", "adam": ", betas = [0.5, 0.9], eps = 1e-3"}[optimizer]
    (work / "line.toml").write_text(
        'name = "n"\ninput = {channels = 1, height = 6, width = 6, scale = 255}\n'
        f'training = {{loss = "{loss}", rate = 0.03, optimizer = "{optimizer}"{told}}}\n'
        'layers = [{type = "flatten"}, {type = "linear", name = "fc", out_features = 3}]\n',
        encoding="utf-8",
    )
    trained = train(work / "line.toml", work / "drawings", work / "mine.toml", epochs=3, batch=100)
    network = read_network(work / "line.toml")
    begun, _ = load_parameters(network, work)
    data = read_pictures(work / "drawings", network.input)
    learned = np.setdiff1d(np.arange(len(data.pictures)), held_out_of(len(data.pictures), 0.2, 0))
    assert (trained.learned, trained.held_out) == (24, 6)
    x, y = torch.tensor(data.pictures[learned] / 255).flatten(1), torch.tensor(data.classes[learned])
    fc = torch.nn.Linear(36, 3).double()
    fc.load_state_dict({key: torch.tensor(begun[f"fc.{key}"]) for key in ("weight", "bias")})
    made: Any = {
        "sgd": lambda: torch.optim.SGD(fc.parameters(), 0.03),
        "momentum": lambda: torch.optim.SGD(fc.parameters(), 0.03, momentum=0.5),
        "adam": lambda: torch.optim.Adam(fc.parameters(), 0.03, (0.5, 0.9), 1e-3),
    }
    step = made[optimizer]()
    for _ in range(3):
        step.zero_grad()
        scores, wanted = fc(x), torch.eye(3).double()[y]
        (functional.cross_entropy(scores, y) if loss == "cross_entropy" else ((scores - wanted) ** 2).mean()).backward()
        step.step()
    half = fc.weight.abs().max().item() * 5.1e-4  # of the fourth digit, at least
    found = trained.snapshots[-1].weights["fc.weight"]
    np.testing.assert_allclose(found, fc.weight.detach().numpy(), atol=half)
    assert np.abs(found - begun["fc.weight"]).max() > 20 * half
    other = "adam" if optimizer == "sgd" else "sgd"
    again = train(work / "line.toml", work / "drawings", work / "other.toml", epochs=3, batch=100, optimizer=other)
    assert (again.snapshots[-1].weights["fc.weight"] != found).any()


def test_epochs_that_are_kept() -> None:
    assert [recorded(n) for n in (1, 2, 7, 60)] == [[0, 1], [0, 1, 2], [0, 1, 2, 7], [0, 1, 2, 5, 10, 20, 60]]
    assert recorded(300) == [0, 1, 2, 5, 10, 20, 50, 100, 300]


def test_labels_in_their_order() -> None:
    names = ["b10", "B9", "a", "10", "9", "b", "١"]
    assert sorted(names, key=natural) == ["9", "10", "a", "b", "B9", "b10", "١"]


def test_the_order_of_the_network_file_counts(work: Path) -> None:
    """Where it names the same labels: then a trained last layer keeps its meaning."""
    settings = read_network(work / "net.toml").input
    data = read_pictures(work / "drawings", settings, ("X", "2", "10"))
    assert data.labels == ("X", "2", "10")
    assert data.classes.tolist() == [1] * EACH + [2] * EACH + [0] * EACH
    assert read_pictures(work / "drawings", settings, ("a", "b", "c")).labels == LABELS
    np.testing.assert_array_equal(data.pictures[0], load_input(work / "drawings" / "2" / "0.png", settings))


def test_an_archive(work: Path) -> None:
    """Numbers are taken as they are; whole numbers and texts are labels."""
    settings = read_network(work / "net.toml").input
    random = np.random.default_rng(0)
    for shape, labels in (((6, 6, 6), [10, 2, 2, 10, 2, 10]), ((6, 1, 6, 6), ["no", "yes", "yes", "no", "yes", "no"])):
        images = random.integers(0, 256, shape).astype(np.uint8)
        np.savez(work / "some.npz", images=np.asfortranarray(images), labels=labels)
        data = read_pictures(work / "some.npz", settings)
        np.testing.assert_array_equal(data.pictures, images.reshape(6, 1, 6, 6))
        assert [data.labels[n] for n in data.classes] == [str(label) for label in labels]
        assert data.labels == (("2", "10") if shape == (6, 6, 6) else ("no", "yes"))
    np.savez(work / "some.npz", images=images, labels=[1, 2, 3] * 2)
    assert run(work, "train net.toml some.npz -o mine.toml --epochs 1") == 0


# -- what is wrong ---------------------------------------------------------------------------------------------------------


def relabelled(work: Path, name: str) -> None:
    (work / "drawings" / "X").rename(work / "drawings" / name)


def edited(old: str, new: str) -> Callable[[Path], None]:
    def edit(work: Path) -> None:
        assert old in NETWORK
        (work / "net.toml").write_text(NETWORK.replace(old, new), encoding="utf-8")

    return edit


def emptied(work: Path) -> None:
    shutil.rmtree(work / "drawings")
    (work / "drawings").mkdir()


def only(*labels: str) -> Callable[[Path], None]:
    return lambda work: [shutil.rmtree(work / "drawings" / label) for label in LABELS if label not in labels] and None


def few(work: Path) -> None:
    for n in range(1, EACH):
        (work / "drawings" / "10" / f"{n}.png").unlink()


WRONG: dict[str, tuple[Callable[[Path], Any], str, str]] = {  # what is done, more options, what is said
    "no folder": (lambda work: shutil.rmtree(work / "drawings"), "", r"drawings: cannot be read \(No such file or directory\); give"),
    "empty folder": (emptied, "", "drawings: has no sub-folders; give a folder with a sub-folder of pictures for each label"),
    "empty label": (lambda work: (work / "drawings" / "a").mkdir(), "", "drawings/a: holds no picture; put some there"),
    "one label": (only("10"), "", "drawings: has one label only, 10"),
    "few pictures": (few, "", "drawings: has one picture of 10 only; give two at least"),
    "labels": (only("2", "X"), "", r"net.toml: the last layer 'softmax_8' puts out 3 numbers, .*2 labels \(2, X\).*out_features = 2"),
    "maps": (edited(NETWORK[NETWORK.index('    {type = "dropout"') : NETWORK.rindex("]")], ""), "", "puts out 3×3×3; a label needs a number"),
    "twice": (lambda work: shutil.copytree(work / "drawings" / "X", work / "drawings" / "x"), "", "the labels X and x differ in upper and lower"),
    "control character": (lambda work: relabelled(work, "a\x07b"), "", "labels.*the control character"),
    "folder inside": (lambda work: (work / "drawings" / "X" / "more").mkdir(), "", "drawings/X/more: is a folder in a label's folder"),
    "broken picture": (lambda work: (work / "drawings" / "X" / "0.png").write_bytes(b"\x89PNG\r\n\x1a\n"), "", "drawings/X/0.png: is "),
    "no picture": (lambda work: (work / "drawings" / "X" / "a.txt").write_text("x"), "", "drawings/X/a.txt: is no picture of a kind"),
    "leads nowhere": (lambda work: (work / "drawings" / "X" / "a.png").symlink_to("nowhere"), "", "drawings/X/a.png: cannot be read"),
    "numbers": (lambda work: np.save(work / "drawings" / "X" / "a.npy", np.zeros((5, 5))), "", "a.npy: has the shape 5×5"),
    "scope": (edited('emboss"], padding = 1,', 'emboss"], padding = 1, activation_scope = "channel",'), "", '"conv".: activation_scope "channel" cannot'),
    "frozen": (lambda work: (work / "net.toml").write_text('name = "n"\ninput = {channels = 1, height = 1, width = 3}\nlayers = [{type = "flatten"}]\n'), "", "no layer has weights"),
    "rate": (lambda work: None, "--rate 1e5 --optimizer sgd", "net.toml: in epoch . the loss is beyond all bounds; give a smaller"),
    "no rate": (lambda work: None, "--rate 0", "rate 0.0: must be above 0"),
    "epochs": (lambda work: None, "--epochs 0", "epochs 0: must be from 1 to"),
    "batch": (lambda work: None, "--batch 0", "batch 0: must be a whole number from 1"),
    "part": (lambda work: None, "--held-out 1", "held_out 1.0: must be between 0 and 1"),
    "exists": (lambda work: (work / "mine.npz").write_text("x"), "", "mine.npz: exists already; give another name, or --overwrite"),
    "itself": (lambda work: None, "-o net.toml --overwrite", "net.toml: is what is read here"),
    "no room": (lambda work: None, "-o nowhere/mine.toml", r"mine.toml: cannot be written \(No such file"),
    "kind": (lambda work: None, "-o mine.json", "mine.json: the network file's name must end in .toml"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_one_line_and_nothing_is_written(case: str, work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil, options, said = WRONG[case]
    spoil(work)
    before = sorted(work.rglob("*"))
    assert run(work, f"train net.toml drawings -o mine.toml --epochs 3 {options}") == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("sheetcnn: ")
    assert captured.err.count("\n") == 1
    assert re.search(said, captured.err), captured.err
    assert sorted(work.rglob("*")) == before


IMAGES = np.zeros((6, 6, 6))
ARCHIVES: dict[str, tuple[dict[str, Any], str]] = {
    "no labels": ({"images": IMAGES}, "has no array 'labels'"),
    "other counts": ({"images": IMAGES, "labels": [1, 2, 3]}, "has 6 images and 3 labels"),
    "size": (
        {"images": np.zeros((6, 5, 5)), "labels": [1, 2, 3] * 2},
        r"images\[0\]: has the shape 5×5, the network reads 1×6×6",
    ),
    "axes": ({"images": np.zeros((6, 36)), "labels": [1, 2, 3] * 2}, "images has the shape 6×36; it must be N×H×W"),
    "objects": ({"images": np.array([None] * 6), "labels": [1, 2, 3] * 2}, "images has the type object"),
    "real labels": ({"images": IMAGES, "labels": [0.5, 2, 3] * 2}, "labels has the type float64; save whole numbers"),
    "not finite": ({"images": IMAGES + np.nan, "labels": [1, 2, 3] * 2}, r"images\[0\]: holds NaN"),
    "none": ({"images": IMAGES[:0], "labels": np.zeros(0, int)}, "holds no picture"),
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_archives_that_cannot_be(case: str, work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arrays, said = ARCHIVES[case]
    np.savez(work / "some.npz", **arrays)
    assert run(work, "train net.toml some.npz -o mine.toml") == 2
    assert re.search(said, capsys.readouterr().err)


def test_too_much_is_not_read(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Budgets hold before anything is read: a header that speaks of more than there is costs nothing."""
    from sheetcnn.training import pictures

    settings = read_network(work / "net.toml").input
    np.savez(work / "some.npz", images=IMAGES, labels=[1, 2, 3] * 2)
    data = (work / "some.npz").read_bytes().replace(b"(6, 6, 6), }", b"(99999,6,6)}")
    (work / "some.npz").write_bytes(data)
    with pytest.raises(sheetcnn.SheetcnnError, match="cannot be read as an"):
        read_pictures(work / "some.npz", settings)
    for name, least, said in (
        ("MAX_PICTURES", 20, "more than 20 pictures"),
        ("MAX_PICTURES", 5, "more than 5 files"),
        ("MAX_NUMBERS", 1000, "more than 1,000 numbers; give 27 pictures at most"),
        ("MAX_LABELS", 2, "more than 2 sub-folders"),
        ("MAX_BYTES", 1000, "bytes, more than 1,000"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(pictures, name, least)
            patch.setattr(pictures, "load_input", lambda *_: pytest.fail("nothing is read"))
            with pytest.raises(sheetcnn.SheetcnnError, match=said):
                read_pictures(work / "drawings", settings)


def test_without_pytorch(work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in [name for name in sys.modules if re.fullmatch(r"sheetcnn\.training\.(fit|network|layers)", name)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run(work, "train net.toml drawings -o mine.toml") == 2
    assert capsys.readouterr().err == "sheetcnn: training needs PyTorch; install it with pip install 'sheetcnn[torch]'\n"


def test_stopped_at_any_moment(work: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it learns, and while it writes: what was there stays as it was."""
    from sheetcnn.training import trainer

    for path in made.glob("mine*"):
        shutil.copy(path, work)
    before = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}

    def same() -> bool:
        return {path: path.read_bytes() for path in work.rglob("*") if path.is_file()} == before

    def stop(done: int, total: int) -> None:
        if done == total - 1:
            raise KeyboardInterrupt

    def go(**more: Any) -> None:
        train(work / "net.toml", work / "drawings", work / "mine.toml", epochs=2, overwrite=True, **more)

    with pytest.raises(KeyboardInterrupt):
        go(progress=stop)
    assert same()
    for name in ("snapshots_file", "weights_file", "network_toml"):
        with monkeypatch.context() as patch:
            patch.setattr(trainer, name, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                go()
        assert same(), name
    go()
    assert not same()
    assert {path.name for path in work.iterdir()} == {"net.toml", "drawings", "mine.toml", "mine.npz", "mine-epochs.npz"}


# -- the walk-through ------------------------------------------------------------------------------------------------------


def test_the_walk_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What the page says, as it stands: drawings, the network file, the three commands; it learns what it promises."""
    monkeypatch.chdir(tmp_path)
    [script] = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    [network] = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    exec(compile(script, "draw.py", "exec"), {})
    Path("drawings.toml").write_text(network, encoding="utf-8")
    lines = [
        line
        for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S)
        for line in block.splitlines()
        if line.startswith("sheetcnn")
    ]
    assert [line.split()[1] for line in lines] == ["train", "build", "check"]
    for line in lines:
        assert run(tmp_path, line.removeprefix("sheetcnn ")) == 0
    said = capsys.readouterr().out
    shown = re.findall(r"^ +(\d+) +[\d.]+ +\d+ of (\d+),", PAGE, re.M)
    assert shown == re.findall(r"^ +(\d+) +[\d.]+ +\d+ of (\d+),", said, re.M)
    with np.load("mine-epochs.npz") as epochs:
        assert epochs["accuracy"][-1] >= 0.9
    assert all(f"{label}-1" in said for label in ("circle", "square", "triangle"))
