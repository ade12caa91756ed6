"""A data file and finished runs, made once through the command line itself."""

from pathlib import Path

import pytest

from latax.cli import main

TINY = [
    *("--layers", "1", "--latent-layers", "1", "--width-size", "4", "--blocks", "1", "--bins", "2"),
    *("--steps", "8", "--batch-size", "16", "--no-progress"),
]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="session")
def surface(folder: Path) -> Path:
    """A CSV file of 200 points in R³ with their context."""
    path = folder / "surface.csv"
    assert main(["data", "make", "polynomial-surface", "--size", "200", "--out", str(path)]) == 0
    return path


@pytest.fixture(scope="session")
def run(folder: Path, surface: Path) -> Path:
    """A finished run of a conditional M-flow."""
    path = folder / "run"
    assert main(["fit", "mflow", str(surface), "--context", "theta", "--out", str(path), *TINY]) == 0
    return path


@pytest.fixture(scope="session")
def pca_run(folder: Path, surface: Path) -> Path:
    """A finished run of probabilistic PCA, of all four columns."""
    path = folder / "pca"
    assert main(["fit", "probabilistic-pca", str(surface), "--out", str(path)]) == 0
    return path
