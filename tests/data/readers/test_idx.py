import gzip
import struct

import numpy as np
import pytest

from latax._errors import ConfigError, DataError, FileError
from latax.data import catalogue, read

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


@pytest.fixture
def save(tmp_path):
    def saved(array, kind="u1", name="images-idx3-ubyte"):
        head = bytes([0, 0, CODES[kind], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        contents = head + array.astype(f">{kind}").tobytes()
        path = tmp_path / name
        path.write_bytes(gzip.compress(contents) if name.endswith(".gz") else contents)
        return path

    return saved


@pytest.mark.parametrize("name", ["images-idx3-ubyte", "images-idx3-ubyte.gz", "images.idx"])
def test_images_of_bytes_are_grey_values(save, name):
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 3))
    images[0, 0, 0] = 255
    samples = read(save(images, name=name))
    assert samples.sample_shape == (4, 3)
    assert samples.X.max() == 1
    np.testing.assert_allclose(samples.X, images.reshape(5, 12) / 255, rtol=1e-7)
    assert "bytes scaled to [0, 1]" in samples.origin


@pytest.mark.parametrize("kind", CODES)
def test_other_arrays_are_as_they_are(save, kind):
    array = np.array([3, 7, 100, 9])
    samples = read(save(array, kind, "labels-idx1-ubyte"))
    np.testing.assert_array_equal(samples.X[:, 0], array)
    assert samples.X.dtype.isnative


def test_blocks_of_rows(save):
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 3))
    samples = read(save(images), lazy=True)
    assert samples.is_lazy
    np.testing.assert_allclose(samples.X[1:3], images[1:3].reshape(2, 12) / 255, rtol=1e-7)
    with pytest.raises(ConfigError, match="cannot be read by blocks"):
        read(save(images, name="a.idx.gz"), lazy=True)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda b: b[:-3], "60 bytes in all, and has 57: it is cut short"),
        (lambda b: b + b"x", "60 bytes in all, and has 61"),
        (lambda b: b[:6], "cut short or damaged"),
        (lambda b: b"\x89PNG" + b, "not an IDX file: it starts with 89 50 4e 47"),
        (lambda b: gzip.compress(b), "not an IDX file: it starts with 1f 8b"),
    ],
)
def test_damage(save, damage, message):
    path = save(np.zeros((5, 4, 3)))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FileError, match=message):
        read(path)


def test_damaged_packing(save):
    path = save(np.zeros((5, 40, 30)), name="a.idx.gz")
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(FileError, match="damaged, cut short or another kind"):
        read(path)
    path.write_bytes(b"no gzip at all")
    with pytest.raises(FileError, match="damaged, cut short or another kind"):
        read(path)


def test_a_digit_of_the_file_is_turned(save):
    images = np.zeros((3, 12, 12))
    images[1, 2:10, 5], images[1, 2, 5:9] = 255, 200
    path = save(images)
    turned = catalogue.make("rotated-digits", 6, 0, source=path, row=1)
    assert turned.sample_shape == (32, 32, 1)
    assert turned.truth["position"].shape == (6, 1)
    # Brightness stays in the picture, whatever the angle.
    total = turned.X.sum(axis=1)
    np.testing.assert_allclose(total, total.mean(), rtol=0.02)
    with pytest.raises(ConfigError, match="no digit 3; there are 3, from 0 on"):
        catalogue.make("rotated-digits", 6, 0, source=path, row=3)
    with pytest.raises(DataError, match=r"samples of shape \(12, 10\). Expected square grey images"):
        catalogue.make("rotated-digits", 6, 0, source=save(images[:, :, :10]), row=1)
    with pytest.raises(ConfigError, match="'circle' has no option 'row'"):
        catalogue.make("circle", 6, 0, row=1)
