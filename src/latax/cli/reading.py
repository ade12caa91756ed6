"""The options that say how a data file is read; the same in every command."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from latax.data import Samples, read


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read a file."""

    array: str | None = None
    """Which array or variable to take from a file that has several (npz, HDF5, NetCDF, Zarr)."""
    columns: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """A column to use; give it several times. All columns by default."""
    context: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """A column, or the array, that the density is conditioned on."""

    def __call__(self, path: Path) -> Samples:
        """The samples in `path`."""
        return read(path, name=self.array, columns=self.columns or None, context=self.context or None)

    def as_dict(self, path: Path) -> dict[str, Any]:
        """How to read the same file again, for a run's config.json."""
        return {
            "path": str(path.absolute()),
            **{k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()},
        }


def read_again(source: dict[str, Any]) -> Samples:
    """The samples that `as_dict` described."""
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in source.items() if k != "path"}
    return Reading(**options)(Path(source["path"]))
