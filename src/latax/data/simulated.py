"""What the simulated sequences have in common: one solve per sample, and a check of the parameters that are given."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from latax._errors import ConfigError, DataError
from latax._wording import listed

Truth = Mapping[str, np.ndarray | float]
Rate = Callable[[float, np.ndarray], Sequence[float] | np.ndarray]

# SciPy's default tolerances, with which the published data sets were made.
PUBLISHED = (1e-3, 1e-6)


def solve_each(
    rates: Sequence[Rate],
    initial: Float[np.ndarray, "N states"],
    times: Float[np.ndarray, " T"],
    tolerances: tuple[float, float],
) -> Float[np.ndarray, "N T states"]:
    """The solutions of dy/dt = rate(t, y) from times[0] on, by SciPy's DOP853 with dense output.

    `tolerances` are the relative and the absolute one. Raises `DataError` naming a sample that cannot be solved.
    """
    from scipy.integrate import solve_ivp

    rtol, atol = tolerances
    signals = np.empty((len(rates), len(times), initial.shape[1]))
    for i, (rate, start) in enumerate(zip(rates, initial, strict=True)):
        if len(times) == 1:
            signals[i] = start
            continue
        solution = solve_ivp(
            rate, (times[0], times[-1]), start, method="DOP853", dense_output=True, rtol=rtol, atol=atol
        )
        if not solution.success:
            raise DataError(f"sample {i} (the first is 0) cannot be solved: {solution.message}")
        signals[i] = solution.sol(times).T
    return signals


def given(truth: Truth, names: Sequence[str]) -> list[Float[np.ndarray, " N"]]:
    """The values of these names, one array each. Raises `ConfigError` for a missing one or for unequal lengths."""
    if missing := [name for name in names if name not in truth]:
        raise ConfigError(f"the truth lacks {listed(missing)}; a solution needs {listed(names)}.")
    values = [np.atleast_1d(np.asarray(truth[name], float)) for name in names]
    lengths = {name: len(value) for name, value in zip(names, values, strict=True)}
    if len(set(lengths.values())) > 1:
        counts = listed(f"{name}: {length}" for name, length in lengths.items())
        raise ConfigError(f"the truth has not one number per sample for each name: {counts}.")
    return values


def checked_times(times: Float[np.ndarray, " T"] | Sequence[float]) -> Float[np.ndarray, " T"]:
    """The times as an array. Raises `DataError` when they are not increasing."""
    array = np.asarray(times, float)
    if array.ndim != 1 or array.size == 0 or not np.isfinite(array).all() or (np.diff(array) <= 0).any():
        raise DataError("the times of a solution have to be finite numbers, each above the one before.")
    return array
