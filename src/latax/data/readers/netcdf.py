"""NetCDF, classic (3) and 4: named variables on named dimensions, samples along a variable's first dimension."""

from pathlib import Path

from latax._errors import FileError
from latax.data.arrays import assemble
from latax.data.damage import damage_reported
from latax.data.fields import stored_variables
from latax.data.request import Request
from latax.data.samples import Samples


def read(path: Path, request: Request) -> Samples:
    """The variable `name`, or the only one; packed values are unpacked and fill values become NaN."""
    import xarray

    with damage_reported(path, "NetCDF", (OSError, ValueError, KeyError, RuntimeError, TypeError)):
        # Times stay the numbers they are stored as: a date is of no use as a feature.
        dataset = xarray.open_dataset(path, engine=_engine(path), decode_times=False, cache=False)
        return assemble(path, "NetCDF", stored_variables(dataset), request, in_blocks=True)


def _engine(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    if start[:3] == b"CDF":
        return "scipy"
    if start == b"\x89HDF":
        return "h5netcdf"
    raise FileError(
        f"{path} is not a NetCDF file: it begins with {start!r}. "
        "If it is another format, give it that format's extension."
    )
