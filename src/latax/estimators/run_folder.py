"""The folder of one run: what it holds, and the rules for making and opening one."""

import hashlib
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import latax
from latax._errors import ConfigError, FileError
from latax.data import Samples
from latax.train.lock import LOCK, hold

SCHEMA = 1


class RunFolder:
    """`config.json` (all that is needed to run again), `metrics.jsonl`, `checkpoints/`, `model/`, `report.html`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    @property
    def config_path(self) -> Path:
        """Estimator, its parameters, the data, versions."""
        return self.path / "config.json"

    @property
    def metrics_path(self) -> Path:
        """One line for each report of the training loop."""
        return self.path / "metrics.jsonl"

    @property
    def model_path(self) -> Path:
        """The fitted model, as `save` writes it."""
        return self.path / "model"

    @property
    def report_path(self) -> Path:
        """The page that shows the run."""
        return self.path / "report.html"

    @contextmanager
    def begun(self, config: dict[str, Any], resume: bool) -> Iterator[None]:
        """The folder as this process alone works on it: made by `create`, or else, to `resume`, as `check` finds it."""
        self.check(config) if resume else self._refuse_taken()
        with hold(self.path):
            if not resume:
                self.create(config)
            yield

    def create(self, config: dict[str, Any]) -> None:
        """Makes the folder. Refuses one that has something in it."""
        self._refuse_taken()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            write_json(self.config_path, {"schema": SCHEMA, "versions": versions(), **config})
        except OSError as error:
            raise FileError(
                f"The run folder {self.path} cannot be made: {error}. Give another folder as out."
            ) from error

    def _refuse_taken(self) -> None:
        if self.path.exists() and (not self.path.is_dir() or any(p.name != LOCK for p in self.path.iterdir())):
            resume = f", or go on with that run by `latax resume {self.path}`" if self.config_path.exists() else ""
            raise FileError(
                f"{self.path} is already there and is not empty; nothing in it was touched. Give another folder as "
                f"out{resume}."
            )

    def config(self) -> dict[str, Any]:
        """What `create` was given. Raises `FileError` if this is no run folder, is damaged, or is too new."""
        if not self.path.exists():
            raise FileError(f"There is no run folder {self.path}. Check the path, or make one with `latax fit`.")
        if not self.config_path.exists():
            raise FileError(
                f"{self.path} is not a run folder: it has no config.json. Give a folder that `latax fit` made."
            )
        return read_json(self.config_path, "run")

    def check(self, config: dict[str, Any]) -> None:
        """Refuses to go on with other settings or other data than the run began with."""
        before = self.config()
        for part, cure in (
            ("estimator", "Use the same estimator"),
            ("params", "Use the parameters in its config.json"),
            ("data", "Give the data that the run began with"),
        ):
            changed = _differences(before.get(part), json.loads(json.dumps(config[part])))
            if changed:
                raise ConfigError(
                    f"The run {self.path} began with another {part}: {changed}. {cure}, or fit into a new folder."
                )


def fingerprint(samples: Samples) -> dict[str, Any]:
    """What identifies the data of a run: their shape and a hash of up to a thousand of their rows."""
    rows = len(samples)
    chosen = np.unique(np.linspace(0, rows - 1, min(rows, 1000)).astype(np.int64))
    part = samples.take(chosen)
    digest = hashlib.sha256(np.ascontiguousarray(part.X, np.float64).tobytes())
    if part.context is not None:
        digest.update(np.ascontiguousarray(part.context, np.float64).tobytes())
    if samples.pairs is not None:
        digest.update(np.ascontiguousarray(samples.pairs.rows, np.int64).tobytes())
        digest.update(np.ascontiguousarray(samples.pairs.distance, np.float64).tobytes())
    columns = [samples.X.shape[1], 0 if samples.context is None else samples.context.shape[1]]
    return {"rows": rows, "columns": columns, "sha256": digest.hexdigest()}


def versions() -> dict[str, str]:
    """The versions of Python and of the libraries that decide the numbers."""
    libraries = ("jax", "jaxlib", "equinox", "flowjax", "optax", "numpy")
    found = {name: version(name) for name in libraries}
    return {"python": platform.python_version(), "latax": latax.__version__, **found}


def write_json(path: Path, value: Any) -> None:
    """Writes JSON whole or not at all."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def read_json(path: Path, what: str) -> dict[str, Any]:
    """Reads a `config.json` and checks that this version of latax understands it."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        schema = value["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(
            f"{path} is damaged or was not written by latax ({type(error).__name__}: {error}). Restore it from a copy."
        ) from error
    if not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
        raise FileError(
            f"{path} has schema {schema!r}, and this latax {latax.__version__} reads up to schema {SCHEMA}: "
            f"the {what} was "
            "written by a newer version. Upgrade with `pip install --upgrade latax`."
        )
    return value


def _differences(before: Any, now: Any) -> str:
    """What differs between two settings, in words; whether progress is shown does not count."""
    if not isinstance(before, dict) or not isinstance(now, dict):
        return "" if before == now else f"{before!r}, now {now!r}"
    names = sorted((before.keys() | now.keys()) - {"progress"})
    changed = [name for name in names if before.get(name) != now.get(name)]
    return "; ".join(f"{name} was {before.get(name)!r}, now {now.get(name)!r}" for name in changed)
