"""What every reader and every built-in set returns: rows of numbers, with names and an origin."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from jaxtyping import Float, Int, Shaped

from latax._errors import DataError
from latax._wording import counted, row_name
from latax.data.lazy import LazyRows
from latax.data.pairs import Pairs, both

BLOCK_BYTES = 64 * 2**20


@dataclasses.dataclass(frozen=True, eq=False)
class Samples:
    """N samples of d numbers each, with an optional context (the conditioning variables of each sample).

    * `X`: (N, d), float32 or float64; a NumPy array, or `LazyRows`, which reads a file as rows are asked for.
    * `context`: (N, c), or None.
    * `feature_names`, `context_names`: one name per column; `x0, x1, ...` and `context0, ...` when not given.
    * `sample_shape`: the shape of one sample before it was flattened, e.g. (8, 8) for images; (d,) when not given.
    * `origin`: where the numbers come from and what was done to them on the way, for people.
    * `times`: of sequences, the times (T,) of the first axis of `sample_shape`; None when not known.
    * `labels`: what the rows are called, such as the names of subjects; empty when they have no names.
    * `groups`: (N,), which rows belong together, such as those of one subject or trajectory: splits keep them together.
      None where that is not known; then rows of the same label do.
    * `truth`: what is known of each sample that no model is shown, e.g. true parameters (N,) or noise-free data
      (N, ...), by name.
    * `pairs`: of near samples, with their distance and the sample halfway between them; None when not known. Files
      that latax writes keep neither them nor groups.

    Raises `DataError` when the shapes do not belong together.
    """

    X: Float[np.ndarray, "N d"] | LazyRows
    context: Float[np.ndarray, "_ c"] | None = None  # Its N is checked below, with a message for the user.
    feature_names: tuple[str, ...] = ()
    context_names: tuple[str, ...] = ()
    sample_shape: tuple[int, ...] = ()
    origin: str = "array"
    times: Float[np.ndarray, " _"] | None = None
    truth: Mapping[str, Shaped[np.ndarray, "..."]] = dataclasses.field(default_factory=dict)
    pairs: Pairs | None = None
    labels: tuple[str, ...] = ()
    groups: Shaped[np.ndarray, " _"] | None = None

    def __post_init__(self):
        rows, size = self.X.shape
        width = 0 if self.context is None else self.context.shape[1]
        # A frozen dataclass has no other way to fill in a default that depends on the data.
        object.__setattr__(self, "sample_shape", self.sample_shape or (size,))
        object.__setattr__(self, "feature_names", self.feature_names or default_names(self.sample_shape))
        object.__setattr__(self, "context_names", self.context_names or default_names((width,), "context"))
        if self.context is not None and self.context.shape[0] != rows:
            raise DataError(
                f"the context has {self.context.shape[0]} rows and the data have {rows}; "
                "there must be one row of context for each sample."
            )
        if math.prod(self.sample_shape) != size or len(self.feature_names) != size:
            raise DataError(
                f"{size} columns do not fit a sample shape of {self.sample_shape} "
                f"and {len(self.feature_names)} feature names."
            )
        if len(self.context_names) != width:
            raise DataError(f"{len(self.context_names)} context names were given for {width} context columns.")
        if self.times is not None and len(self.times) != self.sample_shape[0]:
            raise DataError(f"{len(self.times)} times do not fit sequences of {self.sample_shape[0]} entries.")
        if self.labels and len(self.labels) != rows:
            raise DataError(f"{len(self.labels)} labels were given for {rows} rows; expected one for each, or none.")
        if self.groups is not None and len(self.groups) != rows:
            raise DataError(f"{len(self.groups)} groups were given for {rows} rows; expected one label for each row.")
        for name, values in self.truth.items():
            if values.shape[:1] != (rows,):
                raise DataError(f"the truth '{name}' has shape {values.shape}; expected {rows} values, one per sample.")
        if self.pairs is not None:
            self.pairs.check_rows(rows)

    def __len__(self) -> int:
        return self.X.shape[0]

    @property
    def is_lazy(self) -> bool:
        """Whether `X` stays in its file and is read as rows are asked for."""
        return isinstance(self.X, LazyRows)

    def take(self, rows: slice | Int[np.ndarray, " rows"]) -> "Samples":
        """These rows only, in memory, with the pairs that have all their rows among them; the rest stays the same."""
        context = None if self.context is None else self.context[rows]
        truth = {name: values[rows] for name, values in self.truth.items()}
        pairs = None if self.pairs is None else self.pairs.taken(rows, len(self))
        labels = tuple(np.array(self.labels, object)[rows]) if self.labels else ()
        groups = None if self.groups is None else self.groups[rows]
        parts = {"context": context, "truth": truth, "pairs": pairs, "labels": labels, "groups": groups}
        return dataclasses.replace(self, X=self.X[rows], **parts)


def stacked(first: Samples, second: Samples) -> Samples:
    """The samples of both, in memory; names, times and origin are the first's, truth is what is known of both,
    and labels are there where both have them; groups are lost.

    Raises `DataError` where they do not have the same columns.
    """
    if first.feature_names != second.feature_names or first.context_names != second.context_names:
        raise DataError(
            f"{first.origin} and {second.origin} have different columns; samples to be stacked need the same."
        )
    joined = lambda a, b: np.concatenate([np.asarray(a), np.asarray(b)])
    truth = {name: joined(values, second.truth[name]) for name, values in first.truth.items() if name in second.truth}
    context = None if first.context is None else joined(first.context, second.context)
    pairs = both(first.pairs, second.pairs, len(first))
    labels = (*first.labels, *second.labels) if first.labels and second.labels else ()
    X = joined(first.X, second.X)
    return dataclasses.replace(first, X=X, context=context, truth=truth, pairs=pairs, labels=labels, groups=None)


def default_names(shape: tuple[int, ...], stem: str = "x") -> tuple[str, ...]:
    """One name per number of an array of this shape: `x0, x1, ...`; for images `x0_0, x0_1, ...`."""
    return tuple(stem + "_".join(map(str, index)) for index in np.ndindex(*shape)) if math.prod(shape) else ()


def row_blocks(
    X: Float[np.ndarray, "N d"] | LazyRows, block_bytes: int | None = None
) -> Iterator[tuple[int, Float[np.ndarray, "rows d"]]]:
    """Go through the rows by blocks of about `block_bytes` (64 MiB): pairs of (number of the first row, block)."""
    rows, size = X.shape
    row_bytes = X.row_nbytes if isinstance(X, LazyRows) else size * X.dtype.itemsize
    step = max(1, (block_bytes or BLOCK_BYTES) // max(1, row_bytes))
    for start in range(0, rows, step):
        yield start, X[start : min(start + step, rows)]


def check_finite(samples: Samples, *, beside: str = "context") -> None:
    """Raise `DataError` if a number of the data or of the context is NaN or infinite.

    `beside`: what the context is to the user. The message says how many there are, in how many rows, and where the
    first is. Lazy data are read once, by blocks.
    """
    _check_finite(samples, samples.X, lambda column: _column(samples, column), samples.origin)
    if samples.context is not None:
        names = samples.context_names
        what = f"the {beside} of {samples.origin}"
        _check_finite(samples, samples.context, lambda column: f", column '{names[column]}'", what)


def _check_finite(
    samples: Samples, X: Float[np.ndarray, "N d"] | LazyRows, place: Callable[[int], str], what: str
) -> None:
    nans = infinities = bad_rows = 0
    first = None
    for start, block in row_blocks(X):
        bad = ~np.isfinite(block)
        if not bad.any():
            continue
        in_block = int(np.isnan(block).sum())
        nans, infinities = nans + in_block, infinities + int(bad.sum()) - in_block
        bad_rows += int(bad.any(axis=1).sum())
        if first is None:
            row, column = (int(i) for i in np.argwhere(bad)[0])
            first = f"{block[row, column]} in {where(samples, start + row)}{place(column)}"
    if first is None:
        return
    by_numpy = ", with NumPy X[numpy.isfinite(X).all(axis=1)]" if samples.origin == "array" else ""
    raise DataError(
        f"{what} is not finite everywhere: {counted(nans, 'value')} NaN or missing and {infinities} infinite, "
        f"in {bad_rows} of {counted(X.shape[0], _noun(samples))}; the first is {first}. Remove these {_noun(samples)}s"
        f"{by_numpy}, fill the gaps in, or leave out the columns that have them."
    )


def _noun(samples: Samples) -> str:
    """What a row is to the user."""
    return "sequence" if samples.labels and samples.times is not None else "row"


def where(samples: Samples, row: int) -> str:
    """How the user finds a row. Labels are names of sequences, but of the rows of a table there may be several."""
    labels = samples.labels if _noun(samples) == "sequence" else ()
    also = f", that of {samples.labels[row]!r}" if samples.labels and not labels else ""
    return row_name(row, labels, _noun(samples)) + also


def _column(samples: Samples, column: int) -> str:
    """How the user finds a number of a row: `, column 'x'`, of sequences in long form ` at t=0.5, column 'x'`."""
    name = samples.feature_names[column]
    if samples.times is None:
        return f", column '{name}'"
    time = samples.times[column * len(samples.times) // len(samples.feature_names)]
    return f" at t={time:g}, column '{name.partition('[t=')[0]}'"
