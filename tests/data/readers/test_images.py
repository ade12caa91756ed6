import numpy as np
import pytest
from PIL import Image

from latax._errors import ConfigError, DataError, FileError
from latax.data import read

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (5, 4, 6), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (3, 4, 6, 3), dtype=np.uint8)


def save(folder, images, extension="png", **options):
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"image{i}.{extension}", **options)
    return folder


def test_grey(tmp_path):
    samples = read(save(tmp_path, GREY))
    assert samples.sample_shape == (4, 6)
    assert samples.X.dtype == np.float32
    np.testing.assert_allclose(samples.X, GREY.reshape(5, 24) / 255, rtol=1e-6)
    assert "5 images, 4×6 grey, scaled to [0, 1]" in samples.origin


def test_colour_and_other_files_in_the_folder(tmp_path):
    (tmp_path / "notes.txt").write_text("by hand")
    (tmp_path / "._image0.png").write_text("what a Mac leaves")
    samples = read(save(tmp_path, COLOUR, "bmp"))
    assert samples.sample_shape == (4, 6, 3)
    np.testing.assert_allclose(samples.X.reshape(COLOUR.shape), COLOUR / 255, rtol=1e-6)


def test_one_coloured_image_makes_all_of_them_coloured(tmp_path):
    save(tmp_path, GREY)
    Image.fromarray(COLOUR[0]).save(tmp_path / "zebra.png")
    X = read(tmp_path).X.reshape(6, 4, 6, 3)
    np.testing.assert_allclose(X[0], np.repeat(GREY[0][..., None], 3, axis=-1) / 255, rtol=1e-6)
    np.testing.assert_allclose(X[5], COLOUR[0] / 255, rtol=1e-6)


def test_sixteen_bits(tmp_path):
    wide = RNG.integers(0, 65536, (4, 6), dtype=np.uint16)
    samples = read(save(tmp_path, [wide, wide]))
    np.testing.assert_allclose(samples.X[1], wide.ravel() / 65535, rtol=1e-6)


def test_jpeg_turned_by_its_orientation(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    gradient = np.repeat(np.linspace(0, 255, 16, dtype=np.uint8)[None], 8, axis=0)
    Image.fromarray(gradient).save(tmp_path / "a.jpg", exif=exif, quality=95)
    samples = read(tmp_path)
    assert samples.sample_shape == (16, 8)
    assert samples.X.reshape(16, 8)[0].mean() < 0.1 < 0.9 < samples.X.reshape(16, 8)[-1].mean()


def test_sizes_that_differ(tmp_path):
    save(tmp_path, GREY)
    Image.fromarray(GREY[0][:3]).save(tmp_path / "odd.png")
    with pytest.raises(DataError, match=r"differ in size: 5 are 6×4 \(width × height\), but odd\.png is 6×3\. Crop"):
        read(tmp_path)


def test_damaged_image(tmp_path):
    save(tmp_path, GREY)
    whole = (tmp_path / "image3.png").read_bytes()
    for broken in (whole[: len(whole) // 2], b"not an image"):
        (tmp_path / "image3.png").write_bytes(broken)
        with pytest.raises(FileError, match=r"image3\.png is damaged or not an image .* take it out of the folder"):
            read(tmp_path)


def test_pixels_of_unknown_range(tmp_path):
    Image.fromarray(np.full((2, 2), 0.5, np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=r"a\.tif holds pixels of unknown range \(mode F\).*\.npy file instead"):
        read(tmp_path)


def test_folder_without_images(tmp_path):
    (tmp_path / "data.csv").write_text("a\n1\n")
    with pytest.raises(FileError, match=r"is a folder without images .* it holds data\.csv\. Give the path of a file"):
        read(tmp_path)


def test_images_in_folders_below(tmp_path):
    for name in ("cats", "dogs"):
        (tmp_path / name).mkdir()
        save(tmp_path / name, GREY)
    with pytest.raises(FileError, match=r"holds no images itself; there are some in cats, dogs\. Give one"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": "x0"}, r"a folder of images, which has no columns to choose and no context"),
        ({"context": "label"}, r"a folder of images, which has no columns to choose and no context"),
        ({"name": "a"}, r"name='a' has no meaning"),
        ({"lazy": True}, r"cannot be read by blocks"),
    ],
)
def test_what_a_folder_of_images_does_not_have(tmp_path, options, message):
    save(tmp_path, GREY)
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, **options)


def test_too_many_for_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("latax.data.memory.available_memory", lambda: 100)
    with pytest.raises(DataError, match=r"\(5 images of shape \(4, 6\)\) needs about 0\.0 GiB of memory"):
        read(save(tmp_path, GREY))
