"""What every test stands on: run-time type checks, strict promotion, quick compilation, float64, fake devices."""

import functools
import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import optax
import pytest
from jaxtyping import install_import_hook

from tests.compilation_cache import CompilationCache

os.environ.setdefault("MPLBACKEND", "Agg")

# Compiling dominates, and programs that run for milliseconds need not be optimised; one kernel of the newer emitters
# takes twice as long to compile as one of the older; and where every core has a worker, to compile a program in many
# parts costs a seventh more. XLA reads this when JAX compiles first, also in subprocesses.
QUICK_COMPILATION = " ".join(
    (
        "--xla_backend_optimization_level=0",
        "--xla_cpu_use_fusion_emitters=false",
        "--xla_cpu_parallel_codegen_split_count=1",
    )
)
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {QUICK_COMPILATION}"

PROJECT = Path(__file__).parent.parent
CACHE = CompilationCache(PROJECT / ".cache" / "jax")

# Before anything imports latax: every annotated argument, result and field is checked, shapes included.
install_import_hook("latax", "beartype.beartype")


def pytest_configure(config: pytest.Config) -> None:
    jax.config.update("jax_numpy_rank_promotion", "raise")
    jax.config.update("jax_numpy_dtype_promotion", "strict")
    jax.config.update("jax_traceback_in_locations_limit", 0)  # a twentieth of the time goes into lines of source
    allow_promotion_inside_adam()
    gc.set_threshold(20_000, 20, 100)  # tracing makes millions of objects, of which few are garbage
    CACHE.open()


def pytest_unconfigure(config: pytest.Config) -> None:
    CACHE.publish()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    if nextitem is not None and nextitem.path != item.path:
        from latax._compiled import forget_many_programs

        forget_many_programs()


def allow_promotion_inside_adam() -> None:
    # Optax raises a float to an integer count in Adam's bias correction. That is its affair; the rest stays strict.
    for name in ("adam", "adamw"):
        factory = getattr(optax, name)

        @functools.wraps(factory)
        def relaxed(*args, _factory=factory, **kwargs):
            optimizer = _factory(*args, **kwargs)

            def update(*args, **kwargs):
                with jax.numpy_dtype_promotion("standard"):
                    return optimizer.update(*args, **kwargs)

            return optax.GradientTransformationExtraArgs(optimizer.init, update)

        setattr(optax, name, relaxed)


@pytest.fixture
def x64() -> Iterator[None]:
    """Run the test in float64."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def run_python(tmp_path: Path) -> Callable[..., str]:
    """Run code in a fresh Python that sees `devices` fake CPU devices; return what it printed.

    The devices of a process are fixed when JAX starts, so they cannot be had in the test's own process.
    """

    def run(code: str, *, devices: int = 8, timeout: float = 120) -> str:
        environment = os.environ | {
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": f"{QUICK_COMPILATION} --xla_force_host_platform_device_count={devices}",
            "PYTHONPATH": os.pathsep.join(["src", os.environ.get("PYTHONPATH", "")]),
        }
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise AssertionError(f"The subprocess left with status {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    return run
