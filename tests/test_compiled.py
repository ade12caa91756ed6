"""Compiled programs of a process that has too many."""

import jax
import jax.numpy as jnp

from latax import _compiled


def test_programs_are_forgotten_where_there_are_too_many(tmp_path, monkeypatch):
    program = jax.jit(lambda x: x + 1)
    program(jnp.ones(()))
    assert program._cache_size() == 1
    mappings, most = tmp_path / "maps", tmp_path / "max_map_count"
    monkeypatch.setattr(_compiled, "_MAPPINGS", mappings)
    monkeypatch.setattr(_compiled, "_MOST", most)
    _compiled.forget_many_programs()
    assert program._cache_size() == 1, "where no file says how many there are"
    most.write_text("300\n")
    mappings.write_text("one\n" * 100)
    _compiled.forget_many_programs()
    assert program._cache_size() == 1
    mappings.write_text("one\n" * 101)
    _compiled.forget_many_programs()
    assert program._cache_size() == 0
    assert program(jnp.ones(())) == 2
