"""What the caller of `read` asked for, and the choice of columns by name or number."""

import dataclasses
from collections.abc import Sequence

from latax._errors import ConfigError
from latax._wording import did_you_mean, listed
from latax.data.memory import Lazy


@dataclasses.dataclass(frozen=True)
class Request:
    """Which parts of a file are wanted: see `latax.data.read`."""

    name: str | None = None
    columns: tuple[str, ...] | None = None
    context: tuple[str, ...] = ()
    lazy: Lazy = "auto"
    labels: str | None = None

    def refuse_name(self, where: str) -> None:
        """Raise `ConfigError` if an array was named in a kind of file that has no named arrays."""
        if self.name is not None:
            raise ConfigError(f"{where} holds a single array or table, so name='{self.name}' has no meaning. Drop it.")

    def refuse_lazy(self, where: str) -> None:
        """Raise `ConfigError` if reading by blocks was demanded of a kind of file that must be read whole."""
        if self.lazy is True:
            raise ConfigError(
                f"{where} cannot be read by blocks of rows (lazy=True). "
                "Drop lazy, or convert the file to .npy, HDF5 or Zarr."
            )


def split_columns(
    names: Sequence[str], columns: tuple[str, ...] | None, context: tuple[str, ...], where: str
) -> tuple[list[int], list[int]]:
    """Positions of the feature columns and of the context columns.

    Without `columns`, the features are all that are not context. A column is given by its name, or else by its
    number. Raises `ConfigError` for an unknown or repeated column, one on both sides, or when no feature is left.
    """
    chosen_context = [position(name, names, where) for name in context]
    if columns is None:
        taken = set(chosen_context)
        features = [i for i in range(len(names)) if i not in taken]
    else:
        features = [position(name, names, where) for name in columns]
    both = [*features, *chosen_context]
    repeated = {names[i] for i in both if both.count(i) > 1} if len(set(both)) < len(both) else set()
    if repeated:
        raise ConfigError(f"{listed(sorted(repeated))}: given more than once among columns and context of {where}.")
    if not features:
        raise ConfigError(f"no data column is left in {where}: all of {listed(names)} are used as context.")
    return features, chosen_context


def position(name: str, names: Sequence[str], where: str) -> int:
    """The number of the column with this name, or else this number. Raises `ConfigError` if there is none."""
    if name in names:
        return names.index(name)
    if name.isdigit() and int(name) < len(names):
        return int(name)
    raise ConfigError(f"{where} has no column '{name}'.{did_you_mean(name, names)} Its columns are {listed(names)}.")
