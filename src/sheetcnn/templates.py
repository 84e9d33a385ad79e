"""The networks and pictures that come with sheetcnn, found by name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from .errors import PictureError, SheetcnnError
from .files import write_bytes
from .plain import near
from .reading import shown

EXERCISE = ".exercise.toml"
EPOCHS = "-epochs.npz"  # how files of recorded epochs end
PICTURES = (".png", ".jpg", ".jpeg", ".npy", ".csv")


@dataclass(frozen=True)
class Lesson:
    """What a template is for: the picture that it goes with, the question that it answers, and the answer."""

    picture: str
    question: str
    answer: str
    train: bool = False  # it is about learning: built with its backward pass


LESSONS = {  # in the order in which one would learn; a question fits a line of `sheetcnn templates`
    "edges": Lesson(
        "cat",
        "Filters on RGB: is there a kernel for each colour?",
        "Yes: 4 filters have 12 kernels. Each still makes one map",
    ),
    "two-convs": Lesson(
        "cat",
        "10 filters, then 10 filters: 100 maps?",
        "No, 10: each filter of the second layer has 10 kernels and sums what they find",
    ),
    "weights-90-1800": Lesson("cat", "How many weights have 1 and 20 filters on 10 maps?", "90 and 1,800"),
    "rgb-filters": Lesson(
        "shapes",
        "How large is the output?",
        "(N − K + 2P)/S + 1: 32×32×3 through six 5×5 filters is 28×28×6, with stride 2 14×14×6",
    ),
    "conv-types": Lesson(
        "cross",
        "What does “apply 2 filters to 3 maps” mean?",
        "A kernel for each filter and map, summed; three readings side by side",
    ),
    "relu-placement": Lesson(
        "shapes",
        "Where do bias and ReLU go?",
        "Once, after the sum; beside it two common mistakes, and where they differ",
    ),
    "pool-order": Lesson("stripes", "ReLU before or after max pooling?", "The same"),
    "conv-vs-dense": Lesson(
        "cat", "What does a filter save?", "It has 76 parameters, beside the 3,073 of one fully connected unit"
    ),
    "cs231n": Lesson("cs231n", "Can I work one out by hand?", "The demo of the CS231n course notes, all integers"),
    "digits": Lesson(
        "digit-3", "How does a small network read handwriting?", "Two convolutions, trained: right on 99.5 % of new digits"
    ),
    "lenet5": Lesson("digit-3", "What does LeNet-5 see?", "The same digits at 28×28, through all its seven layers"),
    "shapes-rgb": Lesson(
        "red-disc", "What do trained filters make of colour?", "Some add one colour and subtract the other two"
    ),
    "alexnet-block": Lesson(
        "coffee", "What are groups, LRN and overlapping pooling?", "The beginning of AlexNet, scaled down"
    ),
    "inception-block": Lesson("cat", "How do branches come together?", "GoogLeNet's four branches, concatenated"),
    "resnet-block": Lesson("cat", "What is a shortcut?", "A block that adds its input to its output"),
    "mobilenet-block": Lesson("cat", "What does depthwise separable save?", "Its cost beside the plain convolution"),
    "squeeze-excite": Lesson("coffee", "How can a network weigh its maps?", "Means of maps become factors of maps"),
    "unet-tiny": Lesson(
        "shapes", "How do maps grow again?", "Transposed convolution, drawn as a convolution, and a skip connection"
    ),
    "conv3d": Lesson("cat", "What does a 3-D filter do?", "It also slides across the stack of maps"),
    "learn-by-hand": Lesson(
        "by-hand",
        "Can I work out a step of training by hand?",
        "Yes: two outputs, six pixels, all integers; the loss falls from 10 to 6.1",
        train=True,
    ),
    "learn-sharing": Lesson(
        "quarters",
        "One kernel, nine places: what is its gradient?",
        "The sum of what each place says: 111 = 100 + 10 + 1",
        train=True,
    ),
    "learn-relu-gate": Lesson(
        "gate",
        "What does ReLU do to gradients?",
        "It is a gate: where it gives 0, nothing passes, and a dead filter learns nothing",
        train=True,
    ),
    "learn-pool-winner": Lesson(
        "winners",
        "Whom does max pooling pass the gradient to?",
        "To the largest of each window, all of it; the others get 0",
        train=True,
    ),
    "learn-skip": Lesson(
        "two-ways",
        "What does a shortcut do for learning?",
        "Gradients of two ways are added, 11 = 1 + 10: one arrives whatever the branch does",
        train=True,
    ),
    "learn-edge": Lesson(
        "cat",
        "Can a random kernel learn to find edges?",
        "In 30 steps it becomes sobel_x; at a learning rate beyond 0.883 it does not",
        train=True,
    ),
    "learn-vanishing": Lesson(
        "digit-3",
        "Why do deep networks have ReLU, not sigmoid?",
        "Through seven sigmoids the gradient shrinks from 0.08 to 0.000003; through ReLU hardly",
        train=True,
    ),
    "learn-twins": Lesson(
        "gate",
        "Why do weights begin at random?",
        "Two filters that begin alike stay alike, however long they learn",
        train=True,
    ),
    "learn-by-heart": Lesson(
        "digit-3",
        "The loss is nearly 0: has it understood?",
        "No: it learns as fast that the 3 is a 7",
        train=True,
    ),
}


def _folder(name: str) -> Path:
    """A shipped folder: beside this file in an installed package, at the top of the repository in a checkout."""
    installed = Path(__file__).parent / name
    return installed if installed.is_dir() else Path(__file__).parents[2] / name


def templates() -> dict[str, Path]:
    """The shipped network files by name."""
    return {path.stem: path for path in sorted(_folder("templates").glob("*.toml")) if EXERCISE not in path.name}


def exercises() -> dict[str, Path]:
    """The shipped exercises by the name of the network that they are for."""
    found = sorted(_folder("templates").glob(f"*{EXERCISE}"))
    return {path.name.removesuffix(EXERCISE): path for path in found}


def exercise_path(given: str) -> Path:
    """The exercise file that a path, or the name of a shipped one, stands for."""
    return _file_or_shipped(given, exercises())


def samples() -> dict[str, Path]:
    """The shipped pictures by name."""
    return {path.stem: path for path in sorted(_folder("samples").glob("*")) if path.suffix in PICTURES}


def network_path(given: str) -> Path:
    """The network file that a path, or a template's name, stands for."""
    path = _file_or_shipped(given, templates())
    if not os.path.lexists(path) and (not path.suffix or path.stem in templates()):
        raise SheetcnnError(
            f"{shown(path)}: is no network file and no template{near(path.stem, templates())}; `sheetcnn templates` lists them"
        )
    return path


def picture_path(given: str) -> Path:
    """The picture that a path or a sample's name stands for."""
    path = _file_or_shipped(given, samples())
    if not os.path.lexists(path) and (not path.suffix or path.stem in samples()):
        raise PictureError(
            f"{shown(path)}: is no file and no sample{near(path.stem, samples())}; `sheetcnn templates --pictures` lists them"
        )
    return path


def _file_or_shipped(given: str, shipped: dict[str, Path]) -> Path:
    """A file wins over what is shipped by its name; a folder of that name, which `new` makes, does not."""
    path = Path(given)
    return shipped[given] if not os.path.isfile(path) and given in shipped else path


def copy_template(name: str, folder: Path) -> list[Path]:
    """Copy a template's files into a folder, to be edited; nothing that exists is overwritten.

    Raises SheetcnnError where the template is unknown or a file is in the way.
    """
    if name not in templates():
        raise SheetcnnError(f"{name}: is no template{near(name, templates())}; `sheetcnn templates` lists them")
    folder_of = templates()[name].parent
    sources = sorted([*folder_of.glob(f"{name}.*"), *folder_of.glob(f"{name}{EPOCHS}")])
    targets = [folder / path.name for path in sources]
    refuse_existing(targets, "give another folder, or move it away")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SheetcnnError(f"{shown(folder)}: cannot be made ({reason}); give another folder") from None
    for source, target in zip(sources, targets, strict=True):
        write_bytes(target, source.read_bytes())
    return targets


def refuse_existing(targets: list[Path], instead: str) -> None:
    """Raise SheetcnnError where one of these is there already; `instead` says what to do then."""
    for target in targets:
        if os.path.lexists(target):
            raise SheetcnnError(f"{target}: exists already; {instead}")
