"""Compiled programs: kept on disk, so that the second run of anything starts at once, and forgotten where a process
has so many that the next one might be its last."""

import functools
import gc
import os
from pathlib import Path

import jax

#: The memory mappings of this process, one in each line, and how many it may have. Only Linux says so.
_MAPPINGS, _MOST = Path("/proc/self/maps"), Path("/proc/sys/vm/max_map_count")


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


def forget_many_programs() -> None:
    """Forgets all compiled programs of this process where they take a third of the memory mappings that it may have.

    Each program takes several, and XLA aborts the process when there are no more, whatever memory is left: a study of
    potential flows did so in its seventeenth fit, at the usual 65,530. A program that is used again is compiled again,
    mostly from disk.
    """
    if _MAPPINGS.exists() and _MOST.exists() and _MAPPINGS.read_bytes().count(b"\n") > int(_MOST.read_text()) // 3:
        jax.clear_caches()
        gc.collect()
