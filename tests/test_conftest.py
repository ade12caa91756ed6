"""The suite's own safety nets catch what they are there to catch."""

import jax
import jax.numpy as jnp
import pytest


def test_implicit_dtype_promotion_raises():
    with pytest.raises(Exception, match="promotion"):
        jnp.ones(2, jnp.float32) + jnp.ones(2, jnp.int32)


def test_implicit_rank_promotion_raises():
    with pytest.raises(ValueError, match="rank"):
        jnp.ones(2) + jnp.ones((2, 2))


def test_float32_unless_asked():
    assert jnp.ones(2).dtype == jnp.float32


def test_float64_when_asked(x64):
    assert jnp.ones(2).dtype == jnp.float64


def test_fake_devices(run_python):
    assert jax.device_count("cpu") == 1
    assert run_python("import jax; print(jax.device_count())", devices=8).strip() == "8"


def test_a_failing_subprocess_fails_the_test(run_python):
    with pytest.raises(AssertionError, match="no such thing"):
        run_python("raise ValueError('no such thing')")


def test_what_one_process_compiles_the_next_one_finds(run_python, tmp_path):
    code = f"""
from pathlib import Path
import jax, jax.numpy as jnp
from tests.compilation_cache import CompilationCache

hits = []
jax.monitoring.register_event_listener(lambda name, **_: hits.append(name) if name.endswith("cache_hits") else None)
cache = CompilationCache(Path({str(tmp_path)!r}))
cache.open()
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.jit(lambda x: jnp.sin(x) @ x)(jnp.ones((3, 3)))
cache.publish()
print(len(hits) > 0)
"""
    assert [run_python(code, devices=1).strip() for _ in range(2)] == ["False", "True"]
