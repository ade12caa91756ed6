"""NumPy's .npz: named arrays in a zip archive. They cannot be mapped into memory, so they are read whole."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from latax.data.arrays import StoredArray, assemble
from latax.data.damage import damage_reported
from latax.data.request import Request
from latax.data.samples import Samples

_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError)


def read(path: Path, request: Request) -> Samples:
    """The array `name`, or the only one; context names are other arrays, or columns of the same one."""
    with damage_reported(path, ".npz", _DAMAGE):
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.namelist() if member.endswith(".npy")]
            arrays = {member.removesuffix(".npy"): _stored(path, archive, member) for member in members}
        return assemble(path, "npz", arrays, request, in_blocks=False)


def _stored(path: Path, archive: zipfile.ZipFile, member: str) -> StoredArray:
    """Shape and type from the header of the member alone, so that listing a big archive costs nothing."""
    name = member.removesuffix(".npy")

    def read_rows(rows: slice | np.ndarray) -> np.ndarray:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays[name][rows]

    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    return StoredArray(shape, dtype, read_rows)
