"""HDF5: named arrays in groups, read by blocks of rows when they are large."""

from pathlib import Path

from latax.data.arrays import StoredArray, assemble
from latax.data.damage import damage_reported
from latax.data.request import Request
from latax.data.samples import Samples


def read(path: Path, request: Request) -> Samples:
    """The array `name` ("group/array" inside groups), or the only one, samples along its first axis."""
    import h5py

    with damage_reported(path, "HDF5", (OSError, KeyError, RuntimeError)):
        file = h5py.File(path, "r")  # Stays open as long as an array of it is in use.
        arrays: dict[str, StoredArray] = {}

        def note(name: str, item: h5py.Dataset | h5py.Group) -> None:
            if isinstance(item, h5py.Dataset) and item.shape is not None:
                arrays[name] = StoredArray(item.shape, item.dtype, item.__getitem__)

        file.visititems(note)
        return assemble(path, "HDF5", arrays, request, in_blocks=True)
