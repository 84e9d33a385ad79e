"""Pictures of every kind become the right numbers, and what is no picture is refused in one line."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sheetcnn.errors import PictureError
from sheetcnn.image import load_input
from sheetcnn.model.settings import InputSettings
from sheetcnn.templates import samples


def settings(channels: int = 3, height: int = 4, width: int = 4, **more: Any) -> InputSettings:
    return InputSettings(channels=channels, height=height, width=width, **more)


def saved(folder: Path, picture: Image.Image, name: str = "p.png", **options: Any) -> Path:
    picture.save(folder / name, **options)
    return folder / name


def test_colours_go_to_their_channels(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("RGB", (4, 4), (10, 20, 30)))
    assert [set(channel.ravel().tolist()) for channel in load_input(path, settings())] == [{10}, {20}, {30}]


def test_grey_is_the_usual_mix(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("RGB", (4, 4), (255, 0, 0)))
    assert set(load_input(path, settings(1)).ravel().tolist()) == {76}  # 0.299 · 255, ITU-R 601


def test_grey_picture_for_a_colour_network(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("L", (4, 4), 77))
    assert set(load_input(path, settings()).ravel().tolist()) == {77}


def test_rows_are_rows(tmp_path: Path) -> None:
    picture = Image.new("L", (4, 4), 0)
    picture.putpixel((3, 0), 200)  # x, y
    values = load_input(saved(tmp_path, picture), settings(1))
    assert values[0, 0, 3] == 200
    assert values.sum() == 200


def test_orientation_from_exif(tmp_path: Path) -> None:
    picture = Image.new("L", (4, 4), 0)
    picture.putpixel((0, 0), 255)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the top row is the right column
    values = load_input(saved(tmp_path, picture, exif=exif), settings(1))
    assert values[0, 0, 3] == 255


@pytest.mark.parametrize(("alpha", "want"), [(0, 255), (255, 100), (51, 224)])
def test_transparency_lies_on_white(alpha: int, want: int, tmp_path: Path) -> None:
    for mode, colour in (("RGBA", (100, 100, 100, alpha)), ("LA", (100, alpha))):
        path = saved(tmp_path, Image.new(mode, (4, 4), colour))
        assert set(load_input(path, settings(1)).ravel().tolist()) == {want}


def test_palette_with_a_transparent_colour(tmp_path: Path) -> None:
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([9, 9, 9, 50, 60, 70])
    picture.putpixel((1, 0), 1)
    values = load_input(saved(tmp_path, picture, transparency=0), settings())
    assert values[:, 0, 1].tolist() == [50, 60, 70]
    assert values[:, 0, 0].tolist() == [255, 255, 255]


def test_16_bit(tmp_path: Path) -> None:
    array = np.array([[0, 257 * 10, 257 * 128, 65535]] * 4, dtype=np.uint16)
    path = saved(tmp_path, Image.fromarray(array))
    assert load_input(path, settings(1))[0, 0].tolist() == [0, 10, 128, 255]


@pytest.mark.parametrize(
    ("array", "want"),
    [([[0.0, 0.5, 1.0, 1.0]] * 4, [0, 128, 255, 255]), ([[0.0, 64.0, 255.0, 300.0]] * 4, [0, 64, 255, 255])],
)
def test_floats(array: Any, want: list[int], tmp_path: Path) -> None:
    path = saved(tmp_path, Image.fromarray(np.array(array, np.float32)), "p.tiff")
    assert load_input(path, settings(1))[0, 0].tolist() == want


def test_cmyk_and_bilevel(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "p.tiff")
    assert load_input(path, settings())[:, 0, 0].tolist() == [255, 0, 0]
    path = saved(tmp_path, Image.new("1", (4, 4), 1))
    assert set(load_input(path, settings(1)).ravel().tolist()) == {255}


def test_animation_gives_its_first_picture(tmp_path: Path) -> None:
    frames = [Image.new("L", (4, 4), shade) for shade in (30, 200)]
    path = saved(tmp_path, frames[0], "p.gif", save_all=True, append_images=frames[1:])
    assert set(load_input(path, settings(1)).ravel().tolist()) == {30}


def test_fit(tmp_path: Path) -> None:
    """A picture twice as wide as high: black, its right half white."""
    picture = Image.new("L", (40, 20), 0)
    picture.paste(255, (20, 0, 40, 20))
    path = saved(tmp_path, picture)
    contain, cover, stretch = (load_input(path, settings(1, 20, 20, fit=fit))[0] for fit in ("contain", "cover", "stretch"))
    assert (contain[:4] == 255).all()  # white bars above and below
    assert contain[10, 1] == 0
    assert cover[0, 1] == 0
    assert cover[0, 18] == 255
    assert (stretch[:, 0] == 0).all()
    assert (stretch[:, 19] == 255).all()


def test_invert(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("L", (4, 4), 200))
    assert set(load_input(path, settings(1, invert=True)).ravel().tolist()) == {55}


def test_numbers_are_taken_as_they_are(tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(5, 4, 3))
    np.save(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(load_input(tmp_path / "a.npy", settings(5, 4, 3, invert=True)), array)
    np.save(tmp_path / "b.npy", array[0])
    np.testing.assert_array_equal(load_input(tmp_path / "b.npy", settings(1, 4, 3)), array[:1])
    (tmp_path / "c.csv").write_text("\ufeff1, 2.5\n-3, 4e2\n", encoding="utf-8")
    np.testing.assert_array_equal(load_input(tmp_path / "c.csv", settings(1, 2, 2)), [[[1, 2.5], [-3, 400]]])


def test_bad_pictures(tmp_path: Path) -> None:
    def fails(path: Path, message: str, **more: Any) -> None:
        with pytest.raises(PictureError, match=message) as caught:
            load_input(path, settings(**more))
        assert "\n" not in str(caught.value)
        assert path.name in str(caught.value)

    fails(tmp_path / "none.png", "cannot be read")
    fails(tmp_path, "cannot be read")
    (tmp_path / "text.png").write_text("hello")
    fails(tmp_path / "text.png", "no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    fails(tmp_path / "empty.png", "no picture")
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(stream, "PNG")
    (tmp_path / "cut.png").write_bytes(stream.getvalue()[:1000])
    fails(tmp_path / "cut.png", "broken")
    fails(saved(tmp_path, Image.new("L", (4, 4))), "a picture has 1 or 3 channels, the network reads 5", channels=5)
    (tmp_path / "a.npy").write_text("hello")
    fails(tmp_path / "a.npy", "no array of numbers")
    np.save(tmp_path / "a.npy", np.array([object()]), allow_pickle=True)
    fails(tmp_path / "a.npy", "has the type object; save real numbers")
    np.save(tmp_path / "a.npy", np.zeros((3, 4, 5)))
    fails(tmp_path / "a.npy", "has the shape 3×4×5, the network reads 3×4×4; numbers are not resized")
    np.save(tmp_path / "a.npy", np.full((3, 4, 4), np.nan))
    fails(tmp_path / "a.npy", "NaN")
    np.save(tmp_path / "a.npy", np.zeros((3, 4, 4), complex))
    fails(tmp_path / "a.npy", "real numbers")
    np.save(tmp_path / "a.npy", np.array([["a"] * 4] * 4))
    fails(tmp_path / "a.npy", "real numbers")
    for text in ("", "1,2\n3\n", "a,b\n", "1,nan,3,4\n" * 4):
        (tmp_path / "a.csv").write_text(text)
        fails(tmp_path / "a.csv", "a.csv", channels=1)


def test_an_array_that_claims_to_be_huge_takes_no_memory(tmp_path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999, 9999), }"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(PictureError, match="has the shape 9999999999×9999"):
        load_input(tmp_path / "a.npy", settings())


def test_decompression_bomb(tmp_path: Path) -> None:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(png)
    with pytest.raises(PictureError, match=r"60000×60000|bomb"):
        load_input(tmp_path / "bomb.png", settings())


@pytest.mark.parametrize("name", [name for name, path in samples().items() if path.suffix not in (".npy", ".csv")])
def test_samples_are_pictures(name: str) -> None:
    values = load_input(samples()[name], settings(3, 16, 16))
    assert values.std() > 10
