"""The commands on models in time and with a physics: `latax predict`, `intervene`, `parameters`, `explain`."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from latax._errors import ConfigError
from latax.cli.model import FilePath, Options, RunPath, as_run, load, write_like
from latax.cli.reading import Reading
from latax.data import Samples


def predict(
    run: RunPath,
    file: FilePath,
    out: Path,
    reading: Options,
    until: float | None = None,
    times: tuple[float, ...] = (),
    robust: bool = False,
) -> None:
    """Writes a file's sequences as the model sees them, at other times: beyond the data it goes on.

    A forecaster (vae-dlm, forecast-vae) sees the first state of each only.

    Args:
        run: A run folder or a saved model.
        file: The data, with the columns that the model was fitted on; for a forecaster, initial states do as well.
        out: A new file: npz, nc, npy, csv or parquet. A table in long form stays one.
        until: Go on to this time in steps as the data have them.
        times: Or all times that are wanted; the first is that of the data.
        robust: Of a forecaster: start from the nearest states that it knows how to make, for states with noise.
    """
    from latax.estimators import PhysicsVAE
    from latax.estimators.forecaster import AbstractForecaster
    from latax.estimators.sequence_estimator import AbstractSequenceEstimator

    model = load(run)
    how = as_run(run, file, reading)
    if isinstance(model, AbstractForecaster):
        _forecast(model, how(file), _wanted(model, until, times), out, how, robust=robust)
        return
    if robust:
        raise ConfigError(f"--robust is for forecasters, which start from one state; this is a {model.name}.")
    if not isinstance(model, AbstractSequenceEstimator | PhysicsVAE):
        raise ConfigError(f"A {model.name} knows no time and predicts nothing. Use `latax project`.")
    samples, wanted = how(file), _wanted(model, until, times)
    write_sequences(model, samples, model.predict(samples, wanted), wanted, out, how, "prediction")


def _forecast(model: Any, samples: Samples, times: np.ndarray | None, out: Path, how: Reading, *, robust: bool) -> None:
    """Writes forecasts from initial states, which are whole samples or the beginnings of trajectories."""
    from latax.data.series import at_times

    starts = model.first_states(samples)
    made = model.predict(starts, times, robust=robust)
    made_at = np.asarray(model.times_ if times is None else times, float)
    alone = Samples(
        starts.reshape(len(starts), -1),
        feature_names=model.feature_names_[: starts[0].size],
        sample_shape=(1, *starts.shape[1:]),
        origin=f"forecast from {samples.origin}",
        labels=samples.labels,
    )
    _write(at_times(alone, made_at, made), out, how)


def intervene(
    run: RunPath,
    file: FilePath,
    out: Path,
    reading: Options,
    values: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(name="set", metavar="NAME=VALUE")],
    until: float | None = None,
    times: tuple[float, ...] = (),
) -> None:
    """Writes what a file's samples would be with other parameters of the physics, all else equal.

    Args:
        run: A run folder or a saved model.
        file: The data, with the columns that the model was fitted on.
        out: A new file: npz, nc, npy, csv or parquet. A table in long form stays one.
        values: A parameter and its new value, such as omega=2.0; give it once for each.
        until: Go on to this time in steps as the data have them.
        times: Or all times that are wanted; the first is that of the data.
    """
    model = _with_parameters(load(run), "has no parameters to set")
    how = as_run(run, file, reading)
    samples, wanted = how(file), _wanted(model, until, times)
    made = model.intervene(samples, times=wanted, **_parsed(values, tuple(model.units_)))
    write_sequences(model, samples, made, wanted, out, how, f"intervention {', '.join(values)}")


def parameters(
    run: RunPath,
    file: FilePath,
    reading: Options,
    out: Path | None = None,
    level: float = 0.9,
    discrepancy: bool = True,
    seed: int = 0,
) -> None:
    """Writes the parameters of the physics for each of a file's samples, with units and posterior intervals.

    Args:
        run: A run folder or a saved model.
        file: The data, with the columns that the model was fitted on.
        out: A new table: csv, parquet, npz or npy. The first samples are printed without it.
        level: The probability that an interval holds the parameter.
        discrepancy: Let intervals admit that the physics may miss something that acts like a change of a parameter.
        seed: Seed of the draws that the intervals are taken from.
    """
    from latax.cli.console import show_parameters

    model = _with_parameters(load(run), "has no parameters with units; `latax encode` writes its latent coordinates")
    how = as_run(run, file, reading)
    samples = how(file)
    found = model.parameters(samples, level=level, discrepancy=discrepancy, seed=seed)
    units = {name: f" ({unit})" if (unit := model.units_[name]) else "" for name in found}
    if out is None:
        show_parameters({name + units[name]: estimate for name, estimate in found.items()}, samples.labels, level)
        return
    columns = {
        f"{name}{part}{units[name]}": values
        for name, estimate in found.items()
        for part, values in zip(("", " low", " high"), estimate, strict=True)
    }
    _write_columns(columns, samples, out, f"parameters of {samples.origin}", how)


def explain(run: RunPath, file: FilePath, reading: Options, out: Path | None = None) -> None:
    """Writes how much of each of a file's samples the physics explains, and how much the whole model.

    Two shares of variance. physics: that of the model's reconstruction which the physics alone makes; one where the
    corrections do nothing, and below zero where they work against the physics. data: that of the sample which the
    reconstruction makes; what is missing is noise or misfit. NaN where nothing varies.

    Args:
        run: A run folder or a saved model.
        file: The data, with the columns that the model was fitted on.
        out: A new table: csv, parquet, npz or npy. The first samples are printed without it.
    """
    from latax.cli.console import show_shares

    model = _physics_model(load(run), "explains nothing; `latax score` says how well it rebuilds the data")
    how = as_run(run, file, reading)
    samples = how(file)
    shares = model.explain(samples)._asdict()
    if out is None:
        show_shares(shares, samples.labels)
    else:
        _write_columns(shares, samples, out, f"shares of {samples.origin} that are explained", how)


def _write_columns(columns: Mapping[str, np.ndarray], samples: Samples, out: Path, origin: str, how: Reading) -> None:
    """Writes numbers of each sample, {name: values}, beside the samples' labels."""
    from latax.data.write import write

    rows = np.stack(list(columns.values()), axis=1).astype(np.float64)
    table = Samples(rows, feature_names=tuple(columns), origin=origin, labels=samples.labels)
    write(table, out, label_name=how.series or "")
    print(f"{len(rows)} rows, {rows.shape[1]} columns: {out}")


def write_sequences(
    model: Any, samples: Samples, made: np.ndarray, times: np.ndarray | None, out: Path, how: Reading, what: str
) -> None:
    """Writes what became of these samples, at `times` or those of the data: in long form if they came so."""
    from latax.data.series import at_times

    origin = f"{what} of {samples.origin}"
    if not model.times_:
        write_like(model, made, out, origin, samples.labels)
        return
    made_at = np.asarray(model.times_ if times is None else times, float)
    result = at_times(replace(samples, origin=origin, sample_shape=model.sample_shape_), made_at, made)
    _write(result, out, how)


def _write(result: Samples, out: Path, how: Reading) -> None:
    """Writes sequences, in long form if those that they were made of came so."""
    from latax.data.series import unfold
    from latax.data.write import write

    if how.time is not None and out.suffix.lower() in (".csv", ".parquet"):
        write(unfold(result, how.time), out, label_name=how.series or "")
    else:
        write(result, out)
    print(f"{len(result)} sequences, {result.sample_shape[0]} times: {out}")


def _physics_model(model: Any, why: str) -> Any:
    from latax.estimators import PhysicsVAE

    if not isinstance(model, PhysicsVAE):
        raise ConfigError(f"A {model.name} knows no physics: it {why}.")
    return model


def _with_parameters(model: Any, why: str) -> Any:
    if not _physics_model(model, why).units_:
        raise ConfigError("The physics of this model has no parameters.")
    return model


def _wanted(model: Any, until: float | None, times: tuple[float, ...]) -> np.ndarray | None:
    """The times that were asked for; None for those of the data."""
    if until is None:
        return np.asarray(times, float) if times else None
    if times:
        raise ConfigError(f"--until {until:g} and --times {times[0]:g} ... both say at which times; give one of them.")
    if not model.times_:
        raise ConfigError(f"--until {until:g}: the physics is a closed form, without time. Leave it out.")
    known = np.asarray(model.times_, float)
    step, last = float(np.median(np.diff(known))), known[-1]
    if not until > last:
        raise ConfigError(
            f"--until {until:g} is not beyond the data, whose last time is {last:g}. Give a later time, or all times "
            "by --times."
        )
    further = last + step * np.arange(1, np.ceil((until - last) / step - 1e-6))
    return np.concatenate([known, further, [until]])


def _parsed(values: tuple[str, ...], known: tuple[str, ...]) -> dict[str, float]:
    """{name: number} of what --set was given, for parameters that the physics has."""
    from latax.data.readers.csv_dialect import is_number

    found: dict[str, float] = {}
    for text in values:
        name, _, value = text.partition("=")
        if not is_number(value) or name.strip() in found:
            raise ConfigError(
                f"--set {text}: expected one NAME=NUMBER for each parameter, such as --set omega=2.0 --set gamma=0.1."
            )
        if name.strip() not in known:
            raise ConfigError(f"--set {text}: the physics has no parameter {name}; it has {', '.join(known)}.")
        found[name.strip()] = float(value)
    return found


COMMANDS = {"predict": predict, "intervene": intervene, "parameters": parameters, "explain": explain}
