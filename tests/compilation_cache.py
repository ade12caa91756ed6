"""A compilation cache that the whole suite shares, also between parallel workers and killed processes."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import jax


class CompilationCache:
    """JAX's persistent compilation cache, made safe for concurrent processes.

    JAX writes an entry in place, so another process can read half of it. Here every process works in a folder of its
    own that starts as hard links to the shared entries, and its finished new entries are linked back at the end.
    Subprocesses that a test starts (and may kill) inherit a folder that is never linked back.
    """

    def __init__(self, shared: Path):
        self.shared = shared / jax.__version__
        self.own: Path | None = None

    def open(self) -> None:
        self.shared.mkdir(parents=True, exist_ok=True)
        self.own = Path(tempfile.mkdtemp(prefix="process-", dir=self.shared))
        link_all(self.shared, self.own)
        os.environ["JAX_COMPILATION_CACHE_DIR"] = str(self.own / "children")
        jax.config.update("jax_compilation_cache_dir", str(self.own))
        # Else the folder, which is this process's own, is a part of every key, and no other process finds the entry.
        jax.config.update("jax_persistent_cache_enable_xla_caches", "none")
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)

    def publish(self) -> None:
        if self.own is not None:
            link_all(self.own, self.shared)
            shutil.rmtree(self.own)
            self.own = None


def link_all(source: Path, target: Path) -> None:
    present = {entry.name for entry in target.iterdir()}
    for entry in source.iterdir():
        if entry.is_file() and entry.name not in present:
            with contextlib.suppress(FileExistsError):  # another process has just published the same entry
                os.link(entry, target / entry.name)
