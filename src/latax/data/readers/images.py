"""A folder of images of one size, as grey values or RGB from 0 to 1."""

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from latax._errors import ConfigError, DataError, FileError
from latax._wording import counted, listed
from latax.data.memory import require_memory
from latax.data.request import Request
from latax.data.samples import Samples

if TYPE_CHECKING:
    from PIL.Image import Image

EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
_WIDE = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
_LARGEST_WIDE = 65535
_GREY = ("1", "L", "LA", *_WIDE)
_EXIF_ORIENTATION = 0x0112
_TURNED_BY_A_QUARTER = (5, 6, 7, 8)


def read(path: Path, request: Request) -> Samples:
    """One sample per image, in the order of their names: X (N, H·W) for grey images, (N, H·W·3) when any is coloured.

    Grey values and colours are divided by the largest that their bit depth can hold. Photographs are turned upright
    by their EXIF orientation; transparency is dropped.
    """
    request.refuse_name(str(path))
    request.refuse_lazy(str(path))
    if request.columns is not None or request.context:
        raise ConfigError(f"{path} is a folder of images, which has no columns to choose and no context. Drop both.")
    files = sorted(file for file in path.iterdir() if _is_image(file))
    if not files:
        raise FileError(_no_images(path))
    sizes, coloured = _survey(files)
    width, height = next(iter(sizes))
    if len(sizes) > 1:
        raise DataError(_sizes_differ(path, sizes))
    shape = (height, width, 3) if coloured else (height, width)
    require_memory(4 * len(files) * int(np.prod(shape)), f"{path} ({len(files)} images of shape {shape})")
    pixels = np.empty((len(files), *shape), np.float32)
    for i, file in enumerate(files):
        pixels[i] = _pixels(file, coloured)
    colours = "RGB" if coloured else "grey"
    return Samples(
        pixels.reshape(len(files), -1),
        sample_shape=shape,
        origin=f"{path} ({counted(len(files), 'image')}, {height}×{width} {colours}, scaled to [0, 1], by name)",
    )


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in EXTENSIONS and not file.name.startswith(".")


@contextlib.contextmanager
def _opened(file: Path) -> "Generator[Image, None, None]":
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as image:
            yield image
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise FileError(
            f"{file} is damaged or not an image ({error}). Copy it again, or take it out of the folder."
        ) from error


def _survey(files: list[Path]) -> tuple[dict[tuple[int, int], list[Path]], bool]:
    """Files by (width, height), and whether any is in colour, from the headers alone."""
    sizes: dict[tuple[int, int], list[Path]] = {}
    coloured = False
    for file in files:
        with _opened(file) as image:
            lies = image.getexif().get(_EXIF_ORIENTATION, 1) in _TURNED_BY_A_QUARTER
            size = (image.height, image.width) if lies else (image.width, image.height)
            sizes.setdefault(size, []).append(file)
            coloured = coloured or image.mode not in _GREY
    return sizes, coloured


def _pixels(file: Path, coloured: bool) -> Float[np.ndarray, "*shape"]:
    from PIL import ImageOps

    with _opened(file) as opened:
        image = ImageOps.exif_transpose(opened)
        values = np.asarray(image if image.mode in _WIDE else image.convert("RGB" if coloured else "L"), np.float32)
    if image.mode not in _WIDE:
        return values / np.float32(255)
    if image.mode == "F" or values.max() > _LARGEST_WIDE or values.min() < 0:
        raise DataError(
            f"{file} holds pixels of unknown range (mode {image.mode}), which cannot be scaled to [0, 1]. "
            "Save the images as one array of shape (images, height, width) in a .npy file instead."
        )
    values = values / np.float32(_LARGEST_WIDE)
    return np.repeat(values[..., None], 3, axis=-1) if coloured else values


def _sizes_differ(path: Path, sizes: dict[tuple[int, int], list[Path]]) -> str:
    common, *others = sorted(sizes, key=lambda size: -len(sizes[size]))
    odd = [file.name for size in others for file in sizes[size]]
    return (
        f"the images in {path} differ in size: {len(sizes[common])} are {common[0]}×{common[1]} (width × height), but "
        f"{listed(f'{f.name} is {s[0]}×{s[1]}' for s in others for f in sizes[s][:3])}"
        f"{f' ({len(odd)} in all)' if len(odd) > 1 else ''}. Crop or resize them to one size, or take those out."
    )


def _no_images(path: Path) -> str:
    inside = sorted(path.iterdir())
    folders = [f.name for f in inside if f.is_dir() and any(_is_image(image) for image in f.iterdir())]
    if folders:
        return f"{path} holds no images itself; there are some in {listed(folders)}. Give one of these folders."
    files = listed([f.name for f in inside], most=6) or "nothing"
    return (
        f"{path} is a folder without images ({', '.join(EXTENSIONS)}); it holds {files}. "
        "Give the path of a file, or of a folder of images."
    )
