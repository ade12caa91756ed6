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
