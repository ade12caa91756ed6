"""IDX, the format of MNIST and its kin: one array of numbers in big-endian order, plain or packed by gzip.

Two zero bytes, a byte for the type, one for the number of axes, four for the length of each, then the numbers
(Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits").
"""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import Num

from latax._errors import FileError
from latax.data.arrays import StoredArray, assemble
from latax.data.damage import damage_reported
from latax.data.request import Request
from latax.data.samples import Samples

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_IMAGE_AXES = 3
_WHITE = 255


def read(path: Path, request: Request) -> Samples:
    """Samples along the first axis. Images of bytes, (N, H, W) or more axes, are divided by 255: values from 0 to 1."""
    request.refuse_name(str(path))
    with damage_reported(path, "IDX", (OSError, EOFError, zlib.error, ValueError)):
        array = _stored(path)
    is_image = array.dtype == np.uint8 and array.ndim >= _IMAGE_AXES
    kind = "IDX, bytes scaled to [0, 1]" if is_image else "IDX"
    dtype = np.dtype(np.float32) if is_image else array.dtype.newbyteorder("=")
    rows = lambda chosen: array[chosen].astype(dtype) / dtype.type(_WHITE) if is_image else array[chosen].astype(dtype)
    stored = StoredArray(array.shape, dtype, rows)
    return assemble(path, kind, {"": stored}, request, in_blocks=not _is_packed(path))


def _stored(path: Path) -> Num[np.ndarray, "..."]:
    packed = _is_packed(path)
    with (gzip.open if packed else open)(path, "rb") as file:
        start = file.read(4)
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES or not start[3]:
            raise FileError(
                f"{path} is not an IDX file: it starts with {start.hex(' ')}, and one with bytes along three axes "
                "starts with 00 00 08 03. Is it another kind of file with this name?"
            )
        dtype, axes = np.dtype(_TYPES[start[2]]), start[3]
        shape = struct.unpack(f">{axes}I", file.read(4 * axes).ljust(4 * axes, b"\0"))
        held = file.read() if packed else None
    wanted, offset = int(np.prod(shape)) * dtype.itemsize, 4 + 4 * axes
    found = path.stat().st_size - offset if held is None else len(held)
    if found != wanted:
        raise FileError(
            f"{path} says that it holds {' × '.join(map(str, shape))} numbers of {dtype.itemsize} bytes, {wanted:,} "
            f"bytes in all, and has {max(found, 0):,}: it is cut short or damaged. Copy or download it again."
        )
    if held is not None:
        return np.frombuffer(held, dtype).reshape(shape)
    return np.memmap(path, dtype, "r", offset, shape) if wanted else np.zeros(shape, dtype)


def _is_packed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")
