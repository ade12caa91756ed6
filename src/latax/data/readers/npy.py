"""NumPy's .npy: one array, mapped into memory, never unpickled."""

from pathlib import Path

import numpy as np

from latax.data.arrays import StoredArray, assemble
from latax.data.damage import damage_reported
from latax.data.numeric import float_dtype
from latax.data.request import Request
from latax.data.samples import Samples


def read(path: Path, request: Request) -> Samples:
    """Samples along the first axis; the context can be columns of the same array."""
    request.refuse_name(str(path))
    with damage_reported(path, ".npy", (ValueError, OSError)):
        with path.open("rb") as file:
            if np.lib.format.read_magic(file) == (1, 0):
                _, _, dtype = np.lib.format.read_array_header_1_0(file)
            else:
                _, _, dtype = np.lib.format.read_array_header_2_0(file)
        float_dtype(dtype, str(path))  # Before mapping, which NumPy refuses for pickled objects in its own words.
        array = np.lib.format.open_memmap(path, mode="r")
    stored = StoredArray(array.shape, array.dtype, lambda rows: np.array(array[rows]))
    return assemble(path, "npy", {"": stored}, request, in_blocks=True)
