"""`latax data`: the built-in sets."""

from pathlib import Path
from typing import Annotated, Any

import tyro


def list_sets() -> None:
    """Lists the built-in data sets."""
    from rich.console import Console

    from latax.data import catalogue
    from latax.report.tables import Table, show

    show(Table("Built-in data sets", ["name", "what it is"], list(catalogue.describe().items())), Console())


def make(
    name: Annotated[str, tyro.conf.Positional],
    out: Path,
    size: int | None = None,
    seed: int = 0,
    source: Path | None = None,
    row: int | None = None,
    known: bool = False,
    side: int | None = None,
) -> None:
    """Makes a built-in data set and writes it to a new file.

    Args:
        name: One of the names that `latax data list` shows.
        out: npz, npy, nc, csv or parquet; only npz and nc keep times and true parameters.
        size: How many samples; sets of a fixed size have their own.
        seed: The same seed gives the same samples.
        source: Of rotated-digits and digit-sequences: a file with images of your own, such as MNIST's
            train-images-idx3-ubyte.gz.
        row: Of rotated-digits: which image is turned, from 0 on.
        known: Of digit-sequences: the transformation is the context, so that a model is told it.
        side: Of digit-sequences: how many pixels the images are high and wide, 28 by default.
    """
    from latax.data import catalogue
    from latax.data.write import write

    given = (("source", source), ("row", row), ("known", known or None), ("side", side))
    options = {key: value for key, value in given if value is not None}
    samples = catalogue.make(name, size, seed, **options)
    write(samples, out)
    print(f"{len(samples)} samples of {samples.origin}: {out}")


def data_commands() -> dict[str, Any]:
    """The commands below `latax data`."""
    return {"list": list_sets, "make": make}
