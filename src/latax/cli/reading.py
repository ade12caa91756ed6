"""The options that say how a data file is read; the same in every command."""

import dataclasses
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from latax._errors import ConfigError
from latax.data import Samples, read


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read a file. Commands on a run read as the run did, where nothing else is said."""

    array: str | None = None
    """Which array or variable to take from a file that has several (npz, HDF5, NetCDF, Zarr)."""
    columns: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """A column to use; give it once for each. By default all columns but those of the context."""
    context: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """A column, or an array of the file, that conditions the density; give it once for each."""

    position: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """A column, or an array of the file, that tells where each sample is on a known manifold; give it once for each
    coordinate. It is no part of the data."""

    series: str | None = None
    """The column that says which sequence a row belongs to, by number or name, in a table with one row for each time of
    each of them."""
    time: str | None = None
    """The column of the times, in such a table."""

    def __call__(self, path: Path) -> Samples:
        """The samples in `path`."""
        if (self.series is None) != (self.time is None):
            raise ConfigError("A table of sequences needs both --series and --time, the names of two of its columns.")
        if self.position and self.series is not None:
            raise ConfigError("Sequences have no positions: leave out --position, or --series and --time.")
        return read(
            path,
            name=self.array,
            columns=self.columns or None,
            context=self.context or None,
            labels=self.series,
            time=self.time,
            position=self.position or None,
        )

    def without_missing(self, path: Path, what: Literal["position", "context"]) -> Samples:
        """The samples in `path`, where nobody asks for their positions, or for their context: a file may lack these."""
        try:
            return self(path)
        except ConfigError:
            if not getattr(self, what):
                raise
            return dataclasses.replace(self, **{what: ()})(path)

    def as_in(self, source: dict[str, Any] | None, path: Path) -> "Reading":
        """With what is not given taken from the `source` of a run, if `path` is of the same kind of file."""
        if source is None or Path(source["path"]).suffix != path.suffix:
            return self
        before = _from_dict(source)
        return Reading(
            array=self.array or before.array,
            columns=self.columns or before.columns,
            context=self.context or before.context,
            position=self.position or before.position,
            series=self.series or before.series,
            time=self.time or before.time,
        )

    def as_dict(self, path: Path) -> dict[str, Any]:
        """How to read the same file again, for a run's config.json."""
        return {
            "path": str(path.absolute()),
            **{k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()},
        }


def read_again(source: dict[str, Any]) -> Samples:
    """The samples that `as_dict` described."""
    return _from_dict(source)(Path(source["path"]))


def _from_dict(source: dict[str, Any]) -> Reading:
    options: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in source.items() if k != "path"}
    return Reading(**options)
