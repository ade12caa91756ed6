"""Compiled programs are kept on disk, so that the second run of anything starts at once."""

import functools
import os
from pathlib import Path

import jax


@functools.cache
def use_compilation_cache() -> None:
    """Turns on JAX's persistent compilation cache in the user's cache folder, unless the user has chosen for himself.

    JAX's own settings rule: `JAX_COMPILATION_CACHE_DIR` for another folder, `JAX_ENABLE_COMPILATION_CACHE=false` for
    none. A folder that cannot be written costs a warning by JAX, not the run.
    """
    if jax.config.jax_compilation_cache_dir is None:  # pyright: ignore[reportAttributeAccessIssue]
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        jax.config.update("jax_compilation_cache_dir", str(home / "latax" / "jax"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)
