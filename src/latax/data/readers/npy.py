"""NumPy's .npy: one array, mapped into memory, never unpickled."""

from pathlib import Path

import numpy as np

from latax._errors import DataError, FileError
from latax.data.arrays import StoredArray, assemble
from latax.data.request import Request
from latax.data.samples import Samples


def read(path: Path, request: Request) -> Samples:
    """Samples along the first axis; the context can be columns of the same array."""
    request.refuse_name(str(path))
    with path.open("rb") as file:
        start = file.read(len(np.lib.format.MAGIC_PREFIX))
    if start != np.lib.format.MAGIC_PREFIX:
        raise FileError(
            f"{path} is not a .npy file: it begins with {start!r} instead of {np.lib.format.MAGIC_PREFIX!r}. "
            "If it is another format, give it that format's extension; else write it again with numpy.save."
        )
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except ValueError as error:
        if "object" in str(error):
            raise DataError(
                f"{path} holds Python objects (pickled); latax never unpickles files, because that can run code. "
                "Save it as an array of numbers: numpy.save(path, numpy.asarray(values, dtype=float))."
            ) from error
        raise FileError(
            f"{path} is damaged or cut short ({error}). Copy or download it again, or write it again with numpy.save."
        ) from error
    stored = StoredArray(array.shape, array.dtype, lambda rows: np.array(array[rows]))
    return assemble(path, "NumPy array", {"": stored}, request, in_blocks=True)
